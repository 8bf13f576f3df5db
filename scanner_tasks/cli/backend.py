"""What commands ask: the API when S3SCAN_API is set, the database otherwise. Both answer with the API's JSON.

One contract test holds both to the same output (tests/cli/test_backends.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from scanner_tasks.cli.remote import ADDRESS, address
from scanner_tasks.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from uuid import UUID

    from scanner_tasks.core.model import Finding

    Told = dict[str, Any]


class Backend(Protocol):
    """Answers in the words of docs/api.md."""

    def start(self, body: Mapping[str, Any]) -> Told:
        """As POST /scan."""

    def start_many(self, body: Mapping[str, Any]) -> Told:
        """As POST /scans."""

    def estimate(
        self, body: Mapping[str, Any], *, most_objects: int | None, listed: Callable[[int], None] | None
    ) -> Told:
        """As POST /scan with dry_run."""

    def jobs(self, *, limit: int | None, active: bool = False) -> Iterator[Told]:
        """Jobs of GET /jobs; all of them without a limit."""

    def job(self, job_id: UUID, *, real_time: bool) -> Told:
        """As GET /jobs/{job_id}."""

    def control(self, job_id: UUID, action: str, body: Mapping[str, Any] | None = None) -> Told:
        """As POST /jobs/{job_id}/pause, resume or cancel."""

    def retry_failed(self, job_id: UUID) -> Told:
        """As POST /jobs/{job_id}/retry-failed."""

    def delete(self, job_id: UUID) -> Told:
        """As DELETE /jobs/{job_id}."""

    def buckets(self, access: Mapping[str, Any]) -> Iterator[Told]:
        """Buckets of GET /buckets; the API shows the scanner's own account alone."""

    def watches(self) -> Told:
        """As GET /watches."""

    def watch(self, body: Mapping[str, Any]) -> Told:
        """As POST /watches."""

    def unwatch(self, bucket: str) -> None:
        """As DELETE /watches/{bucket}."""

    def schedules(self) -> list[Told]:
        """Schedules of GET /schedules."""

    def schedule(self, name: str) -> Told:
        """As GET /schedules/{name}."""

    def add_schedule(self, body: Mapping[str, Any]) -> Told:
        """As POST /schedules."""

    def steer_schedule(self, name: str, action: str) -> Told:
        """As POST /schedules/{name}/pause or resume, or, to remove it, DELETE /schedules/{name}."""

    def run_schedule(self, name: str) -> Told:
        """As POST /schedules/{name}/run-now."""

    def coverage(self, job_id: UUID, *, outcome: str, limit: int) -> Told:
        """As GET /jobs/{job_id}/coverage, with ``has_more`` in the place of a cursor."""

    def unread(self, job_id: UUID, *, outcome: str) -> Iterator[Told]:
        """Objects of GET /jobs/{job_id}/coverage, every one: `bucket`, `key`, `outcome`, `detail`, in keys' order."""

    def changes(self, job_id: UUID, base_id: UUID, *, of: str) -> Iterator[Told]:
        """Findings or objects of GET /jobs/{job_id}/compare/{base_id}."""

    def results(self, **wanted: Any) -> Iterator[Told]:
        """Findings of GET /results."""

    def findings(self, **wanted: Any) -> Iterator[Finding]:
        """Findings of GET /results, as Python has them."""

    def mark(self, *, status: str, by: str, reason: str, dry_run: bool, **wanted: Any) -> Iterator[Told]:
        """A `finding` of GET /results and its new `mark` as of POST /triage, for each that is wanted; lazy.

        A dry run marks nothing: its marks are null.
        """

    def marks(self, finding_id: UUID) -> list[Told]:
        """Marks of GET /triage/{finding_id}."""

    def allow_list(self, finding_id: UUID, *, job_id: UUID | None) -> Told:
        """As GET /findings/{finding_id}/allow-list, without ``toml``."""

    def explain(self, finding_id: UUID, *, occurrence: int, job_id: UUID | None) -> Told:
        """As GET /findings/{finding_id}/explain."""

    def rules(self) -> tuple[list[Told], list[str]]:
        """Rules of GET /rules that are on, and the ids of those that overrides turned off."""

    def rule(self, rule_id: str) -> Told:
        """As GET /rules/{rule_id}."""

    def letters(self, *, after: str | None = None, **wanted: Any) -> Iterator[Told]:
        """Dead letters of GET /dlq, behind a message id."""

    def letter_groups(self, *, by: str, **wanted: Any) -> list[Told]:
        """How many dead letters there are of each error, job, bucket or task, most first; a thousand groups at most."""

    def letter(self, message_id: str) -> Told:
        """As GET /dlq/{message_id}."""

    def retry_letter(self, message_id: str) -> Told:
        """As POST /dlq/{message_id}/retry."""

    def discard_letter(self, message_id: str, *, reason: str) -> Told:
        """As POST /dlq/{message_id}/discard."""

    def audit(self, *, limit: int, **wanted: Any) -> Iterator[Told]:
        """Entries of GET /audit."""

    def fleet(self) -> Told | None:
        """As GET /fleet; None where the API is of a release that does not tell."""


def backend() -> Backend:
    """What the environment names. Raises InvalidInput."""
    if url := address():
        from scanner_tasks.cli.api_backend import ApiBackend  # noqa: PLC0415
        from scanner_tasks.cli.remote import Remote  # noqa: PLC0415

        return ApiBackend(Remote(url))
    from scanner_tasks.cli.database_backend import DatabaseBackend  # noqa: PLC0415

    return DatabaseBackend()


def database_only(command: str) -> None:
    """Refuse a command that works on the database itself while the API is meant."""
    if address():
        raise InvalidInput(f"`s3scan {command}` works on the database itself, not through the API: unset {ADDRESS}.")

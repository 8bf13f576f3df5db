"""The API as what commands ask: each method is one of its endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from scanner_tasks.core.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from uuid import UUID

    from scanner_tasks.cli.backend import Told
    from scanner_tasks.cli.remote import Remote
    from scanner_tasks.core.model import Finding


#: Most buckets of a page of GET /buckets.
_BUCKETS = 100


class ApiBackend:
    """Of the API that ``remote`` reaches."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def start(self, body: Mapping[str, Any]) -> Told:
        """As POST /scan."""
        return self._remote.post("/scan", body)

    def start_many(self, body: Mapping[str, Any]) -> Told:
        """As POST /scans."""
        return self._remote.post("/scans", body)

    def estimate(
        self,
        body: Mapping[str, Any],
        *,
        most_objects: int | None,
        listed: Callable[[int], None] | None,  # noqa: ARG002 (the API answers once)
    ) -> Told:
        """As POST /scan with dry_run; it lists for some seconds."""
        if most_objects is not None:
            raise InvalidInput("--most-objects: the API lists for some seconds by itself; leave it out.")
        return self._remote.post("/scan", {**body, "dry_run": True})

    def jobs(self, *, limit: int | None, active: bool = False) -> Iterator[Told]:
        """Jobs of GET /jobs."""
        return self._remote.pages("/jobs", "jobs", limit=limit, active=active or None)

    def job(self, job_id: UUID, *, real_time: bool) -> Told:
        """As GET /jobs/{job_id}."""
        return self._remote.get(f"/jobs/{job_id}", real_time=real_time)

    def control(self, job_id: UUID, action: str, body: Mapping[str, Any] | None = None) -> Told:
        """As POST /jobs/{job_id}/pause, resume or cancel."""
        return self._remote.post(f"/jobs/{job_id}/{action}", body)

    def retry_failed(self, job_id: UUID) -> Told:
        """As POST /jobs/{job_id}/retry-failed."""
        return self._remote.post(f"/jobs/{job_id}/retry-failed")

    def delete(self, job_id: UUID) -> Told:
        """As DELETE /jobs/{job_id}."""
        return self._delete(f"/jobs/{job_id}")

    def buckets(self, access: Mapping[str, Any]) -> Iterator[Told]:
        """Buckets of GET /buckets."""
        if access:
            raise InvalidInput("The API shows the scanner's own buckets alone: leave the options of access out.")
        return self._remote.pages("/buckets", "buckets", size=_BUCKETS)

    def watches(self) -> Told:
        """As GET /watches."""
        return self._remote.get("/watches")

    def watch(self, body: Mapping[str, Any]) -> Told:
        """As POST /watches."""
        return self._remote.post("/watches", body)

    def unwatch(self, bucket: str) -> None:
        """As DELETE /watches/{bucket}."""
        self._delete(f"/watches/{_quoted(bucket)}")

    def schedules(self) -> list[Told]:
        """Schedules of GET /schedules."""
        return list(self._remote.get("/schedules")["schedules"])

    def schedule(self, name: str) -> Told:
        """As GET /schedules/{name}."""
        return self._remote.get(f"/schedules/{_quoted(name)}")

    def add_schedule(self, body: Mapping[str, Any]) -> Told:
        """As POST /schedules."""
        return self._remote.post("/schedules", body)

    def steer_schedule(self, name: str, action: str) -> Told:
        """As POST /schedules/{name}/pause or resume, or DELETE /schedules/{name}."""
        path = f"/schedules/{_quoted(name)}"
        return self._delete(path) if action == "remove" else self._remote.post(f"{path}/{action}")

    def run_schedule(self, name: str) -> Told:
        """As POST /schedules/{name}/run-now."""
        return self._remote.post(f"/schedules/{_quoted(name)}/run-now")

    def coverage(self, job_id: UUID, *, outcome: str, limit: int) -> Told:
        """As GET /jobs/{job_id}/coverage, pages put together."""
        path = f"/jobs/{job_id}/coverage"
        told = self._remote.get(path, outcome=outcome, limit=1)
        unread = list(self._remote.pages(path, "unread", limit=limit + 1, outcome=outcome))
        del told["next_cursor"]
        return told | {"unread": unread[:limit], "has_more": len(unread) > limit}

    def unread(self, job_id: UUID, *, outcome: str) -> Iterator[Told]:
        """Objects of GET /jobs/{job_id}/coverage."""
        return self._remote.pages(f"/jobs/{job_id}/coverage", "unread", outcome=outcome)

    def changes(self, job_id: UUID, base_id: UUID, *, of: str) -> Iterator[Told]:
        """Findings or objects of GET /jobs/{job_id}/compare/{base_id}."""
        return self._remote.pages(f"/jobs/{job_id}/compare/{base_id}", of, of=of)

    def results(self, **wanted: Any) -> Iterator[Told]:
        """Findings of GET /results."""
        return self._remote.pages("/results", "results", **wanted)

    def findings(self, **wanted: Any) -> Iterator[Finding]:
        """Findings of GET /results."""
        from scanner_tasks.serve.read import finding_of  # noqa: PLC0415

        return map(finding_of, self.results(**wanted))

    def mark(self, *, status: str, by: str, reason: str, dry_run: bool, **wanted: Any) -> Iterator[Told]:
        """GET /results, and POST /triage for each finding."""
        from scanner_tasks.flow.triage import check_mark  # noqa: PLC0415

        check_mark(status, by, reason)
        judged = {"status": status, "by": by, "reason": reason}
        for finding in self.results(**wanted):
            which = {name: finding[name] for name in ("bucket", "key", "rule", "job_id")}
            mark = None if dry_run else self._remote.post("/triage", {**which, **judged})
            yield {"finding": finding, "mark": mark}

    def marks(self, finding_id: UUID) -> list[Told]:
        """Marks of GET /triage/{finding_id}."""
        return list(self._remote.get(f"/triage/{finding_id}")["marks"])

    def allow_list(self, finding_id: UUID, *, job_id: UUID | None) -> Told:
        """As GET /findings/{finding_id}/allow-list."""
        told = self._remote.get(f"/findings/{finding_id}/allow-list", job_id=job_id)
        del told["toml"]
        return told

    def explain(self, finding_id: UUID, *, occurrence: int, job_id: UUID | None) -> Told:
        """As GET /findings/{finding_id}/explain."""
        return self._remote.get(f"/findings/{finding_id}/explain", occurrence=occurrence, job_id=job_id)

    def rules(self) -> tuple[list[Told], list[str]]:
        """Rules of GET /rules."""
        disabled = self._remote.get("/rules", limit=1)["disabled"]
        return list(self._remote.pages("/rules", "rules")), disabled

    def rule(self, rule_id: str) -> Told:
        """As GET /rules/{rule_id}."""
        return self._remote.get(f"/rules/{_quoted(rule_id)}")

    def letters(self, *, after: str | None = None, **wanted: Any) -> Iterator[Told]:
        """Dead letters of GET /dlq, whose cursors are message ids."""
        cursor = after
        while True:
            page = self._remote.get("/dlq", **wanted, cursor=cursor)
            yield from page["dead_letters"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def letter_groups(self, *, by: str, **wanted: Any) -> list[Told]:
        """Dead letters of GET /dlq, counted here."""
        from scanner_tasks.store.dead_letters import MAX_GROUPS, check_group  # noqa: PLC0415

        field = "job_id" if check_group(by) == "job" else by
        groups: dict[str, Told] = {}
        for letter in self.letters(**wanted):  # the oldest first
            name = letter[field] or ""
            group = groups.setdefault(name, {"name": name, "letters": 0, "first_at": letter["arrived_at"]})
            group |= {"letters": group["letters"] + 1, "last_at": letter["arrived_at"]}
        return sorted(groups.values(), key=lambda group: (-group["letters"], group["name"]))[:MAX_GROUPS]

    def letter(self, message_id: str) -> Told:
        """As GET /dlq/{message_id}."""
        return self._remote.get(f"/dlq/{_quoted(message_id)}")

    def retry_letter(self, message_id: str) -> Told:
        """As POST /dlq/{message_id}/retry."""
        return self._remote.post(f"/dlq/{_quoted(message_id)}/retry")

    def discard_letter(self, message_id: str, *, reason: str) -> Told:
        """As POST /dlq/{message_id}/discard."""
        return self._remote.post(f"/dlq/{_quoted(message_id)}/discard", {"reason": reason})

    def audit(self, *, limit: int, **wanted: Any) -> Iterator[Told]:
        """Entries of GET /audit."""
        return self._remote.pages("/audit", "entries", limit=limit, **wanted)

    def fleet(self) -> Told | None:
        """As GET /fleet."""
        try:
            return self._remote.get("/fleet")
        except NotFound:
            return None

    def _delete(self, path: str) -> Told:
        return self._remote.ask("DELETE", path)[1]


def _quoted(name: str) -> str:
    """As one part of a path."""
    return quote(name, safe="")

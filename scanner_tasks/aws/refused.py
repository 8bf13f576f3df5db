"""Requests that are not sent: this process's operator does not allow the role or endpoint that the job names.

A job's access is checked when the job begins, by the API. It is kept in the ledger, which others may write to, and the
lists may have changed since: whoever would assume the role or open the endpoint looks at its own lists again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from scanner_tasks.aws.faults import RoleRefused

if TYPE_CHECKING:
    from scanner_tasks.aws.s3_requests import Answer
    from scanner_tasks.core.listing.markers import Marker
    from scanner_tasks.core.model import ObjectRef
    from scanner_tasks.core.ports import Page, VersionPage


class AccessRefused(RoleRefused):
    """The operator's lists do not hold the job's role or endpoint."""

    fmt = "{reason} It was asked where the bucket is read: set the lists alike for API, Feed and workers."


class RefusedRequests:
    """A backend that sends nothing.

    Args:
        reason: why, in a sentence.
    """

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def _refuse(self) -> NoReturn:
        raise AccessRefused(reason=self._reason)

    def get(self, _ref: ObjectRef, *, if_match: str, byte_range: str | None) -> Answer:  # noqa: ARG002
        """Refused."""
        self._refuse()

    def head(self, _bucket: str, _key: str, _version_id: str | None = None) -> ObjectRef:
        """Refused."""
        self._refuse()

    def tags(self, _ref: ObjectRef) -> dict[str, str]:
        """Refused."""
        self._refuse()

    def list_page(self, _bucket: str, *, prefix: str, start_after: str | None, max_keys: int) -> Page:  # noqa: ARG002
        """Refused."""
        self._refuse()

    def list_versions(self, _bucket: str, *, prefix: str, after: Marker | None, max_keys: int) -> VersionPage:  # noqa: ARG002
        """Refused."""
        self._refuse()

    def renew(self) -> None:
        """Nothing to renew."""

    def close(self) -> None:
        """Nothing to close."""

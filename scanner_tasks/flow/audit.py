"""The audit log read back, and what was refused written into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.core.rights import Permission, like_patterns
from scanner_tasks.flow.read_results import _int, _make_cursor, _read_cursor
from scanner_tasks.store import audit
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from uuid import UUID

    from scanner_tasks.core.audit import AuditEntry
    from scanner_tasks.flow.parts import Api


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditPage:
    """Entries, the newest first; the cursor is None on the last page."""

    entries: tuple[AuditEntry, ...]
    next_cursor: str | None


def read_audit(
    *,
    caller: str | None = None,
    action: str | None = None,
    outcome: str | None = None,
    bucket: str | None = None,
    job_id: UUID | None = None,
    limit: int,
    cursor: str | None,
    using: Api,
) -> AuditPage:
    """A page of what was done and refused, the newest first; of the buckets whose audit the caller may read.

    Raises InvalidCursor.
    """
    scope = like_patterns(using.caller.patterns(Permission.AUDIT))
    query = f"audit {(caller, action, outcome, bucket, job_id, scope)!r}"
    before = _int(_read_cursor(cursor, query)[0], end=2**63) if cursor else None
    with transaction(using.engine) as connection:
        entries = audit.read_entries(
            connection,
            before=before,
            limit=limit + 1,
            scope=scope,
            caller=caller,
            action=action,
            outcome=outcome,
            bucket=bucket,
            job_id=job_id,
        )
    following = _make_cursor(query, [entries[limit - 1].entry_no]) if len(entries) > limit else None
    return AuditPage(entries=entries[:limit], next_cursor=following)


def note_refusal(
    action: str,
    *,
    outcome: str,
    bucket: str | None = None,
    job_id: UUID | None = None,
    target: str | None = None,
    using: Api,
) -> None:
    """Say that somebody was refused, or could not do it: in a transaction of its own, since nothing else was done."""
    with transaction(using.engine) as connection:
        audit.add_entry(connection, using.caller, action, outcome=outcome, bucket=bucket, job_id=job_id, target=target)

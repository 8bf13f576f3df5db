"""The audit log's rows: added, read back from the newest on, forgotten in steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scanner_tasks.core.audit import DONE, AuditEntry
from scanner_tasks.store.engine import execute
from scanner_tasks.store.retention import AT_ONCE
from scanner_tasks.store.text import plain

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection

    from scanner_tasks.core.rights import Caller

_MOST = 500


def add_entry(
    connection: Connection,
    caller: Caller,
    action: str,
    *,
    outcome: str = DONE,
    bucket: str | None = None,
    job_id: UUID | None = None,
    target: str | None = None,
) -> None:
    """Say who did what, in the transaction that does it: both are there, or neither.

    Without a bucket the job's is told, if there is such a job.
    """
    execute(
        connection,
        """
        insert into audit_log (caller, via, action, outcome, bucket, job_id, target, request_id)
        values (:caller, :via, :action, :outcome,
          coalesce(:bucket, (select bucket from jobs where job_id = cast(:job_id as uuid))), :job_id, :target,
          :request_id)
        """,
        caller=plain(caller.name)[:_MOST],
        via=caller.via,
        action=action,
        outcome=outcome,
        bucket=bucket,
        job_id=None if job_id is None else str(job_id),
        target=None if target is None else plain(target)[:_MOST],
        request_id=caller.request_id,
    )


def read_entries(
    connection: Connection,
    *,
    before: int | None,
    limit: int,
    scope: list[str] | None = None,
    **wanted: Any,
) -> tuple[AuditEntry, ...]:
    """Entries from the newest on, those below number ``before`` (primary key, backwards; of a job its index).

    ``wanted`` are caller, action, outcome, bucket, job_id; None leaves one open. ``scope`` are LIKE patterns of
    buckets: what belongs to no bucket is left out then.
    """
    given = {name: value for name, value in wanted.items() if value is not None}
    where = ["entry_no < coalesce(:before, 9223372036854775807)", *(f"{name} = :{name}" for name in given)]
    if scope is not None:
        where.append("bucket like any(cast(:scope as text[]))")
        given["scope"] = scope
    rows = execute(
        connection,
        f"""
        select entry_no, at, caller, via, action, outcome, bucket, job_id, target, request_id from audit_log
        where {" and ".join(where)} order by entry_no desc limit :limit
        """,
        before=before,
        limit=limit,
        **given,
    )
    return tuple(AuditEntry(**row._mapping) for row in rows)  # noqa: SLF001 (SQLAlchemy's mapping view)


def forget_entries(connection: Connection, *, older_than_days: float) -> int:
    """Remove some of the entries before that (index audit_log_at). How many went."""
    return execute(
        connection,
        """
        delete from audit_log where entry_no in (
          select entry_no from audit_log where at < now() - :days * interval '1 day' order by at limit :at_most)
        """,
        days=older_than_days,
        at_most=AT_ONCE,
    ).rowcount

"""Jobs: their row, their lane, their state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.access import OWN, Access, from_json
from scanner_tasks.core.bases import Base
from scanner_tasks.core.model import Job, JobSource, JobStatus
from scanner_tasks.core.progress import LEGAL_STATUS_CHANGES
from scanner_tasks.core.selection import EVERYTHING, Selection, Taken
from scanner_tasks.core.selection_rules import from_json as selection_from_json
from scanner_tasks.store.engine import execute
from scanner_tasks.store.text import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Connection, Row

_COLUMNS = """job_no, job_id, bucket, prefix, source, access, status, status_reason, lane, epoch, execution_no,
  execution_arn, cursor, next_batch_no, ruleset_hash, created_at, listed_at, finished_at, selection,
  taken_objects, taken_bytes, base_job_no, base_job_id, base_refusal, base_note, inventory, then_list,
  schedule"""


def _job(row: Row[Any]) -> Job:
    fields = dict(row._mapping)  # noqa: SLF001 (SQLAlchemy's documented mapping view)
    fields["source"] = JobSource(fields["source"])
    fields["access"] = from_json(fields["access"])
    fields["selection"] = selection_from_json(fields["selection"])
    fields["taken"] = Taken(objects=fields.pop("taken_objects"), size_bytes=fields.pop("taken_bytes"))
    fields["base"] = _base(*(fields.pop(f"base_{name}") for name in ("job_no", "job_id", "refusal", "note")))
    fields["is_followed"] = fields.pop("then_list") is not None
    fields["status"] = JobStatus(fields["status"])
    fields["prefix"] = from_text(fields["prefix"])
    fields["cursor"] = None if fields["cursor"] is None else from_text(fields["cursor"])
    return Job(**fields)


def _base(job_no: int | None, job_id: UUID | None, refusal: str | None, note: str | None) -> Base | None:
    if job_no is None and refusal is None:
        return None
    return Base(job_no=job_no, job_id=job_id, refusal=refusal, note=note)


def lock_job(connection: Connection, job_no: int) -> None:
    """Hold the job's row until the transaction ends, and see from now on what former holders changed.

    What changes the row and batches of the job takes the row first, then batches in their order: two that change many
    of them wait for each other, and never in a circle.
    """
    execute(connection, "select 1 from jobs where job_no = :job_no for update", job_no=job_no)


def lock_fleet(connection: Connection) -> None:
    """Wait for the fleet's one row: whoever holds it alone gives lanes to buckets."""
    execute(connection, "select 1 from fleet for update")


def lane_load(connection: Connection) -> dict[str, int]:
    """Open batches of each lane's active jobs, plus one for each bucket that is active on it."""
    rows = execute(
        connection,
        """
        select j.lane, count(distinct j.bucket) + coalesce(sum(d.open_batches), 0) as load
        from jobs j
        left join lateral (select sum(open_batches) open_batches from job_deltas where job_no = j.job_no) d on true
        where j.finished_at is null group by j.lane
        """,
    )
    return {row.lane: int(row.load) for row in rows}


def active_lane(connection: Connection, bucket: str) -> str | None:
    """The lane that the bucket keeps while it has an active job; None when it has none."""
    row = execute(
        connection,
        "select lane from jobs where bucket = :bucket and finished_at is null order by job_no limit 1",
        bucket=bucket,
    ).first()
    return row.lane if row else None


def add_job(
    connection: Connection,
    *,
    job_id: UUID,
    bucket: str,
    prefix: str,
    lane: str,
    ruleset_hash: str,
    source: JobSource,
    access: Access = OWN,
    selection: Selection = EVERYTHING,
    base: Base | None = None,
    inventory: str | None = None,
    then_list: bool = False,
) -> bool:
    """Add a job in status ``listing`` and its bucket's row; False when the job is there already."""
    execute(
        connection,
        """
        insert into buckets (bucket, lane) values (:bucket, :lane)
        on conflict (bucket) do update set lane = excluded.lane where buckets.lane <> excluded.lane
        """,
        bucket=bucket,
        lane=lane,
    )
    added = execute(
        connection,
        """
        insert into jobs (job_id, bucket, prefix, source, access, lane, ruleset_hash, selection, base_job_no,
          base_job_id, base_refusal, base_note, inventory, then_list)
        values (:job_id, :bucket, :prefix, :source, cast(:access as jsonb), :lane, :ruleset_hash,
          cast(:selection as jsonb), :base_job_no, :base_job_id, :base_refusal, :base_note, :inventory, :then_list)
        on conflict (job_id) do nothing
        """,
        job_id=job_id,
        bucket=bucket,
        prefix=to_text(prefix),
        source=str(source),
        access=None if access.is_default else json.dumps(access.to_json()),
        lane=lane,
        ruleset_hash=ruleset_hash,
        selection=None if selection.is_everything else json.dumps(selection.to_json()),
        base_job_no=base.job_no if base else None,
        base_job_id=base.job_id if base else None,
        base_refusal=base.refusal if base else None,
        base_note=base.note if base else None,
        inventory=inventory,
        then_list=True if then_list else None,
    )
    return added.rowcount == 1


def get_job(connection: Connection, job_id: UUID) -> Job | None:
    """The job with this id (unique index); None when there is none, or it is being deleted."""
    row = execute(
        connection, f"select {_COLUMNS} from jobs where job_id = :job_id and deleted_at is null", job_id=job_id
    ).first()
    return _job(row) if row else None


def add_ruleset(connection: Connection, job_no: int, ruleset_hash: str) -> None:
    """Keep that a worker with another ruleset than the job's scanned some of it; a repeat changes nothing."""
    execute(
        connection,
        "insert into job_rulesets (job_no, ruleset_hash) values (:job_no, :ruleset_hash) on conflict do nothing",
        job_no=job_no,
        ruleset_hash=ruleset_hash,
    )


def other_rulesets(connection: Connection, job_nos: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Rulesets other than the job's own that scanned some of it, by job number; a job without any is missing."""
    rows = execute(
        connection,
        """
        select job_no, array_agg(ruleset_hash order by seen_at, ruleset_hash) hashes
        from job_rulesets where job_no = any(:job_nos) group by job_no
        """,
        job_nos=list(job_nos),
    )
    return {row.job_no: tuple(row.hashes) for row in rows}


def list_jobs(
    connection: Connection,
    *,
    before: int | None,
    limit: int,
    scope: list[str] | None = None,
    active: bool = False,
) -> tuple[Job, ...]:
    """Jobs from the newest on, those below job number ``before`` (primary key, backwards).

    ``scope`` are LIKE patterns of buckets: jobs on others are passed over. ``active``: only those that have not ended,
    paused ones too (index jobs_active).
    """
    rows = execute(
        connection,
        f"select {_COLUMNS} from jobs where job_no < coalesce(:before, 2147483647) and deleted_at is null"
        f" {'' if scope is None else 'and bucket like any(cast(:scope as text[]))'}"
        f" {'and finished_at is null' if active else ''} order by job_no desc limit :limit",
        before=before,
        limit=limit,
        **({} if scope is None else {"scope": scope}),
    )
    return tuple(_job(row) for row in rows)


def active_jobs(connection: Connection) -> tuple[Job, ...]:
    """Every job that has not ended, paused ones too (index jobs_active)."""
    rows = execute(connection, f"select {_COLUMNS} from jobs where finished_at is null order by job_no")
    return tuple(_job(row) for row in rows)


def awaiting_follow_up(connection: Connection) -> tuple[Job, ...]:
    """Ended jobs whose following listing has not begun (index jobs_then_list)."""
    rows = execute(
        connection,
        f"select {_COLUMNS} from jobs where then_list and finished_at is not null and deleted_at is null"
        " order by job_no",
    )
    return tuple(_job(row) for row in rows)


def end_follow_up(connection: Connection, job_no: int, *, reason: str | None) -> None:
    """The following listing has begun, or never will, and why."""
    execute(
        connection,
        "update jobs set then_list = false, status_reason = coalesce(:reason, status_reason)"
        " where job_no = :job_no and then_list",
        job_no=job_no,
        reason=reason,
    )


def change_status(
    connection: Connection, job_no: int, new: JobStatus, *, reason: str | None = None, new_epoch: bool = False
) -> int | None:
    """Go to ``new`` if the job's state allows it; the job's epoch afterwards, None when it is not allowed.

    A failed or cancelled job has ended only when what it left open is closed too: see ``end_job``.
    ``new_epoch`` raises the epoch, so that messages already sent become no-ops. A repeat changes nothing.
    """
    row = execute(
        connection,
        """
        update jobs set status = :new, status_reason = :reason, epoch = epoch + :bump, progressed_at = now()
        where job_no = :job_no and status = any(:old) returning epoch
        """,
        job_no=job_no,
        new=str(new),
        reason=reason,
        old=_sources(new),
        bump=int(new_epoch),
    ).first()
    return row.epoch if row else None


def _sources(new: JobStatus) -> Sequence[str]:
    return [str(old) for old, allowed in LEGAL_STATUS_CHANGES.items() if new in allowed]


def end_job(connection: Connection, job_no: int) -> bool:
    """End a failed or cancelled job; False while some batch of it is open (close those first)."""
    row = execute(
        connection,
        """
        update jobs j set finished_at = now(), feeding = false
        where j.job_no = :job_no and j.status in ('failed', 'cancelled') and j.finished_at is null and not exists (
          select 1 from job_batches b where b.job_no = :job_no and b.batch_no >= j.done_from and b.state < 3)
        returning 1
        """,
        job_no=job_no,
    ).first()
    return row is not None


def next_execution(connection: Connection, job_no: int, *, after: int) -> int | None:
    """Take the number of the execution that follows ``after``; None when somebody else did.

    Compare-and-swap: of two callers that saw execution 3, one gets 4 and the other None.
    """
    row = execute(
        connection,
        """
        update jobs set execution_no = execution_no + 1, feeding = true, progressed_at = now()
        where job_no = :job_no and execution_no = :after and finished_at is null returning execution_no
        """,
        job_no=job_no,
        after=after,
    ).first()
    return row.execution_no if row else None


def set_execution(connection: Connection, job_no: int, *, execution_no: int, arn: str | None) -> None:
    """Record the ARN of a started execution; None when it could not be started, so that settle starts another."""
    execute(
        connection,
        """
        update jobs set execution_arn = coalesce(:arn, execution_arn), feeding = :arn is not null
        where job_no = :job_no and execution_no = :execution_no
        """,
        job_no=job_no,
        execution_no=execution_no,
        arn=arn,
    )


def end_feeding(connection: Connection, job_no: int, *, execution_no: int) -> None:
    """The execution has nothing more to send; settle starts the next when a batch is planned again."""
    execute(
        connection,
        "update jobs set feeding = false where job_no = :job_no and execution_no = :execution_no",
        job_no=job_no,
        execution_no=execution_no,
    )

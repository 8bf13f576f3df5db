"""Batches that are done or dead, opened again: objects that failed become pending, what they left is taken back.

The job's row is locked first, in a statement of its own: whoever moves ``done_from`` or ends the job waits, and sees
the batches open then. Batches in a worker's hands are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.core.errors import Conflict
from scanner_tasks.core.model import JobStatus, Outcome
from scanner_tasks.store.engine import execute
from scanner_tasks.store.range_reopen import reopen_ranges

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Batches that one transaction of ``reopen_failed`` looks at, so that it stays short.
LOOK_AT_ONCE = 1000

#: Outcomes that a retry takes back: every failed(…), and the one of dead letters.
_FIRST_FAILED, _LAST_FAILED = 60, 79


@dataclass(frozen=True, kw_only=True, slots=True)
class Reopened:
    """What was opened again."""

    batches: int
    objects: int


def reopen_job(connection: Connection, job_no: int) -> None:
    """Make sure that batches of the job may be opened: one that has ended scans again.

    A listing, scanning or paused job goes on as it is. Raises Conflict for a job that was cancelled, whose listing
    never ended, or that is still closing what it left.
    """
    job = execute(
        connection,
        "select job_id, status, listed_at, finished_at, deleted_at from jobs where job_no = :job_no for update",
        job_no=job_no,
    ).one()
    status = JobStatus(job.status)
    if not status.is_final:
        return
    if job.deleted_at is not None:
        raise Conflict(f"Job {job.job_id} is being deleted: start a new one.")
    if status is JobStatus.CANCELLED:
        raise Conflict(f"Job {job.job_id} is cancelled: start a new one.")
    if job.listed_at is None:
        raise Conflict(f"Job {job.job_id} failed before its listing ended: start a new one.")
    if job.finished_at is None:
        raise Conflict(f"Job {job.job_id} is ending just now: try again in a minute.")
    execute(
        connection,
        """
        update jobs set status = 'scanning', status_reason = null, finished_at = null, feeding = false,
          progressed_at = now()
        where job_no = :job_no
        """,
        job_no=job_no,
    )


def reopen_dead(connection: Connection, job_no: int, batch_no: int) -> Reopened:
    """Open a dead batch: its objects that are failed(dead_letter) are pending again. A repeat opens nothing.

    Its attempts keep counting, so that the retry is made with a second attempt's caution. Raises Conflict as
    ``reopen_job``; call it when the batch may be dead, the job is not touched otherwise.
    """
    found = execute(
        connection,
        """
        select b.keys = '{}' as is_range from jobs j join job_batches b using (job_no)
        where b.job_no = :job_no and b.batch_no = :batch_no and b.state = 4 for update of j
        """,
        job_no=job_no,
        batch_no=batch_no,
    ).first()
    if found is None:
        return Reopened(batches=0, objects=0)
    reopen_job(connection, job_no)
    dead_letter = int(Outcome.FAILED_DEAD_LETTER)
    if found.is_range:
        opened = reopen_ranges(connection, job_no, first=batch_no, last=batch_no, outcomes=(dead_letter, dead_letter))
        return Reopened(batches=opened.ranges, objects=opened.objects)
    return _reopen(connection, job_no, "b.state = 4", outcomes=(dead_letter, dead_letter), batch_nos=(batch_no,) * 2)


def reopen_failed(connection: Connection, job_no: int, *, from_batch_no: int) -> tuple[Reopened, int | None]:
    """Open the batches with failed objects among ``LOOK_AT_ONCE`` from this one on; where to go on, None at the end.

    Only the failed objects are pending again; their findings and failures are removed. Of an object in byte ranges, the
    failed ranges are, and what they found is taken back. Objects of a batch that a worker
    holds are left as they are. Dead letters of these batches count as retried. Raises Conflict as ``reopen_job``, which
    is called only when something failed.
    """
    job = execute(connection, "select next_batch_no from jobs where job_no = :job_no for update", job_no=job_no).one()
    last = from_batch_no + LOOK_AT_ONCE - 1
    following = last + 1 if last + 1 < job.next_batch_no else None
    found = execute(
        connection,
        f"select 1 from job_batches b where {_FAILED} and b.state <> 2 limit 1",
        job_no=job_no,
        first=from_batch_no,
        last=last,
    ).first()
    if found is None:
        return Reopened(batches=0, objects=0), following
    reopen_job(connection, job_no)
    failed = (_FIRST_FAILED, _LAST_FAILED)
    reopened = _reopen(
        connection,
        job_no,
        f"b.state <> 2 and {_FAILED} and {_IN_NO_RANGES}",
        outcomes=failed,
        batch_nos=(from_batch_no, last),
    )
    opened = reopen_ranges(connection, job_no, first=from_batch_no, last=last, outcomes=failed)
    both = Reopened(batches=reopened.batches + opened.ranges, objects=reopened.objects + opened.objects)
    return both, following


# Hex digits of a byte between 60 and 79, at an even place.
_FAILED = (
    "b.job_no = :job_no and b.batch_no between :first and :last"
    " and encode(b.outcomes, 'hex') ~ '^(..)*(3[c-f]|4[0-9a-f])'"
)
# Neither a range nor the batch of an object in ranges: a failed object's ranges are opened, and it with them.
_IN_NO_RANGES = """
    b.keys <> '{}' and not exists (
      select 1 from object_ranges o where o.job_no = b.job_no and o.object_batch_no = b.batch_no)
"""


def _reopen(
    connection: Connection, job_no: int, which: str, *, outcomes: tuple[int, int], batch_nos: tuple[int, int]
) -> Reopened:
    """One statement: objects with these outcomes become pending, and their deltas, findings and failures go."""
    row = execute(
        connection,
        f"""
        with target as (
          select b.job_no, b.batch_no, b.state, b.objects, b.outcomes, b.sizes from job_batches b
          where b.job_no = :job_no and b.batch_no between :first and :last and ({which})
          order by b.batch_no for update of b
        ), opened as (
          select t.batch_no, n as position, get_byte(t.outcomes, n) as code, t.sizes[n + 1] as size
          from target t cross join lateral generate_series(0, t.objects - 1) n
          where get_byte(t.outcomes, n) between :low and :high
        ), by_batch as (
          select batch_no, count(*) as objects, sum(size) as bytes from opened group by batch_no
        ), planned as (
          update job_batches b set state = case when t.state > 2 then 0 else t.state end, state_at = now(),
            pending = b.pending + o.objects, pending_bytes = b.pending_bytes + o.bytes, outcomes = (
              select string_agg(
                case when get_byte(b.outcomes, n) between :low and :high then '\\x00'::bytea
                else substr(b.outcomes, n + 1, 1) end, ''::bytea order by n)
              from generate_series(0, b.objects - 1) n)
          from target t join by_batch o using (batch_no) where b.job_no = t.job_no and b.batch_no = t.batch_no
        ), unfound as (
          delete from findings f using opened o
          where f.job_no = :job_no and f.batch_no = o.batch_no and f.position = o.position returning o.code, f.count
        ), unfailed as (
          delete from object_failures f using opened o
          where f.job_no = :job_no and f.batch_no = o.batch_no and f.position = o.position
        ), counted as (
          insert into job_deltas (job_no, code, objects, bytes, open_batches, findings, occurrences)
          select :job_no, code, -sum(objects), -sum(bytes), 0, -sum(findings), -sum(occurrences) from (
            select code, 1 as objects, size as bytes, 0 as findings, 0 as occurrences from opened
            union all select code, 0, 0, 1, count from unfound
          ) taken_back group by code
          union all
          select :job_no, 0, 0, 0, count(*) filter (where state > 2), 0, 0 from target having count(*) > 0
        ), marked as (
          update jobs j set dispatch_from = least(j.dispatch_from, t.first), done_from = least(j.done_from, t.first),
            dispatch_rev = j.dispatch_rev + 1, progressed_at = now()
          from (select min(batch_no) as first from target) t where j.job_no = :job_no and t.first is not null
        ), retried as (
          update dead_letters d set state = 'retried', state_at = now() from by_batch o
          where d.job_no = :job_no and d.batch_no = o.batch_no and d.state = 'open'
        )
        select (select count(*) from by_batch) as batches, (select count(*) from opened) as objects
        """,
        job_no=job_no,
        first=batch_nos[0],
        last=batch_nos[1],
        low=outcomes[0],
        high=outcomes[1],
    ).one()
    return Reopened(batches=row.batches, objects=row.objects)

"""From the listing into the ledger, and from the ledger towards the lanes."""

from __future__ import annotations

from base64 import b64encode
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.choosing import passed_over
from scanner_tasks.core.model import BatchState, Outcome
from scanner_tasks.store.base_jobs import copy_findings, take_over
from scanner_tasks.store.engine import execute, insert_rows
from scanner_tasks.store.job_costs import add_classes
from scanner_tasks.store.packing import pack_etags
from scanner_tasks.store.strata import add_strata
from scanner_tasks.store.text import KEYS_OF, joined, to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from scanner_tasks.core.choosing import ChosenPage, Stratum
    from scanner_tasks.core.model import Job, PlannedBatch
    from scanner_tasks.core.selection import Taken

_INSERT_BATCHES = (
    "insert into job_batches (job_no, batch_no, state, objects, pending, pending_bytes,"
    " outcomes, keys, sizes, etags, version_ids) values "
)
#: Keys, sizes and ETags as one text each: shorter, so that a statement holds more batches, and read faster than arrays
#: of a hundred constants.
_BATCH_ROW = f"(%s, %s, %s, %s, %s, %s, %s, {KEYS_OF}, %s::bigint[], decode(%s, 'base64'), %s::text[])"


@dataclass(frozen=True, kw_only=True, slots=True)
class DispatchView:
    """What Feed needs to know before it sends: read under the bucket's row lock."""

    batches_per_s: float
    #: Jobs on the bucket that may send.
    active_jobs: int
    #: Batches of this job planned, dispatched or claimed / dispatched or claimed.
    open_batches: int
    ahead_batches: int
    #: Where the search for planned batches begins, and the revision to name when moving it.
    dispatch_from: int
    dispatch_rev: int
    #: Postgres' time when this was read.
    read_at: datetime

    @property
    def planned(self) -> int:
        """Batches that wait for dispatch."""
        return self.open_batches - self.ahead_batches


def add_batches(
    connection: Connection,
    job: Job,
    batches: Sequence[PlannedBatch],
    *,
    cursor: str | None,
    is_last: bool,
    strata: Sequence[Stratum] = (),
    taken: Taken | None = None,
) -> bool:
    """Record what a page of the listing gave, and move the cursor over it; False when another turn did so first.

    The cursor is compared and swapped: two turns that list the same page record it once. Objects that are not read are
    recorded with their outcome at once; a batch of nothing else is done. ``is_last`` ends the listing. Objects of
    ``strata`` that were not chosen are counted with their outcome, without a row. What is as the job's base left it is
    recorded as unchanged, with its findings (base_jobs.py).
    """
    taken = taken or job.taken
    batches, unchanged = take_over(connection, job, batches)
    moved = execute(
        connection,
        """
        with moved as (
          update jobs set cursor = :cursor, next_batch_no = next_batch_no + :count, progressed_at = now(),
            listed_at = case when :is_last then now() end, status = case when :is_last then 'scanning' else status end,
            taken_objects = :taken_objects, taken_bytes = :taken_bytes
          where job_no = :job_no and status = 'listing' and epoch = :epoch and next_batch_no = :next_batch_no
            and cursor is not distinct from :old_cursor
          returning job_no
        ), counted as (
          insert into job_deltas (job_no, code, objects, bytes, batches, open_batches)
          select moved.job_no, d.code, d.objects, d.bytes, d.batches, d.open_batches
          from moved cross join unnest(cast(:codes as int[]), cast(:objects as bigint[]), cast(:bytes as bigint[]),
            cast(:batches as int[]), cast(:open_batches as int[])) d (code, objects, bytes, batches, open_batches)
        )
        select job_no from moved
        """,
        job_no=job.job_no,
        cursor=None if cursor is None else to_text(cursor),
        old_cursor=None if job.cursor is None else to_text(job.cursor),
        epoch=job.epoch,
        next_batch_no=job.next_batch_no,
        count=len(batches),
        is_last=is_last,
        taken_objects=taken.objects,
        taken_bytes=taken.size_bytes,
        **_listed_deltas(batches, passed_over(strata)),
    ).first()
    if moved is None:
        return False
    rows = (_row(job.job_no, job.next_batch_no + n, batch) for n, batch in enumerate(batches))
    insert_rows(connection, _INSERT_BATCHES, _BATCH_ROW, rows)
    copy_findings(connection, job, unchanged, first_no=job.next_batch_no)
    add_strata(connection, job.job_no, strata)
    add_classes(connection, job.job_no, batches)
    return True


def insert_pages(connection: Connection, job: Job, pages: Sequence[ChosenPage], *, first_no: int) -> int:
    """Rows and deltas of what was chosen of listed pages, numbered from ``first_no`` on; how many batches.

    Under the job's row lock, with its guard. Objects without a row, and what is as the job's base left it, as
    ``add_batches``.
    """
    batches: list[PlannedBatch] = []
    copies = []
    for page in pages:
        known, unchanged = take_over(connection, job, page.batches)
        copies.append((first_no + len(batches), unchanged))
        batches += known
    strata = [stratum for page in pages for stratum in page.strata]
    if not batches and not strata:
        return 0
    execute(
        connection,
        """
        insert into job_deltas (job_no, code, objects, bytes, batches, open_batches)
        select :job_no, d.code, d.objects, d.bytes, d.batches, d.open_batches
        from unnest(cast(:codes as int[]), cast(:objects as bigint[]), cast(:bytes as bigint[]),
          cast(:batches as int[]), cast(:open_batches as int[])) d (code, objects, bytes, batches, open_batches)
        """,
        job_no=job.job_no,
        **_listed_deltas(batches, passed_over(strata)),
    )
    rows = (_row(job.job_no, first_no + n, batch) for n, batch in enumerate(batches))
    insert_rows(connection, _INSERT_BATCHES, _BATCH_ROW, rows)
    for number, unchanged in copies:
        copy_findings(connection, job, unchanged, first_no=number)
    add_strata(connection, job.job_no, strata)
    add_classes(connection, job.job_no, batches)
    return len(batches)


def _listed_deltas(
    batches: Iterable[PlannedBatch], without_row: Mapping[Outcome, tuple[int, int]]
) -> dict[str, list[int]]:
    """Columns of the delta rows: one row for all that was listed, one for each outcome given at once."""
    objects: defaultdict[int, int] = defaultdict(int)
    sizes: defaultdict[int, int] = defaultdict(int)
    for outcome, (number, size_bytes) in without_row.items():
        for code in (0, int(outcome)):
            objects[code] += number
            sizes[code] += size_bytes
    count = still_open = 0
    for batch in batches:
        count += 1
        still_open += batch.pending > 0
        objects[0] += len(batch.objects)
        sizes[0] += batch.size_bytes
        for planned in batch.objects:
            if planned.outcome is not Outcome.PENDING:
                objects[int(planned.outcome)] += 1
                sizes[int(planned.outcome)] += planned.ref.size_bytes
    codes = sorted(objects)
    return {
        "codes": codes,
        "objects": [objects[code] for code in codes],
        "bytes": [sizes[code] for code in codes],
        "batches": [count if code == 0 else 0 for code in codes],
        "open_batches": [still_open if code == 0 else 0 for code in codes],
    }


def _row(job_no: int, batch_no: int, batch: PlannedBatch) -> tuple[Any, ...]:
    refs = [planned.ref for planned in batch.objects]
    begin, rest = joined(ref.key for ref in refs)
    pending = [planned.ref.size_bytes for planned in batch.objects if planned.outcome is Outcome.PENDING]
    return (
        job_no,
        batch_no,
        int(BatchState.PLANNED if pending else BatchState.DONE),
        len(refs),
        len(pending),
        sum(pending),
        bytes(planned.outcome for planned in batch.objects),
        begin,
        rest,
        begin,
        f"{{{','.join(str(ref.size_bytes) for ref in refs)}}}",
        b64encode(pack_etags(ref.etag for ref in refs)).decode(),
        [ref.version_id for ref in refs] if any(ref.version_id for ref in refs) else None,
    )


def dispatch_view(connection: Connection, job: Job) -> DispatchView:
    """How much the job may send: its bucket's rate, the jobs that share it, what the job has open and ahead.

    Locks the bucket's row until the transaction ends, so that two jobs of one bucket do not both take the last room.
    """
    row = execute(
        connection,
        """
        with bucket as (select batches_per_s from buckets where bucket = :bucket for update)
        select now() as read_at, bucket.batches_per_s, j.dispatch_from, j.dispatch_rev,
          (select count(*) from jobs o
           where o.bucket = :bucket and o.finished_at is null and o.status in ('listing', 'scanning')
             and (o.source <> 'events' or o.job_no = :job_no))  -- one that waits for events takes no share
            as active_jobs,
          coalesce(d.open_batches, 0) as open_batches, coalesce(d.ahead_batches, 0) as ahead_batches
        from bucket cross join jobs j
        cross join (select sum(open_batches) open_batches, sum(ahead_batches) ahead_batches
                    from job_deltas where job_no = :job_no) d
        where j.job_no = :job_no
        """,
        bucket=job.bucket,
        job_no=job.job_no,
    ).one()
    return DispatchView(**{key: row._mapping[key] for key in DispatchView.__dataclass_fields__})  # noqa: SLF001


def planned_batches(connection: Connection, job_no: int, *, dispatch_from: int, limit: int) -> list[int]:
    """The first planned batches at or above the low-water mark (walks the primary key)."""
    rows = execute(
        connection,
        """
        select batch_no from job_batches where job_no = :job_no and batch_no >= :dispatch_from and state = 0
        order by batch_no limit :limit
        """,
        job_no=job_no,
        dispatch_from=dispatch_from,
        limit=limit,
    )
    return [row.batch_no for row in rows]


def mark_dispatched(
    connection: Connection,
    job: Job,
    batch_nos: Sequence[int],
    *,
    dispatch_from: int,
    dispatch_rev: int,
    read_at: datetime | None = None,
) -> int:
    """Mark sent batches ``dispatched`` where they are still planned; how many were.

    Send first, mark then: a crash between the two sends a batch twice, never not at all. A batch already claimed, or a
    job that was paused meanwhile (its epoch moved: the row lock waits for that), keeps its state. So does a batch that
    was planned again after ``read_at``: a worker that stops has given it back, its message is gone, it is sent again.

    The low-water mark moves to ``dispatch_from`` unless some batch was planned again since ``dispatch_rev`` was read.
    Batches 0-99 sent, the sweep returns 40 meanwhile: the mark stays, and the next turn finds 40.
    """
    current = execute(
        connection,
        "select 1 from jobs where job_no = :job_no and epoch = :epoch and finished_at is null for update",
        job_no=job.job_no,
        epoch=job.epoch,
    ).first()
    if current is None:
        return 0
    marked = execute(
        connection,
        """
        with marked as (
          update job_batches set state = 1, state_at = now(), lease_until = null
          where job_no = :job_no and batch_no = any(:batch_nos) and state = 0
            and state_at <= coalesce(cast(:read_at as timestamptz), 'infinity') returning 1
        ), counted as (
          insert into job_deltas (job_no, ahead_batches)
          select :job_no, count(*) from marked having count(*) > 0
        )
        select count(*) as n from marked
        """,
        job_no=job.job_no,
        batch_nos=list(batch_nos),
        read_at=read_at,
    ).one()
    execute(
        connection,
        "update jobs set dispatch_from = :to where job_no = :job_no and dispatch_rev = :rev and dispatch_from < :to",
        job_no=job.job_no,
        to=dispatch_from,
        rev=dispatch_rev,
    )
    return int(marked.n)

"""Byte ranges that failed, opened again: their part of the object's findings goes, the object is processed again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.store import ranges
from scanner_tasks.store.engine import execute
from scanner_tasks.store.range_results import take_back_parts

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedRanges:
    """What was opened again."""

    ranges: int
    #: Objects that had ended with one of them.
    objects: int


def reopen_ranges(
    connection: Connection, job_no: int, *, first: int, last: int, outcomes: tuple[int, int]
) -> OpenedRanges:
    """Plan again the ranges among these batches that ended so; objects that had ended are processed again.

    The other ranges of these objects keep what they found. A range in a worker's hands is left alone. The job must be
    open (``reopen.reopen_job``).
    """
    objects = ranges.lock_objects(connection, job_no, first=first, last=last)
    if not objects:
        return OpenedRanges(ranges=0, objects=0)
    opened = execute(
        connection,
        """
        with target as (
          select o.batch_no, o.object_batch_no, o.last_byte - o.first_byte + 1 as size, get_byte(b.outcomes, 0) as code
          from object_ranges o join job_batches b using (job_no, batch_no)
          where o.job_no = :job_no and o.batch_no between :first and :last and b.state in (3, 4)
            and get_byte(b.outcomes, 0) between :low and :high
          order by o.batch_no for update of b
        ), planned as (
          update job_batches b set state = 0, state_at = now(), pending_bytes = t.size, outcomes = '\\x00'
          from target t where b.job_no = :job_no and b.batch_no = t.batch_no
        ), unfailed as (
          delete from object_failures f using target t
          where f.job_no = :job_no and f.batch_no in (t.batch_no, t.object_batch_no)
        ), counted as (
          insert into job_deltas (job_no, code, bytes, open_batches)
          select :job_no, code, -sum(size), count(*) from target group by code
        ), marked as (
          update jobs j set dispatch_from = least(j.dispatch_from, t.first), done_from = least(j.done_from, t.first),
            dispatch_rev = j.dispatch_rev + 1, progressed_at = now()
          from (select min(batch_no) as first from target) t where j.job_no = :job_no and t.first is not null
        ), retried as (
          update dead_letters d set state = 'retried', state_at = now() from target t
          where d.job_no = :job_no and d.batch_no = t.batch_no and d.state = 'open'
        )
        select batch_no, object_batch_no from target
        """,
        job_no=job_no,
        first=first,
        last=last,
        low=outcomes[0],
        high=outcomes[1],
    ).all()
    if not opened:
        return OpenedRanges(ranges=0, objects=0)
    take_back_parts(connection, job_no, [row.batch_no for row in opened])
    again = execute(
        connection,
        """
        with ended as (
          select batch_no, get_byte(outcomes, 0) as code from job_batches
          where job_no = :job_no and batch_no = any(:objects) and get_byte(outcomes, 0) <> 0
        ), processed as (
          update job_batches b set outcomes = set_byte(b.outcomes, 0, 0), pending = 1, state_at = now()
          from ended e where b.job_no = :job_no and b.batch_no = e.batch_no
        ), counted as (
          insert into job_deltas (job_no, code, objects)
          select :job_no, d.code, d.objects
          from ended e cross join lateral (values (e.code, -1), (1, 1)) d (code, objects)
        )
        select count(*) as n from ended
        """,
        job_no=job_no,
        objects=sorted({row.object_batch_no for row in opened}),
    ).one()
    return OpenedRanges(ranges=len(opened), objects=again.n)

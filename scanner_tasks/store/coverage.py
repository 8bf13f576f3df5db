"""What of a job's objects was read, and what was not: sums by outcome, and the objects not read to their ends.

Sums come from the deltas, as the job's progress does, and from ``object_failures`` for the bytes of what was read in
part: they cost as much as there are outcomes with a reason, not objects. The objects themselves are found by walking
the ledger, a bounded number of batches for each page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.core.model import Outcome
from scanner_tasks.store.engine import execute
from scanner_tasks.store.text import from_text

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

#: Batches that one statement of ``read_unread`` looks at.
LOOK_AT_ONCE = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class OutcomeSum:
    """A job's objects that ended so."""

    outcome: Outcome
    objects: int
    #: As listed. Bytes of an object in byte ranges stand with the outcome of each range.
    bytes_listed: int
    #: Of these, how many were read; of an object that was read twice, no more than it has.
    bytes_read: int


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadObject:
    """An object that was not read to its end, with the reason."""

    batch_no: int
    position: int
    key: str
    size_bytes: int
    outcome: Outcome
    #: None where a worker of a release before migration 0011 recorded it.
    bytes_read: int | None
    #: The sentence that the worker left; None where the outcome says it all.
    detail: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadPage:
    """Some of them, in the ledger's order."""

    objects: tuple[UnreadObject, ...]
    #: Batch and position behind which the next page begins; None when the ledger has no more batches.
    after: tuple[int, int] | None


def read_sums(connection: Connection, job_no: int) -> tuple[OutcomeSum, ...]:
    """A job's objects by outcome; they add up to what has ended of those that it listed."""
    rows = execute(
        connection,
        """
        with sums as (
          select code, sum(objects)::bigint as objects, sum(bytes)::bigint as bytes
          from job_deltas where job_no = :job_no and code >= 10 group by code
        ), part as (
          select f.outcome as code, sum(least(f.bytes_read, case when r.batch_no is null then b.sizes[f.position + 1]
            else r.last_byte - r.first_byte + 1 end))::bigint as bytes
          from object_failures f join job_batches b using (job_no, batch_no)
          left join object_ranges r on r.job_no = f.job_no and r.batch_no = f.batch_no
          where f.job_no = :job_no
            and not exists (select 1 from object_ranges o where o.job_no = f.job_no and o.object_batch_no = f.batch_no)
          group by f.outcome
        )
        select s.code, s.objects, s.bytes,
          case when s.code = 10 then s.bytes else coalesce(p.bytes, 0) end as bytes_read
        from sums s left join part p using (code) where s.objects <> 0 or s.bytes <> 0 order by s.code
        """,
        job_no=job_no,
    )
    return tuple(
        OutcomeSum(
            outcome=Outcome(row.code), objects=row.objects, bytes_listed=row.bytes, bytes_read=int(row.bytes_read)
        )
        for row in rows
    )


def read_unread(
    connection: Connection, job_no: int, *, outcomes: Collection[Outcome], after: tuple[int, int], limit: int
) -> UnreadPage:
    """At most ``limit`` objects of these outcomes behind a place, of the next LOOK_AT_ONCE batches.

    Walks the primary key of job_batches. A page may be empty and not be the last.
    """
    first, position = after
    rows = execute(
        connection,
        """
        with looked as (
          select b.batch_no, b.outcomes, b.keys, b.sizes, b.state_at from job_batches b
          where b.job_no = :job_no and b.batch_no between :first and :last and b.keys <> '{}'
        )
        select l.batch_no, o.n as position, l.keys[o.n + 1] as key, l.sizes[o.n + 1] as size,
          get_byte(l.outcomes, o.n) as code, f.bytes_read, f.detail, l.state_at
        from looked l cross join lateral generate_series(0, cardinality(l.keys) - 1) o(n)
        left join object_failures f on f.job_no = :job_no and f.batch_no = l.batch_no and f.position = o.n
        where get_byte(l.outcomes, o.n) = any(:codes) and (l.batch_no, o.n) > (:first, :position)
        order by l.batch_no, o.n limit :limit
        """,
        job_no=job_no,
        first=first,
        last=first + LOOK_AT_ONCE - 1,
        position=position,
        codes=[int(outcome) for outcome in outcomes],
        limit=limit,
    ).all()
    found = tuple(
        UnreadObject(
            batch_no=row.batch_no,
            position=row.position,
            key=from_text(row.key),
            size_bytes=row.size,
            outcome=Outcome(row.code),
            # Without a row of its own nobody opened it.
            bytes_read=row.bytes_read if row.detail else 0,
            detail=row.detail,
            at=row.state_at,
        )
        for row in rows
    )
    if len(found) == limit:
        return UnreadPage(objects=found, after=(found[-1].batch_no, found[-1].position))
    following = first + LOOK_AT_ONCE
    is_last = (
        execute(
            connection,
            "select 1 from job_batches where job_no = :job_no and batch_no >= :following limit 1",
            job_no=job_no,
            following=following,
        ).first()
        is None
    )
    return UnreadPage(objects=found, after=None if is_last else (following, -1))

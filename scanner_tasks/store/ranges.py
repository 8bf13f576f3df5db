"""A large text in byte ranges: each a batch with its own claim, lease and attempt, but without objects.

The object stays in its own batch, which is ``done`` when its ranges are planned: what it had to do was to find out that
there are ranges. So the object is listed once and counted once; its outcome is set by the range that ends last.

    Object of 1 GB in batch 7, ranges of 256 MB: batch 7 is claimed, and done; batches 40-43 are planned, their rows in
    ``object_ranges`` point to 7. 40, 42 and 43 are scanned, 41 is dead: batch 7's object is failed(dead_letter), its
    findings are those of the three. 41 is retried: the object is processed again, and scanned with 41's end.

Whoever ends or opens a range locks the object's batch first, in a statement of its own. So two ranges that end at the
same moment are ended one after the other, and the second sees the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.core.model import ObjectRange, ObjectRef, Outcome
from scanner_tasks.core.ranges import object_outcome
from scanner_tasks.store.engine import execute
from scanner_tasks.store.packing import unpack_etags
from scanner_tasks.store.text import from_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from scanner_tasks.core.model import ClaimedBatch


def split_batch(connection: Connection, batch: ClaimedBatch, *, range_bytes: int) -> bool:
    """Plan ranges of so many bytes for the batch's one object; False when the claim is no longer ours.

    One statement behind the job's row lock, guarded as a completion is: the batch is done, its ranges get the job's
    next batch numbers, and a page of the listing that is recorded meanwhile is listed again. True to a repeat after an
    ambiguous commit.
    """
    ((_, ref),) = batch.objects
    execute(connection, "select 1 from jobs where job_no = :job_no for update", job_no=batch.job_no)
    row = execute(
        connection,
        """
        with target as (
          select job_no, batch_no from job_batches
          where job_no = :job_no and batch_no = :batch_no and attempt = :attempt and state = 2 for update
        ), split as (
          update job_batches b set state = 3, state_at = now(), lease_until = null, pending_bytes = 0
          from target t where b.job_no = t.job_no and b.batch_no = t.batch_no
        ), numbered as (
          update jobs j set next_batch_no = j.next_batch_no + :count, progressed_at = now()
          from target t where j.job_no = t.job_no returning j.job_no, j.next_batch_no - :count as first_no
        ), cut as (
          select job_no, first_no + n as batch_no, n * cast(:range_bytes as bigint) as first_byte,
            least(cast(:size as bigint), (n + 1) * cast(:range_bytes as bigint)) - 1 as last_byte
          from numbered cross join generate_series(0, :count - 1) n
        ), planned as (
          insert into job_batches
            (job_no, batch_no, objects, pending, pending_bytes, outcomes, keys, sizes, etags)
          select job_no, batch_no, 1, 0, last_byte - first_byte + 1, '\\x00', '{}', '{}', '' from cut
        ), told as (
          insert into object_ranges (job_no, batch_no, object_batch_no, first_byte, last_byte)
          select job_no, batch_no, :batch_no, first_byte, last_byte from cut
        ), counted as (
          insert into job_deltas (job_no, batches, open_batches, ahead_batches)
          select job_no, :count, :count - 1, -1 from target
        )
        select 1 from target
        """,
        job_no=batch.job_no,
        batch_no=batch.batch_no,
        attempt=batch.attempt,
        range_bytes=range_bytes,
        size=ref.size_bytes,
        count=-(-ref.size_bytes // range_bytes),
    ).first()
    return row is not None or _was_split(connection, batch)


def _was_split(connection: Connection, batch: ClaimedBatch) -> bool:
    found = execute(
        connection,
        """
        select 1 from job_batches b join object_ranges o on o.job_no = b.job_no and o.object_batch_no = b.batch_no
        where b.job_no = :job_no and b.batch_no = :batch_no and b.attempt = :attempt limit 1
        """,
        job_no=batch.job_no,
        batch_no=batch.batch_no,
        attempt=batch.attempt,
    ).first()
    return found is not None


def read_range(connection: Connection, job_no: int, batch_no: int, *, bucket: str) -> tuple[ObjectRange, ObjectRef]:
    """The bytes that a batch without objects stands for, and their object."""
    row = execute(
        connection,
        """
        select o.object_batch_no, o.first_byte, o.last_byte, b.keys[1] as key, b.sizes[1] as size, b.etags,
          b.version_ids[1] as version_id
        from object_ranges o join job_batches b on b.job_no = o.job_no and b.batch_no = o.object_batch_no
        where o.job_no = :job_no and o.batch_no = :batch_no
        """,
        job_no=job_no,
        batch_no=batch_no,
    ).one()
    ref = ObjectRef(
        bucket=bucket,
        key=from_text(row.key),
        size_bytes=row.size,
        etag=unpack_etags(bytes(row.etags))[0],
        version_id=row.version_id,
    )
    wanted = ObjectRange(first_byte=row.first_byte, last_byte=row.last_byte, object_batch_no=row.object_batch_no)
    return wanted, ref


def lock_object(connection: Connection, job_no: int, object_batch_no: int) -> None:
    """Wait for whoever ends or opens another range of the object."""
    execute(
        connection,
        "select 1 from job_batches where job_no = :job_no and batch_no = :batch_no for update",
        job_no=job_no,
        batch_no=object_batch_no,
    )


def lock_objects(connection: Connection, job_no: int, *, first: int = 0, last: int = 2**31 - 1) -> list[int]:
    """Lock every object one of whose ranges has a batch number from ``first`` to ``last``; the objects' batches."""
    rows = execute(
        connection,
        """
        select b.batch_no from job_batches b
        where b.job_no = :job_no and b.batch_no = any(array(
          select distinct object_batch_no from object_ranges
          where job_no = :job_no and batch_no between :first and :last))
        order by b.batch_no for update
        """,
        job_no=job_no,
        first=first,
        last=last,
    )
    return [row.batch_no for row in rows]


def end_objects(connection: Connection, job_no: int, object_batch_nos: Iterable[int]) -> None:
    """Give each of these objects its outcome if all its ranges have ended. Lock them first."""
    for object_batch_no in object_batch_nos:
        _end_object(connection, job_no, object_batch_no)


_RANGES = """
object_ranges o join job_batches b using (job_no, batch_no)
where o.job_no = :job_no and o.object_batch_no = :object_batch_no
"""


def _end_object(connection: Connection, job_no: int, object_batch_no: int) -> None:
    place = {"job_no": job_no, "object_batch_no": object_batch_no}
    # From the last range on: the first ones end first.
    if execute(
        connection, f"select 1 from {_RANGES} and b.state < 3 order by o.batch_no desc limit 1", **place
    ).first():
        return
    rows = execute(
        connection,
        f"""
        select get_byte(b.outcomes, 0) as code, count(*) as ranges, min(o.batch_no) as first_no,
          min(o.first_byte) as first_byte
        from {_RANGES} group by 1
        """,
        **place,
    ).all()
    outcome = object_outcome(Outcome(row.code) for row in rows)
    worst = next(row for row in rows if row.code == outcome)
    ended = execute(
        connection,
        """
        with ended as (
          update job_batches set outcomes = set_byte(outcomes, 0, :outcome), pending = 0, state_at = now()
          where job_no = :job_no and batch_no = :object_batch_no and state = 3 and get_byte(outcomes, 0) = 0
          returning job_no
        ), counted as (
          insert into job_deltas (job_no, code, objects)
          select job_no, d.code, d.objects from ended cross join (values (1, -1), (:outcome, 1)) d (code, objects)
        )
        select 1 from ended
        """,
        outcome=int(outcome),
        **place,
    ).first()
    if ended and outcome is not Outcome.SCANNED:
        told = f"{worst.ranges} of its {sum(row.ranges for row in rows)} byte ranges are {outcome}, "
        told += f"the first of them from byte {worst.first_byte} on."
        execute(
            connection,
            f"""
            insert into object_failures (job_no, batch_no, position, outcome, detail, bytes_read)
            select :job_no, :object_batch_no, 0, :outcome, left(:told || coalesce(' ' || (
              select detail from object_failures where job_no = :job_no and batch_no = :first_no), ''), 500), (
              select sum(case when get_byte(b.outcomes, 0) = {int(Outcome.SCANNED)} then o.last_byte - o.first_byte + 1
                else least(coalesce(f.bytes_read, 0), o.last_byte - o.first_byte + 1) end)
              from object_ranges o join job_batches b using (job_no, batch_no)
              left join object_failures f using (job_no, batch_no)
              where o.job_no = :job_no and o.object_batch_no = :object_batch_no)
            on conflict (job_no, batch_no, position) do update set outcome = excluded.outcome, detail = excluded.detail,
              bytes_read = excluded.bytes_read
            """,
            outcome=int(outcome),
            told=told,
            first_no=worst.first_no,
            **place,
        )

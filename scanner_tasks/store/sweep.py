"""What settle does to the ledger: return what was lost, close what will not be done, end what is complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.core.model import BatchState, JobStatus, Outcome
from scanner_tasks.core.progress import final_status
from scanner_tasks.store import ranges
from scanner_tasks.store.engine import execute
from scanner_tasks.store.jobs import lock_job

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Batches that one closing transaction takes at most, so that it stays short.
CLOSE_AT_ONCE = 1000


def return_expired(connection: Connection, job_no: int, *, dispatched_timeout_s: float | None) -> int:
    """Plan again the job's batches whose lease has run out, and those sent too long ago; how many.

    ``dispatched_timeout_s`` is None while the job's lane still holds messages: a batch that waits in line is not lost.
    A claim that ran out counts as an attempt.
    """
    return _plan_again(
        connection,
        job_no,
        """
        (state = 2 and lease_until < now())
          or (state = 1 and state_at < now() - make_interval(secs => cast(:timeout_s as double precision)))
        """,
        timeout_s=dispatched_timeout_s,
    )


def return_sent(connection: Connection, job_no: int) -> int:
    """Plan again everything that a paused job has sent or its workers hold; how many.

    The claims were ended by no fault of theirs: they count as given back. Call it after the epoch was raised.
    """
    return _plan_again(connection, job_no, "state in (1, 2)", given_back=True)


def _plan_again(
    connection: Connection, job_no: int, which: str, *, given_back: bool = False, **values: float | None
) -> int:
    lock_job(connection, job_no)
    row = execute(
        connection,
        f"""
        with target as (
          select b.job_no, b.batch_no, b.state, b.pending from job_batches b join jobs j using (job_no)
          where b.job_no = :job_no and b.batch_no >= j.done_from and ({which}) order by b.batch_no for update of b
        ), planned as (
          update job_batches b set state = 0, state_at = now(), lease_until = null,
            given_back = b.given_back + case when :given_back and t.state = 2 then 1 else 0 end
          from target t where b.job_no = t.job_no and b.batch_no = t.batch_no
        ), counted as (
          insert into job_deltas (job_no, code, objects, ahead_batches)
          select job_no, 1, coalesce(-sum(pending) filter (where state = 2), 0), -count(*) from target group by job_no
        ), marked as (
          update jobs j set dispatch_from = least(j.dispatch_from, t.first), dispatch_rev = j.dispatch_rev + 1
          from (select min(batch_no) first from target) t where j.job_no = :job_no and t.first is not null
        )
        select count(*) as n from target
        """,
        job_no=job_no,
        given_back=given_back,
        **values,
    ).one()
    return int(row.n)


def close_batches(connection: Connection, job_no: int, outcome: Outcome, *, batch_no: int | None = None) -> int:
    """Give every pending object of the job's open batches this outcome; how many batches were closed.

    Call it again until it answers 0: each call takes CLOSE_AT_ONCE batches, which are ``done`` then, or ``dead`` with
    the outcome failed(dead_letter). With ``batch_no``, that batch alone, and only while no worker holds it. Of a byte
    range, the outcome is the range's; its object has its own when no other range is open.
    """
    named = {} if batch_no is None else {"first": batch_no, "last": batch_no}
    in_ranges = ranges.lock_objects(connection, job_no, **named)
    row = execute(
        connection,
        """
        with target as (
          select b.job_no, b.batch_no, b.state, b.pending, b.pending_bytes from job_batches b join jobs j using (job_no)
          where b.job_no = :job_no and b.batch_no >= coalesce(:batch_no, j.done_from)
            and b.batch_no <= coalesce(:batch_no, 2147483647)
            and (b.state in (0, 1) or (b.state = 2 and cast(:batch_no as int) is null))
          order by b.batch_no limit :limit for update of b
        ), closed as (
          update job_batches b set state = :new_state, state_at = now(), lease_until = null,
            attempt = b.attempt + 1, given_back = b.given_back + 1,  -- fences off a worker that holds it
            pending = 0, pending_bytes = 0, outcomes = (
              select string_agg(
                case when get_byte(b.outcomes, n) = 0 then set_byte('\\x00', 0, :outcome)
                else substr(b.outcomes, n + 1, 1) end, ''::bytea order by n)
              from generate_series(0, b.objects - 1) n)
          from target t where b.job_no = t.job_no and b.batch_no = t.batch_no
        ), counted as (
          insert into job_deltas (job_no, code, objects, bytes, open_batches, ahead_batches)
          select job_no, :outcome, sum(pending), sum(pending_bytes), -count(*), -count(*) filter (where state in (1, 2))
          from target group by job_no
          union all
          select job_no, 1, -sum(pending), 0, 0, 0 from target where state = 2 group by job_no
        )
        select count(*) as n from target
        """,
        job_no=job_no,
        batch_no=batch_no,
        outcome=int(outcome),
        new_state=int(BatchState.DEAD if outcome is Outcome.FAILED_DEAD_LETTER else BatchState.DONE),
        limit=CLOSE_AT_ONCE,
    ).one()
    ranges.end_objects(connection, job_no, in_ranges)
    return int(row.n)


def advance_done_from(connection: Connection, job_no: int) -> bool:
    """Move the job's mark below which every batch is done; True when nothing at all is open.

    Under the job's lock: batch 7 is dead, all others are done; a retry opens 7 and moves done_from back to 7. A
    statement that began before would not see batch 7 open, move done_from over it and end the job.
    """
    lock_job(connection, job_no)
    row = execute(
        connection,
        """
        with first_open as (
          select min(b.batch_no) as batch_no from job_batches b join jobs j using (job_no)
          where b.job_no = :job_no and b.batch_no >= j.done_from and b.state < 3
        ), moved as (
          update jobs j set done_from = coalesce(f.batch_no, j.next_batch_no) from first_open f
          where j.job_no = :job_no and j.done_from < coalesce(f.batch_no, j.next_batch_no)
        )
        select batch_no is null as nothing_open from first_open
        """,
        job_no=job_no,
    ).one()
    return bool(row.nothing_open)


def finish_job(connection: Connection, job_no: int) -> JobStatus | None:
    """End a listed job whose ledger has nothing open: its final status, None while it is not complete."""
    lock_job(connection, job_no)
    sums = execute(
        connection,
        """
        select coalesce(sum(objects) filter (where code between 20 and 29), 0) as partial,
          coalesce(sum(objects) filter (where code between 60 and 79), 0) as failed
        from job_deltas where job_no = :job_no
        """,
        job_no=job_no,
    ).one()
    status = final_status(partial=sums.partial, failed=sums.failed)
    row = execute(
        connection,
        """
        update jobs j set status = :status, finished_at = now(), feeding = false
        where j.job_no = :job_no and j.status = 'scanning' and j.listed_at is not null and not exists (
          select 1 from job_batches b where b.job_no = :job_no and b.batch_no >= j.done_from and b.state < 3)
        returning 1
        """,
        job_no=job_no,
        status=str(status),
    ).first()
    return status if row else None


def note_progress(connection: Connection, job_no: int) -> float:
    """Seconds since the job last got on: since a batch was recorded, sent or done."""
    row = execute(
        connection,
        """
        with mark as (
          select coalesce(sum(batches) * 3 - sum(open_batches) * 2 + sum(ahead_batches), 0) as mark
          from job_deltas where job_no = :job_no
        ), noted as (
          update jobs j set progress_mark = m.mark, progressed_at = now() from mark m
          where j.job_no = :job_no and j.progress_mark <> m.mark returning 1
        )
        select case when exists (select 1 from noted) then 0 else extract(epoch from now() - progressed_at) end as age_s
        from jobs where job_no = :job_no
        """,
        job_no=job_no,
    ).one()
    return float(row.age_s)


def needs_feeding(connection: Connection, job_no: int) -> bool:
    """True when no execution runs for the job, as far as the ledger knows, and something is left to list or to send."""
    row = execute(
        connection,
        """
        select not j.feeding and (
          (j.status = 'listing' and j.source in ('listing', 'inventory')) or exists (
            select 1 from job_batches b where b.job_no = j.job_no and b.batch_no >= j.dispatch_from and b.state = 0)
        ) as needs
        from jobs j where j.job_no = :job_no and j.status in ('listing', 'scanning')
        """,
        job_no=job_no,
    ).first()
    return bool(row and row.needs)

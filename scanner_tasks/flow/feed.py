"""One turn of Feed: list for a bounded time, and keep the bucket's window full meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from scanner_tasks import tracing
from scanner_tasks.core.envelope import scan_batch_message
from scanner_tasks.core.lanes import message_group
from scanner_tasks.core.model import Job, JobSource, JobStatus
from scanner_tasks.core.ports import OutgoingMessage
from scanner_tasks.core.windows import bucket_window, room, wait_s
from scanner_tasks.flow.control import find_job
from scanner_tasks.flow.executions import start_next_execution
from scanner_tasks.flow.list_ranges import list_ranges
from scanner_tasks.log import get_logger
from scanner_tasks.store import feeding, fleet, jobs
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from uuid import UUID

    from scanner_tasks.flow.parts import Feeder

log = get_logger()

#: Batches that one round sends at most, so that listing goes on between two rounds, and that one statement can name.
SEND_AT_ONCE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedTurn:
    """What the state machine needs to know: ``more`` waits and comes again, the others end the execution."""

    state: Literal["more", "done", "continued"]
    wait_s: int = 1
    #: Objects recorded and batches sent in this turn.
    listed: int = 0
    sent: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispatch:
    """What one round of sending did."""

    sent: int
    #: Batches that are still planned, and seconds until there is room for them.
    planned: int
    wait_s: int


def feed(job_id: UUID, *, execution_no: int, turn: int, using: Feeder) -> FeedTurn:
    """List for ``feed_turn_s``, at least one page, and top up the window meanwhile; once listed, only top up.

    Ranges, their cursors and the window live in the ledger, not in the execution: a turn that dies is repeated from the
    cursors, two turns at once record each page once, and an older execution ends as soon as it sees a newer one. Raises
    BucketNotFound or Denied when the bucket cannot be listed, which fails the job: it is never an empty result.
    While the fleet is paused a turn does nothing and ends its execution; ``resume_all`` or settle starts the next.
    """
    settings, deadline = using.settings, using.clock() + using.settings.feed_turn_s
    job = find_job(job_id, using=using)
    listed, sent, has_listed = 0, 0, False

    def keep_full() -> int | None:
        """Beside the listing: send what there is room for; None when this execution has nothing more to do."""
        nonlocal sent
        now = find_job(job_id, using=using)
        if _has_ended(now, execution_no=execution_no, using=using):
            return None
        filled = top_up(now, using=using)
        sent += filled.sent
        return filled.planned

    while True:
        if _has_ended(job, execution_no=execution_no, using=using):
            return FeedTurn(state="done", listed=listed, sent=sent)
        dispatch = top_up(job, using=using)
        sent += dispatch.sent
        is_listing = job.status is JobStatus.LISTING and job.source.is_listed_by_feed
        is_full = dispatch.planned >= settings.feed_high_water
        if not is_listing or is_full or (has_listed and using.clock() >= deadline):
            break
        with tracing.span("list") as span:
            found = list_ranges(job, deadline=deadline, planned=dispatch.planned, keep_full=keep_full, using=using)
            span.note(listed=found or 0)
        if found is None:  # another turn lists what is left, or did until it died: its leases end soon
            break
        listed, has_listed = listed + found, True
        job = find_job(job_id, using=using)
    log.info("feed_turn", job_id=job_id, execution_no=execution_no, turn=turn, listed=listed, sent=sent)
    # Whoever adds an event's objects sends them too: between events there is nothing to do here.
    has_all = job.status is JobStatus.SCANNING or job.source is JobSource.EVENTS
    if has_all and dispatch.planned == 0:
        with transaction(using.engine) as connection:
            jobs.end_feeding(connection, job.job_no, execution_no=execution_no)
        return FeedTurn(state="done", listed=listed, sent=sent)
    if turn + 1 >= settings.feed_max_turns:
        start_next_execution(job, using=using)
        return FeedTurn(state="continued", listed=listed, sent=sent)
    wait = 1 if is_listing and dispatch.planned < settings.feed_high_water else dispatch.wait_s
    return FeedTurn(state="more", wait_s=wait, listed=listed, sent=sent)


def _has_ended(job: Job, *, execution_no: int, using: Feeder) -> bool:
    """True when the execution has nothing more to do: the job has ended or is paused, or a newer execution runs."""
    if job.status not in {JobStatus.LISTING, JobStatus.SCANNING} or job.execution_no > execution_no:
        return True
    return _fleet_is_paused(job, execution_no=execution_no, using=using)


def _fleet_is_paused(job: Job, *, execution_no: int, using: Feeder) -> bool:
    """True while it is; the ledger knows then that no execution runs for the job."""
    with transaction(using.engine) as connection:
        paused = fleet.is_paused(connection)
        if paused:
            jobs.end_feeding(connection, job.job_no, execution_no=execution_no)
    return paused


def top_up(job: Job, *, using: Feeder) -> Dispatch:
    """Send as many planned batches as the job's share of the bucket's window has room for.

    Send first, mark then: what a crash leaves unmarked is sent again, and the second delivery finds it claimed.
    """
    settings = using.settings
    with transaction(using.engine) as connection:
        view = feeding.dispatch_view(connection, job)
        window = bucket_window(
            batches_per_s=view.batches_per_s, min_batches=settings.window_min_batches, window_s=settings.window_s
        )
        free = room(window=window, active_jobs=view.active_jobs, ahead=view.ahead_batches)
        batch_nos = feeding.planned_batches(
            connection, job.job_no, dispatch_from=view.dispatch_from, limit=min(free, SEND_AT_ONCE)
        )
    sent = _send(job, batch_nos, view=view, using=using) if batch_nos else 0
    return Dispatch(
        sent=sent,
        planned=max(0, view.planned - sent),
        wait_s=wait_s(
            share=window // max(1, view.active_jobs), batches_per_s=view.batches_per_s, longest_s=settings.feed_wait_s
        ),
    )


def _send(job: Job, batch_nos: list[int], *, view: feeding.DispatchView, using: Feeder) -> int:
    messages = [
        OutgoingMessage(
            body=scan_batch_message(
                job_id=job.job_id, batch_no=batch_no, epoch=job.epoch, lane=job.lane, bucket=job.bucket
            ),
            group=message_group(job.bucket),
        )
        for batch_no in batch_nos
    ]
    with tracing.span("send", job_id=job.job_id, sent=len(messages)):
        unsent = set(using.queues.send(job.lane, messages))
    sent = [batch_no for n, batch_no in enumerate(batch_nos) if n not in unsent]
    if unsent:
        log.warning("batches_not_sent", job_id=job.job_id, count=len(unsent), lane=job.lane)
    with transaction(using.engine) as connection:
        feeding.mark_dispatched(
            connection,
            job,
            sent,
            dispatch_from=min((batch_nos[n] for n in unsent), default=batch_nos[-1] + 1),
            dispatch_rev=view.dispatch_rev,
            read_at=view.read_at,
        )
    return len(sent)

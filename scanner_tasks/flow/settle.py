"""Each minute: return what was lost, keep dead letters, end jobs, refresh the view, publish the backlog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from scanner_tasks import tracing
from scanner_tasks.aws.embedded_metrics import embedded
from scanner_tasks.core import lanes
from scanner_tasks.core.envelope import SCAN_BATCH, read_envelope
from scanner_tasks.core.errors import InvalidInput, ScannerError
from scanner_tasks.core.model import Job, JobSource, JobStatus
from scanner_tasks.core.rights import SYSTEM
from scanner_tasks.flow.control import close_job
from scanner_tasks.flow.executions import start_next_execution
from scanner_tasks.flow.follow_up import begin_follow_ups
from scanner_tasks.flow.job_costs import keep_actual, settle_costs
from scanner_tasks.flow.parts import for_caller
from scanner_tasks.flow.retention import retire
from scanner_tasks.flow.watches import close_if_due
from scanner_tasks.log import get_logger
from scanner_tasks.store import (
    audit,
    dead_letters,
    fleet,
    idempotency,
    jobs,
    object_events,
    partitions,
    progress,
    retention,
    strata,
    sweep,
    workers,
)
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from scanner_tasks.core.ports import ReceivedMessage
    from scanner_tasks.flow.parts import Feeder

log = get_logger()

#: Dead letters taken over in one turn at most, and how long each is hidden meanwhile.
_DEAD_LETTERS_AT_ONCE, _DEAD_LETTER_VISIBILITY_S = 500, 60
_BATCH_ARGUMENTS = 3
#: Postgres' int.
_INT_END = 2**31


@dataclass(frozen=True, kw_only=True, slots=True)
class SettleReport:
    """What one turn did."""

    dead_letters: int
    #: Batches planned again: leases that ran out, messages that got lost.
    returned: int
    finished: int
    #: Executions started for jobs that had none or made no progress.
    restarted: int
    #: Delta rows that compaction saved.
    compacted: int
    backlog_batches: int
    #: Jobs that could not be settled this time; the log says why, the next turn tries again.
    errors: int
    #: Rows about dead letters and failed attempts that were older than their retention.
    forgotten: int
    #: Jobs that retention or an operator deleted, the last of whose rows are gone; partitions dropped with theirs.
    deleted_jobs: int = 0
    dropped_partitions: int = 0


def settle(*, using: Feeder) -> SettleReport:
    """One turn. Every step is a guarded change: turns may overlap, repeat or die anywhere."""
    using = for_caller(using, SYSTEM)
    counts = {"returned": 0, "finished": 0, "restarted": 0, "errors": 0}
    dead = _take_dead_letters(using=using)
    with transaction(using.engine) as connection:
        active = jobs.active_jobs(connection)
    lane_is_empty: dict[str, bool] = {}
    for job in active:
        try:
            with tracing.span("settle_job", job_id=job.job_id):
                settled = _settle_job(job, lane_is_empty, using=using)
            for name, n in settled.items():
                counts[name] += n
        except ScannerError:
            counts["errors"] += 1
            log.warning("job_not_settled", job_id=job.job_id, exc_info=True)
    with transaction(using.engine) as connection:
        jobs.lock_fleet(connection)
        partitions.ensure_partitions(connection)
    begin_follow_ups(using=using)
    try:
        gone = retire(using=using)
        counts |= {"deleted_jobs": gone.jobs, "dropped_partitions": gone.partitions}
    except ScannerError:
        counts["errors"] += 1
        log.warning("jobs_not_deleted", exc_info=True)
    with transaction(using.engine) as connection:
        progress.measure_buckets(connection)
        compacted = progress.compact_deltas(connection)
        strata.compact_strata(connection)
        object_events.forget_events(connection)
    with tracing.span("refresh_view"), transaction(using.engine) as connection:
        progress.refresh_view(connection)
        backlog = progress.backlog_batches(connection)
    using.metrics.put("BacklogBatches", backlog)
    forgotten = _forget(using=using)
    report = SettleReport(
        dead_letters=dead, compacted=compacted, backlog_batches=backlog, forgotten=forgotten, **counts
    )
    tracing.note(dead_letters=dead, returned=report.returned, finished=report.finished)
    log.info(
        "settled",
        **{name: getattr(report, name) for name in SettleReport.__dataclass_fields__},
        **embedded(using.settings.metrics_namespace, {"DeadLetters": (dead, "Count")}),
    )
    return report


def _settle_job(job: Job, lane_is_empty: dict[str, bool], *, using: Feeder) -> dict[str, int]:
    if job.status.is_final:  # a crash interrupted its closing
        close_job(job, job.status, using=using)
        return {"finished": 1}
    if job.lane not in lane_is_empty:
        depth = using.queues.depth(job.lane)
        lane_is_empty[job.lane] = depth.visible + depth.in_flight + depth.delayed == 0
    timeout_s = using.settings.dispatched_timeout_s if lane_is_empty[job.lane] else None
    if job.source is JobSource.EVENTS:
        close_if_due(job, using=using)
    with transaction(using.engine) as connection:
        returned = sweep.return_expired(connection, job.job_no, dispatched_timeout_s=timeout_s)
    if job.status is JobStatus.PAUSED:
        return {"returned": returned}
    with transaction(using.engine) as connection:
        is_idle = sweep.advance_done_from(connection, job.job_no) and job.source is JobSource.EVENTS
        has_finished = sweep.finish_job(connection, job.job_no) is not None
    if has_finished:
        keep_actual(job, using=using)
        return {"returned": returned, "finished": 1}
    if settle_costs(job, using=using):
        return {"returned": returned}
    with transaction(using.engine) as connection:
        age_s = sweep.note_progress(connection, job.job_no)
        restart = sweep.needs_feeding(connection, job.job_no) or (
            age_s > using.settings.stalled_after_s and not is_idle
        )
        restart = restart and not fleet.is_paused(connection)
    started = start_next_execution(job, using=using) if restart else None
    return {"returned": returned, "restarted": int(started is not None)}


def _take_dead_letters(*, using: Feeder) -> int:
    """Move dead letters from SQS into the ledger: kept first, deleted then; a crash between the two repeats one."""
    taken = 0
    while taken < _DEAD_LETTERS_AT_ONCE:
        messages = using.queues.receive(lanes.DLQ, 10, _DEAD_LETTER_VISIBILITY_S)
        if not messages:
            break
        with transaction(using.engine) as connection:
            for message in messages:
                dead_letters.add_dead_letter(
                    connection,
                    message_id=message.message_id,
                    body=message.body,
                    receive_count=lane_receives(message.receive_count),
                    sent_at=message.sent_at,
                    group=message.group,
                    **_described(message),
                )
        using.queues.delete(lanes.DLQ, [message.receipt for message in messages])
        taken += len(messages)
    return taken


def lane_receives(receive_count: int) -> int:
    """Of the receives that SQS has counted for a dead letter those in its lane: it counts settle's own too.

    Examples:
        >>> lane_receives(4), lane_receives(6), lane_receives(1)
        (3, 3, 0)
    """
    return min(receive_count - 1, lanes.MAX_RECEIVES)


def _forget(*, using: Feeder) -> int:
    with transaction(using.engine) as connection:
        workers.forget(connection)
    with transaction(using.engine) as connection:
        idempotency.forget_requests(connection, older_than_hours=using.settings.idempotency_hours)
    if using.settings.audit_days:
        with transaction(using.engine) as connection:
            audit.forget_entries(connection, older_than_days=using.settings.audit_days)
    days = using.settings.dead_letter_days
    if not days:
        return 0
    with transaction(using.engine) as connection:
        letters = retention.forget_letters(connection, older_than_days=days)
    with transaction(using.engine) as connection:
        return letters + retention.forget_errors(connection, older_than_days=days)


def _described(message: ReceivedMessage) -> dict[str, Any]:
    """The task that a dead letter carries and the batch it points to, as far as it is one of ours."""
    try:
        envelope = read_envelope(message.body)
    except InvalidInput:
        return {"task": None, "batch": None}
    batch = _batch(envelope.args) if envelope.task == SCAN_BATCH else None
    return {"task": envelope.task, "batch": batch}


def _batch(args: tuple[Any, ...]) -> tuple[UUID, int, int] | None:
    """The batch that the arguments of scan_batch name; None for arguments that name none, whatever they are."""
    if len(args) != _BATCH_ARGUMENTS:
        return None
    job_id, batch_no, epoch = args
    if not isinstance(job_id, str) or any(type(n) is not int or not 0 <= n < _INT_END for n in (batch_no, epoch)):
        return None
    try:
        return UUID(job_id), batch_no, epoch
    except ValueError:
        return None

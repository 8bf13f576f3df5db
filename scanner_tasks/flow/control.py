"""End, pause, resume and retry jobs, and stop the whole fleet.

Messages of a paused or ended job that are in a lane already become no-ops, because the job's epoch moves; while the
fleet is paused, because no batch can be claimed. Every change is guarded: a repeat, or a repeat after a crash anywhere
in between, changes nothing that is done and does the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.core.errors import Conflict, JobNotFound, ScannerError
from scanner_tasks.core.model import Job, JobStatus, Outcome
from scanner_tasks.core.rights import Permission
from scanner_tasks.flow.executions import start_next_execution
from scanner_tasks.log import get_logger
from scanner_tasks.store import audit, fleet, job_costs, jobs, reopen, sweep
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.reopen import Reopened

if TYPE_CHECKING:
    from uuid import UUID

    from scanner_tasks.core.budget import Budget
    from scanner_tasks.flow.parts import Api

log = get_logger()

#: What becomes of the objects that such a job left.
_LEFT_AS = {JobStatus.FAILED: Outcome.FAILED_UNAVAILABLE, JobStatus.CANCELLED: Outcome.SKIPPED_CANCELLED}


def fail_job(job_id: UUID, *, cause: str, using: Api) -> None:
    """End a job that cannot go on; what it left is failed(unavailable). A repeat changes nothing."""
    _end(find_job(job_id, using=using), JobStatus.FAILED, cause, using=using)


def cancel_job(job_id: UUID, *, reason: str, using: Api) -> None:
    """End a job on request; what it left is skipped(cancelled). Raises Conflict when it has ended otherwise."""
    job = _controlled(job_id, using=using)
    _end(job, JobStatus.CANCELLED, reason, using=using, action="job.cancel")
    status = find_job(job_id, using=using).status
    if status is not JobStatus.CANCELLED:
        raise Conflict(f"Job {job_id} is {status}: only a job that has not ended can be cancelled.")
    _stop_execution(job, reason, using=using)


def _end(job: Job, status: JobStatus, reason: str, *, using: Api, action: str | None = None) -> None:
    with transaction(using.engine) as connection:
        epoch = jobs.change_status(connection, job.job_no, status, reason=reason, new_epoch=True)
        if epoch is not None and action is not None:
            audit.add_entry(connection, using.caller, action, bucket=job.bucket, job_id=job.job_id)
    if epoch is None:
        return
    log.info("job_ending", job_id=job.job_id, status=status)
    close_job(job, status, using=using)


def close_job(job: Job, status: JobStatus, *, using: Api) -> None:
    """Give what a failed or cancelled job left its outcome, batch by batch; settle goes on with it after a crash."""
    closed = True
    while closed:
        with transaction(using.engine) as connection:
            closed = sweep.close_batches(connection, job.job_no, _LEFT_AS[status]) > 0
    with transaction(using.engine) as connection:
        sweep.advance_done_from(connection, job.job_no)
        jobs.end_job(connection, job.job_no)


def pause_job(job_id: UUID, *, reason: str | None = None, using: Api) -> None:
    """Stop sending and finishing: what is in the lanes becomes a no-op, what workers hold is planned again."""
    job = _controlled(job_id, using=using)
    with transaction(using.engine) as connection:
        if jobs.change_status(connection, job.job_no, JobStatus.PAUSED, reason=reason, new_epoch=True) is None:
            raise Conflict(f"Job {job_id} is {job.status}: only a job that is listing or scanning can be paused.")
        audit.add_entry(connection, using.caller, "job.pause", bucket=job.bucket, job_id=job_id)
        sweep.return_sent(connection, job.job_no)
        jobs.end_feeding(connection, job.job_no, execution_no=job.execution_no)
    _stop_execution(job, "The job is paused.", using=using)


def resume_job(job_id: UUID, *, budget: Budget | None = None, using: Api) -> None:
    """Go on exactly where the job was paused, with another budget if one is given."""
    job = _controlled(job_id, using=using)
    if job.status is not JobStatus.PAUSED:
        raise Conflict(f"Job {job_id} is {job.status}: only a paused job can be resumed.")
    with transaction(using.engine) as connection:
        if budget is not None:
            job_costs.set_budget(connection, job.job_no, budget)
        jobs.change_status(connection, job.job_no, JobStatus.LISTING if job.listed_at is None else JobStatus.SCANNING)
        audit.add_entry(connection, using.caller, "job.resume", bucket=job.bucket, job_id=job_id)
    start_next_execution(job, using=using)


def retry_failed(job_id: UUID, *, using: Api) -> Reopened:
    """Scan the job's failed objects again, and no others; how many.

    What they left is taken back, and the job scans again if it had ended. Objects that a worker holds just now are left
    as they are. A crash leaves the rest failed: call it again. Raises Conflict when the job cannot go on.
    """
    job = _controlled(job_id, using=using)
    batches = objects = 0
    at: int | None = 0
    while at is not None:
        with transaction(using.engine) as connection:
            opened, at = reopen.reopen_failed(connection, job.job_no, from_batch_no=at)
            if opened.batches and not batches:  # once, with the first that is opened
                audit.add_entry(connection, using.caller, "job.retry_failed", bucket=job.bucket, job_id=job_id)
        batches, objects = batches + opened.batches, objects + opened.objects
    if batches:
        log.info("failed_objects_opened", job_id=job_id, batches=batches, objects=objects)
        feed_again(job_id, using=using)
    return Reopened(batches=batches, objects=objects)


def pause_all(*, using: Api) -> bool:
    """Stop the fleet: nothing is sent, no batch is claimed, what workers hold is planned again; False on a repeat.

    A worker notices that its batch was taken away when it renews its lease, and stops at the next object. Jobs keep
    their status; new ones may begin, and wait.
    """
    using.caller.require(Permission.CONTROL, None)
    with transaction(using.engine) as connection:
        changed = fleet.set_paused(connection, paused=True)
        audit.add_entry(connection, using.caller, "fleet.pause")
        active = jobs.active_jobs(connection)
    for job in active:
        with transaction(using.engine) as connection:
            sweep.return_sent(connection, job.job_no)
    log.warning("fleet_paused", jobs=len(active))
    return changed


def resume_all(*, using: Api) -> bool:
    """Let the fleet go on exactly where it stopped; False when it was not paused.

    Batches whose messages came while nothing could be claimed are planned again first. What cannot be fed at once is
    fed by settle.
    """
    using.caller.require(Permission.CONTROL, None)
    with transaction(using.engine) as connection:
        active = jobs.active_jobs(connection)
    if not fleet_is_paused(using=using):
        return False
    for job in active:
        with transaction(using.engine) as connection:
            sweep.return_expired(connection, job.job_no, dispatched_timeout_s=0.0)
    with transaction(using.engine) as connection:
        changed = fleet.set_paused(connection, paused=False)
        audit.add_entry(connection, using.caller, "fleet.resume")
    log.warning("fleet_resumed", jobs=len(active))
    for job in active:
        feed_again(job.job_id, using=using)
    return changed


def fleet_is_paused(*, using: Api) -> bool:
    """True between ``pause_all`` and ``resume_all``."""
    with transaction(using.engine) as connection:
        return fleet.is_paused(connection)


def feed_again(job_id: UUID, *, using: Api) -> None:
    """Start an execution for a job that needs one: it has batches to send. Best effort: settle does so in a minute."""
    job = find_job(job_id, using=using)
    with transaction(using.engine) as connection:
        needed = sweep.needs_feeding(connection, job.job_no) and not fleet.is_paused(connection)
    if needed:
        try:
            start_next_execution(job, using=using)
        except ScannerError:
            log.warning("execution_not_started", job_id=job_id, exc_info=True)


def _stop_execution(job: Job, cause: str, *, using: Api) -> None:
    """Best effort: an execution that goes on ends with its next turn."""
    if job.execution_arn:
        try:
            using.executions.stop(job.execution_arn, cause)
        except ScannerError:
            log.warning("execution_not_stopped", job_id=job.job_id, exc_info=True)


def find_job(job_id: UUID, *, using: Api) -> Job:
    """The job; JobNotFound when there is none, or none on a bucket that the caller may read."""
    with transaction(using.engine) as connection:
        job = jobs.get_job(connection, job_id)
    if job is None or not using.caller.may(Permission.READ, job.bucket):
        raise JobNotFound(job_id)
    return job


def _controlled(job_id: UUID, *, using: Api) -> Job:
    """The job, if the caller may steer it; else JobNotFound or NotAllowed."""
    job = find_job(job_id, using=using)
    using.caller.require(Permission.CONTROL, job.bucket)
    return job

"""The listing that follows a job from S3 Inventory, and finds what the report did not know.

A report is up to two days old. The job that follows lists the whole bucket with the first one as its base: what is as
the report told is unchanged and not read again, what is new or has changed is scanned, what is gone is not there. So
its sums are those of the bucket as it is, each object once.

    The report names a, b, c; since then b was overwritten, c deleted, d written. The first job: a, b as it is now,
    c failed(deleted_since_listing). The second: a and b unchanged or scanned, d scanned: three objects.

Settle begins it when the first has ended well. Its id is made of the first one's, so that a repeat begins nothing anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.core.budget import UNLIMITED
from scanner_tasks.core.errors import ScannerError, Unavailable
from scanner_tasks.core.model import JobStatus
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.log import get_logger
from scanner_tasks.store import job_costs, jobs
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from scanner_tasks.core.model import Job
    from scanner_tasks.flow.parts import Api

log = get_logger()

_ENDED_WELL = frozenset({JobStatus.SUCCEEDED, JobStatus.SUCCEEDED_WITH_FAILURES})


def begin_follow_ups(*, using: Api) -> int:
    """Begin the listings that are due; how many. What S3 or Step Functions cannot do now is tried again next time."""
    with transaction(using.engine) as connection:
        due = jobs.awaiting_follow_up(connection)
    begun = 0
    for job in due:
        reason = None
        try:
            if job.status in _ENDED_WELL:
                _begin(job, using=using)
                begun += 1
        except Unavailable:
            log.warning("follow_up_not_begun", job_id=job.job_id, exc_info=True)
            continue
        except ScannerError as error:
            reason = f"The listing that was to follow could not begin: {error}"
            log.warning("follow_up_refused", job_id=job.job_id, exc_info=True)
        with transaction(using.engine) as connection:
            jobs.end_follow_up(connection, job.job_no, reason=reason)
    return begun


def _begin(job: Job, *, using: Api) -> None:
    with transaction(using.engine) as connection:
        costs = job_costs.read_costs(connection, [job.job_no]).get(job.job_no)
    start_job(
        job.bucket,
        job.prefix,
        access=job.access,
        selection=job.selection,
        budget=costs.budget if costs else UNLIMITED,
        base_job=job.job_id,
        job_id=job.followed_by,
        using=using,
    )

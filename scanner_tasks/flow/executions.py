"""The Step Functions executions of a job, ``<job_id>-<n>``: one lists and feeds at a time, the next takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.core.errors import ScannerError
from scanner_tasks.store import jobs
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from scanner_tasks.core.model import Job
    from scanner_tasks.flow.parts import Api


def start_next_execution(job: Job, *, using: Api) -> str | None:
    """Start the execution after the job's current one; its ARN, None when somebody else has started it.

    The number is taken first: of two callers one starts execution 4, and a start that fails leaves the job without a
    feeder, which settle sees. Starting is idempotent by name.
    """
    with transaction(using.engine) as connection:
        number = jobs.next_execution(connection, job.job_no, after=job.execution_no)
    return None if number is None else _start(job, number, using=using)


def start_first_execution(job: Job, *, using: Api) -> str:
    """Start the job's first execution; its ARN. A repeat, or a second caller at the same time, gets the same one.

    A request delivered twice: the first caller has taken number 1 and is about to start ``<job_id>-1``; the second
    starts it under the same name. Taking number 2 instead would start a second execution for nothing.
    """
    with transaction(using.engine) as connection:
        jobs.next_execution(connection, job.job_no, after=0)
    return _start(job, max(1, job.execution_no), using=using)


def _start(job: Job, number: int, *, using: Api) -> str:
    try:
        arn = using.executions.start(
            f"{job.job_id}-{number}", {"job_id": str(job.job_id), "execution_no": number, "turn": 0}
        )
    except ScannerError:
        with transaction(using.engine) as connection:
            jobs.set_execution(connection, job.job_no, execution_no=number, arn=None)
        raise
    with transaction(using.engine) as connection:
        jobs.set_execution(connection, job.job_no, execution_no=number, arn=arn)
    return arn

"""The Celery tasks: each hands over to its use case in flow/.

A task raises for a fault of the infrastructure only; SQS then delivers its message again, three times in all.
"""

from __future__ import annotations

import importlib
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scanner_tasks.app import ACT, SCAN_BATCH, SCAN_OBJECTS, SCAN_PREFIX, app

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Job ids of requests that came as tasks are made from the task's id: a second delivery makes no second job.
REQUESTS = uuid.uuid5(uuid.NAMESPACE_URL, "https://s3scan/celery-request")


def job_id_of(task_id: str) -> uuid.UUID:
    """The job that this task id stands for.

    Examples:
        >>> job_id_of("1") == job_id_of("1"), job_id_of("1") == job_id_of("2")
        (True, False)
    """
    return uuid.uuid5(REQUESTS, task_id)


@app.task(name=SCAN_BATCH, gives_back=True)  # in a stopping worker its row is planned again, its message acknowledged
def scan_batch(job_id: str, batch_no: int, epoch: int) -> str:
    """Scan one batch of the ledger; internal: feed sends it."""
    bootstrap, flow = _part("bootstrap"), _part("flow.scan_batch")
    return str(flow.scan_batch(uuid.UUID(job_id), batch_no, epoch, using=bootstrap.worker()))


@app.task(name=ACT)
def act(plan_id: str, steps: Sequence[int], is_undo: bool) -> dict[str, int]:  # noqa: FBT001 (a message has no names)
    """Do or undo steps of a plan; internal: `s3scan act run` sends it. Only a worker of the actions' queue can."""
    bootstrap, flow = _part("bootstrap"), _part("flow.acting.work")
    told: dict[str, int] = flow.act(uuid.UUID(plan_id), steps, is_undo=is_undo, using=bootstrap.actor())
    return told


@app.task(name=SCAN_PREFIX, bind=True)
def scan_prefix(  # noqa: PLR0917 (callers of a task name what they give)
    self: Any,
    bucket: str,
    prefix: str = "",
    access: Mapping[str, Any] | None = None,
    selection: Mapping[str, Any] | None = None,
    base_job: str | None = None,
) -> str:
    """Start a job on a bucket or a prefix; its id."""
    flow, reached = _part("flow.start_job"), _part("core.access_rules").read_access(access)
    job_id = job_id_of(self.request.id)
    chosen = _part("core.selection_rules").read_selection(selection, now=datetime.now(UTC))
    started = flow.start_job(
        bucket, prefix, access=reached, selection=chosen, base_job=base_job, using=_api(), job_id=job_id
    )
    return str(started.job_id)


@app.task(name=SCAN_OBJECTS, bind=True)
def scan_objects(
    self: Any, bucket: str, keys: Sequence[str | Mapping[str, str]], access: Mapping[str, Any] | None = None
) -> str:
    """Start a job on the named objects, or on versions of them (``{"key": …, "version_id": …}``); its id."""
    flow, reached = _part("flow.scan_objects"), _part("core.access_rules").read_access(access)
    job_id = job_id_of(self.request.id)
    return str(flow.scan_objects(bucket, keys, access=reached, using=_api(), job_id=job_id).job_id)


def _api() -> Any:
    """The parts on behalf of whoever may send to the queue: a message does not say who that was."""
    return _part("flow.parts").for_caller(
        _part("bootstrap").api(), _part("core.rights").everything("celery", via="task")
    )


def _part(name: str) -> Any:
    """A module of ours, loaded when a task runs: who only sends tasks loads neither database nor detectors."""
    return importlib.import_module(f"scanner_tasks.{name}")

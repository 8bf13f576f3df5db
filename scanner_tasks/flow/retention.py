"""Delete jobs, at once or when they are old: in bounded steps, whole partitions where all their jobs are gone."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.core.errors import JobNotFound
from scanner_tasks.core.rights import Permission
from scanner_tasks.log import get_logger
from scanner_tasks.store import audit, deletion, partitions, rulesets
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.schema import JOBS_IN_A_PARTITION, PARTITIONED

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from scanner_tasks.flow.parts import Api

log = get_logger()

#: Seconds that one turn of settle spends on it.
TURN_S = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """What one turn removed."""

    jobs: int
    rows: int
    partitions: int


def delete_job(job_id: UUID, *, using: Api) -> None:
    """Take an ended job from its readers; settle, or ``retire``, removes its rows. A repeat meanwhile changes nothing.

    Raises JobNotFound, NotAllowed or Conflict.
    """
    with transaction(using.engine) as connection:
        bucket = deletion.bucket_of(connection, job_id)
    if bucket is None or not using.caller.may(Permission.READ, bucket):
        raise JobNotFound(job_id)
    using.caller.require(Permission.DELETE, bucket)
    with transaction(using.engine) as connection:
        deletion.begin_deletion(connection, job_id)
        audit.add_entry(connection, using.caller, "job.delete", bucket=bucket, job_id=job_id)


def retire(*, using: Api, turn_s: float = TURN_S, clock: Callable[[], float] = time.monotonic) -> Gone:
    """One turn: begin to delete what is too old, then remove rows until the time is over or nothing is left.

    Each step is a transaction of its own, so that a turn may end anywhere and turns may overlap.
    """
    deadline = clock() + turn_s
    if using.settings.retention_days > 0:
        with transaction(using.engine) as connection:
            deletion.begin_expired(connection, days=using.settings.retention_days)
    with transaction(using.engine) as connection:
        jobs = deletion.jobs_being_deleted(connection)
        emptied = partitions.emptied_ranges(connection)
    dropped = sum(_drop(number, using=using) for number in emptied if clock() < deadline)
    done, rows = 0, 0
    for job_no in jobs:
        # What is dropped with its partition need not be deleted row by row.
        in_emptied = job_no // JOBS_IN_A_PARTITION in emptied
        tables = tuple(t for t in deletion.JOB_TABLES if not (in_emptied and t in PARTITIONED))
        while clock() < deadline:
            with transaction(using.engine) as connection:
                step = deletion.delete_step(connection, job_no, tables=tables)
                ended = step == 0 and deletion.end_deletion(connection, job_no)
            rows += step
            done += ended
            if step == 0:
                break
    if done:
        with transaction(using.engine) as connection:
            rulesets.drop_unused(connection)
    if done or rows or dropped:
        log.info("jobs_deleted", jobs=done, rows=rows, partitions=dropped)
    return Gone(jobs=done, rows=rows, partitions=dropped)


def _drop(number: int, *, using: Api) -> int:
    dropped = 0
    for table in PARTITIONED:
        if partitions.drop_partition(using.engine, table, number):
            dropped += 1
        else:
            log.warning("partition_is_in_use", table=table, number=number)
    return dropped

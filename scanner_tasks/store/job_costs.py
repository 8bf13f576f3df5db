"""A job's budget, its estimate and what it did cost; and what workers tell of their work."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.budget import Budget
from scanner_tasks.core.estimate import CHARGED_CLASSES
from scanner_tasks.core.model import Outcome
from scanner_tasks.store.engine import execute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from scanner_tasks.core.model import PlannedBatch

#: The delta rows in which workers tell it: milliseconds of CPU as objects, bytes read from S3 as bytes.
WORK_CODE = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class JobCosts:
    """What is known of a job's costs."""

    budget: Budget = field(default_factory=Budget)
    estimate: dict[str, Any] | None = None
    actual: dict[str, Any] | None = None


NO_COSTS = JobCosts()


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What workers have done for a job so far, as far as they told."""

    cpu_s: float
    bytes_read: int


def set_budget(connection: Connection, job_no: int, budget: Budget) -> None:
    """Give the job this budget instead of the one that it has."""
    _set(connection, job_no, "budget", budget.to_json())


def set_estimate(connection: Connection, job_no: int, estimate: Mapping[str, Any]) -> None:
    """Keep an estimate; one that is there already stays."""
    execute(
        connection,
        """
        insert into job_costs (job_no, estimate) values (:job_no, cast(:told as jsonb))
        on conflict (job_no) do update set estimate = coalesce(job_costs.estimate, excluded.estimate)
        """,
        job_no=job_no,
        told=json.dumps(estimate),
    )


def set_actual(connection: Connection, job_no: int, actual: Mapping[str, Any]) -> None:
    """Keep what it did cost; a job that was opened again ends with other figures."""
    _set(connection, job_no, "actual", actual)


def add_classes(connection: Connection, job_no: int, batches: Iterable[PlannedBatch]) -> None:
    """Count what is to be scanned of classes that charge for reading, in the transaction that records the batches.

    Most pages have none, and nothing is sent. Whoever records holds the job's row.
    """
    sums: dict[str, list[int]] = {}
    for batch in batches:
        for planned in batch.objects:
            if planned.ref.storage_class in CHARGED_CLASSES and planned.outcome is Outcome.PENDING:
                one = sums.setdefault(planned.ref.storage_class, [0, 0])
                one[0] += 1
                one[1] += planned.ref.size_bytes
    for name, (objects, size_bytes) in sums.items():
        execute(
            connection,
            """
            insert into job_classes (job_no, storage_class, objects, bytes) values (:job_no, :name, :objects, :bytes)
            on conflict (job_no, storage_class) do update
              set objects = job_classes.objects + excluded.objects, bytes = job_classes.bytes + excluded.bytes
            """,
            job_no=job_no,
            name=name,
            objects=objects,
            bytes=size_bytes,
        )


def read_classes(connection: Connection, job_no: int) -> dict[str, tuple[int, int]]:
    """Objects to be scanned and their bytes, as listed, by storage class; only classes that charge for reading."""
    rows = execute(
        connection, "select storage_class, objects, bytes from job_classes where job_no = :job_no", job_no=job_no
    )
    return {row.storage_class: (row.objects, row.bytes) for row in rows}


def _set(connection: Connection, job_no: int, name: str, told: Mapping[str, Any]) -> None:
    execute(
        connection,
        f"""
        insert into job_costs (job_no, {name}) values (:job_no, cast(:told as jsonb))
        on conflict (job_no) do update set {name} = excluded.{name}
        """,
        job_no=job_no,
        told=json.dumps(told),
    )


def read_costs(connection: Connection, job_nos: Sequence[int]) -> dict[int, JobCosts]:
    """By job number; a job without any is missing."""
    rows = execute(
        connection, "select job_no, budget, estimate, actual from job_costs where job_no = any(:nos)", nos=list(job_nos)
    )
    return {row.job_no: JobCosts(budget=Budget(**row.budget), estimate=row.estimate, actual=row.actual) for row in rows}


def add_work(connection: Connection, job_no: int, *, cpu_s: float, bytes_read: int) -> None:
    """Add what a batch took, in the transaction that records it.

    The record of a batch is repeated when its commit was ambiguous: then it may count twice, unlike outcomes.
    """
    execute(
        connection,
        "insert into job_deltas (job_no, code, objects, bytes) values (:job_no, :code, :ms, :bytes)",
        job_no=job_no,
        code=WORK_CODE,
        ms=round(cpu_s * 1000),
        bytes=bytes_read,
    )


def read_work(connection: Connection, job_no: int) -> Work:
    """The sum so far (index job_deltas_of_job)."""
    row = execute(
        connection,
        """
        select coalesce(sum(objects), 0) as ms, coalesce(sum(bytes), 0) as bytes
        from job_deltas where job_no = :job_no and code = :code
        """,
        job_no=job_no,
        code=WORK_CODE,
    ).one()
    return Work(cpu_s=float(row.ms) / 1000, bytes_read=int(row.bytes))

"""What a claim and its record read: one batch, by the primary key, however many the job has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

from scanner_tasks.core.model import Job, ObjectResult, Outcome
from scanner_tasks.store import batches
from scanner_tasks.store.engine import transaction

from .conftest import refs
from .plans import plan_of, recorded


def test_claim_and_record_look_at_one_batch_by_its_key(
    engine: Engine, new_job: Callable[..., Job], bucket: str
) -> None:
    job = new_job(refs(bucket, 5_000))
    with transaction(engine) as connection, recorded(connection) as claimed:
        batch = batches.claim_batch(connection, job_id=job.job_id, batch_no=7, epoch=0, lease_s=300)
    assert batch
    results = [ObjectResult(position=at, outcome=Outcome.SCANNED) for at, _ in batch.objects]
    with transaction(engine) as connection, recorded(connection) as done:
        assert batches.record_results(connection, batch, results)
    # As they were sent, on a batch in each state.
    with engine.connect() as connection:
        back_to(connection, job, state=0)
        assert_by_key(connection, claimed[0])
        assert_by_key(connection, done[0])
        connection.rollback()


def back_to(connection: Any, job: Job, *, state: int) -> None:
    connection.exec_driver_sql(
        "update job_batches set state = %s, attempt = 0 where job_no = %s and batch_no = 7", (state, job.job_no)
    )


def assert_by_key(connection: Any, sent: tuple[str, Any]) -> None:
    plan = plan_of(connection, *sent, of="job_batches")
    assert plan.walked == set(), plan.text
    assert plan.indexes == {"job_batches_pkey"}, plan.text
    assert plan.rows == 2, plan.text  # it is found, and changed

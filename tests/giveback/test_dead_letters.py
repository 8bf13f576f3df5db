"""A dead letter counts only for a batch that waits for it."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from scanner_tasks.core.model import BatchState, ClaimedBatch
from scanner_tasks.flow.settle import settle
from scanner_tasks.store import batches, dead_letters
from scanner_tasks.store.engine import execute, transaction
from tests.flow.conftest import System


@pytest.fixture
def sent(engine: Engine) -> tuple[System, UUID]:
    system = System(engine)
    system.put({"a": b"ssn: 512-44-1234\n"})
    job_id = system.start()
    system.feed(job_id)
    return system, job_id


def claim(system: System, job_id: UUID, *, lease_s: float = 60) -> ClaimedBatch:
    with transaction(system.engine) as connection:
        batch = batches.claim_batch(connection, job_id=job_id, batch_no=0, epoch=0, lease_s=lease_s)
    assert batch is not None
    return batch


def die(system: System, job_id: UUID) -> BatchState:
    """SQS gives up one of the batch's messages; the batch's state afterwards."""
    with transaction(system.engine) as connection:
        dead_letters.add_dead_letter(
            connection,
            message_id=str(uuid4()),
            body="{}",
            receive_count=3,
            sent_at=None,
            group=None,
            task="scanner_tasks.scan_batch",
            batch=(job_id, 0, 0),
        )
        row = execute(
            connection, "select state from job_batches join jobs using (job_no) where job_id = :id", id=job_id
        ).one()
    return BatchState(row.state)


def lose_workers(system: System, job_id: UUID, count: int) -> None:
    """So many claims whose workers were killed, the batch planned and sent again after each."""
    for _ in range(count):
        claim(system, job_id, lease_s=0)
        settle(using=system.feeder)
        system.feed(job_id)


def test_message_of_workers_that_were_killed_is_moot_since_another_is_on_its_way(sent: tuple[System, UUID]) -> None:
    system, job_id = sent
    lose_workers(system, job_id, 3)
    assert die(system, job_id) is BatchState.DISPATCHED
    assert "done" in system.deliver(job_id)


def test_batch_that_takes_ten_workers_along_is_dead_in_the_end(sent: tuple[System, UUID]) -> None:
    system, job_id = sent
    lose_workers(system, job_id, dead_letters.MOST_LOST_CLAIMS)
    assert die(system, job_id) is BatchState.DEAD


def test_message_whose_task_failed_takes_its_batch_along(sent: tuple[System, UUID]) -> None:
    system, job_id = sent
    with transaction(system.engine) as connection:
        assert batches.release_batch(connection, claim(system, job_id))
    assert die(system, job_id) is BatchState.DEAD


def test_message_that_no_task_ever_claimed_takes_its_batch_along(sent: tuple[System, UUID]) -> None:
    system, job_id = sent
    assert die(system, job_id) is BatchState.DEAD

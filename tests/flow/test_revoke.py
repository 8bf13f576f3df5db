"""A revoked batch is not scanned, its objects are skipped(cancelled), and its job ends."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import Engine

from scanner_tasks.core.envelope import read_envelope
from scanner_tasks.flow import control
from scanner_tasks.flow.revoke import arguments_of, skip_revoked
from scanner_tasks.store import batches
from scanner_tasks.store.engine import transaction
from tests.flow.conftest import System


@pytest.fixture
def sent(engine: Engine) -> tuple[System, UUID]:
    system = System(engine)
    system.put({f"{n:03d}": b"ssn: 512-44-1234\n" for n in range(150)})  # two batches
    job_id = system.start()
    system.feed(job_id)
    return system, job_id


def test_revoked_batch_is_skipped_and_its_job_ends(sent: tuple[System, UUID]) -> None:
    system, job_id = sent
    assert skip_revoked(job_id, 0, 0, using=system.worker)
    assert not skip_revoked(job_id, 0, 0, using=system.worker)  # a second delivery
    view = system.run(job_id)
    progress = view.progress
    assert (progress.scanned, progress.skipped, progress.failed, progress.listed) == (50, 100, 0, 150)
    assert set(system.statuses(job_id).values()) == {"scanned", "skipped"}


def test_batch_that_a_worker_holds_or_of_a_former_epoch_is_left_alone(sent: tuple[System, UUID]) -> None:
    system, job_id = sent
    with transaction(system.engine) as connection:
        assert batches.claim_batch(connection, job_id=job_id, batch_no=0, epoch=0, lease_s=60)
    assert not skip_revoked(job_id, 0, 0, using=system.worker)
    control.pause_job(job_id, using=system.feeder)
    control.resume_job(job_id, using=system.feeder)
    assert not skip_revoked(job_id, 1, 0, using=system.worker)
    assert system.run(job_id).progress.scanned == 150


def test_message_shows_the_batch_it_stands_for(sent: tuple[System, UUID]) -> None:
    system, job_id = sent
    (body, *_) = system.queues.bodies(system.job(job_id).job.lane)
    assert read_envelope(body).args == (str(job_id), 0, 0)
    assert arguments_of(repr(read_envelope(body).args)) == (job_id, 0, 0)

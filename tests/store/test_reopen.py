"""What was done or dead is opened again, and every sum agrees at every step."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from scanner_tasks.core.errors import Conflict
from scanner_tasks.core.model import Job, JobStatus, ObjectResult, Outcome
from scanner_tasks.store import batches, feeding, jobs, reopen, sweep
from scanner_tasks.store.engine import execute, transaction

from .conftest import refs
from .ledgers import FOUND, assert_sums_agree, claim, record, results


def get(engine: Engine, job: Job) -> Job:
    with transaction(engine) as connection:
        found = jobs.get_job(connection, job.job_id)
    assert found
    return found


def finish(engine: Engine, job: Job) -> JobStatus | None:
    with transaction(engine) as connection:
        sweep.advance_done_from(connection, job.job_no)
        return sweep.finish_job(connection, job.job_no)


def kill_batch(engine: Engine, job: Job, batch_no: int) -> None:
    with transaction(engine) as connection:
        assert sweep.close_batches(connection, job.job_no, Outcome.FAILED_DEAD_LETTER, batch_no=batch_no) == 1


def work(engine: Engine, job: Job, batch_no: int) -> None:
    batch = claim(engine, job, batch_no)
    assert batch
    assert record(engine, batch, results(batch))


def reopen_dead(engine: Engine, job: Job, batch_no: int) -> int:
    with transaction(engine) as connection:
        return reopen.reopen_dead(connection, job.job_no, batch_no).objects


def reopen_failed(engine: Engine, job: Job) -> int:
    objects, at = 0, 0
    while at is not None:
        with transaction(engine) as connection:
            opened, at = reopen.reopen_failed(connection, job.job_no, from_batch_no=at)
        objects += opened.objects
        assert_sums_agree(engine, job)
    return objects


def test_dead_batch_opens_its_job_again_and_the_job_ends_clean(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    work(engine, job, 0)
    fell = claim(engine, job, 1)
    assert fell
    with transaction(engine) as connection:
        assert batches.release_batch(connection, fell)
    kill_batch(engine, job, 1)
    work(engine, job, 2)
    assert finish(engine, job) is JobStatus.SUCCEEDED_WITH_FAILURES
    assert reopen_dead(engine, job, 1) == 100
    sums = assert_sums_agree(engine, job)
    assert (sums.pending, sums.failed, sums.scanned, sums.open_batches) == (100, 0, 150, 1)
    now = get(engine, job)
    assert (now.status, now.finished_at) == (JobStatus.SCANNING, None)
    assert finish(engine, job) is None
    with transaction(engine) as connection:
        view = feeding.dispatch_view(connection, now)
        assert feeding.planned_batches(connection, job.job_no, dispatch_from=view.dispatch_from, limit=9) == [1]
        assert sweep.needs_feeding(connection, job.job_no)
    again = claim(engine, job, 1)
    assert again
    assert again.tries == 2, "it fell once: the retry is made with caution"
    assert record(engine, again, results(again))
    assert finish(engine, job) is JobStatus.SUCCEEDED
    assert assert_sums_agree(engine, job).scanned == 250


def test_opening_a_dead_batch_twice_opens_it_once(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    kill_batch(engine, job, 1)
    assert [reopen_dead(engine, job, 1), reopen_dead(engine, job, 1), reopen_dead(engine, job, 0)] == [100, 0, 0]
    assert assert_sums_agree(engine, job).pending == 250


def test_dead_batch_keeps_the_outcomes_that_were_recorded_before(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    batch = claim(engine, job, 0)
    assert batch
    some = [*results(batch, first=9), ObjectResult(position=9, outcome=Outcome.FAILED_DENIED, detail="s3:GetObject")]
    assert record(engine, batch, some)
    kill_batch(engine, job, 0)
    assert reopen_dead(engine, job, 0) == 90
    sums = assert_sums_agree(engine, job)
    assert (sums.scanned, sums.failed, sums.findings) == (9, 1, 1)


def test_only_failed_objects_are_scanned_again(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    batch = claim(engine, job, 0)
    assert batch
    found = results(batch)
    found[0] = ObjectResult(position=0, outcome=Outcome.FAILED_CRASHED, findings=(FOUND,), detail="it crashed")
    found[1] = ObjectResult(position=1, outcome=Outcome.SCANNED, findings=(FOUND,))
    found[2] = ObjectResult(position=2, outcome=Outcome.FAILED_DENIED, detail="s3:GetObject")
    found[3] = ObjectResult(position=3, outcome=Outcome.PARTIAL_BYTES)
    assert record(engine, batch, found)
    work(engine, job, 1)
    kill_batch(engine, job, 2)
    assert finish(engine, job) is JobStatus.SUCCEEDED_WITH_FAILURES
    assert assert_sums_agree(engine, job).findings == 3
    assert reopen_failed(engine, job) == 52
    sums = assert_sums_agree(engine, job)
    assert (sums.pending, sums.failed, sums.partial, sums.scanned) == (52, 0, 1, 197)
    assert (sums.findings, sums.occurrences) == (2, 14), "the crashed object's finding was taken back"
    with transaction(engine) as connection:
        kept = execute(connection, "select count(*) from object_failures where job_no = :n", n=job.job_no).scalar()
    assert kept == 0
    assert reopen_failed(engine, job) == 0
    again = claim(engine, job, 0)
    assert again
    assert [position for position, _ in again.objects] == [0, 2]
    assert record(engine, again, [ObjectResult(position=p, outcome=Outcome.SCANNED) for p in (0, 2)])
    work(engine, job, 2)
    assert finish(engine, job) is JobStatus.SUCCEEDED_WITH_FAILURES, "one object is partial"
    sums = assert_sums_agree(engine, job)
    assert (sums.scanned, sums.partial) == (249, 1)


def test_batch_in_a_workers_hands_is_left_alone(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    first = claim(engine, job, 0)
    assert first
    assert record(engine, first, [ObjectResult(position=0, outcome=Outcome.FAILED_DENIED)])
    held = claim(engine, job, 0)
    assert held
    assert reopen_failed(engine, job) == 0
    assert record(engine, held, [ObjectResult(position=p, outcome=Outcome.SCANNED) for p, _ in held.objects])
    assert reopen_failed(engine, job) == 1


def test_failed_objects_of_a_batch_that_still_waits_wait_with_it(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    first = claim(engine, job, 0)
    assert first
    assert record(engine, first, [ObjectResult(position=0, outcome=Outcome.FAILED_DENIED)])
    assert reopen_failed(engine, job) == 1
    assert assert_sums_agree(engine, job).open_batches == 3
    work(engine, job, 0)
    assert assert_sums_agree(engine, job).scanned == 100


def test_large_job_is_looked_through_in_short_transactions(
    engine: Engine, new_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reopen, "LOOK_AT_ONCE", 2)
    job = new_job()
    for batch_no in range(3):
        kill_batch(engine, job, batch_no)
    assert finish(engine, job)
    with transaction(engine) as connection:  # and then the process dies
        opened, at = reopen.reopen_failed(connection, job.job_no, from_batch_no=0)
    assert (opened.batches, opened.objects, at) == (2, 200, 2)
    assert assert_sums_agree(engine, job).pending == 200
    assert reopen_failed(engine, job) == 50, "a repeat opens the rest"


@pytest.mark.parametrize("status", [JobStatus.CANCELLED, JobStatus.FAILED])
def test_job_that_cannot_go_on_is_not_opened(engine: Engine, new_job: Callable[..., Job], status: JobStatus) -> None:
    job = new_job()
    kill_batch(engine, job, 0)
    with transaction(engine) as connection:
        if status is JobStatus.FAILED:
            execute(connection, "update jobs set listed_at = null where job_no = :n", n=job.job_no)
        jobs.change_status(connection, job.job_no, status, new_epoch=True)
    with pytest.raises(Conflict, match="start a new one"):
        reopen_dead(engine, job, 0)
    with transaction(engine) as connection:
        sweep.close_batches(connection, job.job_no, Outcome.SKIPPED_CANCELLED)
        jobs.end_job(connection, job.job_no)
    for open_again in (reopen_failed, lambda e, j: reopen_dead(e, j, 0)):
        with pytest.raises(Conflict, match="start a new one"):
            open_again(engine, job)
    assert assert_sums_agree(engine, job).pending == 0


def test_failed_job_that_was_listed_goes_on(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    work(engine, job, 0)
    with transaction(engine) as connection:
        jobs.change_status(connection, job.job_no, JobStatus.FAILED, reason="no more turns", new_epoch=True)
    with pytest.raises(Conflict, match="ending just now"), transaction(engine) as connection:
        reopen.reopen_job(connection, job.job_no)
    with transaction(engine) as connection:
        sweep.close_batches(connection, job.job_no, Outcome.FAILED_UNAVAILABLE)
        jobs.end_job(connection, job.job_no)
    assert reopen_failed(engine, job) == 150
    now = get(engine, job)
    assert (now.status, now.status_reason, now.epoch) == (JobStatus.SCANNING, None, 1)
    work(engine, now, 1)
    work(engine, now, 2)
    assert finish(engine, job) is JobStatus.SUCCEEDED


def test_job_does_not_end_over_a_batch_that_is_opened_at_the_same_moment(
    engine: Engine, new_job: Callable[..., Job], bucket: str
) -> None:
    job = new_job(refs(bucket, 10))
    kill_batch(engine, job, 0)
    waiting = threading.Event()
    with ThreadPoolExecutor(1) as pool, engine.connect() as opening:
        with opening.begin():
            assert reopen.reopen_dead(opening, job.job_no, 0).objects == 10

            def end() -> JobStatus | None:
                waiting.set()
                return finish(engine, job)

            ending = pool.submit(end)
            assert waiting.wait(10)
            wait_for_a_lock(engine)
        assert ending.result(20) is None
    assert assert_sums_agree(engine, job).open_batches == 1
    work(engine, job, 0)
    assert finish(engine, job) is JobStatus.SUCCEEDED


def wait_for_a_lock(engine: Engine) -> None:
    """Until some session waits for a lock, as Postgres itself tells."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for _ in range(2000):
            query = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
            if connection.exec_driver_sql(query).scalar():
                return
            connection.exec_driver_sql("select pg_sleep(0.005)")
    raise AssertionError("nobody waits")

"""Pause, resume, cancel, retry: at once, exactly, and with sums that agree."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from scanner_tasks.core.errors import Conflict, JobNotFound, Unavailable
from scanner_tasks.core.model import JobStatus, Segment
from scanner_tasks.flow import control
from scanner_tasks.flow.settle import settle
from scanner_tasks.store.engine import execute, transaction
from tests.store.ledgers import assert_sums_agree

from .conftest import System, run_message

SSN = b"name,ssn\nJane Roe,512-44-1234\n"


@pytest.fixture(autouse=True)
def _fleet_goes_on(system: System) -> Iterator[None]:
    yield
    control.resume_all(using=system.feeder)


def sums(system: System, job_id):
    return assert_sums_agree(system.engine, system.job(job_id).job)


def started(system: System, objects: int = 250):
    """A job whose batches of 100 are in its lane."""
    system.put({f"{n:04d}": SSN for n in range(objects)})
    job_id = system.start()
    system.feed(job_id)
    return job_id


def lane(system: System, job_id) -> list[str]:
    return system.queues.bodies(system.job(job_id).job.lane)


class Held:
    """A worker in the middle of a batch: it goes on when told so."""

    def __init__(self, system: System, body: str) -> None:
        self._entered, self._go_on = threading.Event(), threading.Event()
        self._patch = pytest.MonkeyPatch()
        real = type(system.worker.detector.begin()).feed

        def hang(detection: object, segment: Segment) -> None:
            self._entered.set()
            assert self._go_on.wait(20)
            real(detection, segment)

        self._patch.setattr(type(system.worker.detector.begin()), "feed", hang)
        self._pool = ThreadPoolExecutor(1)
        self._result = self._pool.submit(run_message, body, system.worker)
        assert self._entered.wait(20)
        self._patch.undo()

    def finish(self) -> str:
        self._go_on.set()
        result = self._result.result(20)
        self._pool.shutdown()
        return result


def test_paused_jobs_messages_become_no_ops_and_it_resumes_exactly(system: System) -> None:
    job_id = started(system)
    first, *rest = lane(system, job_id)
    assert run_message(first, system.worker) == "done"
    control.pause_job(job_id, using=system.feeder)
    assert [run_message(body, system.worker) for body in rest] == ["not_claimable"] * 2
    assert system.feed(job_id) == "done"
    assert len(lane(system, job_id)) == 3, "nothing more was sent"
    settle(using=system.feeder)
    view = system.job(job_id)
    assert (view.job.status, view.progress.scanned, view.progress.pending) == (JobStatus.PAUSED, 100, 150)
    sums(system, job_id)
    control.resume_job(job_id, using=system.feeder)
    assert [run_message(body, system.worker) for body in rest] == ["not_claimable"] * 2, "they carry the old epoch"
    view = system.run(job_id)
    assert (view.job.status, view.progress.scanned, view.progress.findings) == (JobStatus.SUCCEEDED, 250, 250)
    sums(system, job_id)


def test_batch_in_hand_when_its_job_is_paused_is_scanned_after_the_resume(system: System) -> None:
    job_id = started(system, 10)
    held = Held(system, lane(system, job_id)[0])
    assert sums(system, job_id).processing == 10
    control.pause_job(job_id, using=system.feeder)
    assert sums(system, job_id).processing == 0
    assert held.finish() == "lost"
    assert sums(system, job_id).scanned == 0
    control.resume_job(job_id, using=system.feeder)
    assert system.run(job_id).progress.scanned == 10


def test_job_paused_while_it_lists_goes_on_listing_where_it_was(system: System) -> None:
    system.put({f"{n:05d}": b"x" for n in range(2500)})
    small = system.make_feeder(feed_turn_s=0.000001, list_connections=1)
    job_id = system.start()
    from scanner_tasks.flow.feed import feed  # noqa: PLC0415

    assert 0 < feed(job_id, execution_no=1, turn=0, using=small).listed < 2500
    control.pause_job(job_id, using=system.feeder)
    assert feed(job_id, execution_no=1, turn=1, using=small).listed == 0
    control.resume_job(job_id, using=system.feeder)
    view = system.job(job_id)
    assert (view.job.status, view.job.execution_no) == (JobStatus.LISTING, 2)
    view = system.run(job_id)
    assert view.progress.listed == view.progress.scanned == 2500


def test_pausing_stops_the_execution_and_resuming_starts_the_next(system: System) -> None:
    job_id = started(system)
    control.pause_job(job_id, using=system.feeder)
    assert list(system.executions.statuses.values()) == ["ABORTED"]
    control.resume_job(job_id, using=system.feeder)
    assert list(system.executions.started) == [f"{job_id}-1", f"{job_id}-2"]


def test_resume_that_cannot_start_an_execution_is_mended_by_settle(system: System) -> None:
    job_id = started(system)
    control.pause_job(job_id, using=system.feeder)
    system.executions.error = Unavailable("Step Functions is away")
    with pytest.raises(Unavailable):
        control.resume_job(job_id, using=system.feeder)
    system.executions.error = None
    assert settle(using=system.feeder).restarted >= 1
    assert system.run(job_id).progress.scanned == 250


def test_resume_that_dies_before_it_starts_an_execution_is_mended_by_settle(
    make_system: Callable[..., System], monkeypatch: pytest.MonkeyPatch
) -> None:
    system = make_system(window_min_batches=1)
    job_id = started(system)  # its execution would go on: one batch is sent, two are planned
    control.pause_job(job_id, using=system.feeder)
    with monkeypatch.context() as patch:
        patch.setattr(control, "start_next_execution", die)
        with pytest.raises(KeyboardInterrupt):
            control.resume_job(job_id, using=system.feeder)
    settle(using=system.feeder)
    assert f"{job_id}-3" not in system.executions.started
    assert f"{job_id}-2" in system.executions.started


def die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_cancelled_job_accounts_for_what_it_left_and_stays_so(system: System) -> None:
    job_id = started(system)
    first, *rest = lane(system, job_id)
    run_message(first, system.worker)
    held = Held(system, rest[0])
    control.cancel_job(job_id, reason="asked for", using=system.feeder)
    view = system.job(job_id)
    assert (view.job.status, view.job.status_reason) == (JobStatus.CANCELLED, "asked for")
    assert view.progress.outcomes == {"scanned": 100, "skipped(cancelled)": 150}
    assert held.finish() == "lost"
    assert run_message(rest[1], system.worker) == "not_claimable"
    control.cancel_job(job_id, reason="asked for again", using=system.feeder)
    assert system.job(job_id).job.status_reason == "asked for"
    assert list(system.executions.statuses.values()) == ["ABORTED"]
    settle(using=system.feeder)
    assert sums(system, job_id).scanned == 100


def test_cancel_that_dies_half_way_is_finished_by_settle(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = started(system)
    with monkeypatch.context() as patch:
        patch.setattr(control, "close_job", die)
        with pytest.raises(KeyboardInterrupt):
            control.cancel_job(job_id, reason="asked for", using=system.feeder)
    assert system.job(job_id).job.finished_at is None
    assert system.deliver(job_id) == ["not_claimable"] * 3
    settle(using=system.feeder)
    view = system.job(job_id)
    assert view.job.finished_at
    assert view.progress.outcomes == {"skipped(cancelled)": 250}


def test_paused_job_can_be_cancelled(system: System) -> None:
    job_id = started(system)
    control.pause_job(job_id, using=system.feeder)
    control.cancel_job(job_id, reason="asked for", using=system.feeder)
    assert sums(system, job_id).outcomes == {"skipped(cancelled)": 250}


def test_what_the_jobs_state_does_not_allow_is_refused_with_its_state(system: System) -> None:
    job_id = started(system, 3)
    with pytest.raises(Conflict, match="is scanning: only a paused job"):
        control.resume_job(job_id, using=system.feeder)
    system.run(job_id)
    with pytest.raises(Conflict, match="is succeeded: only a job that has not ended"):
        control.cancel_job(job_id, reason="late", using=system.feeder)
    with pytest.raises(Conflict, match="is succeeded: only a job that is listing or scanning"):
        control.pause_job(job_id, using=system.feeder)
    for act in (control.pause_job, control.resume_job, control.retry_failed):
        with pytest.raises(JobNotFound):
            act(uuid4(), using=system.feeder)


def test_failed_objects_are_scanned_again_once_their_cause_is_mended(system: System) -> None:
    system.put({f"{n:04d}": SSN for n in range(150)})
    denied = {(system.bucket, f"{n:04d}") for n in range(0, 150, 50)}
    system.objects.denied |= denied
    job_id = system.start()
    view = system.run(job_id)
    assert view.progress.outcomes == {"scanned": 147, "failed(denied)": 3}
    system.objects.denied -= denied
    opened = control.retry_failed(job_id, using=system.feeder)
    assert (opened.batches, opened.objects) == (2, 3)
    assert sums(system, job_id).pending == 3
    assert f"{job_id}-2" in system.executions.started
    view = system.run(job_id)
    assert (view.job.status, view.progress.scanned, view.progress.findings) == (JobStatus.SUCCEEDED, 150, 150)
    assert sums(system, job_id).failed == 0
    assert control.retry_failed(job_id, using=system.feeder).objects == 0
    assert system.job(job_id).job.status is JobStatus.SUCCEEDED


def test_paused_fleet_sends_and_claims_nothing_and_goes_on_exactly(make_system: Callable[..., System]) -> None:
    one, other = make_system(window_min_batches=2), make_system()
    jobs = [(system, started(system, 450)) for system in (one, other)]
    for system, job_id in jobs:
        assert run_message(lane(system, job_id)[0], system.worker) == "done"
    held = Held(other, lane(*jobs[1])[1])
    before = [len(lane(system, job_id)) for system, job_id in jobs]
    assert control.pause_all(using=one.feeder)
    assert not control.pause_all(using=one.feeder)
    assert held.finish() == "lost"
    for system, job_id in jobs:
        assert sums(system, job_id).processing == 0
        assert "done" not in system.deliver(job_id), "nothing can be claimed"
        assert system.feed(job_id) == "done"
    report = settle(using=one.feeder)
    assert (report.restarted, report.backlog_batches) == (0, 0)
    assert [len(lane(system, job_id)) for system, job_id in jobs] == [0, 0]
    assert [system.job(job_id).job.status for system, job_id in jobs] == [JobStatus.SCANNING] * 2
    assert before == [2, 5]
    late = one.start()
    assert one.feed(late) == "done"
    assert one.job(late).progress.listed == 0
    assert control.resume_all(using=one.feeder)
    assert not control.resume_all(using=one.feeder)
    for system, job_id in jobs:
        view = system.run(job_id)
        assert (view.progress.scanned, view.progress.findings) == (450, 450)
        sums(system, job_id)
    assert one.run(late).progress.scanned == 450


def test_message_that_came_while_the_fleet_was_paused_is_sent_again(system: System) -> None:
    job_id = started(system)
    control.pause_all(using=system.feeder)
    with transaction(system.engine) as connection:  # a turn of Feed that was sending just then marks what it sent
        execute(
            connection,
            """
            with marked as (update job_batches set state = 1 where job_no = :n returning 1)
            insert into job_deltas (job_no, ahead_batches) select :n, count(*) from marked
            """,
            n=system.job(job_id).job.job_no,
        )
    assert set(system.deliver(job_id)) == {"not_claimable"}
    control.resume_all(using=system.feeder)
    sums(system, job_id)
    assert system.run(job_id).progress.scanned == 250


def test_resuming_the_fleet_survives_step_functions_being_away(system: System) -> None:
    job_id = started(system)
    control.pause_all(using=system.feeder)
    system.feed(job_id)
    system.executions.error = Unavailable("Step Functions is away")
    assert control.resume_all(using=system.feeder)
    system.executions.error = None
    assert settle(using=system.feeder).restarted >= 1
    assert system.run(job_id).progress.scanned == 250

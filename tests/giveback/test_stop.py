"""SIGTERM: what runs is finished, the rest is another worker's at once, and nobody counts it as a failure."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import Engine

from scanner_tasks.core import lanes
from scanner_tasks.core.model import JobStatus, ObjectRef
from scanner_tasks.core.ports import OutgoingMessage
from tests.fairness.plant import Plant
from tests.flow.conftest import System, run_message

SSN = "ssn: 512-44-1234\n"


def slow_batches(plant: Plant, batches: int, objects: int, pause_s: float) -> tuple[str, list[list[ObjectRef]]]:
    """A bucket whose objects take ``pause_s`` each and have one finding each."""
    names = [f"{b:02d}-{n:02d}" for b in range(batches) for n in range(objects)]
    bucket, refs = plant.new_bucket({name: f"trap:sleep {pause_s} {name}\n{SSN}".encode() for name in names})
    return bucket, [refs[b * objects : (b + 1) * objects] for b in range(batches)]


def tries(plant: Plant, job_id: UUID) -> list[int]:
    rows = plant.rows(
        "select attempt - given_back as tries from job_batches join jobs using (job_no) where job_id = :id", id=job_id
    )
    return [row.tries for row in rows]


def test_stopped_worker_finishes_what_runs_and_gives_back_the_rest(make_plant: Callable[..., Plant]) -> None:
    plant = make_plant(max_workers=4, lane_count=2)
    plant.start_settling()
    bucket, batches = slow_batches(plant, 8, 6, 0.3)
    job_id = plant.add_job(bucket, batches, feed=False)
    worker = plant.add_worker()
    plant.feed_once(job_id)
    plant.until(lambda: len(plant.noted("begin")) >= 6, "a busy worker")
    plant.signal(worker, signal.SIGTERM)
    assert plant.until_ended(worker) == 0
    # Every object that was begun was finished; nothing is held, by SQS or by the ledger; no receive was spent.
    assert Counter(plant.noted("begin")) == Counter(plant.noted("end"))
    assert len(plant.noted("end")) < 30, "it scanned on instead of giving back"
    assert plant.in_flight == 0
    assert plant.count(job_id, 2) == 0
    sent = plant.count(job_id, 1)
    assert plant.depth(plant.lane(job_id)) == (sent, 0)
    assert plant.count(job_id, 0) >= 4
    plant.start_feeding(job_id)
    plant.add_worker()
    view = plant.until_finished(job_id)
    assert view.job.status is JobStatus.SUCCEEDED
    assert (view.progress.scanned, view.progress.findings, view.progress.failed) == (48, 48, 0)
    assert Counter(plant.noted("end")) == dict.fromkeys((ref.key for refs in batches for ref in refs), 1)
    assert tries(plant, job_id) == [1] * 8
    assert plant.depth(lanes.DLQ) == (0, 0)


def test_batch_that_waits_in_memory_is_planned_again_at_once_and_its_message_acknowledged(
    make_plant: Callable[..., Plant],
) -> None:
    plant = make_plant(max_workers=1, lane_count=2)
    worker = plant.add_worker()
    jobs = []
    for n in range(2):
        bucket, batches = slow_batches(plant, 1, 1, 5)
        jobs.append(plant.add_job(bucket, batches, feed=False))
        plant.feed_once(jobs[n])
        in_hand = [(0, 1)] * (n + 1)
        plant.until(lambda jobs=list(jobs), in_hand=in_hand: lane_depths(plant, jobs) == in_hand, "its message in hand")
    plant.until(lambda: len(plant.noted("begin")) == 1, "the object", check=worker.check)
    plant.signal(worker, signal.SIGTERM)
    plant.until(lambda: plant.count(jobs[1], 0) == 1, "the planned batch")
    plant.until(lambda: lane_depths(plant, jobs) == [(0, 1), (0, 0)], "the delete of its message")
    assert plant.noted("end") == []
    assert plant.until_ended(worker) == 0
    assert plant.count(jobs[0], 3) == 1
    assert lane_depths(plant, jobs) == [(0, 0), (0, 0)]
    assert [tries(plant, job) for job in jobs] == [[1], [0]]


def lane_depths(plant: Plant, jobs: list[UUID]) -> list[tuple[int, int]]:
    return [plant.depth(plant.lane(job)) for job in jobs]


@pytest.mark.parametrize("restarts", [3, pytest.param(10, marks=pytest.mark.slow)])
def test_restarts_during_one_long_batch_leave_it_healthy(make_plant: Callable[..., Plant], restarts: int) -> None:
    plant = make_plant(max_workers=2, lane_count=1)
    plant.start_settling()
    bucket, (refs,) = slow_batches(plant, 1, restarts * 8 + 8, 0.4)
    job_id = plant.add_job(bucket, [refs])
    running, stopped = [plant.add_worker(), plant.add_worker()], []
    for n in range(restarts):
        plant.until(lambda: plant.last_pid() in {worker.pid for worker in running}, f"restart {n}")
        holder = next(worker for worker in running if worker.pid == plant.last_pid())
        plant.signal(holder, signal.SIGTERM)
        running.remove(holder)
        stopped.append(holder)
        running.append(plant.add_worker(wait=False))
    for worker in stopped:
        assert plant.until_ended(worker) == 0
    view = plant.until_finished(job_id)
    assert view.job.status is JobStatus.SUCCEEDED
    assert view.progress.scanned == view.progress.findings == len(refs)
    assert sorted(plant.noted("end")) == [ref.key for ref in refs]
    assert tries(plant, job_id) == [1]
    (row,) = plant.rows("select attempt from job_batches join jobs using (job_no) where job_id = :id", id=job_id)
    # A worker that stops claims what its open polls still bring, to give it back.
    assert row.attempt >= restarts + 1
    assert plant.depth(lanes.DLQ) == (0, 0)


def test_batch_given_back_while_feed_marks_it_as_sent_is_sent_again(engine: Engine) -> None:
    system = System(engine)
    system.put({f"{n:03d}": SSN.encode() for n in range(3)})
    job_id = system.start()
    stopping, send = system.make_worker(), system.queues.send
    stopping.stopping.set()
    back = threading.Event()

    def send_to_a_worker_that_stops(queue: str, messages: list[OutgoingMessage]) -> list[int]:
        if back.is_set():
            return send(queue, messages)
        back.set()
        assert {run_message(message.body, stopping) for message in messages} == {"given_back"}
        return []

    system.queues.send = send_to_a_worker_that_stops  # type: ignore[assignment, method-assign]
    system.feed(job_id)
    system.feed(job_id)
    assert len(system.queues.bodies(system.job(job_id).job.lane)) == 1
    assert system.deliver(job_id) == ["done"]

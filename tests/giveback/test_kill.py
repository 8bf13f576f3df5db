"""Workers that die: an object that kills its process costs itself, a killed worker costs nobody anything."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from scanner_tasks.core import lanes
from scanner_tasks.core.model import JobStatus
from scanner_tasks.local.child import Child
from tests.fairness.plant import Plant
from tests.giveback.test_stop import SSN

#: A worker's death is noticed after so long; lanes hide a message a little longer.
LEASE_S, VISIBILITY_S = 3.0, 5


@contextmanager
def fleet(plant: Plant, size: int) -> Iterator[list[Child]]:
    """So many workers, each replaced when it has ended, as ECS does."""
    running = [plant.add_worker(wait=False) for _ in range(size)]
    for worker in running:
        plant.until_ready(worker)
    ended = threading.Event()

    def replace() -> None:
        while not ended.wait(0.1):
            for n, worker in enumerate(running):
                if worker.exit_status is not None:
                    running[n] = plant.add_worker(wait=False)

    thread = threading.Thread(target=replace)
    thread.start()
    try:
        yield running
    finally:
        ended.set()
        thread.join()


def texts(batches: int, objects: int, pause_s: float) -> dict[str, bytes]:
    names = [f"{b:03d}-{n}" for b in range(batches) for n in range(objects)]
    return {name: f"trap:sleep {pause_s} {name}\n{SSN}".encode() for name in names}


def add_job(plant: Plant, contents: dict[str, bytes], objects: int) -> UUID:
    bucket, refs = plant.new_bucket(contents)
    return plant.add_job(bucket, [refs[n : n + objects] for n in range(0, len(refs), objects)])


def test_object_that_ends_its_process_among_twenty_batches_is_the_only_one_to_fail(
    make_plant: Callable[..., Plant],
) -> None:
    plant = make_plant(lease_s=LEASE_S, visibility_s=VISIBILITY_S, lane_count=2)
    plant.start_settling(0.5)
    contents = texts(20, 3, 0.3) | {"007-1": b"trap:exit 9 poison\n"}
    with fleet(plant, 1):
        job_id = add_job(plant, contents, 3)
        view = plant.until_finished(job_id, timeout_s=120)
    assert plant.noted("begin").count("poison") == 2, "once in the worker, once in a process of its own"
    assert view.job.status is JobStatus.SUCCEEDED_WITH_FAILURES
    assert view.progress.outcomes == {"scanned": 59, "failed(crashed)": 1}
    assert view.progress.findings == 59
    assert plant.depth(lanes.DLQ) == (0, 0)


@pytest.mark.parametrize(
    ("batches", "kills"), [(24, 3), pytest.param(300, 12, marks=[pytest.mark.slow, pytest.mark.timeout(400)])]
)
def test_workers_killed_at_random_cost_no_object(make_plant: Callable[..., Plant], batches: int, kills: int) -> None:
    plant = make_plant(lease_s=LEASE_S, visibility_s=VISIBILITY_S, lane_count=2, max_workers=8)
    plant.start_settling(0.5)
    chance = random.Random(batches)
    with fleet(plant, 2) as running:
        job_id = add_job(plant, texts(batches, 4, 0.2), 4)
        for n in range(kills):
            begun = len(plant.noted("begin")) + chance.randint(5, 40)
            plant.until(
                lambda begun=begun: len(plant.noted("begin")) > begun or not plant.count(job_id, 0, 1, 2), f"kill {n}"
            )
            victim = chance.choice([w for w in running if w.exit_status is None] or running)
            if victim.exit_status is None:
                plant.signal(victim, signal.SIGKILL)
                plant.until_ended(victim)
        view = plant.until_finished(job_id, timeout_s=200)
    assert view.progress.outcomes == {"scanned": batches * 4}
    assert view.progress.findings == batches * 4
    assert view.job.status is JobStatus.SUCCEEDED
    # Every key is there once, whatever was scanned twice.
    query = "select status, count(*) n from job_objects where job_id = :id group by status"
    assert {row.status: row.n for row in plant.rows(query, id=job_id)} == {"scanned": batches * 4}
    (tally,) = plant.rows("select sum(attempt - given_back) - count(*) as n from job_batches")
    print(f"{kills} kills, {tally.n} claims lost with their workers")  # noqa: T201

"""Postgres is away for much longer than three receives would last: workers wait with their messages in hand."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from scanner_tasks.core import lanes
from scanner_tasks.core.model import JobStatus
from tests.fairness.plant import Plant
from tests.giveback.test_kill import add_job, texts

SLOTS, LANES = 4, 2


@pytest.mark.parametrize("visibility_s", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_outage_of_nine_visibility_timeouts_puts_nothing_into_the_dead_letter_queue(
    make_plant: Callable[..., Plant], visibility_s: int
) -> None:
    outage_s = 3 * 3 * visibility_s
    plant = make_plant(durable=True, lease_s=3.0, visibility_s=visibility_s, max_workers=SLOTS, lane_count=LANES)
    plant.start_settling(0.5)
    worker = plant.add_worker()
    job_id = add_job(plant, texts(30, 3, 0.1), 3)
    plant.until(lambda: len(plant.noted("end")) >= 15, "a busy worker")
    plant.postgres.kill()
    began = time.monotonic()
    most = 0

    def is_over() -> bool:
        nonlocal most
        most = max(most, plant.in_flight)
        assert plant.depth(lanes.DLQ)[0] == 0
        return time.monotonic() - began > outage_s

    plant.until(is_over, "the end of the outage", timeout_s=outage_s + 30, check=worker.check)
    begun = len(plant.noted("begin"))
    plant.postgres.start()
    view = plant.until_finished(job_id)
    assert SLOTS <= most <= SLOTS + LANES
    assert view.job.status is JobStatus.SUCCEEDED
    assert view.progress.outcomes == {"scanned": 90}
    assert view.progress.findings == 90
    assert begun < 90, "the outage came too late"
    assert plant.depth(lanes.DLQ) == (0, 0)
    print(f"in flight at most {most}; {len(plant.noted('begin')) - 90} objects read twice")  # noqa: T201

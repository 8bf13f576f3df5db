"""A worker killed in the middle of a byte range: others scan it again, the object loses nothing and counts once."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable

import pytest

from scanner_tasks.core import lanes
from scanner_tasks.core.model import JobStatus
from scanner_tasks.flow.verify import verify_job
from tests.fairness.plant import Plant
from tests.giveback.test_kill import LEASE_S, VISIBILITY_S, add_job, fleet

VALUES = 1500


def text(name: str, pause_s: float) -> bytes:
    """Each range reads the first line, as part of what stands before it: a scan of it takes so long."""
    rows = "".join(f"{n:05d},ssn: 536-22-{n:04d}\n" for n in range(1, VALUES + 1))
    return f"trap:sleep {pause_s} {name}\n{rows}".encode()


# Slow: a range that a worker's death interrupted is scanned in a process of its own, which makes the filter anew.
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("objects", "kills"), [(2, 2), (8, 6)])
def test_workers_killed_in_their_ranges_cost_the_object_nothing(
    make_plant: Callable[..., Plant], objects: int, kills: int
) -> None:
    plant = make_plant(
        lease_s=LEASE_S,
        visibility_s=VISIBILITY_S,
        lane_count=2,
        max_workers=1,
        ranges_above_bytes=8192,
        range_bytes=4096,
    )
    plant.start_settling(0.5)
    chance = random.Random(objects)
    contents = {f"big-{n}": text(f"big-{n}", 0.3) for n in range(objects)}
    with fleet(plant, 2) as running:
        job_id = add_job(plant, contents, 1)
        for n in range(kills):
            begun = len(plant.noted("begin")) + chance.randint(1, 4)
            plant.until(
                lambda begun=begun: len(plant.noted("begin")) > begun or not plant.count(job_id, 0, 1, 2), f"kill {n}"
            )
            victim = chance.choice([w for w in running if w.exit_status is None] or running)
            if victim.exit_status is None:
                plant.signal(victim, signal.SIGKILL)
                plant.until_ended(victim)
        view = plant.until_finished(job_id, timeout_s=400)
    assert (view.job.status, view.progress.outcomes) == (JobStatus.SUCCEEDED, {"scanned": objects})
    assert view.progress.findings == objects
    assert view.progress.occurrences == objects * VALUES
    assert view.progress.batches == sum(1 - (-len(content) // 4096) for content in contents.values())
    accounts = verify_job(job_id, using=plant.feeder)
    assert accounts.agree, accounts
    assert plant.depth(lanes.DLQ) == (0, 0)
    (tally,) = plant.rows("select sum(attempt - given_back) - count(*) as n from job_batches")
    print(f"{kills} kills, {tally.n} claims lost with their workers")  # noqa: T201

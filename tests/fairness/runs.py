"""The fairness runs: what the tests hold small and ``benchmarks/bench_fairness.py`` measures at full size.

Everything is counted in places of the order of completion, as the ledger has it: a busy machine changes how long a run
takes, not who comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tests.fairness.plant import Plant

#: Seconds that an object takes, few bytes as it has.
PAUSE_S = 0.03


@dataclass(frozen=True, kw_only=True)
class LateRun:
    """A bucket that came while another was being scanned."""

    same_lane: bool
    #: Batches of the first bucket in the lane or in workers' hands when the other came; at most so many at any time.
    ahead: int
    most_ahead: int
    #: Batches of the first bucket that were done between the other's arrival and its first message.
    unsent: int
    #: Batches of the first bucket that were done between the other's arrival and its last.
    between: int
    #: Batches of the first bucket that were still waiting when the other was done.
    left: int


@dataclass(frozen=True, kw_only=True)
class Finish:
    """Where a bucket was done: seconds from the start, and its last batch's place in the order of completion."""

    lane: str
    seconds: float
    place: int


@dataclass(frozen=True, kw_only=True)
class SharedRun:
    """Two jobs on one bucket."""

    #: Batches ahead of each job, each time both were looked at, after the first job's surplus had drained.
    ahead: list[tuple[int, int]]
    #: Batches of each that were done in the time when both had some to send.
    done: tuple[int, int]


def text(pause_s: float) -> bytes:
    return f"trap:sleep {pause_s}\n".encode()


def add_job(plant: Plant, batches: int, *, pause_s: float = PAUSE_S, feed: bool = True) -> UUID:
    """A bucket with so many batches of one object each."""
    bucket, (ref,) = plant.new_bucket({"o": text(pause_s)})
    return plant.add_job(bucket, [[ref]] * batches, feed=feed)


def late_bucket(plant: Plant, *, waiting: int, late: int) -> LateRun:
    """A bucket with ``waiting`` batches is being scanned; then one with ``late`` batches comes."""
    first = add_job(plant, waiting)
    plant.until(lambda: plant.count(first, 3) >= waiting // 10, "a busy worker")
    arrived: datetime = plant.rows("select clock_timestamp() as now")[0].now
    ahead = most_ahead = plant.count(first, 1, 2)
    done_before = plant.count(first, 3)
    second = add_job(plant, late)
    plant.until(lambda: plant.count(second, 1, 2, 3) > 0, "the other bucket's first message")
    unsent = plant.count(first, 3) - done_before
    while plant.count(second, 0, 1, 2):
        most_ahead = max(most_ahead, plant.count(first, 1, 2))
    left = plant.count(first, 0, 1)
    done = plant.done()
    last = max(d.place for d in done if d.job_id == second)
    between = sum(d.job_id == first and d.at >= arrived for d in done[:last])
    return LateRun(
        same_lane=plant.lane(first) == plant.lane(second),
        ahead=ahead,
        most_ahead=most_ahead,
        unsent=unsent,
        between=between,
        left=left,
    )


def equal_buckets(plant: Plant, *, buckets: int, batches: int, pause_s: float = PAUSE_S) -> list[Finish]:
    """Buckets of equal size, begun together."""
    jobs = [add_job(plant, batches, pause_s=pause_s, feed=False) for _ in range(buckets)]
    began: datetime = plant.rows("select clock_timestamp() as now")[0].now
    for job_id in jobs:
        plant.start_feeding(job_id)
    plant.until_done(*jobs, timeout_s=240)
    done = plant.done()
    last = {d.job_id: d for d in done if d.at >= began}
    return [
        Finish(lane=plant.lane(job_id), seconds=(last[job_id].at - began).total_seconds(), place=last[job_id].place)
        for job_id in jobs
    ]


def spread(finishes: list[Finish]) -> float:
    """How much sooner the first is done than the last, as a share of the last one's time."""
    times = [finish.seconds for finish in finishes]
    return (max(times) - min(times)) / max(times)


def shared_bucket(plant: Plant, *, batches: int) -> SharedRun:
    """Two jobs of ``batches`` batches on one bucket, the second begun when the first fills the window."""
    bucket, (ref,) = plant.new_bucket({"o": text(PAUSE_S)})
    first = plant.add_job(bucket, [[ref]] * batches)
    plant.until(lambda: plant.count(first, 3) >= batches // 10, "a busy worker")
    second = plant.add_job(bucket, [[ref]] * batches)
    share = plant.settings.window_min_batches // 2
    plant.until(lambda: plant.count(first, 1, 2) <= share and plant.count(second, 1, 2) > 0, "equal shares")
    before = (plant.count(first, 3), plant.count(second, 3))
    ahead = []
    done = (0, 0)
    while plant.count(first, 0) and plant.count(second, 0):
        ahead.append((plant.count(first, 1, 2), plant.count(second, 1, 2)))
        done = (plant.count(first, 3) - before[0], plant.count(second, 3) - before[1])
    return SharedRun(ahead=ahead, done=done)

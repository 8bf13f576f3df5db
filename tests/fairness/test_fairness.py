"""Who comes first: small runs of ``benchmarks/bench_fairness.py``; docs/fairness.md derives the bounds."""

from __future__ import annotations

from collections.abc import Callable

from tests.fairness import runs
from tests.fairness.plant import Plant

SLOTS = 20


def start(plant: Plant) -> Plant:
    plant.start_settling()
    plant.add_worker()
    return plant


def test_small_bucket_is_done_before_three_times_as_many_of_a_big_one_that_came_before(
    make_plant: Callable[..., Plant],
) -> None:
    run = runs.late_bucket(start(make_plant(window_s=1)), waiting=400, late=20)
    assert not run.same_lane
    assert run.ahead > 60, "nothing waited when it came"
    # 20 of its own, as many of the other's, what was in the other's hands, what was done before its first message.
    assert run.between <= 60 + run.unsent, run
    assert run.left > 0


def test_small_bucket_waits_for_one_window_when_it_has_to_share_a_lane(make_plant: Callable[..., Plant]) -> None:
    window = 60
    plant = start(make_plant(lane_count=1, window_min_batches=window, window_s=0.1))
    run = runs.late_bucket(plant, waiting=400, late=20)
    assert run.same_lane
    assert run.most_ahead <= window
    assert run.between <= window + run.unsent + SLOTS, run
    assert run.left > 0


def test_ten_buckets_of_equal_size_on_eight_lanes_are_done_together(make_plant: Callable[..., Plant]) -> None:
    plant = start(make_plant(window_min_batches=15, window_s=0.1))
    finishes = runs.equal_buckets(plant, buckets=10, batches=60)
    assert sorted(finish.lane for finish in finishes) == sorted([*plant.settings.lane_names, "scan-0", "scan-1"])
    places = [finish.place for finish in finishes]
    assert (max(places) - min(places)) / max(places) <= 0.2, finishes


def test_two_jobs_on_one_bucket_share_its_window(make_plant: Callable[..., Plant]) -> None:
    window = 40
    run = runs.shared_bucket(start(make_plant(window_min_batches=window, window_s=0.1)), batches=150)
    assert run.ahead, "the jobs never ran side by side"
    assert max(max(pair) for pair in run.ahead) <= window // 2
    one, other = run.done
    assert abs(one - other) <= window // 2 + SLOTS, run

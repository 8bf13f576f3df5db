"""The simulator goes by what is deployed, and its fleet does what the policies are there for."""

from __future__ import annotations

from benchmarks import simulate_scaling as simulator
from tests.terraform.conftest import Applied

HOUR = 3600


def test_the_simulator_has_the_deployed_numbers(applied: Applied) -> None:
    (target,) = applied.of("aws_appautoscaling_target")
    (policy,) = applied.of("aws_appautoscaling_policy")
    (tracking,) = policy["target_tracking_scaling_policy_configuration"]
    simulated = simulator.deployed("small")
    assert (simulated.min_tasks, simulated.max_tasks) == (target["min_capacity"], target["max_capacity"])
    assert simulated.backlog_per_task == tracking["target_value"]
    assert simulated.scale_out_cooldown_s == tracking["scale_out_cooldown"]
    assert simulated.scale_in_cooldown_s == tracking["scale_in_cooldown"]


def test_a_burst_takes_the_fleet_to_its_maximum_and_back() -> None:
    outcome = simulator.simulate(simulator.burst, simulator.deployed("medium"), seconds=4 * HOUR)
    assert outcome.peak == 20
    assert outcome.finished_s is not None
    first = next(moment.at_s for moment in outcome.moments if moment.running == 20)
    assert first - 600 < 10 * 60
    assert outcome.moments[-1].running == 1


def test_an_idle_fleet_costs_nothing_and_wakes_for_a_job() -> None:
    outcome = simulator.simulate(simulator.night, simulator.deployed("small", min_tasks=0), seconds=8 * HOUR)
    assert outcome.moments[0].running == outcome.moments[-1].running == 0
    assert outcome.finished_s is not None
    assert outcome.finished_s - 3 * HOUR < 15 * 60
    assert outcome.task_hours < 2


def test_without_the_step_nothing_but_a_ratio_would_wake_it() -> None:
    scaler = simulator.Scaler(simulator.deployed("small", min_tasks=0))
    scaler.publish(0, backlog=1, running=0)
    assert scaler.decide(simulator.METRIC_DELAY_S, wanted=0) == scaler.policy.step_from_zero


def test_a_trickle_keeps_a_small_fleet_small() -> None:
    outcome = simulator.simulate(simulator.trickle, simulator.deployed("small"), seconds=4 * HOUR)
    assert outcome.peak <= 2
    assert outcome.changes <= 4


def test_half_a_fleet_taken_away_at_once_is_back_after_a_tasks_start() -> None:
    policy = simulator.deployed("large", min_tasks=0, spot_percent=100)
    outcome = simulator.simulate(simulator.burst, policy, seconds=4 * HOUR, spot=simulator.STORM)
    before, after = (
        next(m.running for m in outcome.moments if m.at_s >= simulator.STORM.at_s + seconds)
        for seconds in (60, 60 + simulator.START_S)
    )
    assert before <= 26
    assert after >= 49
    assert outcome.interrupted >= 25
    assert outcome.finished_s is not None


def test_spot_interruptions_are_made_up_for() -> None:
    policy = simulator.deployed("large", min_tasks=0, spot_percent=100)
    outcome = simulator.simulate(simulator.burst, policy, seconds=4 * HOUR, seed=3)
    assert outcome.interrupted > 0
    assert outcome.finished_s is not None

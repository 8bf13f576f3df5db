"""What the autoscaling policies do: a fleet under three workloads, second by second, as Terraform deploys it.

    .venv/bin/python -m benchmarks.simulate_scaling [--svg docs/images] [--target N] [--cooldown-out S] …

Real are: targets, cooldowns and step (terraform/variables.tf), sizes (terraform/presets.json), windows and waits
(scanner_tasks/core/windows.py with the settings' numbers), settle's minute. AWS's part follows its documents: target
tracking scales out after three points above the target and in after fifteen below nine tenths of it, and multiplies the
wanted tasks by metric / target. Assumptions are constants below, and are printed: they were not measured on AWS.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.svg import Line, plot  # noqa: E402
from scanner_tasks.core import windows  # noqa: E402
from scanner_tasks.settings import Settings  # noqa: E402

#: Assumptions, each with what it stands for.
START_S = 90  # from RunTask to the first batch: network interface, image (some 220 MB packed), rules
OBJECTS_PER_S = 100.0  # of one task with one vCPU: objects of some 10 KB
OBJECTS_PER_BATCH = 100
LISTING_PER_S = 12_000.0  # keys; docs/SCALING.md measured 14,900 on a busy machine
METRIC_DELAY_S = 60  # until a point that was published is seen by an alarm
SPOT_INTERRUPTIONS_PER_HOUR = 0.05  # of each Spot task
PRICE_PER_TASK_HOUR = 0.04937  # Fargate, 1 vCPU and 2 GB, x86-64, us-east-1
SPOT_SHARE_OF_PRICE = 0.3

#: Other assumptions that are tried: a start in seconds, to see what it matters.
STARTS_S = (45, 90, 180)


@dataclass(frozen=True, kw_only=True)
class Spot:
    """How Spot tasks are taken away; each has two minutes' notice, in which its batches are given back."""

    per_hour: float = SPOT_INTERRUPTIONS_PER_HOUR
    #: Seconds at which so great a share of them goes at once.
    at_s: int = -1
    share: float = 0.0


#: AWS's target tracking for ECS: points of a minute.
POINTS_OUT, POINTS_IN, IN_SHARE = 3, 15, 0.9


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The numbers of modules/ecs/scaling.tf."""

    backlog_per_task: float
    scale_out_cooldown_s: float
    scale_in_cooldown_s: float
    step_from_zero: int
    min_tasks: int
    max_tasks: int
    spot_percent: int = 0


def deployed(scale: str, **changes: float) -> Policy:
    """The policy as Terraform deploys it by default for a scale; changes win."""
    text = (ROOT / "terraform" / "variables.tf").read_text()
    scaling = text[text.index('variable "scaling"') :]
    names = ("backlog_per_task", "scale_out_cooldown_s", "scale_in_cooldown_s", "step_from_zero")
    found = {}
    for name in names:
        match = re.search(rf"{name}\s*= optional\(number, (\d+)\)", scaling)
        assert match, name
        found[name] = int(match.group(1))
    preset = json.loads((ROOT / "terraform" / "presets.json").read_text())[scale]
    policy = Policy(min_tasks=1, max_tasks=preset["max_tasks"], **found)
    return replace(policy, **changes)  # type: ignore[arg-type]


@dataclass
class Fleet:
    """Tasks as ECS has them."""

    policy: Policy
    rng: random.Random
    spot: Spot = Spot()
    start_s: int = START_S
    running: int = 0
    #: Times at which starting tasks begin to work.
    starting: list[int] = field(default_factory=list)
    wanted: int = 0
    interrupted: int = 0
    task_seconds: int = 0

    def __post_init__(self) -> None:
        self.wanted = self.running = self.policy.min_tasks

    def step(self, now: int) -> None:
        """One second: tasks that are up work, Spot takes some, ECS makes up the difference."""
        ready = [at for at in self.starting if at <= now]
        self.starting = [at for at in self.starting if at > now]
        self.running += len(ready)
        base = 1 if self.policy.spot_percent < 100 else 0  # noqa: PLR2004 (per cent; modules/ecs keeps one on Fargate)
        spot = max(0, self.running - base) * self.policy.spot_percent / 100
        taken = int(spot and self.rng.random() < spot * self.spot.per_hour / 3600)
        if now == self.spot.at_s:
            taken += math.ceil(spot * self.spot.share)
        self.running -= taken
        self.interrupted += taken
        missing = self.wanted - self.running - len(self.starting)
        if missing > 0:
            self.starting += [now + self.start_s] * missing
        while missing < 0 and self.starting:  # what has not begun goes first
            self.starting.pop()
            missing += 1
        if missing < 0:
            self.running += missing
        self.task_seconds += self.running + len(self.starting)


@dataclass
class Scaler:
    """CloudWatch's alarms and Application Auto Scaling."""

    policy: Policy
    points: list[float] = field(default_factory=list)
    seen: list[tuple[int, float, int, int]] = field(default_factory=list)
    out_at: float = -math.inf
    in_at: float = -math.inf

    def publish(self, now: int, backlog: int, running: int) -> None:
        """Settle's metric and Container Insights', of this minute."""
        self.seen.append((now + METRIC_DELAY_S, backlog / max(running, 1), backlog, running))

    def decide(self, now: int, wanted: int) -> int:
        """The tasks that are wanted from now on."""
        while self.seen and self.seen[0][0] <= now:
            _, metric, backlog, running = self.seen.pop(0)
            self.points.append(metric)
            wanted = self._after_point(now, metric, wanted, is_empty=running == 0 and backlog > 0)
        return wanted

    def _after_point(self, now: int, metric: float, wanted: int, *, is_empty: bool) -> int:
        policy = self.policy
        if is_empty and wanted == 0:
            self.out_at = now
            return min(policy.max_tasks, policy.step_from_zero)
        ratio = metric / policy.backlog_per_task
        if len(self.points) >= POINTS_OUT and min(self.points[-POINTS_OUT:]) > policy.backlog_per_task:
            more = min(policy.max_tasks, math.ceil(wanted * ratio))
            if more > wanted and now - self.out_at >= policy.scale_out_cooldown_s:
                self.out_at = now
                return more
        low = policy.backlog_per_task * IN_SHARE
        if len(self.points) >= POINTS_IN and max(self.points[-POINTS_IN:]) < low:
            fewer = max(policy.min_tasks, math.ceil(wanted * ratio))
            if fewer < wanted and now - max(self.in_at, self.out_at) >= policy.scale_in_cooldown_s:
                self.in_at = now
                return fewer
        return wanted


@dataclass
class Bucket:
    """The work of one bucket: listed, planned, ahead, done; in batches."""

    arriving: Callable[[int], float]
    settings: Settings
    unlisted: float = 0.0
    planned: float = 0.0
    ahead: float = 0.0
    done: float = 0.0
    rate: float = 0.0
    feed_at: int = 0
    measured_done: float = 0.0

    def step(self, now: int, tasks: int) -> None:
        """One second: keys are listed, Feed tops up the window, workers finish batches."""
        self.unlisted += self.arriving(now) / OBJECTS_PER_BATCH
        if self.planned < self.settings.feed_high_water:
            listed = min(self.unlisted, LISTING_PER_S / OBJECTS_PER_BATCH)
            self.unlisted -= listed
            self.planned += listed
        if now >= self.feed_at:
            share = windows.bucket_window(
                batches_per_s=self.rate, min_batches=self.settings.window_min_batches, window_s=self.settings.window_s
            )
            sent = min(self.planned, windows.room(window=share, active_jobs=1, ahead=math.ceil(self.ahead)))
            self.planned -= sent
            self.ahead += sent
            self.feed_at = now + windows.wait_s(
                share=share, batches_per_s=self.rate, longest_s=self.settings.feed_wait_s
            )
        finished = min(self.ahead, tasks * OBJECTS_PER_S / OBJECTS_PER_BATCH)
        self.ahead -= finished
        self.done += finished

    def measure(self) -> int:
        """Settle's minute: the rate, smoothed as store/progress.py does; the backlog."""
        self.rate = 0.5 * (self.done - self.measured_done) / 60 + 0.5 * self.rate
        self.measured_done = self.done
        return math.ceil(self.planned + self.ahead)


@dataclass(frozen=True)
class Moment:
    """What the pictures show of a minute."""

    at_s: int
    backlog: int
    running: int
    wanted: int


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A whole run."""

    moments: Sequence[Moment]
    finished_s: int | None
    peak: int
    changes: int
    task_hours: float
    dollars: float
    interrupted: int


def simulate(
    arriving: Callable[[int], float],
    policy: Policy,
    *,
    seconds: int,
    seed: int = 1,
    spot: Spot = Spot(),
    start_s: int = START_S,
) -> Outcome:
    """Run the workload (objects that arrive in a second) for so long."""
    fleet = Fleet(policy, random.Random(seed), spot, start_s)
    scaler, bucket = Scaler(policy), Bucket(arriving, Settings())
    moments: list[Moment] = []
    finished: int | None = None
    changes = 0
    for now in range(seconds):
        fleet.step(now)
        bucket.step(now, fleet.running)
        if now % 60 == 0:
            backlog = bucket.measure()
            scaler.publish(now, backlog, fleet.running)
            moments.append(Moment(now, backlog, fleet.running, fleet.wanted))
        wanted = scaler.decide(now, fleet.wanted)
        changes += wanted != fleet.wanted
        fleet.wanted = wanted
        if bucket.done > 0 and bucket.unlisted + bucket.planned + bucket.ahead < 0.5:  # noqa: PLR2004 (half a batch)
            finished = finished if finished is not None else now
        else:
            finished = None
    hours = fleet.task_seconds / 3600
    price = 1 - policy.spot_percent / 100 * (1 - SPOT_SHARE_OF_PRICE)
    return Outcome(
        moments=moments,
        finished_s=finished,
        peak=max(moment.running for moment in moments),
        changes=changes,
        task_hours=hours,
        dollars=hours * PRICE_PER_TASK_HOUR * price,
        interrupted=fleet.interrupted,
    )


def burst(now: int) -> float:
    """Ten million objects, ten minutes after the start."""
    return 10_000_000.0 if now == 600 else 0.0  # noqa: PLR2004


def trickle(now: int) -> float:
    """Thirty thousand objects every ten minutes: about half of what one task can do."""
    return 30_000.0 if now % 600 == 0 else 0.0


def night(now: int) -> float:
    """One small job in a night: 50,000 objects at three in the morning."""
    return 50_000.0 if now == 3 * 3600 else 0.0


HOUR = 3600
NONE = Spot()
#: A quarter of the Spot tasks an hour, and at 0:35 half of them at once.
STORM = Spot(per_hour=0.25, at_s=35 * 60, share=0.5)
RUNS: tuple[tuple[str, str, Callable[[int], float], str, dict[str, float], int, Spot], ...] = (
    ("burst", "10 million objects at once, scale medium", burst, "medium", {}, 4 * HOUR, NONE),
    (
        "burst-large",
        "10 million objects at once, scale large, from zero, 80 % Spot",
        burst,
        "large",
        {"min_tasks": 0, "spot_percent": 80},
        4 * HOUR,
        NONE,
    ),
    (
        "spot",
        "the same, all Spot, half of it taken away after 25 minutes",
        burst,
        "large",
        {"min_tasks": 0, "spot_percent": 100},
        4 * HOUR,
        STORM,
    ),
    ("trickle", "30,000 objects every ten minutes, scale small", trickle, "small", {}, 4 * HOUR, NONE),
    ("night", "50,000 objects at three in the night, from zero", night, "small", {"min_tasks": 0}, 8 * HOUR, NONE),
)


def lines(outcome: Outcome) -> Iterator[Line]:
    """Tasks and backlog over the hours."""
    hours = [moment.at_s / HOUR for moment in outcome.moments]
    yield Line("tasks running", hours, [float(m.running) for m in outcome.moments], axis="left")
    yield Line("tasks wanted", hours, [float(m.wanted) for m in outcome.moments], axis="left", is_dashed=True)
    yield Line("backlog, batches", hours, [float(m.backlog) for m in outcome.moments], axis="right")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--svg", type=Path, help="folder for the pictures")
    parser.add_argument("--target", type=float, help="backlog_per_task")
    parser.add_argument("--cooldown-out", type=float, help="scale_out_cooldown_s")
    parser.add_argument("--cooldown-in", type=float, help="scale_in_cooldown_s")
    asked = parser.parse_args()
    given = {
        "backlog_per_task": asked.target,
        "scale_out_cooldown_s": asked.cooldown_out,
        "scale_in_cooldown_s": asked.cooldown_in,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    print(
        f"Assumed: a task starts in {START_S} s and does {OBJECTS_PER_S:.0f} objects/s, "
        f"listing {LISTING_PER_S:,.0f} keys/s, "
        f"{SPOT_INTERRUPTIONS_PER_HOUR:.0%} of Spot tasks interrupted an hour, ${PRICE_PER_TASK_HOUR} a task-hour"
    )
    print("| workload | done after | peak tasks | changes | task-hours | dollars | interrupted |")
    print("|---|---|---|---|---|---|---|")
    for name, title, work, scale, own, seconds, spot in RUNS:
        outcome = simulate(work, deployed(scale, **own, **changes), seconds=seconds, spot=spot)
        ended = "goes on" if work is trickle else done_after(outcome, work)
        print(
            f"| {title} | {ended} | {outcome.peak} | {outcome.changes} | {outcome.task_hours:.1f} | "
            f"{outcome.dollars:.2f} | {outcome.interrupted} |"
        )
        if asked.svg:
            asked.svg.mkdir(parents=True, exist_ok=True)
            (asked.svg / f"scaling-{name}.svg").write_text(plot(title, list(lines(outcome)), x_title="hours"))
    print("\n| a task starts in | " + " | ".join(title for _, title, work, *_ in RUNS if work is not trickle) + " |")
    print("|---" * (1 + sum(work is not trickle for _, _, work, *_ in RUNS)) + "|")
    for start_s in STARTS_S:
        cells = [
            done_after(simulate(work, deployed(scale, **own), seconds=seconds, spot=spot, start_s=start_s), work)
            for _, _, work, scale, own, seconds, spot in RUNS
            if work is not trickle
        ]
        print(f"| {start_s} s | {' | '.join(cells)} |")


def done_after(outcome: Outcome, work: Callable[[int], float]) -> str:
    """Minutes from the first object to the last."""
    first = next(now for now in range(8 * HOUR) if work(now))
    return "-" if outcome.finished_s is None else f"{(outcome.finished_s - first) / 60:.0f} min"


if __name__ == "__main__":
    main()

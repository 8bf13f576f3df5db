"""Fairness at full size: ``python benchmarks/bench_fairness.py``, under four minutes, on this machine alone.

Emulated SQS and S3, real Postgres, one real Celery worker of 20 threads; objects of a few bytes that take 30 ms each.
Prints inputs, versions, machine, and places in the order of completion.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from scanner_tasks import log
from tests.fairness import runs
from tests.fairness.plant import Plant

if TYPE_CHECKING:
    from collections.abc import Callable


def _late(plant: Plant) -> str:
    run = runs.late_bucket(plant, waiting=2000, late=50)
    return (
        f"A had {run.ahead} batches ahead when B came (most: {run.most_ahead}); {run.unsent} of A were done before B's"
        f" first message, {run.between} before B's last batch was done; {run.left} of A were left"
    )


def _ten(plant: Plant) -> str:
    finishes = runs.equal_buckets(plant, buckets=10, batches=600)
    lines = [f"  {f.lane}: last batch at place {f.place} after {f.seconds:.1f} s" for f in finishes]
    places = [f.place for f in finishes]
    share = (max(places) - min(places)) / max(places)
    return f"spread {runs.spread(finishes):.1%} in time, {share:.1%} in places\n" + "\n".join(lines)


def _shared(plant: Plant) -> str:
    run = runs.shared_bucket(plant, batches=1000)
    ahead = [max(pair[n] for pair in run.ahead) for n in (0, 1)]
    return f"{run.done[0]} and {run.done[1]} batches done side by side; ahead at most {ahead[0]} and {ahead[1]}"


RUNS: tuple[tuple[str, Callable[[Plant], str], dict[str, Any]], ...] = (
    ("B (50 batches) comes while A (2,000) is scanned, 8 lanes, window 200", _late, {}),
    ("the same on one lane", _late, {"lane_count": 1}),
    ("two jobs of 1,000 batches on one bucket, window 200", _shared, {}),
    ("ten buckets of 600 batches, 8 lanes, window 200", _ten, {}),
)


def main() -> None:
    began = time.monotonic()
    log.configure("ERROR")
    names = ("celery", "kombu", "boto3", "sqlalchemy")
    print(f"python {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in names)}")
    print(f"{os.cpu_count()} CPUs, {platform.machine()}, load {os.getloadavg()[0]:.1f}; 30 ms an object, 20 slots")
    for title, run, options in RUNS:
        with tempfile.TemporaryDirectory(prefix="s3scan-bench-") as scratch:
            folder = Path(scratch)
            folder.chmod(0o755)
            # The rate's part of the window is left out: a second here stands for a minute of a fleet.
            with Plant(folder / "plant", window_s=0.1, log_level="ERROR", **options) as plant:
                plant.start_settling()
                plant.add_worker()
                print(f"{title}: {run(plant)}", flush=True)
    print(f"took {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()

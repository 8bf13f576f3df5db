"""The benchmarks of the ledger run to their ends at their small size; what they measure there is no verdict."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("module", "options", "told"),
    [
        ("bench_ledger", ("--small",), "| our refresh, ten times the objects |"),
        ("bench_queries", ("--small",), "| page p50, the slowest case < 5 ms |"),
        ("clients", ("--threads=60", "--processes=2", "--servers=5", "--rounds=2"), '"errors": 0'),
    ],
)
def test_benchmark_runs_to_its_end(module: str, options: tuple[str, ...], told: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.postgres.{module}", *options]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert told in ran.stdout

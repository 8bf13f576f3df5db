"""Every benchmark is one that `make bench` can start."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

NAMES = sorted(path.stem for path in (Path(__file__).parents[2] / "benchmarks").glob("bench_*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_benchmark_is_a_module_with_a_command_and_says_how_it_is_run(name: str) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    assert callable(module.main)
    assert f"benchmarks.{name}" in (module.__doc__ or "") or f"benchmarks/{name}.py" in (module.__doc__ or "")

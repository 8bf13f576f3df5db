"""A plant for each test: the fixture of tests/fairness and tests/giveback."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from scanner_tasks.local.emulator import emulator_python
from tests.conftest import unavailable
from tests.fairness.plant import Plant

_numbers = itertools.count()


@pytest.fixture
def make_plant(scratch: Path) -> Iterator[Callable[..., Plant]]:
    """Make a Plant; a test that fails shows the ends of its workers' logs."""
    try:
        emulator_python()
    except RuntimeError as error:
        unavailable("the AWS emulator", error)
    with ExitStack() as stack:
        made: list[Plant] = []

        def make(**options: Any) -> Plant:
            folder = scratch / f"plant-{next(_numbers)}"
            made.append(stack.enter_context(Plant(folder, **{"log_level": "INFO", **options})))
            return made[-1]

        yield make
        for plant in made:
            for worker in plant.workers:
                print(f"--- {worker.name}\n{worker.log_tail(30)}")  # noqa: T201 (pytest shows it when a test fails)

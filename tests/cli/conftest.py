"""The flow tests' system behind ``bootstrap``, so that Python, CLI and documents meet a real ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from scanner_tasks import bootstrap
from tests.flow.conftest import System, make_system

__all__ = ["make_system"]


@pytest.fixture
def system(make_system: Callable[..., System], monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    made = make_system()
    made.bucket = f"cli-{uuid4()}"
    made.objects.buckets[made.bucket] = {}
    monkeypatch.setattr(bootstrap, "api", lambda: made.feeder)
    monkeypatch.setattr(bootstrap, "feeder", lambda: made.feeder)
    return made

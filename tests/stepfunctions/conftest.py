from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType

import pytest


@pytest.fixture(scope="session", autouse=True)
def _importable_handlers():
    """Stand-ins for the parts below that are not there yet; nothing once they are."""
    for part in ("bootstrap", "flow.control", "flow.feed", "flow.settle"):
        name = f"scanner_tasks.{part}"
        if name not in sys.modules and importlib.util.find_spec(name) is None:
            parent, _, child = name.rpartition(".")
            sys.modules[name] = module = ModuleType(name)
            setattr(importlib.import_module(parent), child, module)

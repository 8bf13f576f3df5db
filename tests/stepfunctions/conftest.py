from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType

import pytest


@pytest.fixture(scope="session", autouse=True)
def _importable_handlers():
    """Stand-ins for the parts below that are not there yet; nothing once they are."""
    for name in ("scanner_tasks.bootstrap", "scanner_tasks.flow.feed", "scanner_tasks.flow.settle"):
        if importlib.util.find_spec(name) is None:
            parent, _, child = name.rpartition(".")
            sys.modules[name] = module = ModuleType(name)
            setattr(importlib.import_module(parent), child, module)

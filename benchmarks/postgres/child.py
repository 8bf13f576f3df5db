"""The child process of the stress test: second attempts of batches are scanned here."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.postgres.numbered import MarkDetector, NumberedObjects
from scanner_tasks.flow.object_child import serve
from scanner_tasks.settings import Settings

serve(
    cast(
        "Any",
        SimpleNamespace(
            settings=Settings(),
            objects=NumberedObjects(0),
            detector=MarkDetector(),
            scan_slots=threading.BoundedSemaphore(1),
            ruleset_hash=lambda: "stress",
            clock=time.monotonic,
        ),
    )
)

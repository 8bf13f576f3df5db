"""One local file, read and searched as a worker does it."""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

from scanner_tasks.extract.budget import Budget
from scanner_tasks.extract.text import extract

if TYPE_CHECKING:
    from pathlib import Path

    from scanner_tasks.core.model import RuleFindings
    from scanner_tasks.detect.engine import Detector

_MAX_BYTES, _MAX_S = 2 * 1024**3, 900.0


def scan_file(path: Path, using: Detector) -> tuple[tuple[RuleFindings, ...], int]:
    """What is found in the file, or in standard input for ``-``, and how many more occurrences allow lists allow.

    Raises ExtractError when it cannot be read as text.
    """
    detection = using.begin(str(path))
    budget = Budget(max_bytes=_MAX_BYTES, deadline=time.monotonic() + _MAX_S)
    with nullcontext(sys.stdin.buffer) if str(path) == "-" else path.open("rb") as source:
        for segment in extract(source.read, key=path.name, budget=budget, clock=time.monotonic):
            detection.feed(segment)
    return detection.finish(), detection.allowed

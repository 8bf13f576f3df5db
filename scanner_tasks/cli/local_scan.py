"""One local file, read and searched as a worker does it."""

from __future__ import annotations

import secrets
import sys
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.extract.budget import Budget
from scanner_tasks.extract.text import extract

if TYPE_CHECKING:
    from pathlib import Path

    from scanner_tasks.core.model import RuleFindings
    from scanner_tasks.detect.ruleset import Ruleset

_MAX_BYTES, _MAX_S = 2 * 1024**3, 900.0


def scan_file(path: Path, ruleset: Ruleset) -> tuple[RuleFindings, ...]:
    """What the rules find in the file, or in standard input for ``-``; ExtractError when it cannot be read as text.

    Fingerprints are made with a key that is thrown away.
    """
    detection = Detector(ruleset, Fingerprinter(secrets.token_bytes(32), "local")).begin()
    budget = Budget(max_bytes=_MAX_BYTES, deadline=time.monotonic() + _MAX_S)
    with nullcontext(sys.stdin.buffer) if str(path) == "-" else path.open("rb") as source:
        for segment in extract(source.read, key=path.name, budget=budget, clock=time.monotonic):
            detection.feed(segment)
    return detection.finish()

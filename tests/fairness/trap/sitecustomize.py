"""On a worker's PYTHONPATH: objects whose text says what they do to the process that scans them.

``trap:sleep 0.5`` takes half a second, as a large object would; ``trap:exit 9`` ends the process at once. Scans that
begin and end are noted in the file TRAP_JOURNAL, a line for each.
"""

from __future__ import annotations

import os
import re
import time

from scanner_tasks.detect.engine import Detection

_ORDER = re.compile(rb"trap:(sleep|exit) ([\d.]+)(?: (\S+))?")
_feed = Detection.feed


def _note(what: str, name: bytes) -> None:
    path = os.environ.get("TRAP_JOURNAL")
    if path and name:
        line = f"{time.time():.3f} {os.getpid()} {what} {name.decode()}\n"
        with open(path, "ab", buffering=0) as journal:  # noqa: PTH123 (one write: lines of many processes stay whole)
            journal.write(line.encode())


def _feed_trapped(self: Detection, segment: object) -> None:
    order = _ORDER.search(segment.data)  # type: ignore[attr-defined]
    if order:
        what, amount, name = order.groups(b"")
        _note("begin", name)
        if what == b"exit":
            os._exit(int(float(amount)))
        time.sleep(float(amount))
        _note("end", name)
    _feed(self, segment)  # type: ignore[arg-type]


Detection.feed = _feed_trapped  # type: ignore[method-assign]

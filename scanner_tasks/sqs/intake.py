"""Closed for a while: the worker receives no new task, though it has free slots.

    with intake.closed(longest_s=1200):
        scan(object_that_takes_ten_minutes)

For a process that must not be stopped just now, and so should have as little in hand as it can. No poll begins while a
block is open, in any thread. What was received before stays in hand and runs as slots come free, and so does what polls
that are open at that moment bring: at most a message for each idle lane, for ``wait_time_seconds``. To give those back
would cost each of them one of its receives. Control queues are polled as ever.

A block that hangs ends by itself after ``longest_s``: the intake is open again then.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_lock = threading.Lock()
#: When each open block ends at the latest, by the block.
_until: dict[object, float] = {}


@contextmanager
def closed(longest_s: float) -> Iterator[None]:
    """Take no new task in this process until the block ends, for ``longest_s`` seconds at most.

    Blocks add up: the intake is open when all have ended. Any thread may call.

    Examples:
        >>> with closed(60):
        ...     is_closed()
        True
        >>> is_closed()
        False
    """
    block = object()
    with _lock:
        _until[block] = monotonic() + longest_s
    try:
        yield
    finally:
        with _lock:
            del _until[block]


def is_closed() -> bool:
    """True while a block is open and its time is not over."""
    with _lock:
        return max(_until.values(), default=0.0) > monotonic()

"""Sit out an outage of Postgres with the message in hand.

A task that raised would cost its message one of three receives, and half an hour without a database would send the
whole backlog to the dead letter queue. So a worker waits inside its task: its slots fill, it receives nothing more,
and the heartbeat extends what it holds.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

from scanner_tasks.core.errors import Unavailable
from scanner_tasks.log import get_logger

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

log = get_logger()
T = TypeVar("T")

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 15.0


def patiently(action: Callable[[], T], *, what: str, longest_s: float, stopping: threading.Event) -> T:
    """The action's answer, tried again while it raises Unavailable; raises it after ``longest_s``, or when stopping.

    Args:
        action: safe to repeat, also when it took effect and only its answer was lost.
        what: for the log.
        longest_s: seconds from the first failure on.
        stopping: ends the waiting, so that a process that shall end does.
    """
    wait_s, deadline = _FIRST_WAIT_S, 0.0
    while True:
        try:
            return action()
        except Unavailable:
            now = time.monotonic()
            deadline = deadline or now + longest_s
            if now >= deadline or stopping.is_set():
                raise
            log.warning("database_unreachable", doing=what)
            stopping.wait(random.uniform(0.5, 1.0) * wait_s)  # noqa: S311 (jitter)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

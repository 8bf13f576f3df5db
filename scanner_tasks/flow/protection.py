"""Keep ECS from ending the worker over an object that cannot be finished within the stop timeout.

Most objects can: a worker that is told to stop ends the one in hand and gives back the rest. A protected task is one
that a deployment waits for and scale-in passes over, so protection is asked for large objects only, for a bounded time,
and released as soon as none is in hand.

    At 1 MB/s and a stop timeout of 120 s, an object of 100 MB is finished in time: nothing is asked. One of 600 MB may
    take 600 s: protected for 20 minutes, twice the estimate. One large object after another: after ``longest_s`` the
    worker asks no more until it has held none for a moment.

While it is protected the worker takes no new batch (``while_protected``); those that it holds it goes on with. One that
is told to stop all the same (Spot, a fault of the host) has ended its polls, and every batch it holds is given back at
its next object.
"""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from scanner_tasks.core.errors import Unavailable
from scanner_tasks.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from scanner_tasks.core.ports import Protection

log = get_logger()

#: The estimate may be wrong by this factor.
_MARGIN = 2.0


class Guard:
    """Asks for protection while long objects are in hand; for all threads of a worker.

    Args:
        protection: None where there is no ECS agent: nothing is asked then.
        stop_timeout_s: seconds between SIGTERM and SIGKILL.
        bytes_per_s: the slowest rate that is reckoned with for one object.
        object_max_s: no object takes longer.
        longest_s: no protection lasts longer, however many long objects follow one another.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        protection: Protection | None = None,
        *,
        stop_timeout_s: float,
        bytes_per_s: float,
        object_max_s: float,
        longest_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._protection = protection
        self._stop_timeout_s = stop_timeout_s
        self._bytes_per_s = bytes_per_s
        self._object_max_s = object_max_s
        self._longest_s = longest_s
        self._clock = clock
        #: Entered for each long object that is protected, with the seconds of protection left; app.py sets what closes
        #: the worker's intake.
        self.while_protected: Callable[[float], AbstractContextManager[object]] = nullcontext
        self._lock = threading.Lock()
        self._in_hand = 0
        self._since = self._until = 0.0

    def estimate_s(self, size_bytes: int) -> float:
        """Seconds that an object of this size may take."""
        return min(size_bytes / self._bytes_per_s, self._object_max_s)

    @contextmanager
    def during(self, size_bytes: int) -> Iterator[None]:
        """Protect the task while the block scans an object of this size, if it needs to; never raises itself."""
        estimate_s = self.estimate_s(size_bytes)
        if self._protection is None or estimate_s <= self._stop_timeout_s:
            yield
            return
        with self._lock:
            self._in_hand += 1
            left_s = self._protect(estimate_s * _MARGIN, self._protection)
        try:
            with self.while_protected(left_s) if left_s > 0 else nullcontext():
                yield
        finally:
            with self._lock:
                self._in_hand -= 1
                if not self._in_hand:
                    self._release(self._protection)

    def _protect(self, seconds: float, protection: Protection) -> float:
        """Seconds of protection that are left; 0 without."""
        now = self._clock()
        if self._in_hand == 1:
            self._since, self._until = now, now
        until = min(now + seconds, self._since + self._longest_s)
        if until <= self._until:
            return self._until - now  # another long object has asked for as much, or the longest time is reached
        try:
            protection.protect(max(1, math.ceil(round((until - now) / 60, 6))))
            self._until = until
        except Unavailable:  # the object is scanned all the same
            log.warning("task_not_protected", exc_info=True)
        return self._until - now

    def _release(self, protection: Protection) -> None:
        if self._until <= self._since:
            return
        self._until = self._since
        try:
            protection.release()
        except Unavailable:
            log.warning("task_protection_not_released", exc_info=True)

"""When S3 asks one thread to slow down, every thread of this worker slows down on that bucket.

20 threads read one prefix, S3 answers 503 to four of them. The first raises the bucket's wait to 1 s, the others
were sent before it and raise nothing. Each thread's next request waits a random part of the second. If S3 still
refuses, the wait is 2 s, and so on up to the ceiling; requests that go well halve it again. Other workers are told
through the fleet's pace, which also holds an operator's cap.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True)
class _Brake:
    #: Ceiling of the wait in force.
    wait_s: float
    #: When it began.
    since: float


class Pace(Protocol):
    """The pace of the whole fleet on a bucket (flow/pace.py)."""

    def delay_s(self, bucket: str) -> float:
        """Seconds that the next request to the bucket waits; it counts as sent."""

    def slowed(self, bucket: str) -> None:
        """S3 has refused a request."""


class Brakes:
    """The waits of each bucket; safe to share between threads.

    Args:
        fleet: what other workers have to do with it; None: nothing.
        base_s: ceiling of the first wait.
        cap_s: ceiling of all.
        clock: seconds that only go forward.
        chance: a number in [0, 1).
    """

    def __init__(
        self,
        *,
        base_s: float = 1.0,
        cap_s: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float],
        fleet: Pace | None = None,
    ) -> None:
        self._fleet = fleet
        self._base_s = base_s
        self._cap_s = cap_s
        self._clock = clock
        self._chance = chance
        self._brakes: dict[str, _Brake] = {}
        self._lock = threading.Lock()

    def now(self) -> float:
        """The clock's reading, for ``slow_down``."""
        return self._clock()

    def delay_s(self, bucket: str) -> float:
        """Seconds that a request to the bucket waits before it is sent; 0 while nobody was asked to slow down."""
        fleet_s = self._fleet.delay_s(bucket) if self._fleet else 0.0
        brake = self._brakes.get(bucket)
        if brake is None:
            return fleet_s
        return max(fleet_s, brake.since + self._chance() * brake.wait_s - self._clock())

    def slow_down(self, bucket: str, *, sent_at: float) -> None:
        """S3 refused a request that was sent at ``sent_at``: wait twice as long, unless that is already known."""
        with self._lock:
            brake = self._brakes.get(bucket)
            if brake is None:
                self._brakes[bucket] = _Brake(self._base_s, self._clock())
            elif sent_at >= brake.since:
                brake.wait_s = min(self._cap_s, 2 * brake.wait_s)
                brake.since = self._clock()
            else:
                return
        if self._fleet:
            self._fleet.slowed(bucket)

    def went_well(self, bucket: str, *, sent_at: float) -> None:
        """A request of that time was answered: halve the wait, and forget it when it is below the first one."""
        if bucket not in self._brakes:
            return
        with self._lock:
            brake = self._brakes.get(bucket)
            if brake is None or sent_at < brake.since:
                return
            brake.wait_s /= 2
            if brake.wait_s < self._base_s:
                del self._brakes[bucket]

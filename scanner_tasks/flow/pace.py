"""The fleet's pace on a bucket, as one process keeps it: what aws/brakes.py asks before each request.

A bucket without a cap that was not asked to slow down costs a query every few seconds for each process that reads it.
Where there is a rate, the process takes a second's worth of requests at a time from Postgres and spaces them out.
While Postgres is not reachable the last rate known goes on, for this process alone.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scanner_tasks.core.errors import ScannerError
from scanner_tasks.log import get_logger
from scanner_tasks.store import bucket_rates
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

log = get_logger()

#: Seconds between two looks whether a bucket has a rate.
LOOK_S = 5.0
#: Requests of one grant at most: those of a batch.
MOST = 100


@dataclass(slots=True)
class _Bucket:
    lock: threading.Lock = field(default_factory=threading.Lock)
    looked_at: float = float("-inf")
    rate: float | None = None
    #: Requests of the grant in hand that are left, and when the next of them may be sent.
    left: int = 0
    next_at: float = 0.0


class FleetPace:
    """The pace of all workers together; safe to share between threads.

    Args:
        engine: the ledger's.
        clock: seconds that only go forward.
    """

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def delay_s(self, bucket: str) -> float:
        """Seconds that the next request to the bucket waits; it counts as sent.

        Of many threads one looks whether there is a rate, and the others go on meanwhile; with a rate they wait for it.
        """
        with self._lock:
            known = self._buckets.setdefault(bucket, _Bucket())
        with known.lock:
            now = self._clock()
            if known.rate is not None or known.left:
                if not known.left:
                    self._keep(known, self._ask(bucket, known.rate), now)
                return self._take(known, now)
            if now - known.looked_at < LOOK_S:
                return 0.0
            known.looked_at = now
        asked = self._ask(bucket, None)
        with known.lock:
            if not known.left:
                self._keep(known, asked, now)
            return self._take(known, now)

    def slowed(self, bucket: str) -> None:
        """S3 has refused a request: the whole fleet gets slower."""
        try:
            with transaction(self._engine) as connection:
                bucket_rates.slow_down(connection, bucket)
        except ScannerError:
            log.warning("slow_down_not_told")
            return
        with self._lock:
            self._buckets.pop(bucket, None)

    def _take(self, known: _Bucket, now: float) -> float:
        if not known.left or known.rate is None:
            return 0.0
        known.left -= 1
        at = max(known.next_at, now)
        known.next_at = at + 1 / known.rate
        return at - now

    def _keep(self, known: _Bucket, asked: tuple[float, float, int] | None, now: float) -> None:
        """Hold a grant: seconds until it begins, its rate, its number; None when there is no rate."""
        if asked is None:
            known.rate, known.left, known.looked_at = None, 0, now
        else:
            starts_in_s, known.rate, known.left = asked
            known.next_at = max(known.next_at, now + starts_in_s)

    def _ask(self, bucket: str, last_rate: float | None) -> tuple[float, float, int] | None:
        """Look for a rate, and take a second's worth of it."""
        try:
            with transaction(self._engine) as connection:
                rate = bucket_rates.rate_of(connection, bucket)
                if rate is None:
                    return None
                wanted = _a_second_of(rate)
                granted = bucket_rates.grant(connection, bucket, requests=wanted)
        except ScannerError:
            log.warning("pace_not_known")
            return None if last_rate is None else (0.0, last_rate, _a_second_of(last_rate))
        return None if granted is None else (*granted, wanted)


def _a_second_of(rate: float) -> int:
    return max(1, min(MOST, int(rate)))

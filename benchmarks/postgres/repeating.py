"""A queue in memory that delivers each message two or three times: SQS at its worst."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

from scanner_tasks.core.ports import Depth, OutgoingMessage

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from scanner_tasks.core.ports import ReceivedMessage


class RepeatingQueues:
    """A queue that delivers every message two or three times, in any order, and again when its task fails."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._messages: queue.PriorityQueue[tuple[float, int, str]] = queue.PriorityQueue()
        self._numbers = iter(range(1 << 62))
        self._lock = threading.Lock()
        self.sent = self.deliveries = self.returned = 0
        self._in_flight = 0

    def send(self, _queue: str, messages: Sequence[OutgoingMessage]) -> list[int]:
        """Take all."""
        with self._lock:
            for message in messages:
                self.sent += 1
                for _ in range(self._chance.choice((2, 3))):
                    # In a random order within a second: copies run side by side or long after one another.
                    place = time.monotonic() + self._chance.random()
                    self._messages.put((place, next(self._numbers), message.body))
        return []

    def take(self) -> str | None:
        """The next body; None when there is none just now."""
        try:
            _, _, body = self._messages.get(timeout=0.05)
        except queue.Empty:
            return None
        with self._lock:
            self.deliveries += 1
            self._in_flight += 1
        return body

    def settle(self, body: str, *, acknowledged: bool) -> None:
        """The delivery is over: gone, or back in the queue."""
        with self._lock:
            self._in_flight -= 1
            if not acknowledged:
                self.returned += 1
                self._messages.put((time.monotonic(), next(self._numbers), body))

    def depth(self, _queue: str) -> Depth:
        """What stands in the queue."""
        return Depth(visible=self._messages.qsize(), in_flight=self._in_flight, delayed=0)

    def receive(self, _queue: str, _limit: int, _visibility_timeout_s: int) -> list[ReceivedMessage]:
        """The dead letter queue is empty: nothing dies here."""
        return []

    def delete(self, _queue: str, _receipts: Sequence[str]) -> None:
        """Nothing to delete."""

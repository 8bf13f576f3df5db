"""How many messages each lane may ask for: the arithmetic, without SQS.

kombu 5.7.0 lets every queue ask for min(10, free slots) at the same time (``_get_message_estimate``), so that eight
queues take 89 messages for 20 slots, and the visibility clock of the other 69 runs while they wait in memory.

Here a lane that gave messages last time is *hot*: hot lanes share the free slots (``turns.py``), with polls of a second
that do not reserve a slot for long. A *silent* lane keeps one long poll open for one message, beyond the slots: its
first message is taken at once, even while a hot lane fills the worker, and makes it hot.

With C slots and L lanes, messages held plus asked for never exceed C + L: twenty slots and eight lanes, at most 28.
"""

from __future__ import annotations

from dataclasses import dataclass

from scanner_tasks.sqs.turns import Turns

#: SQS hands over at most ten messages at a time.
MAX_MESSAGES = 10
HOT_WAIT_S = 1


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One ReceiveMessage."""

    count: int
    wait_s: int
    #: True for a silent lane's one message beyond the slots.
    is_probe: bool = False


class Prefetch:
    """The lanes' outstanding asks.

    Examples:
        >>> prefetch = Prefetch()
        >>> prefetch.plan("a", slots=20, held=0, lanes=2, long_wait_s=20)
        Ask(count=1, wait_s=20, is_probe=True)
        >>> prefetch.ended("a", received=1)
        >>> prefetch.plan("a", slots=20, held=1, lanes=2, long_wait_s=20)
        Ask(count=10, wait_s=1, is_probe=False)
        >>> prefetch.plan("a", slots=20, held=20, lanes=2, long_wait_s=20) is None
        True
    """

    def __init__(self) -> None:
        self.turns = Turns()
        self.asked: dict[str, Ask] = {}
        self.hot: set[str] = set()

    @property
    def outstanding(self) -> int:
        """Messages that SQS may hand over at this moment."""
        return sum(ask.count for ask in self.asked.values())

    def plan(self, lane: str, *, slots: int, held: int, lanes: int, long_wait_s: int, unsettled: int = 0) -> Ask | None:
        """What ``lane`` may ask for now; None when it has to wait for a slot.

        Args:
            lane: a lane without an outstanding ask.
            slots: messages that may be held (the prefetch count); 0 = no limit.
            held: messages received and not settled.
            lanes: how many lanes are consumed from.
            long_wait_s: the long poll of a silent lane.
            unsettled: messages whose task has ended and whose delete is on its way: they need no slot, but SQS counts
                them as in flight.
        """
        if not slots:
            return Ask(count=MAX_MESSAGES, wait_s=long_wait_s)
        free = slots - held - sum(ask.count for ask in self.asked.values() if not ask.is_probe)
        room = slots + lanes - held - unsettled - self.outstanding
        if free <= 0 or room <= 0:
            return None
        if lane not in self.hot:
            return Ask(count=1, wait_s=long_wait_s, is_probe=True)
        weight = self.turns.weight(lane)
        rivals = sum(self.turns.weight(rival) for rival in self.hot - self.asked.keys())
        count = max(weight, free * weight // rivals, self.turns.owed(lane))
        return Ask(count=min(MAX_MESSAGES, free, room, count), wait_s=min(HOT_WAIT_S, long_wait_s))

    def began(self, lane: str, ask: Ask) -> None:
        """``lane``'s poll is on its way."""
        self.asked[lane] = ask

    def ended(self, lane: str, *, received: int) -> None:
        """``lane``'s poll has ended; with messages it is hot, without it is silent."""
        ask = self.asked.pop(lane, None)
        if ask is None or received < ask.count:
            self.turns.ran_dry(lane)
        if received:
            self.hot.add(lane)
        else:
            self.hot.discard(lane)

    def forget(self, lane: str) -> None:
        """``lane`` is no longer consumed from."""
        self.hot.discard(lane)
        self.turns.forget(lane)

"""Which of the lanes that wait for a slot gets it: the message groups share, not the lanes.

Lanes are fewer than those who use them. Were slots shared lane by lane, a group with a lane to itself would get twice
what each of two groups gets that share one:

    8 lanes, 10 groups with 200 messages each: the six that are alone would be done after 1,600 messages of 2,000, the
    four others after all 2,000. Weighted by the groups seen in it, a lane of two takes two turns: all ten end together.

A lane's turn moves on by what it received divided by its weight; the earliest turn is next, and may ask for what it is
behind. A lane that had less than it was asked for begins at the present: it cannot call in what it did not use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A group that sent nothing for so long no longer counts.
REMEMBER_S = 60.0


class Turns:
    """The order of the lanes, and how much each is behind.

    Examples:
        >>> turns = Turns()
        >>> turns.received("a", ["x"], now=0.0)
        >>> turns.received("b", ["y", "z"], now=0.0)
        >>> turns.received("a", ["x", "x", "x"], now=0.0)
        >>> turns.order(["a", "b"]), turns.owed("a"), turns.owed("b")
        (['b', 'a'], 0, 4)
    """

    def __init__(self) -> None:
        #: Of the lanes that give what they are asked for.
        self._turn: dict[str, float] = {}
        self._seen: dict[str, dict[str, float]] = {}

    def order(self, lanes: Iterable[str]) -> list[str]:
        """Who is next; lanes whose turn is the same keep their order."""
        return sorted(lanes, key=self._at)

    def weight(self, lane: str) -> int:
        """Groups seen in the lane lately, at least 1."""
        return max(1, len(self._seen.get(lane, ())))

    def owed(self, lane: str) -> int:
        """Messages that the lane is behind the one that is furthest."""
        return int((max(self._turn.values(), default=0.0) - self._at(lane)) * self.weight(lane))

    def received(self, lane: str, groups: Iterable[str], *, now: float) -> None:
        """``lane`` gave messages, one for each of ``groups``; a message without a group has "" for it."""
        start = self._at(lane)
        seen = self._seen.setdefault(lane, {})
        count = 0
        for group in groups:
            count += 1
            seen[group] = now
        for group in [group for group, at in seen.items() if now - at > REMEMBER_S]:
            del seen[group]
        self._turn[lane] = start + count / self.weight(lane)

    def ran_dry(self, lane: str) -> None:
        """``lane`` had less than it was asked for."""
        self._turn.pop(lane, None)

    def forget(self, lane: str) -> None:
        """``lane`` is no longer consumed from."""
        self._turn.pop(lane, None)
        self._seen.pop(lane, None)

    def _at(self, lane: str) -> float:
        turn = self._turn.get(lane)
        return min(self._turn.values(), default=0.0) if turn is None else turn

"""Which path within its format each byte of the window stands under."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner_tasks.core.model import Segment

#: Longest path that is told, in characters; its end says the most.
MAX_CHARS: Final = 200


class Paths:
    """The paths of one text: of its window only, so that they do not grow with it."""

    def __init__(self) -> None:
        #: For each segment: at which byte of the text it begins, and what tells its path.
        self._starts: list[int] = []
        self._tellers: list[tuple[str, Callable[[int], str] | None]] = []
        #: Bytes of the text that were fed / that were dropped from the window's left.
        self._fed = 0
        self._dropped = 0

    def add(self, segment: Segment) -> None:
        """The next segment of the text."""
        self._starts.append(self._fed)
        self._tellers.append((segment.start.path, segment.path_at))
        self._fed += len(segment.data)

    def at(self, position: int) -> str:
        """The path at a position of the window."""
        at = self._dropped + position
        n = bisect_right(self._starts, at) - 1
        path, path_at = self._tellers[n]
        path = path_at(at - self._starts[n]) if path_at else path
        return path if len(path) <= MAX_CHARS else "…" + path[1 - MAX_CHARS :]

    def drop(self, size: int) -> None:
        """The window begins ``size`` bytes later."""
        self._dropped += size
        done = bisect_right(self._starts, self._dropped) - 1
        del self._starts[:done], self._tellers[:done]

    def clear(self) -> None:
        """A new text begins."""
        self._starts.clear()
        self._tellers.clear()
        self._fed = self._dropped = 0

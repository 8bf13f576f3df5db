"""Where a rule's matches are looked for, once the filter has told where they can be."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scanner_tasks.detect.compiled import CompiledRule, Spans


class NearWords:
    """Finds the matches of a rule that needs a keyword, where one may stand near enough; what it skips has none."""

    __slots__ = ("_after", "_at", "_before", "_compiled", "_text", "_words")

    def __init__(self, compiled: CompiledRule, text: bytes, words: list[int]) -> None:
        self._compiled = compiled
        self._text = text
        self._words = words
        self._at = 0
        self._after, self._before = compiled.keyword_reach

    def find(self, at: int, stop: int) -> Spans | None:
        """The first match that begins at ``at`` or later near a keyword; None if none begins before ``stop``."""
        words, text, width = self._words, self._text, self._compiled.width
        while self._at < len(words):
            first = words[self._at] - self._after - 2 * width
            last = words[self._at] + self._before
            start = max(at, first)
            if start > stop:
                return None
            # A match that begins by `last` ends before the cut; one that the cut seems to end begins later.
            found = (
                self._compiled.regex.search(text, start, min(len(text), last + width + 1)) if start <= last else None
            )
            if found is not None and found[0][0] <= last:
                return found
            self._at += 1
        return None


class NearEnds:
    """Finds what ``CompiledRule.find`` finds in a text, looking only near the ends that the filter reported.

    Every match ends at one of them and is at most ``width`` long, so none begins before the next end less the width::

        text  ....................#######.#####........................######....
        ends                            |     |                             |
        read                 [.................]                    [........]

    Ends further apart than a match can be long belong to different clusters, each searched by itself.
    """

    __slots__ = ("_cluster_end", "_ends", "_size", "_text", "_width", "search")

    def __init__(self, compiled: CompiledRule, text: bytes, ends: list[int]) -> None:
        self.search = compiled.regex.search
        self._width = compiled.width
        self._text = text
        self._size = len(text)
        self._ends = ends
        self._cluster_end = 0

    def find(self, at: int, stop: int) -> Spans | None:
        """The first match that begins at ``at`` or later; None also if none begins before ``stop``."""
        ends, text = self._ends, self._text
        while True:
            index = bisect_right(ends, at)
            if index == len(ends):
                return None
            start = max(at, ends[index] - self._width)
            if start > stop:
                return None
            limit = self._limit(index)
            found = self.search(text, start, limit)
            if found is not None and found[0][1] == limit < self._size:
                # Its end may only seem one, because the text was cut there.
                found = self.search(text, start)
            if found is not None:
                return found
            at = max(at, self._cluster_end)

    def _limit(self, index: int) -> int:
        """One byte beyond the last end of the cluster, so that the pattern sees what follows."""
        ends = self._ends
        if ends[index] > self._cluster_end:
            while index + 1 < len(ends) and ends[index + 1] - ends[index] <= self._width:
                index += 1
            self._cluster_end = ends[index]
        return min(self._cluster_end + 1, self._size)


class Nearest:
    """The first match that either of two finds: strong ones near their ends, weak ones near keywords."""

    __slots__ = ("_ends", "_found", "_words")

    def __init__(self, ends: NearEnds, words: NearWords) -> None:
        self._ends = ends
        self._words = words
        #: What the second found last; it holds as long as the search has not passed it.
        self._found: Spans | None = None

    def find(self, at: int, stop: int) -> Spans | None:
        """The first match that begins at ``at`` or later; None also if none begins before ``stop``."""
        if self._found is None or self._found[0][0] < at:
            self._found = self._words.find(at, stop)
        near = self._ends.find(at, stop)
        if near is None or (self._found is not None and self._found[0][0] <= near[0][0]):
            return self._found
        return near

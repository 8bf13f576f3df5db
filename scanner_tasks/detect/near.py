"""Where a rule's matches are looked for, once the filter has told where they can be."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scanner_tasks.detect.compiled import CompiledRule, Spans


class NearWords:
    """Finds the matches of a rule that needs a keyword, where one may stand near enough; what it skips has none.

    Keywords whose reaches touch form a cluster, which is searched as one.
    """

    __slots__ = ("_before", "_compiled", "_first", "_last", "_next", "_reach", "_text", "_words")

    def __init__(self, compiled: CompiledRule, text: bytes, words: list[int], *, is_ascii: bool) -> None:
        self._compiled = compiled
        #: The same for all words where the text is ASCII; else 0.
        self._reach = compiled.reach_of(b"", 0, is_ascii=True)[1] if is_ascii else 0
        self._text = text
        self._words = words
        #: A match begins at most so much before the end of the keyword that vouches for its value.
        self._before = compiled.after + 2 * compiled.width
        #: Where matches of the cluster at hand may begin, and the word after it.
        self._first, self._last = 0, -1
        self._next = 0

    def find(self, at: int, stop: int) -> Spans | None:
        """The first match that begins at ``at`` or later near a keyword; None if none begins before ``stop``."""
        text, width, search = self._text, self._compiled.width, self._compiled.regex.search
        while self._last >= at or self._read_cluster(at):
            start = max(at, self._first)
            if start > stop:
                return None
            # A match that begins by `last` ends before the cut; one that the cut seems to end begins later.
            found = search(text, start, min(len(text), self._last + width + 1))
            if found is not None and found[0][0] <= self._last:
                return found
            at = self._last + 1
        return None

    def _read_cluster(self, at: int) -> bool:
        """Goes on to the next cluster in which a match may begin at ``at`` or later; False if there is none."""
        words, count, number = self._words, len(self._words), self._next
        word = last = -1
        while number < count and last < at:
            word = words[number]
            last = self._last_of(word)
            number += 1
        # The widest reach, so that no later cluster begins before this one.
        self._first = word - self._before
        if self._reach:
            while number < count and words[number] <= last:
                last = words[number] + self._reach
                number += 1
        else:
            while number < count and words[number] <= last:
                last = max(last, self._last_of(words[number]))
                number += 1
        self._last, self._next = last, number
        return last >= at

    def _last_of(self, word: int) -> int:
        """Where the last match begins for whose value the keyword that ends here may vouch."""
        return word + self._reach if self._reach else self._compiled.reach_of(self._text, word)[1]


class NearEnds:
    """Finds what ``CompiledRule.find`` finds in a text, looking only near the ends that the filter reported.

    Every match ends at one of them and is at most ``width`` long, so none begins before the next end less the width::

        text  ....................#######.#####........................######....
        ends                            |     |                             |
        read                 [.................]                    [........]

    Ends further apart than a match can be long belong to different clusters, each searched by itself. Of some ends it
    may be known where their only match begins.
    """

    __slots__ = ("_begins", "_cluster_end", "_ends", "_shortest", "_size", "_text", "_width", "search")

    def __init__(
        self, compiled: CompiledRule, text: bytes, ends: list[int], begins: dict[int, int] | None = None
    ) -> None:
        self.search = compiled.regex.search
        self._width = compiled.width
        self._shortest = compiled.shortest
        self._text = text
        self._size = len(text)
        self._ends = ends
        self._begins = begins or {}
        self._cluster_end = 0

    def find(self, at: int, stop: int) -> Spans | None:
        """The first match that begins at ``at`` or later; None also if none begins before ``stop``."""
        ends, text = self._ends, self._text
        while True:
            # Nothing that begins here or later ends earlier: not what the last match ended with.
            index = bisect_left(ends, at + self._shortest)
            if index == len(ends):
                return None
            end = ends[index]
            start = max(at, self._begins.get(end, end - self._width))
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

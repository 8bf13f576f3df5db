"""Detection in one byte range of a large text: what begins in it is found as in the whole text, and nothing else.

A range is fed with as much text on both sides as any decision reads, so that each match in it is judged as it would be
in the whole text. What begins outside belongs to a neighbour and is not counted. Three things reach further:

- The names of a table's columns stand in the text's first lines, wherever the range begins: they are given.
- Where most candidates of a column miss their check digit, those that pass are numbers that pass by chance. That is
  judged range by range: a range says nothing about the columns of another.
- After an accepted value the search goes on behind it, so where one search stands may depend on the values before it.
  It depends no further back than a gap between two values of the rule that is wider than its pattern: ``SYNC_BYTES``
  more are read before the range, for such a gap to come.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.model import Location, Segment
from scanner_tasks.detect.encoded import REACH
from scanner_tasks.detect.engine import Detection
from scanner_tasks.detect.table import LINE_BYTES
from scanner_tasks.detect.tally import Sum, Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner_tasks.core.ranges import Side
    from scanner_tasks.detect.compiled import CompiledRule, Spans, Value
    from scanner_tasks.detect.engine import Detector
    from scanner_tasks.detect.gate import Gate
    from scanner_tasks.detect.table import Column

#: Bytes of text before a range beyond what a decision reads.
SYNC_BYTES: Final = 64 * 1024


def text_before(detector: Detector) -> int:
    """Bytes of UTF-8 text that are read before a range."""
    return detector.keep_left + SYNC_BYTES


def text_behind(detector: Detector) -> int:
    """Bytes of UTF-8 text that are read behind a range: its last match, or run in base 64, and what decides it."""
    return detector.need_right + max(REACH, max((rule.width for rule in detector.rules), default=0))


def first_lines(text: bytes) -> bytes | None:
    """The first lines of a text of which ``text`` is the beginning; None where one is too long to tell of columns."""
    return text[: text.rfind(b"\n", 0, LINE_BYTES) + 1] or None


class _OwnTally(Tally):
    """Counts for and against a column only what begins in the range."""

    __slots__ = ("is_own",)

    def __init__(self, kept: int) -> None:
        super().__init__(kept)
        #: Whether the match at hand does.
        self.is_own = True

    def sum_of(self, place: Column, *, is_sure: bool) -> Sum:
        return super().sum_of(place, is_sure=is_sure) if self.is_own else Sum()


class RangeDetection(Detection):
    """Detection in one range: ``feed_side`` its segments in order, then finish. For one thread.

    Args:
        detector: the ruleset, as for whole objects.
        name: the object's key.
        line: the whole text's first lines, if they may tell of columns.
        is_first: the range begins with them.
    """

    def __init__(self, detector: Detector, name: str, line: bytes | None, *, is_first: bool) -> None:
        super().__init__(detector, name)
        self._tallies = [_OwnTally(self._kept()) for _ in detector.rules]
        self._line = line
        self._is_first = is_first
        self._fed = 0
        #: Where the range begins and ends in the text that was fed: nothing is its own before that is known.
        self._own_start = self._own_end = inf
        #: Where each of its segments begins in that text, and what tells the place in the object.
        self._starts: list[int] = []
        self._tellers: list[Callable[[int], str] | None] = []

    def feed_side(self, side: Side, segment: Segment) -> None:
        """Take the next piece of text, which stands on this side of the range."""
        if side != "before":
            self._own_start = min(self._own_start, self._fed)
        if side == "behind":
            self._own_end = min(self._own_end, self._fed)
        self._starts.append(self._fed)
        self._tellers.append(segment.path_at)
        self._fed += len(segment.data)
        self.feed(replace(segment, path_at=None))
        if self._base is not None:
            done = bisect_right(self._starts, self._base.offset) - 1
            del self._starts[:done], self._tellers[:done]

    def _at(self, position: float) -> int:
        """Where a place in the text that was fed stands in the window, cut to it."""
        assert self._base is not None, "the window is not empty"
        return int(max(0, min(position - self._base.offset, len(self._window))))

    def _is_own(self, position: int) -> bool:
        assert self._base is not None, "the window is not empty"
        return self._own_start <= self._base.offset + position < self._own_end

    def _read_head(self, *, is_end: bool) -> None:
        del is_end
        self._at_head = False
        if self._line is None:
            return
        self._take_head(self._line)
        if not self._is_first:
            self._rows_at = 0

    def _rows_end(self, *, is_end: bool) -> int:
        """Rows are those of the range alone, and whole: what its ends cut is judged value by value."""
        text = self._window
        first = self._at(self._own_start)
        if first and self._rows_at < first:
            self._rows_at = (text.find(b"\n", first - 1) + 1) or len(text)
        end = min(super()._rows_end(is_end=is_end), self._at(self._own_end))
        return end if end == len(text) else text.rfind(b"\n", 0, end) + 1

    def _judge_all(  # noqa: PLR0917
        self,
        compiled: CompiledRule,
        tally: Tally,
        find: Callable[[int, int], Spans | None],
        whole: int,
        decidable: int,
        words: list[int] | None = None,
        refused: frozenset[int] = frozenset(),
    ) -> None:
        assert isinstance(tally, _OwnTally)

        def noted(at: int, stop: int) -> Spans | None:
            match = find(at, stop)
            tally.is_own = match is not None and self._is_own(compiled.span(match)[0])
            return match

        super()._judge_all(compiled, tally, noted, whole, decidable, words, refused)
        tally.is_own = True

    def _count_missed(self, tally: Tally, begins: list[int]) -> None:
        super()._count_missed(tally, [begin for begin in begins if self._is_own(begin + 1)])

    def _passes(self, gate: Gate | None, tally: Tally, match: Spans, value: Value) -> bool:
        return self._is_own(value.start) and super()._passes(gate, tally, match, value)

    def _keep(self, compiled: CompiledRule, found: Sum, value: Value, clear: bytes) -> None:
        super()._keep(compiled, found, value, clear)
        place = Location(line=0, column=0, offset=self._place(value.start))
        found.occurrences[-1] = replace(found.occurrences[-1], location=place)

    def _place(self, position: int) -> int:
        """The byte in the object."""
        assert self._base is not None, "the window is not empty"
        at = self._base.offset + position
        number = bisect_right(self._starts, at) - 1
        teller = self._tellers[number]
        assert teller is not None, "what is the range's own is told"
        return int(teller(at - self._starts[number]))

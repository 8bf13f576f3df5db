"""Detection in one byte range of a large text: what begins in it is found as in the whole text, and nothing else.

A range is fed with as much text on both sides as any decision reads, so that each match in it is judged as it would be
in the whole text. What begins outside belongs to a neighbour and is not counted. Two things reach further:

- The names of a table's columns stand in the text's first line, wherever the range begins: they are given.
- After an accepted value the search goes on behind it, so where one search stands may depend on the values before it.
  It depends no further back than a gap between two values of the rule that is wider than its pattern: ``SYNC_BYTES``
  more are read before the range, for such a gap to come.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.model import Location, Segment
from scanner_tasks.detect.engine import Detection
from scanner_tasks.detect.header import LINE_BYTES, Header, read_header

if TYPE_CHECKING:
    from scanner_tasks.core.ranges import Side
    from scanner_tasks.detect.cells import Cell
    from scanner_tasks.detect.compiled import CompiledRule, Value
    from scanner_tasks.detect.engine import Detector, _Tally

#: Bytes of text before a range beyond what a decision reads.
SYNC_BYTES: Final = 64 * 1024


def text_before(detector: Detector) -> int:
    """Bytes of UTF-8 text that are read before a range."""
    return detector.keep_left + SYNC_BYTES


def text_behind(detector: Detector) -> int:
    """Bytes of UTF-8 text that are read behind a range: its last match, and what decides it."""
    return detector.need_right + max((rule.width for rule in detector.rules), default=0)


def header_of(text: bytes) -> Header | None:
    """The header that a text's first line is, of which ``text`` is the beginning; None where it is none."""
    line, newline, _ = text[: LINE_BYTES + 1].partition(b"\n")
    return read_header(line) if newline else None


class RangeDetection(Detection):
    """Detection in one range: ``feed_side`` its segments in order, then finish. For one thread.

    Args:
        detector: the ruleset, as for whole objects.
        header: of the whole text.
    """

    def __init__(self, detector: Detector, header: Header | None) -> None:
        super().__init__(detector)
        self._header = header
        self._fed = 0
        #: Where the range begins and ends in the text that was fed: nothing is its own before that is known.
        self._own_start = self._own_end = inf

    def feed_side(self, side: Side, segment: Segment) -> None:
        """Take the next piece of text, which stands on this side of the range."""
        if side != "before":
            self._own_start = min(self._own_start, self._fed)
        if side == "behind":
            self._own_end = min(self._own_end, self._fed)
        self._fed += len(segment.data)
        self.feed(segment)

    def _is_own(self, position: int) -> bool:
        assert self._base is not None, "the window is not empty"
        return self._own_start <= self._base.offset + position < self._own_end

    def _read_header(self, *, is_end: bool) -> None:
        del is_end
        self._at_first_line = False
        if self._header is not None:
            for compiled, tally in zip(self._detector.rules, self._tallies, strict=True):
                tally.columns = compiled.columns(self._header)

    def _settle(
        self,
        compiled: CompiledRule,
        tally: _Tally,
        cells: list[list[int]],
        words: list[int] | None,
        decidable: int,
    ) -> list[Cell]:
        count, confidence = tally.count, tally.confidence
        settled = super()._settle(compiled, tally, cells, words, decidable)
        # A cell begins with the delimiter before its value.
        own = sum(self._is_own(start + 1) for start, _ in settled)
        tally.count = count + own
        if not own:
            tally.confidence = confidence
        return settled

    def _record(self, compiled: CompiledRule, tally: _Tally, value: Value) -> None:
        if not self._is_own(value.start):
            return
        kept = len(tally.occurrences)
        super()._record(compiled, tally, value)
        if len(tally.occurrences) > kept:
            place = Location(line=0, column=0, offset=int(self._paths.at(value.start)))
            tally.occurrences[kept] = replace(tally.occurrences[kept], location=place)

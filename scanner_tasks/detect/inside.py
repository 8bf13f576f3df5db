"""What stands inside encoded runs of a text, and in parts that it joins: searched as text, with the words around it.

The runs of a window are put one behind another, so far apart that no word of one speaks for a value of the next, and
searched in one go. A value must stand in the decoded text; its place is that of the whole run. What is encoded in there
again is looked into as well, to a depth of ``encoded.DEEPEST``.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner_tasks.core.model import Location, Segment
from scanner_tasks.detect.compiled import RANK
from scanner_tasks.detect.encoded import AFTER_BYTES, BEFORE_BYTES
from scanner_tasks.detect.engine import FindAll
from scanner_tasks.detect.table import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scanner_tasks.detect.compiled import CompiledRule, Spans, Value
    from scanner_tasks.detect.encoded import Run
    from scanner_tasks.detect.engine import Detector
    from scanner_tasks.detect.gate import Gate
    from scanner_tasks.detect.table import Column
    from scanner_tasks.detect.tally import Sum, Tally

#: The part of a value's evidence that says so.
TOLD: Final = "inside base64"
JOINED: Final = "in joined parts"
_START: Final = Location(line=1, column=1, offset=0)
#: A value of a rule that takes any word behind its keyword, this near to the run's beginning, is the run itself.
_ITSELF_BYTES: Final = 2


class Inside(NamedTuple):
    """A value inside a run."""

    rule: CompiledRule
    run: Run
    #: Places in it are those of another text; what was found stands in ``clear``.
    value: Value
    clear: bytes


class Found(NamedTuple):
    """What was found in some runs."""

    values: list[Inside]
    #: Values of each rule that an allow list allows.
    allowed: list[int]


def look_inside(
    detector: Detector,
    text: bytes,
    runs: Sequence[Run],
    *,
    depth: int,
    name: str,
    path_at: Callable[[int], str],
    is_for_owners: bool = False,
) -> Found:
    """The values in the runs of a text, in order.

    Args:
        detector: the rules.
        text: where the runs stand.
        runs: in order of place.
        depth: layers of encoding that the runs are inside of, with their own.
        name: of the object.
        path_at: the path within the object of a byte of the text.
        is_for_owners: what rules take for values, whether or not it would be told.
    """
    search = _Decoded(detector, text, runs, depth, name, path_at, is_for_owners=is_for_owners)
    search.feed(Segment(data=search.joined, start=_START, continues=False))
    search.finish()
    return Found(search.found, [tally.allowed for tally in search._tallies])  # noqa: SLF001  # its own class


class _Decoded(FindAll):
    """The search in the decoded texts, one behind another: no table, and no judgement by columns."""

    def __init__(  # noqa: PLR0917 (of this module alone)
        self,
        detector: Detector,
        text: bytes,
        runs: Sequence[Run],
        depth: int,
        name: str,
        path_at: Callable[[int], str],
        *,
        is_for_owners: bool,
    ) -> None:
        super().__init__(detector, name, tell=True)
        self._is_for_owners = is_for_owners
        self._depth = depth
        self._outer = runs
        self._path_at = path_at
        #: Where each run's text begins and ends in what is searched.
        self._begins: list[int] = []
        self._ends: list[int] = []
        self.joined = self._join(text, runs)
        self.found: list[Inside] = []

    def _join(self, text: bytes, runs: Sequence[Run]) -> bytes:
        apart = b"\n" * (
            2 + max((rule.rule.proximity + rule.rule.proximity_after for rule in self._detector.rules), default=0)
        )
        parts, at = [apart], len(apart)
        for run in runs:
            before = _words_before(text, run.start)
            after = text[run.end : run.end + AFTER_BYTES].partition(b"\n")[0]
            self._begins.append(at + len(before))
            self._ends.append(at + len(before) + len(run.text))
            parts += (before, run.text, after, apart)
            at += len(before) + len(run.text) + len(after) + len(apart)
        return b"".join(parts)

    def _read_head(self, *, is_end: bool) -> None:
        del is_end
        self._at_head = False

    def _number(self, start: int, end: int) -> int:
        """The number of the run whose text these bytes of what is searched stand in; -1 for none."""
        number = bisect_right(self._begins, start) - 1
        return number if number >= 0 and end <= self._ends[number] else -1

    def _path(self, position: int) -> str:
        number = max(0, bisect_right(self._begins, self._offset(position)) - 1)
        return self._path_at(self._outer[number].start)

    def _doubt(self, compiled: CompiledRule, tally: Tally, match: Spans) -> tuple[Column, Sum]:
        del compiled, match
        return NOWHERE, tally.sure

    def _is_wanted(self, compiled: CompiledRule) -> bool:
        return self._is_for_owners or super()._is_wanted(compiled)

    def _weakest(self, compiled: CompiledRule) -> int:
        return RANK[self._detector.threshold] if self._is_for_owners else super()._weakest(compiled)

    def _look_inside(self, runs: list[Run], *, is_for_owners: bool = False) -> Found:
        return super()._look_inside(runs, is_for_owners=is_for_owners or self._is_for_owners)

    def _passes(self, gate: Gate | None, tally: Tally, match: Spans, value: Value) -> bool:
        is_inside = self._number(self._offset(value.start), self._offset(value.end)) >= 0
        return is_inside and super()._passes(None if self._is_for_owners else gate, tally, match, value)

    def _record(self, compiled: CompiledRule, tally: Tally, found: Sum, value: Value) -> None:
        del tally, found
        self._add(compiled, value, self._window[value.start : value.end])

    def _record_inside(self, inside: Inside) -> None:
        run = inside.run
        if self._number(self._offset(run.start), self._offset(run.end)) >= 0:
            self._add(inside.rule, inside.value._replace(start=run.start, end=run.end), inside.clear)

    def _add(self, compiled: CompiledRule, value: Value, clear: bytes) -> None:
        start = self._offset(value.start)
        number = self._number(start, self._offset(value.end))
        run = self._outer[number]
        first = start - self._begins[number]
        last = first + value.end - value.start
        if run.joints and not any(first < joint < last for joint in run.joints):
            return
        if not run.joints and compiled.rule.yields and first < _ITSELF_BYTES:
            return
        told = JOINED if run.joints else TOLD
        if told not in value.evidence:
            value = value._replace(evidence=(*value.evidence, told))
        self.found.append(Inside(compiled, run, value, clear))


def _words_before(text: bytes, start: int) -> bytes:
    """What stands before a run, from a whole word on."""
    first = max(0, start - BEFORE_BYTES)
    before = text[first:start]
    if first:
        cut = next((n for n, c in enumerate(before) if c < 0x80 and not chr(c).isalnum()), len(before))  # noqa: PLR2004
        before = before[cut:]
    return before

"""One pass of Hyperscan over a window tells which rules can match in it at all, and where such matches end.

The filter never decides: RE2 and the rule's judgement do, near the ends that it reports. Without the library, or for a
rule whose pattern it refuses, the engine searches the whole window with RE2 and finds the same.
"""

from __future__ import annotations

import importlib
import threading
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

from scanner_tasks.detect.cells import CELLS
from scanner_tasks.detect.translate import Untranslatable, translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner_tasks.detect.cells import Cell
    from scanner_tasks.detect.compiled import CompiledRule, Spans
    from scanner_tasks.detect.ruleset import Rule

_ENDS, _CELLS, _WORDS = range(3)


class Seen(NamedTuple):
    """What the filter saw in one text, rule by rule."""

    #: Where matches may end, ascending; None for a rule that the filter does not know.
    ends: list[list[int] | None]
    #: For each shape of the rule's cells: where such a cell's value ends, plus one; ascending.
    cells: list[list[list[int]]]
    #: Where the rule's keywords end, but for plurals and endings, ascending; None where the filter does not know.
    words: list[list[int] | None]


class Filter:
    """A database of every rule's pattern, its cells and its keywords. Immutable: threads share it."""

    def __init__(self, hyperscan: Any, rules: Sequence[CompiledRule]) -> None:
        patterns: list[tuple[int, int, bytes]] = []
        self._rules = len(rules)
        self._known = [False] * len(rules)
        self._words_known = [False] * len(rules)
        for number, rule in enumerate(rules):
            if rule.rule.keyword_required and not rule.rule.cells:
                # Searched near its keywords only: its shape, often just digits, would match everywhere.
                patterns.append((number, _WORDS, translate(rule.keyword_pattern)))
                self._words_known[number] = True
                continue
            try:
                patterns.append((number, _ENDS, translate(rule.regex.pattern)))
                self._known[number] = True
            except Untranslatable:
                continue
            patterns += [(number, _CELLS, shape.pattern.encode("ascii")) for shape in CELLS.get(rule.rule.cells, ())]
            if rule.keyword_pattern:
                patterns.append((number, _WORDS, translate(rule.keyword_pattern)))
                self._words_known[number] = True
        self._hyperscan = hyperscan
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._patterns = self._compile(patterns)
        #: The rule of each pattern, -1 for cells and keywords; the rules whose pattern the filter does not hold, those
        #: that need a keyword among them (it may be a column's header, far away).
        self._rule_of = [number if kind == _ENDS else -1 for number, kind, _ in self._patterns]
        self._unknown = [number for number, known in enumerate(self._known) if not known]
        self._local = threading.local()

    def _compile(self, patterns: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
        """The patterns that the library takes: all of them, as a rule; else each is tried alone."""
        try:
            self._build(self._database, patterns)
        except self._hyperscan.error:
            taken = []
            for pattern in patterns:
                try:
                    self._build(self._hyperscan.Database(mode=self._hyperscan.HS_MODE_BLOCK), [pattern])
                    taken.append(pattern)
                except self._hyperscan.error:
                    (self._words_known if pattern[1] == _WORDS else self._known)[pattern[0]] = False
            patterns = taken
            self._build(self._database, patterns)
        return patterns

    @staticmethod
    def _build(database: Any, patterns: list[tuple[int, int, bytes]]) -> None:
        database.compile(
            expressions=[pattern for _, _, pattern in patterns],
            ids=list(range(len(patterns))),
            elements=len(patterns),
        )

    def scan(self, text: bytes) -> Seen:
        """What can be in the text. Runs without the interpreter's lock but for its reports."""
        ends: list[list[int] | None] = [[] if known else None for known in self._known]
        cells: list[list[list[int]]] = [[] for _ in range(self._rules)]
        words: list[list[int] | None] = [[] if known else None for known in self._words_known]
        said: list[list[int]] = []
        for number, kind, _ in self._patterns:
            target = ends[number] if kind == _ENDS else words[number] if kind == _WORDS else []
            assert target is not None, "patterns that are known have their list"
            if kind == _CELLS:
                cells[number].append(target)
            said.append(target)
        report = [target.append for target in said]

        # Kept in a variable: the library holds no reference to it while it scans.
        def on_match(pattern: int, _start: int, end: int, _flags: int, _context: object) -> None:
            report[pattern](end)

        self._database.scan(text, match_event_handler=on_match, scratch=self._scratch())
        for target in said:
            target.sort()
        return Seen(ends, cells, words)

    def possible(self, text: bytes) -> list[int]:
        """Numbers of the rules that may match in the text at all, ascending: lighter than ``scan``."""
        present = set(self._unknown)
        rule_of = self._rule_of

        def on_match(pattern: int, _start: int, _end: int, _flags: int, _context: object) -> None:
            present.add(rule_of[pattern])

        self._database.scan(text, match_event_handler=on_match, scratch=self._scratch())
        present.discard(-1)
        return sorted(present)

    def _scratch(self) -> Any:
        """This thread's scratch space: two scans must not share one."""
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = self._hyperscan.Scratch(self._database)
        return scratch


#: Filters by their rules: compiling hundreds of patterns takes seconds, and a filter serves every detector and thread.
_made: dict[tuple[Rule, ...], Filter] = {}
_making = threading.Lock()
_KEPT = 8


def make_filter(rules: Sequence[CompiledRule]) -> Filter | None:
    """The filter, or None where the library is not installed or can do nothing for these rules."""
    try:
        # By name, so that what is deployed without the library (the Lambdas) does not depend on it.
        hyperscan = importlib.import_module("hyperscan")
    except ImportError:
        return None
    if not rules:
        return None
    key = tuple(rule.rule for rule in rules)
    with _making:
        if key not in _made:
            if len(_made) >= _KEPT:
                _made.clear()
            _made[key] = Filter(hyperscan, rules)
        return _made[key]


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

    Ends further apart than a match can be long belong to different clusters, each searched by itself. ``settled`` are
    ends of values in cells of their own that are counted already: nothing is looked for there.
    """

    __slots__ = ("_cluster_end", "_ends", "_settled", "_size", "_starts", "_text", "_width", "search")

    def __init__(self, compiled: CompiledRule, text: bytes, ends: list[int], settled: Sequence[Cell] = ()) -> None:
        self._starts = [start for start, _ in settled]
        self._settled = [end for _, end in settled]
        if settled:
            left = sorted(set(ends).difference(self._settled))
            # Also what ends inside a settled cell, beyond its first delimiter: nothing that begins before it does.
            ends = [end for end in left if not self._inside(end - 2)]
        self.search = compiled.regex.search
        self._width = compiled.width
        self._text = text
        self._size = len(text)
        self._ends = ends
        self._cluster_end = 0

    def find(self, at: int, stop: int) -> Spans | None:
        """The first match that begins at ``at`` or later; None also if none begins before ``stop``."""
        ends, width, text = self._ends, self._width, self._text
        while True:
            index = bisect_right(ends, at)
            if index == len(ends):
                return None
            first = ends[index]
            start = max(at, first - width)
            if self._settled and (behind := bisect_right(self._settled, first)):
                # No match crosses the delimiter of a settled cell: the nearest one ends one byte before its end.
                start = max(start, self._settled[behind - 1] - 1)
            if start > stop:
                return None
            limit = self._limit(index)
            found = self.search(text, start, limit)
            if found is not None and found[0][1] == limit < self._size:
                # Its end may only seem one, because the text was cut there.
                found = self.search(text, start)
            if found is None:
                at = max(at, self._cluster_end)
            elif self._settled and (cell_end := self._inside(found[0][0])):
                at = cell_end - 1
            else:
                return found

    def _inside(self, position: int) -> int:
        """The end of the settled cell that the position stands in; 0 outside of all."""
        index = bisect_right(self._settled, position + 1)
        return self._settled[index] if index < len(self._settled) and self._starts[index] <= position else 0

    def _limit(self, index: int) -> int:
        """One byte beyond the last end of the cluster, so that the pattern sees what follows."""
        ends = self._ends
        if ends[index] > self._cluster_end:
            while index + 1 < len(ends) and ends[index + 1] - ends[index] <= self._width:
                index += 1
            self._cluster_end = ends[index]
        return min(self._cluster_end + 1, self._size)

"""Segments in, findings out: exact counts, the same wherever the text is cut, in memory that does not grow with it.

Text is searched in windows of about a megabyte. For each rule the engine remembers where its search stands. A match is
decided only when so much text lies to its right that more of it could not change the decision, or when the text ends;
until then it waits, and so much text to its left is kept that the decision can read all it may. So:

    text     …4111 1111 11|11 1111…      the window ends inside a card
    window 1 nothing is decided after the point where a match could still grow; the search stands there
    window 2 begins early enough that the card, its keyword and its context are whole: one finding
"""

from __future__ import annotations

import sys
import threading
from bisect import bisect_right
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.model import Confidence, Location, Occurrence, RuleFindings, Segment
from scanner_tasks.core.redact import Fingerprinter, mask
from scanner_tasks.detect.cells import CELLS, Cell
from scanner_tasks.detect.compiled import RANK, Columns, CompiledRule, Value
from scanner_tasks.detect.context import Context
from scanner_tasks.detect.filter import Filter, NearEnds, NearWords, Seen, make_filter
from scanner_tasks.detect.gate import Marks
from scanner_tasks.detect.header import LINE_BYTES, read_header
from scanner_tasks.detect.keywords import chars
from scanner_tasks.detect.paths import Paths
from scanner_tasks.detect.whole import CodePoints, FoundValue, Lines, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scanner_tasks.detect.compiled import Spans
    from scanner_tasks.detect.gate import Gate
    from scanner_tasks.detect.ruleset import Rule, Ruleset

#: Text searched at a time: small enough for the processor's cache, large enough to make its overlap cheap.
WINDOW_BYTES: Final = 1024 * 1024
#: A shorter text alone is not worth making the filter for.
FILTER_BYTES: Final = 1024


class Detector:
    """A ruleset made ready to run. Immutable: one serves every thread.

    Args:
        ruleset: The rules.
        fingerprinter: Makes the keyed fingerprints.
        occurrences_kept: How many places of each finding are kept; the count is exact all the same.
        threshold: Occurrences of less confidence are neither counted nor kept.
        test_values: Whether values published as examples are reported too.
        window_bytes: Text searched at a time; never changes what is found.
        filtered: Whether Hyperscan, where it is installed, looks first; never changes what is found.
        former: Make the fingerprints of keys that are no longer used, for allow lists made with those.

    Raises:
        RuleError: An allow list holds values of a key that is not here.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        fingerprinter: Fingerprinter,
        occurrences_kept: int = 10,
        *,
        threshold: Confidence = Confidence.MEDIUM,
        test_values: bool = False,
        window_bytes: int = WINDOW_BYTES,
        filtered: bool = True,
        former: Iterable[Fingerprinter] = (),
    ) -> None:
        self.ruleset = ruleset
        self.rules = tuple(CompiledRule(rule) for rule in ruleset.rules)
        self.context = Context(self.rules)
        self.fingerprinter = fingerprinter
        self.marks = Marks((fingerprinter, *former))
        self.marks.check({each for rule in ruleset.rules for each in rule.allow})
        self.occurrences_kept = occurrences_kept
        self.threshold = threshold
        self.test_values = test_values
        self.window_bytes = window_bytes
        #: Bytes kept before the place where a search stands / needed after a match before it is decided. One more
        #: byte on the left, so that ``^`` never stands at a cut; each rule's width covers what its match adds.
        widest = max((rule.width for rule in self.rules), default=0)
        self.keep_left = max([self.context.reach, *(rule.reach_left for rule in self.rules)]) + widest + 1
        self.need_right = max([self.context.reach, *(rule.reach_right for rule in self.rules)]) + 1
        self._filtered = filtered
        self._filter: Filter | None = None
        self._making = threading.Lock()

    def begin(self, name: str = "") -> Detection:
        """Detection in one object; its name (key) is what rules' paths and allow lists speak of."""
        return Detection(self, name)

    def find_all(self, text: str, *, name: str = "", tell: bool = False) -> list[FoundValue]:
        """Every occurrence of every rule in a text, in order of place; nothing is left out but what is not reported.

        With ``tell`` each carries its evidence. ``name`` as in ``begin``.
        """
        data = text.encode("utf-8", "replace")
        detection = _FindAll(self, name, tell=tell)
        detection.feed(Segment(data=data, start=Location(line=1, column=1, offset=0), continues=False))
        detection.finish()
        points, lines = CodePoints(data), Lines(text)
        found = []
        hidden: dict[str, str] = {}
        for rule, value in sorted(detection.values, key=lambda pair: (pair[1].start, pair[1].end)):
            start = points.at(value.start)
            masked = shown(data[value.start : value.end], rule.mask)
            if rule.mask == "email" and any(c.isdigit() for c in masked):
                # The only mask that shows more than four characters of a run: its domain may be a number.
                if masked not in hidden:
                    hidden[masked] = self.context.hide(masked)
                masked = hidden[masked]
            place = (start, points.at(value.end), *lines.at(start))
            told = (*value.evidence, f"confidence {value.confidence}") if tell else ()
            found.append(FoundValue(rule.id, *place, value.confidence, masked, told))
        return found

    def prepare(self) -> None:
        """Make the filter now, in seconds, rather than when the first text comes."""
        self.filter_for(bytes(FILTER_BYTES))

    def filter_for(self, text: bytes) -> Filter | None:
        """The filter, made when the first text comes that is worth it; None for a text that is not."""
        if self._filtered and self._filter is None and len(text) >= FILTER_BYTES:
            with self._making:
                if self._filter is None:
                    self._filter = self.context.filter = make_filter(self.rules)
                    self._filtered = self._filter is not None
        return self._filter


class _Tally:
    """What one rule has found so far, and where its search stands in the window."""

    __slots__ = ("allowed", "at", "columns", "confidence", "count", "occurrences")

    def __init__(self) -> None:
        self.at = 0
        #: What the header of the table at hand says to this rule.
        self.columns: Columns | None = None
        self.count = 0
        #: Occurrences beside the count that an allow list allows.
        self.allowed = 0
        self.confidence: Confidence | None = None
        self.occurrences: list[Occurrence] = []


class Detection:
    """Detection in one object: feed its segments in order, then finish. For one thread."""

    def __init__(self, detector: Detector, name: str = "") -> None:
        self._detector = detector
        self._name = name
        self._tallies = [_Tally() for _ in detector.rules]
        #: The window, where its first byte stands, and what has come in since it was last searched.
        self._window = b""
        self._base: Location | None = None
        self._incoming = bytearray()
        #: Whether the first line of the text is still to be read.
        self._at_first_line = True
        self._paths = Paths()

    def feed(self, segment: Segment) -> None:
        """Take the next piece of text. A segment that does not continue the one before begins a new text."""
        if self._base is None or not segment.continues:
            self._end_text()
            self._base = segment.start
        data = segment.data
        self._paths.add(segment)
        size = self._detector.window_bytes
        at = 0
        while at < len(data):
            piece = data[at : at + size - len(self._incoming)]
            at += len(piece)
            self._incoming += piece
            if len(self._incoming) >= size:
                self._search(is_end=False)

    def finish(self) -> tuple[RuleFindings, ...]:
        """What was found, in the ruleset's order. The text is taken to end here, also when its reading broke off."""
        self._end_text()
        return tuple(
            RuleFindings(
                rule_id=compiled.rule.id,
                severity=compiled.rule.severity_at(tally.count),
                confidence=tally.confidence,
                count=tally.count,
                occurrences=tuple(tally.occurrences),
                allowed=tally.allowed,
            )
            for compiled, tally in zip(self._detector.rules, self._tallies, strict=True)
            if tally.confidence is not None
        )

    @property
    def allowed(self) -> int:
        """Occurrences of all rules that were not counted because an allow list allows them."""
        return sum(tally.allowed for tally in self._tallies)

    def _end_text(self) -> None:
        if self._base is not None:
            self._search(is_end=True)
        self._window = b""
        self._base = None
        self._at_first_line = True
        self._paths.clear()
        for tally in self._tallies:
            tally.at = 0
            tally.columns = None

    def _search(self, *, is_end: bool) -> None:
        self._window = text = b"".join((self._window, self._incoming))
        self._incoming.clear()
        if self._at_first_line:
            self._read_header(is_end=is_end)
        chosen = self._detector.filter_for(text)
        seen = chosen.scan(text) if chosen is not None else None
        for number, (compiled, tally) in enumerate(zip(self._detector.rules, self._tallies, strict=True)):
            ends = seen.ends[number] if seen is not None else None
            words = seen.words[number] if seen is not None else None
            if compiled.rule.keyword_required and words is not None and not tally.columns:
                self._search_near_words(compiled, tally, words, is_end=is_end)
            elif seen is None or ends is None:
                self._search_rule(compiled, tally, is_end=is_end)
            elif ends and (seen.words[number] != [] or tally.columns or not compiled.rule.keyword_required):
                self._search_near(compiled, tally, seen, number, is_end=is_end)
            else:
                # Nothing begins that a keyword does not have to vouch for, or nothing at all.
                tally.at = max(tally.at, self._decidable(compiled, is_end=is_end) + 1)
        if not is_end:
            self._drop_left()

    def _read_header(self, *, is_end: bool) -> None:
        """Reads the text's first line once it is in the window whole. Rows below it are judged no earlier."""
        line, newline, _ = self._window[: LINE_BYTES + 1].partition(b"\n")
        if not newline and not is_end and len(line) <= LINE_BYTES:
            return
        self._at_first_line = False
        header = read_header(line) if newline else None
        if header is not None:
            for compiled, tally in zip(self._detector.rules, self._tallies, strict=True):
                tally.columns = compiled.columns(header)

    def _decidable(self, compiled: CompiledRule, *, is_end: bool) -> int:
        """Starts up to here have all that a decision reads inside the window."""
        size = len(self._window)
        return size if is_end else size - compiled.width - self._detector.need_right

    def _search_rule(self, compiled: CompiledRule, tally: _Tally, *, is_end: bool) -> None:
        # Starts before `whole` have had their longest match inside the window; it lies at or after `decidable`.
        text = self._window
        whole = len(text) + 1 if is_end else len(text) - compiled.width
        decidable = self._decidable(compiled, is_end=is_end)
        self._judge_all(compiled, tally, partial(compiled.find, text), whole, decidable)

    def _search_near_words(self, compiled: CompiledRule, tally: _Tally, words: list[int], *, is_end: bool) -> None:
        """The same for a rule that needs a keyword: only where one stands near."""
        # A match that begins later may have a keyword in the next window: the search stands no further than here.
        decidable = self._decidable(compiled, is_end=is_end)
        if words:
            near = NearWords(compiled, self._window, words)
            self._judge_all(compiled, tally, near.find, decidable + 1, decidable, words)
        else:
            tally.at = max(tally.at, decidable + 1)

    def _search_near(self, compiled: CompiledRule, tally: _Tally, seen: Seen, number: int, *, is_end: bool) -> None:
        """The same, near the ends that the filter saw; cells that hold nothing but a value are settled together."""
        text = self._window
        whole = len(text) + 1 if is_end else len(text) - compiled.width
        decidable = self._decidable(compiled, is_end=is_end)
        ends = seen.ends[number] or []
        near = NearEnds(compiled, text, ends)
        words = seen.words[number]
        if any(seen.cells[number]) and self._settles(compiled):
            if self._judge_all(compiled, tally, near.find, whole, decidable, words, until_full=True):
                return
            settled = self._settle(compiled, tally, seen.cells[number], words, decidable)
            near = NearEnds(compiled, text, ends, settled)
        self._judge_all(compiled, tally, near.find, whole, decidable, words)

    def _settles(self, compiled: CompiledRule) -> bool:
        """Whether sound values in cells of their own will, sooner or later, change nothing but the count."""
        rule = compiled.rule
        told = RANK[rule.confidence] >= self._weakest(compiled)
        return told and not rule.keyword_required and compiled.screen is None and compiled.gate is None

    def _weakest(self, compiled: CompiledRule) -> int:
        """Rank of the least confidence that is reported."""
        return RANK[compiled.rule.threshold or self._detector.threshold]

    def _settle(
        self,
        compiled: CompiledRule,
        tally: _Tally,
        cells: list[list[int]],
        words: list[int] | None,
        decidable: int,
    ) -> list[Cell]:
        """Counts the sound values of cells that begin at or after the place of the search and end before the limit."""
        settled: list[Cell] = []
        rises = tally.confidence is not compiled.best
        for shape, ends in zip(CELLS[compiled.rule.cells], cells, strict=True):
            # An end is one byte behind its value. The cell of a value that ends where the search stands is judged.
            waiting = ends[bisect_right(ends, tally.at + 1) : bisect_right(ends, decidable)]
            if waiting and rises:
                # A keyword near it may raise the confidence: such a value is judged.
                waiting = compiled.without_keyword(waiting, words)
            if waiting:
                settled += shape.sound(self._window, waiting)
        columns = tally.columns
        if columns is not None and columns.against:
            settled = [cell for cell in settled if columns.said(self._window, cell[0] + 1) != ""]
        settled.sort()
        tally.count += len(settled)
        if settled and tally.confidence is None:
            tally.confidence = compiled.rule.confidence
        return settled

    def _judge_all(  # noqa: PLR0917
        self,
        compiled: CompiledRule,
        tally: _Tally,
        find: Callable[[int, int], Spans | None],
        whole: int,
        decidable: int,
        words: list[int] | None = None,
        *,
        until_full: bool = False,
    ) -> bool:
        """Judges match after match; False when, asked to, it stopped because no more occurrences are kept."""
        text, at = self._window, tally.at
        weakest = self._weakest(compiled)
        kept = self._kept()
        needs_all = RANK[compiled.rule.confidence] < weakest
        while True:
            if (
                until_full
                and len(tally.occurrences) >= kept
                and (tally.confidence is compiled.best or not tally.columns)
            ):
                tally.at = at
                return False
            match = find(at, whole)
            start = whole if match is None else match[0][0]
            if match is None or start > decidable:
                # Between `decidable` and here nothing begins but, at most, this match: stand at it.
                tally.at = max(at, min(start, whole))
                return True
            so_far = None if needs_all else tally.confidence
            value = compiled.judge(text, match, so_far, tally.columns, words)
            if value is None:
                # Go on one byte later: a false match never hides a true one that overlaps it.
                at = start + 1
                continue
            at = max(value.end, start + 1)
            if RANK[value.confidence] >= weakest and (self._detector.test_values or not value.is_test):
                if compiled.gate is not None and not self._passes(compiled.gate, tally, match, value):
                    continue
                if len(tally.occurrences) < kept:
                    # It is kept: its evidence is told.
                    value = compiled.judge(text, match, None, tally.columns, words, tell=True) or value
                self._record(compiled, tally, value)

    def _passes(self, gate: Gate, tally: _Tally, match: Spans, value: Value) -> bool:
        """Whether the value counts; an allowed one is counted apart."""
        path = self._paths.at(value.start)
        if not gate.concerns(self._name, path):
            return False
        names = (self._name, path)
        if gate.allowed_by(self._window, match[0], value.start, value.end, self._detector.marks, names):
            tally.allowed += 1
            return False
        return True

    def _record(self, compiled: CompiledRule, tally: _Tally, value: Value) -> None:
        tally.count += 1
        if tally.confidence is None or RANK[value.confidence] > RANK[tally.confidence]:
            tally.confidence = value.confidence
        detector = self._detector
        if len(tally.occurrences) >= detector.occurrences_kept:
            return
        clear = self._window[value.start : value.end]
        masked = detector.context.hide(mask(clear.decode("utf-8", "replace"), compiled.rule.mask))
        tally.occurrences.append(
            Occurrence(
                masked=masked,
                context=detector.context.around(self._window, value.start, value.end, masked),
                location=replace(self._location(value.start), path=detector.context.hide(self._paths.at(value.start))),
                fingerprint=detector.fingerprinter.fingerprint(compiled.normalise(clear)),
                evidence=(*value.evidence, f"confidence {value.confidence}"),
            )
        )

    def _kept(self) -> int:
        """How many occurrences are kept."""
        return self._detector.occurrences_kept

    def _location(self, position: int) -> Location:
        base = self._base
        assert base is not None, "the window is not empty"
        text = self._window
        line_start = text.rfind(b"\n", 0, position) + 1
        before = chars(text[line_start:position])
        return Location(
            line=base.line + text.count(b"\n", 0, position),
            column=before + (1 if line_start else base.column),
            offset=base.offset + position,
        )

    def _drop_left(self) -> None:
        """Forget the text that no decision will read again."""
        text = self._window
        cut = min((tally.at for tally in self._tallies), default=len(text)) - self._detector.keep_left
        if cut <= 0:
            return
        while cut and text[cut] & 0xC0 == 0x80:  # noqa: PLR2004  # UTF-8 continuation byte
            cut -= 1
        self._base = self._location(cut)
        self._window = text[cut:]
        self._paths.drop(cut)
        for tally in self._tallies:
            tally.at -= cut


class _FindAll(Detection):
    """Hands out every value, with its place in bytes, and keeps no occurrence."""

    def __init__(self, detector: Detector, name: str = "", *, tell: bool = False) -> None:
        super().__init__(detector, name)
        self._told = sys.maxsize if tell else 0
        self.values: list[tuple[Rule, Value]] = []

    def _record(self, compiled: CompiledRule, tally: _Tally, value: Value) -> None:
        del tally
        assert self._base is not None, "the window is not empty"
        start = self._base.offset
        self.values.append((compiled.rule, value._replace(start=start + value.start, end=start + value.end)))

    def _settles(self, compiled: CompiledRule) -> bool:
        del compiled
        return False

    def _kept(self) -> int:
        return self._told

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
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.model import Column, Confidence, Location, Occurrence, RuleFindings, Segment
from scanner_tasks.core.redact import Fingerprinter, mask
from scanner_tasks.detect.aws_accounts import told_of
from scanner_tasks.detect.compiled import RANK, CompiledRule, Value
from scanner_tasks.detect.context import Context
from scanner_tasks.detect.encoded import DEEPEST, Runs, run_at
from scanner_tasks.detect.filter import Filter, Seen, make_filter
from scanner_tasks.detect.gate import Marks
from scanner_tasks.detect.header import find_header
from scanner_tasks.detect.joined import Joints
from scanner_tasks.detect.keywords import chars
from scanner_tasks.detect.near import NearEnds, Nearest, NearWords
from scanner_tasks.detect.paths import Paths
from scanner_tasks.detect.settle import Celled, Settled, settle
from scanner_tasks.detect.table import LINE_BYTES, LONGEST_LINE, NOWHERE, Table
from scanner_tasks.detect.tally import Tally, with_columns
from scanner_tasks.detect.whole import CodePoints, FoundValue, Lines, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scanner_tasks.detect.compiled import Spans
    from scanner_tasks.detect.encoded import Run
    from scanner_tasks.detect.gate import Gate
    from scanner_tasks.detect.inside import Found, Inside
    from scanner_tasks.detect.ruleset import Rule, Ruleset
    from scanner_tasks.detect.table import Column as Place
    from scanner_tasks.detect.tally import Sum

#: Text searched at a time: small enough for the processor's cache, large enough to make its overlap cheap.
WINDOW_BYTES: Final = 1024 * 1024
#: Text searched first, twice as much each time until it is a window: once enough occurrences are kept, values in cells
#: of tables are counted a column at a time. Of a table less is searched first.
_FIRST_BYTES: Final = 32 * 1024
_FIRST_ROWS_BYTES: Final = 8 * 1024
#: Longest value of a rule that yields which is looked into, in bytes.
_MOST_YIELDED: Final = 400
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
        #: Those whose values fill cells of tables.
        self.celled = tuple(rule for rule in self.rules if rule.rule.cells)
        #: A rule's place in these.
        self.number_of = {rule.rule.id: number for number, rule in enumerate(self.rules)}
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
        self.widest = widest = max((rule.width for rule in self.rules), default=0)
        self.keep_left = max([self.context.reach, *(rule.reach_left for rule in self.rules)]) + widest + 1
        self.need_right = max([self.context.reach_right, *(rule.reach_right for rule in self.rules)]) + 1
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
        detection = FindAll(self, name, tell=tell)
        detection.feed(Segment(data=data, start=Location(line=1, column=1, offset=0), continues=False))
        detection.finish()
        points, lines = CodePoints(data), Lines(text)
        found = []
        hidden: dict[str, str] = {}
        number_of = self.number_of
        # Where two rules have the same place, in the ruleset's order.
        for rule, value in sorted(detection.values, key=lambda pair: (*pair[1][:2], number_of[pair[0].id])):
            start = points.at(value.start)
            masked = shown(value.clear or data[value.start : value.end], rule.mask)
            if rule.mask == "email" and any(c.isdigit() for c in masked):
                # The only mask that shows more than four characters of a run: its domain may be a number.
                if masked not in hidden:
                    hidden[masked] = self.context.hide(masked)
                masked = hidden[masked]
            place = (start, points.at(value.end), *lines.at(start))
            beside = told_of(rule.id, value.clear or data[value.start : value.end]) if tell else ()
            told = (*value.evidence, *beside, f"confidence {value.confidence}") if tell else ()
            found.append(FoundValue(rule.id, *place, value.confidence, masked, told))
        return found

    def owners(self, text: bytes, start: int, end: int) -> list[int]:
        """Numbers of the rules, none of them yielding, that may match around a value at all."""
        region = text[max(0, start - self.widest) : end + self.widest]
        numbers = self._filter.possible(region) if self._filter is not None else range(len(self.rules))
        return [number for number in numbers if not self.rules[number].rule.yields]

    def prepare(self, saved: bytes = b"") -> bytes:
        """Make the filter now, in seconds, rather than when the first text comes.

        Args:
            saved: What a former call returned, for the same rules: then it takes milliseconds. Anything else is
                ignored. The bytes are trusted: take them from nowhere but where only this program writes.

        Returns:
            What to save for the next process; empty where there is no filter, or it cannot be saved.
        """
        made = self.filter_for(bytes(FILTER_BYTES), saved)
        return made.dump() if made is not None else b""

    def filter_for(self, text: bytes, saved: bytes = b"") -> Filter | None:
        """The filter, made when the first text comes that is worth it; None for a text that is not."""
        if self._filtered and self._filter is None and len(text) >= FILTER_BYTES:
            with self._making:
                if self._filter is None:
                    self._filter = self.context.filter = make_filter(self.rules, saved)
                    self._filtered = self._filter is not None
        return self._filter


class Detection:
    """Detection in one object: feed its segments in order, then finish. For one thread."""

    def __init__(self, detector: Detector, name: str = "") -> None:
        self._detector = detector
        self._name = name
        self._tallies = [Tally(self._kept()) for _ in detector.rules]
        #: The window, where its first byte stands, and what has come in since it was last searched.
        self._window = b""
        self._base: Location | None = None
        self._incoming = bytearray()
        #: Whether the first lines of the text are still to be read.
        self._at_head = True
        #: The table that the text is, once its first line was read; where its first line to be read begins.
        self._table: Table | None = None
        self._rows_at = 0
        self._size = min(_FIRST_ROWS_BYTES if self._settles() else _FIRST_BYTES, detector.window_bytes)
        self._paths = Paths()
        self._runs = Runs(detector.need_right)
        self._joints = Joints(detector.need_right)
        #: Layers of encoding that the text stands in.
        self._depth = 0
        #: What the contexts of the window's values mask.
        self._candidates = detector.context.candidates(b"")

    def feed(self, segment: Segment) -> None:
        """Take the next piece of text. A segment that does not continue the one before begins a new text."""
        if self._base is None or not segment.continues:
            self._end_text()
            self._base = segment.start
        data = segment.data
        self._paths.add(segment)
        at = 0
        while at < len(data):
            piece = data[at : at + self._size - len(self._incoming)]
            at += len(piece)
            self._incoming += piece
            if len(self._incoming) >= self._size:
                if self._size == _FIRST_ROWS_BYTES and self._at_head and not self._may_be_table():
                    self._size = min(_FIRST_BYTES, self._detector.window_bytes)
                    continue
                self._search(is_end=False)
                self._size = min(2 * self._size, self._detector.window_bytes)

    def finish(self) -> tuple[RuleFindings, ...]:
        """What was found, in the ruleset's order. The text is taken to end here, also when its reading broke off."""
        self._end_text()
        return tuple(
            RuleFindings(
                rule_id=compiled.rule.id,
                severity=compiled.rule.severity_at(tally.count),
                confidence=tally.confidence,
                count=tally.count,
                occurrences=with_columns(tally.occurrences, compiled.rule.id, columns),
                allowed=tally.allowed,
                columns=columns,
            )
            for compiled, tally in zip(self._detector.rules, self._tallies, strict=True)
            if tally.confidence is not None
            for columns in [self._columns(tally)]
        )

    def _columns(self, tally: Tally) -> tuple[Column, ...]:
        return tuple(replace(column, name=self._detector.context.hide(column.name)) for column in tally.profiles)

    @property
    def allowed(self) -> int:
        """Occurrences of all rules that were not counted because an allow list allows them."""
        return sum(tally.allowed for tally in self._tallies)

    def _end_text(self) -> None:
        if self._base is not None:
            self._search(is_end=True)
            for compiled, tally in zip(self._detector.rules, self._tallies, strict=True):
                tally.end_text(self._table, compiled.best, compiled.rule.threshold or self._detector.threshold)
        self._window = b""
        self._base = None
        self._at_head = True
        self._table = None
        self._rows_at = 0
        self._paths.clear()
        self._runs.reset()
        self._joints.at = 0

    def _search(self, *, is_end: bool) -> None:
        self._window = text = b"".join((self._window, self._incoming))
        self._incoming.clear()
        if self._at_head:
            self._read_head(is_end=is_end)
            if self._at_head:
                return
        chosen = self._detector.filter_for(text)
        self._candidates = self._detector.context.candidates(text)
        seen = chosen.scan(text) if chosen is not None else None
        settled = self._read_rows(seen, is_end=is_end)
        blank = settled.text
        if chosen is not None and seen is not None:
            chosen.scan_celled(blank, seen)
            self._see_weak(chosen, seen, settled)
        for number, (compiled, tally) in enumerate(self._each()):
            if self._is_wanted(compiled):
                self._search_one(number, compiled, tally, seen, blank if compiled.rule.cells else text, is_end=is_end)
            else:
                tally.at = max(tally.at, self._decidable(compiled, is_end=is_end) + 1)
        self._search_encoded(is_end=is_end)
        if not is_end:
            self._drop_left()

    def _search_encoded(self, *, is_end: bool) -> None:
        """What stands in base 64, or in joined parts, is found as in the clear, at the place of the whole run."""
        if self._depth >= DEEPEST:
            return
        for search in (self._runs, self._joints):
            own = [run for run in search.find(self._window, is_end=is_end) if self._is_own(run.start)]
            if not own:
                continue
            found = self._look_inside(own)
            for tally, allowed in zip(self._tallies, found.allowed, strict=True):
                tally.allowed += allowed
            for inside in found.values:
                self._record_inside(inside)

    def _is_wanted(self, compiled: CompiledRule) -> bool:
        """Whether the rule's values are looked for."""
        return compiled.rule.enabled

    def _look_inside(self, runs: list[Run], *, is_for_owners: bool = False) -> Found:
        # That module is built on this one.
        from scanner_tasks.detect.inside import look_inside  # noqa: PLC0415

        return look_inside(
            self._detector,
            self._window,
            runs,
            depth=self._depth + 1,
            name=self._name,
            path_at=self._path,
            is_for_owners=is_for_owners,
        )

    def _record_inside(self, inside: Inside) -> None:
        """Counts a value that stands in an encoded run. Such occurrences are kept apart until the text ends."""
        tally = self._tallies[self._detector.number_of[inside.rule.rule.id]]
        some = tally.inside[bool(inside.run.joints)]
        some.add(1, inside.value.confidence)
        if not tally.is_full(some):
            self._keep(
                inside.rule,
                some,
                inside.value._replace(start=inside.run.start, end=inside.run.end),
                inside.clear,
            )

    def _is_own(self, _position: int) -> bool:
        """Whether what begins at a place of the window is this detection's to tell."""
        return True

    def _path(self, position: int) -> str:
        """The path within the object at a place of the window."""
        return self._paths.at(position)

    def _offset(self, position: int) -> int:
        """Where a place of the window stands in the text that was fed."""
        assert self._base is not None, "the window is not empty"
        return self._base.offset + position

    def _see_weak(self, chosen: Filter, seen: Seen, settled: Settled) -> None:
        """What is weak counts wherever the column's name vouches for it."""
        named = [
            (number, bool(compiled.rule.cells))
            for number, (compiled, tally) in enumerate(self._each())
            if tally.has_column and compiled.has_weak and seen.ends[number] is not None
        ]
        whole = chosen.whole_ends(settled.text, settled.weak) if any(is_celled for _, is_celled in named) else []
        for number, is_celled in named:
            # The others are searched without the filter: few have such a column, and all of them share a database.
            strong, weak = seen.ends[number], whole[number] if is_celled else None
            seen.ends[number] = None if strong is None or weak is None else sorted({*strong, *weak})

    def _each(self) -> zip[tuple[CompiledRule, Tally]]:
        return zip(self._detector.rules, self._tallies, strict=True)

    def _search_one(
        self, number: int, compiled: CompiledRule, tally: Tally, seen: Seen | None, text: bytes, *, is_end: bool
    ) -> None:
        """Searches the window for one rule's values, as the filter tells where they can be."""
        decidable = self._decidable(compiled, is_end=is_end)
        ends = seen.ends[number] if seen is not None else None
        words = seen.words[number] if seen is not None else None
        needs_word = compiled.rule.keyword_required and not tally.has_column
        if (ends is None and not (needs_word and words is not None)) or (compiled.has_weak and words is None):
            # Starts before `whole` have had their longest match inside the window; it lies at or after `decidable`.
            whole = len(text) + 1 if is_end else len(text) - compiled.width
            self._judge_all(compiled, tally, partial(compiled.find, text), whole, decidable)
            return
        ends = [] if needs_word and words is not None else ends or []
        looks_near = bool(words) and (compiled.has_weak or compiled.rule.keyword_required)
        begins: dict[int, int] = {}
        refused: frozenset[int] = frozenset()
        if compiled.plain is not None and ends:
            ends, begins, refused, missed = compiled.plain(text, ends, tally.at, decidable)
            self._count_missed(tally, missed)
        find = None
        if ends:
            find = NearEnds(compiled, text, ends, begins).find
        if looks_near and words:
            near = NearWords(compiled, text, words, is_ascii=seen is not None and seen.is_ascii)
            find = Nearest(NearEnds(compiled, text, ends, begins), near).find if ends else near.find
        if find is None:
            # Nothing begins that a keyword does not have to vouch for, or nothing at all.
            tally.at = max(tally.at, decidable + 1)
        elif looks_near:
            # A match that begins later may have a keyword in the next window: the search stands no further than here.
            self._judge_all(compiled, tally, find, decidable + 1, decidable, words, refused)
        else:
            whole = len(text) + 1 if is_end else len(text) - compiled.width
            self._judge_all(compiled, tally, find, whole, decidable, words, refused)

    def _read_head(self, *, is_end: bool) -> None:
        """Reads the text's first lines once they are in the window. Nothing is judged earlier."""
        text = self._window
        if not is_end and len(text) <= LINE_BYTES:
            return
        self._at_head = False
        whole = len(text) if len(text) <= LINE_BYTES else text.rfind(b"\n", 0, LINE_BYTES) + 1
        self._take_head(text[:whole])

    def _may_be_table(self) -> bool:
        """Whether the first line in the buffer has columns: a guess that only saves time."""
        line = bytes(self._incoming[:LINE_BYTES]).partition(b"\n")[0]
        return bool(Table.of_line(line).width)

    def _take_head(self, head: bytes) -> None:
        """What the text's first lines say of its columns."""
        found = find_header(head)
        line, newline, _ = head.partition(b"\n")
        if found is not None:
            header, self._rows_at = found
            for compiled, tally in self._each():
                tally.columns = compiled.columns(header)
            if header.delimiter:
                self._table = Table(header.delimiter, len(header.names), names=header.names)
        elif newline:
            self._table = Table.of_line(line)

    def _decidable(self, compiled: CompiledRule, *, is_end: bool) -> int:
        """Starts up to here have all that a decision reads inside the window."""
        size = len(self._window)
        width = self._detector.widest if compiled.rule.yields else compiled.width
        return size if is_end else size - width - self._detector.need_right

    def _read_rows(self, seen: Seen | None, *, is_end: bool) -> Settled:
        """Counts the rows that are decided, and settles their sound cells."""
        text, table = self._window, self._table
        if table is None or not table.is_open:
            return Settled(text)
        end = self._rows_end(is_end=is_end)
        if end <= self._rows_at:
            return Settled(text)
        grid = table.read(text, self._rows_at, end)
        self._rows_at = end
        if grid is None or seen is None or not self._settles():
            return Settled(text)
        rules = [
            Celled(compiled, tally, words)
            for compiled, tally, words in zip(self._detector.rules, self._tallies, seen.words, strict=True)
            if compiled.rule.cells and self._may_settle(compiled)
        ]
        return settle(grid, text, rules, is_json=table.is_json)

    def _rows_end(self, *, is_end: bool) -> int:
        """Where the rows end that are decided; a row that takes too long ends the table."""
        end = len(self._window)
        if is_end:
            return end
        decided = min((self._decidable(some, is_end=False) for some in self._detector.celled), default=end)
        end = self._window.rfind(b"\n", 0, max(decided, 0)) + 1
        if self._table is not None and end <= self._rows_at and decided - self._rows_at > LONGEST_LINE:
            self._table.close()
        return end

    def _settles(self) -> bool:
        """Whether values may be counted without being told one by one."""
        return True

    def _may_settle(self, compiled: CompiledRule) -> bool:
        """Whether a sound value in a cell of its own is counted whatever else its place holds."""
        is_plain = compiled.screen is None and compiled.gate is None
        return is_plain and compiled.rule.enabled and not compiled.rule.keyword_required and self._tells(compiled)

    def _tells(self, compiled: CompiledRule) -> bool:
        """Whether a value of the rule is told without a keyword."""
        return RANK[compiled.rule.confidence] >= self._weakest(compiled)

    def _weakest(self, compiled: CompiledRule) -> int:
        """Rank of the least confidence that is reported."""
        return RANK[compiled.rule.threshold or self._detector.threshold]

    def _judge_all(  # noqa: C901, PLR0917 (one decision for each match, read from top to bottom)
        self,
        compiled: CompiledRule,
        tally: Tally,
        find: Callable[[int, int], Spans | None],
        whole: int,
        decidable: int,
        words: list[int] | None = None,
        refused: frozenset[int] = frozenset(),
    ) -> None:
        """Judges match after match, from where the rule's search stands; not those that begin at ``refused``."""
        text, at = self._window, tally.at
        weakest = self._weakest(compiled)
        needs_all = not self._tells(compiled)
        table = self._table if self._table is not None and self._table.width else None
        place: Place = NOWHERE
        while True:
            match = find(at, whole)
            while match is not None and match[0][0] in refused:
                match = find(match[0][0] + 1, whole)
            start = whole if match is None else match[0][0]
            if match is None or start > decidable:
                # Between `decidable` and here nothing begins but, at most, this match: stand at it.
                tally.at = max(at, min(start, whole))
                return
            found = tally.sure
            if compiled.misses is not None:
                place, found = self._doubt(compiled, tally, match)
            # With the best confidence, no keyword is looked for; but where there are no columns it protects a value.
            is_best = compiled.best in {found.confidence, tally.confidence}
            so_far = (
                compiled.best if is_best and not needs_all and (compiled.misses is None or place != NOWHERE) else None
            )
            value = compiled.judge(text, match, so_far, tally.columns, words)
            if value is None:
                # Go on one byte later: a false match never hides a true one that overlaps it.
                at = start + 1
                continue
            at = max(value.end, start + 1)
            if compiled.rule.yields and self._is_owned(value):
                continue
            if RANK[value.confidence] < weakest or not self._passes(compiled.gate, tally, match, value):
                continue
            if value.is_vouched and place == NOWHERE:
                found = tally.sure
            if not tally.is_full(found):
                # It is kept: its evidence is told.
                value = compiled.judge(text, match, None, tally.columns, words, tell=True) or value
            if table is not None:
                tally.by_column[place if compiled.misses is not None else table.column(text, value.start)] += 1
            self._record(compiled, tally, found, value)

    def _doubt(self, compiled: CompiledRule, tally: Tally, match: Spans) -> tuple[Place, Sum]:
        """The column of a match whose rule's values pass by chance, and the sum it would belong to; counts a miss."""
        start, end, _ = compiled.span(match)
        place = NOWHERE if self._table is None else self._table.column(self._window, start)
        if compiled.misses is not None and compiled.misses(self._window[start:end]):
            tally.sum_of(place, is_sure=False).missed += 1
        is_sure = tally.is_vouched(compiled, place) or self._is_labelled(compiled, start)
        return place, tally.sum_of(place, is_sure=is_sure)

    def _count_missed(self, tally: Tally, begins: list[int]) -> None:
        """Counts misses of matches that begin here, whose values begin one byte later."""
        table = self._table
        for begin in begins:
            place = NOWHERE if table is None else table.column(self._window, begin + 1)
            tally.sum_of(place, is_sure=False).missed += 1

    def _is_labelled(self, compiled: CompiledRule, start: int) -> bool:
        """Whether a keyword stands before a value in its own cell: a log line with commas is no table of numbers."""
        table = self._table
        if table is None or not table.width or table.is_json:
            return False
        before = compiled.label_before(self._window, start)
        label = before.rpartition(b"\n")[2].rpartition(table.delimiter)[2]
        return compiled.vouches(label)

    def _is_owned(self, value: Value) -> bool:
        """Whether a rule that does not yield takes what overlaps this one for a value.

        Whether that is told (the rule is on, threshold, allow lists) does not matter: so no change of it changes what
        other rules find (core/rule_changes.py).
        """
        detector, text = self._detector, self._window
        for number in detector.owners(text, value.start, value.end):
            compiled, tally = detector.rules[number], self._tallies[number]
            first = max(0, value.start - compiled.width)
            region = text[first : value.end + compiled.width + 1]
            at = 0
            while (match := compiled.find(region, at, value.end - first)) and match[0][0] < value.end - first:
                spans = [(start + first, end + first) if start >= 0 else (start, end) for start, end in match]
                found = compiled.judge(text, spans, None, tally.columns) if spans[0][1] > value.start else None
                if found is not None and found.end > value.start and found.start < value.end:
                    return True
                at = match[0][0] + 1
        return self._is_encoded(value)

    def _is_encoded(self, value: Value) -> bool:
        """Whether a value says in base 64 what a rule that does not yield takes for a value."""
        if self._depth >= DEEPEST or value.end - value.start > _MOST_YIELDED:
            return False
        run = run_at(self._window, value.start, _MOST_YIELDED)
        if run is None:
            return False
        return any(not each.rule.rule.yields for each in self._look_inside([run], is_for_owners=True).values)

    def _passes(self, gate: Gate | None, tally: Tally, match: Spans, value: Value) -> bool:
        """Whether the value counts; an allowed one is counted apart."""
        if value.is_test and not self._detector.test_values:
            return False
        if gate is None:
            return True
        path = self._path(value.start)
        if not gate.concerns(self._name, path):
            return False
        names = (self._name, path)
        if gate.allowed_by(self._window, match[0], value.start, value.end, self._detector.marks, names):
            tally.allowed += 1
            return False
        return True

    def _record(self, compiled: CompiledRule, tally: Tally, found: Sum, value: Value) -> None:
        found.add(1, value.confidence)
        if not tally.is_full(found):
            self._keep(compiled, found, value, self._window[value.start : value.end])

    def _keep(self, compiled: CompiledRule, found: Sum, value: Value, clear: bytes) -> None:
        """Keeps an occurrence; ``clear`` is what was found at the value's place."""
        detector = self._detector
        masked = detector.context.hide(mask(clear.decode("utf-8", "replace"), compiled.rule.mask))
        found.occurrences.append(
            Occurrence(
                masked=masked,
                context=detector.context.around(self._window, value.start, value.end, masked, self._candidates),
                location=replace(self._location(value.start), path=detector.context.hide_path(self._path(value.start))),
                fingerprint=detector.fingerprinter.fingerprint(compiled.normalise(clear)),
                evidence=(*value.evidence, *told_of(compiled.rule.id, clear), f"confidence {value.confidence}"),
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
        cut = min((tally.at for tally in self._tallies), default=len(text))
        cut = min(cut, self._runs.at, self._joints.at) - self._detector.keep_left
        if self._table is not None and self._table.is_open:
            cut = min(cut, self._rows_at)
        if cut <= 0:
            return
        while cut and text[cut] & 0xC0 == 0x80:  # noqa: PLR2004  # UTF-8 continuation byte
            cut -= 1
        self._base = self._location(cut)
        self._window = text[cut:]
        self._paths.drop(cut)
        self._rows_at -= cut
        self._runs.at -= cut
        self._joints.at -= cut
        for tally in self._tallies:
            tally.at -= cut


class FindAll(Detection):
    """Hands out every value, with its place in bytes, and keeps no occurrence."""

    def __init__(self, detector: Detector, name: str = "", *, tell: bool = False) -> None:
        self._told = sys.maxsize if tell else 0
        super().__init__(detector, name)
        self.values: list[tuple[Rule, Value]] = []
        #: Values that their column may speak against.
        self._doubtful: list[tuple[Rule, Value, Sum]] = []
        #: Rules and the starts of runs that hold a value of theirs.
        self._encoded: set[tuple[str, int]] = set()

    def _end_text(self) -> None:
        super()._end_text()
        for rule, value, found in self._doubtful:
            if not found.is_chance:
                self.values.append((rule, value))
            elif (rule.threshold or self._detector.threshold) is Confidence.LOW:
                self.values.append((rule, value._replace(confidence=Confidence.LOW)))
        self._doubtful.clear()

    def _record(self, compiled: CompiledRule, tally: Tally, found: Sum, value: Value) -> None:
        found.add(1, value.confidence)
        assert self._base is not None, "the window is not empty"
        start = self._base.offset
        value = value._replace(start=start + value.start, end=start + value.end)
        if found is tally.sure:
            self.values.append((compiled.rule, value))
        else:
            self._doubtful.append((compiled.rule, value, found))

    def _record_inside(self, inside: Inside) -> None:
        """Several values of a rule in one run are one here: their place is the same."""
        rule, run = inside.rule.rule, inside.run
        start, end = self._offset(run.start), self._offset(run.end)
        if (rule.id, start) not in self._encoded:
            self._encoded.add((rule.id, start))
            self.values.append((rule, inside.value._replace(start=start, end=end, clear=inside.clear)))

    def _settles(self) -> bool:
        return False

    def _kept(self) -> int:
        return self._told

"""Segments in, findings out: exact counts, the same wherever the text is cut, in memory that does not grow with it.

Text is searched in windows of about a megabyte. For each rule the engine remembers where its search stands. A match is
decided only when so much text lies to its right that more of it could not change the decision, or when the text ends;
until then it waits, and so much text to its left is kept that the decision can read all it may. So:

    text     …4111 1111 11|11 1111…      the window ends inside a card
    window 1 nothing is decided after the point where a match could still grow; the search stands there
    window 2 begins early enough that the card, its keyword and its context are whole: one finding
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.model import Confidence, Location, Occurrence, RuleFindings, Segment
from scanner_tasks.core.redact import Fingerprinter, mask
from scanner_tasks.detect.compiled import RANK, CompiledRule, Value
from scanner_tasks.detect.context import Context
from scanner_tasks.detect.keywords import chars
from scanner_tasks.detect.paths import Paths

if TYPE_CHECKING:
    from scanner_tasks.detect.ruleset import Ruleset

#: Text searched at a time: small enough for the processor's cache, large enough to make its overlap cheap.
WINDOW_BYTES: Final = 1024 * 1024


class Detector:
    """A ruleset made ready to run. Immutable: one serves every thread.

    Args:
        ruleset: The rules.
        fingerprinter: Makes the keyed fingerprints.
        occurrences_kept: How many places of each finding are kept; the count is exact all the same.
        window_bytes: Text searched at a time; never changes what is found.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        fingerprinter: Fingerprinter,
        occurrences_kept: int = 10,
        *,
        window_bytes: int = WINDOW_BYTES,
    ) -> None:
        self.ruleset = ruleset
        self.rules = tuple(CompiledRule(rule) for rule in ruleset.rules)
        self.context = Context(self.rules)
        self.fingerprinter = fingerprinter
        self.occurrences_kept = occurrences_kept
        self.window_bytes = window_bytes
        #: Bytes kept before the place where a search stands / needed after a match before it is decided. One more
        #: byte on the left, so that ``^`` never stands at a cut; each rule's width covers what its match adds.
        widest = max((rule.width for rule in self.rules), default=0)
        self.keep_left = max([self.context.reach, *(rule.reach_left for rule in self.rules)]) + widest + 1
        self.need_right = max([self.context.reach, *(rule.reach_right for rule in self.rules)]) + 1

    def begin(self) -> Detection:
        """Detection in one object."""
        return Detection(self)


class _Tally:
    """What one rule has found so far, and where its search stands in the window."""

    __slots__ = ("at", "confidence", "count", "occurrences")

    def __init__(self) -> None:
        self.at = 0
        self.count = 0
        self.confidence: Confidence | None = None
        self.occurrences: list[Occurrence] = []


class Detection:
    """Detection in one object: feed its segments in order, then finish. For one thread."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._tallies = [_Tally() for _ in detector.rules]
        #: The window, where its first byte stands, and what has come in since it was last searched.
        self._window = b""
        self._base: Location | None = None
        self._incoming = bytearray()
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
                severity=compiled.rule.severity,
                confidence=tally.confidence,
                count=tally.count,
                occurrences=tuple(tally.occurrences),
            )
            for compiled, tally in zip(self._detector.rules, self._tallies, strict=True)
            if tally.confidence is not None
        )

    def _end_text(self) -> None:
        if self._base is not None:
            self._search(is_end=True)
        self._window = b""
        self._base = None
        self._paths.clear()
        for tally in self._tallies:
            tally.at = 0

    def _search(self, *, is_end: bool) -> None:
        self._window = b"".join((self._window, self._incoming))
        self._incoming.clear()
        for compiled, tally in zip(self._detector.rules, self._tallies, strict=True):
            self._search_rule(compiled, tally, is_end=is_end)
        if not is_end:
            self._drop_left()

    def _search_rule(self, compiled: CompiledRule, tally: _Tally, *, is_end: bool) -> None:
        text = self._window
        # Starts before `whole` have had their longest match inside the window; starts up to `decidable` also have all
        # that a decision reads. `whole` lies at or after `decidable`.
        whole = len(text) + 1 if is_end else len(text) - compiled.width
        decidable = len(text) if is_end else len(text) - compiled.width - self._detector.need_right
        at = tally.at
        while True:
            match = compiled.find(text, at, whole)
            start = whole if match is None else match[0][0]
            if match is None or start > decidable:
                # Between `decidable` and here nothing begins but, at most, this match: stand at it.
                tally.at = max(at, min(start, whole))
                return
            value = compiled.judge(text, match, tally.confidence)
            if value is None:
                # Go on one byte later: a false match never hides a true one that overlaps it.
                at = start + 1
            else:
                at = max(value.end, start + 1)
                self._record(compiled, tally, value)

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
            )
        )

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

"""A rule made ready to run, and the decision whether a match of it is a value."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner_tasks.core.model import Confidence
from scanner_tasks.detect.gate import make_gate, make_screen
from scanner_tasks.detect.keywords import (
    Keywords,
    Labels,
    chars,
    labels_next,
    last_chars,
    not_ascii,
    speaks_of_another,
)
from scanner_tasks.detect.normalisers import NORMALISERS
from scanner_tasks.detect.plain import PLAIN
from scanner_tasks.detect.regex import CappedRegex, Regex
from scanner_tasks.detect.table import LINE_BYTES
from scanner_tasks.detect.test_values import is_test_value, may_be_test_value
from scanner_tasks.detect.validators import MISSES, NEIGHBOURHOOD, VALIDATORS
from scanner_tasks.detect.width import max_width, min_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner_tasks.detect.header import Header
    from scanner_tasks.detect.ruleset import Rule

    Spans = Sequence[tuple[int, int]]

_UTF8_MAX: Final = 4
#: Characters before a value in which a label speaks against it.
_LABEL_CHARS: Final = 40
#: Room for a keyword beyond its distance, so that it is read whole.
_KEYWORD_CHARS: Final = 40
#: A label never ends with one of these.
_UNLABELLED: Final = frozenset((b"\n", b",", b";", b"|"))
RANK: Final = {Confidence.LOW: 0, Confidence.MEDIUM: 1, Confidence.HIGH: 2}


class Value(NamedTuple):
    """An accepted value: bytes start to end of the text it was found in."""

    start: int
    end: int
    confidence: Confidence
    #: The parts of the score, where they were asked for.
    evidence: tuple[str, ...] = ()
    #: A value published as an example.
    is_test: bool = False
    #: Whether a keyword vouches for it, as far as one was looked for.
    is_vouched: bool = False
    #: What was found, where that stands encoded at its place.
    clear: bytes = b""


class CompiledRule:
    """A rule with its pattern, words and functions. Immutable: threads share it."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.width = max_width(rule.pattern)
        #: Fewest bytes of a match.
        self.shortest: Final = max(1, min_width(rule.pattern))
        is_great = CappedRegex.suits(rule.pattern)
        self.regex = CappedRegex(rule.pattern, width=self.width) if is_great else Regex(rule.pattern)
        self.normalise = NORMALISERS[rule.normaliser]
        self._literal = rule.literal.encode()
        self._value_groups = tuple(number for name, number in self.regex.groups.items() if name != "weak")
        self._weak_group = self.regex.groups.get("weak", -1)
        self._keywords = Keywords(rule.keywords) if rule.keywords else None
        self._labels = Labels(rule.against) if rule.against else None
        #: Further conditions, of which only users' rules have any.
        self.screen = make_screen(rule)
        self.gate = make_gate(rule, self.normalise)
        #: Whether what its group ``weak`` matches needs a keyword.
        self.has_weak: Final = self._weak_group >= 0
        self._validate = VALIDATORS[rule.validator] if rule.validator else None
        #: Tells a candidate that only its check digit speaks against; None where passing by chance is no matter.
        self.misses: Final = MISSES.get(rule.validator)
        #: Tells many candidates at once that are surely no values; None where there is no such way.
        self.plain: Final = PLAIN.get(rule.cells) if rule.cells == rule.validator else None
        self.best: Final = max(rule.confidence, rule.keyword_confidence or rule.confidence, key=RANK.__getitem__)
        #: Patterns that end where keywords end, or at most two bytes later, and at some other words.
        self.word_shapes = self._keywords.shapes if self._keywords is not None else []
        #: Bytes: a keyword that ends this much before a value's start, or after its end, may vouch for it.
        self._before: Final = _UTF8_MAX * max(rule.proximity + _KEYWORD_CHARS, _LABEL_CHARS)
        self.after: Final = _UTF8_MAX * (rule.proximity_after + _KEYWORD_CHARS) if rule.proximity_after else 0
        #: Bytes before and after a match that its judgement may read.
        screened = max(self.screen.reach if self.screen else 0, self.gate.reach if self.gate else 0)
        header = LINE_BYTES if self._keywords or self._labels else 0
        self.reach_left = max(NEIGHBOURHOOD, self._before, header, screened)
        self.reach_right = max(NEIGHBOURHOOD, self.after, screened)

    def reach_of(self, text: bytes, word: int, *, is_ascii: bool = False) -> tuple[int, int]:
        """Where a value must stand for a keyword that ends at ``word`` to vouch: no earlier, no later than this.

        ``is_ascii`` if all of the text is known to be.
        """
        after, before = self.after, self._before
        if is_ascii:
            return word - after // _UTF8_MAX, word + before // _UTF8_MAX
        left, right = text[max(0, word - after) : word], text[word : word + before]
        # Each byte of ASCII is a character; what else stands there counts for none, so that it never counts too much.
        return word - after // _UTF8_MAX - not_ascii(left), word + before // _UTF8_MAX + not_ascii(right)

    def columns(self, header: Header) -> Columns | None:
        """The columns of a table that mean something to this rule; None where none does."""
        votes = header.votes(self._keywords, self._labels)
        return Columns(header, votes) if votes else None

    def find(self, text: bytes, start: int, end: int) -> Spans | None:
        """The first match that begins at ``start`` or later; None also if none begins before ``end``."""
        search = self.regex.search
        if not self._literal:
            return search(text, start)
        while (at := text.find(self._literal, start)) >= 0 and at - self.width < end:
            # Every match holds the literal, so the first one begins at most a width before it. One that begins after
            # it belongs to the next literal: its end may be cut off here.
            found = search(text, max(start, at - self.width), min(len(text), at + self.width + 1))
            if found is not None and found[0][0] <= at:
                return found
            start = at + 1
        return None

    def span(self, match: Spans) -> tuple[int, int, bool]:
        """Where the value of a match begins and ends, and whether it is weak."""
        for group in self._value_groups:
            start, end = match[group]
            if 0 <= start < end:
                return (start, end, False)
        if self._weak_group >= 0 and match[self._weak_group][0] >= 0:
            return (*match[self._weak_group], True)
        return (*match[0], False)

    def judge(  # noqa: C901, PLR0912 (one decision, read from top to bottom)
        self,
        text: bytes,
        match: Spans,
        so_far: Confidence | None,
        columns: Columns | None = None,
        words: list[int] | None = None,
        *,
        tell: bool = False,
        why: list[str] | None = None,
    ) -> Value | None:
        """The value of the match if everything speaks for it. Reads no further than the rule's reach.

        A keyword that would only raise the confidence is not looked for when ``so_far`` is as high already; with
        ``tell`` it is, and the value carries its evidence. ``words`` tells where keywords may end in the text, if that
        is known. ``why``, if given, is told what spoke against a match that is no value: ``validator``, ``label``,
        ``column``, ``keyword``, or a sentence of the rule's screen.
        """
        start, end, weak = self.span(match)
        shaped_weak, is_columnar = weak, False
        if self._validate is not None:
            left = text[start - NEIGHBOURHOOD if start > NEIGHBOURHOOD else 0 : start]
            accepted = self._validate(text[start:end], left, text[end : end + NEIGHBOURHOOD])
            if accepted is None:
                _say(why, "validator")
                return None
            end = start + accepted.length
            weak, is_columnar = weak or accepted.weak, accepted.columnar
        rule = self.rule
        before = text[max(0, start - self._before) : start]
        # What stands directly after a delimiter has no label: most cells of tables.
        if (
            self._labels is not None
            and before[-1:] not in _UNLABELLED
            and self._labels.end_with(before[-_LABEL_CHARS:])
        ):
            _say(why, "label")
            return None
        said = columns.said(text, start, end) if columns is not None else None
        if said == "" or (is_columnar and not said):
            _say(why, "column" if said == "" else "validator")
            return None
        if columns is not None:
            # In a table with such a column, no word of another row speaks for a value.
            before = before[before.rfind(b"\n") + 1 :]
        confidence = rule.confidence
        vouched = ""
        if self._keywords is not None and (tell or weak or rule.keyword_required or so_far is not self.best):
            if said:
                vouched = f"column header {said}"
            elif words is None or self._is_near(words, start, end):
                vouched = self._keyword(self._keywords, before, text, end, weak=weak)
            if vouched:
                confidence = rule.keyword_confidence or confidence
                if weak and not shaped_weak and confidence is Confidence.HIGH:
                    confidence = Confidence.MEDIUM
            elif weak or rule.keyword_required:
                _say(why, "keyword")
                return None
        if self.screen is not None and (refusal := self.screen.refusal(text, match[0], start, end)):
            _say(why, refusal)
            return None
        value = text[start:end]
        is_test = may_be_test_value(value) and is_test_value(self.normalise(value))
        evidence: tuple[str, ...] = ()
        if tell:
            evidence = self._evidence(shaped_weak=shaped_weak, doubted=weak and not shaped_weak, vouched=vouched)
            if is_test:
                evidence = (*evidence, "published test value")
        return Value(start, end, confidence, evidence, is_test, bool(vouched))

    def _is_near(self, words: list[int], start: int, end: int) -> bool:
        """Whether any keyword ends so near to a value that it may be read."""
        index = bisect_left(words, start - self._before)
        return index < len(words) and words[index] <= end + self.after

    def label_ends(self, lines: bytes) -> bool:
        """Whether a label that speaks against a value ends any of the lines."""
        return self._labels is not None and self._labels.end_any(lines)

    def labelled_against(self, label: bytes) -> bool:
        """Whether this, directly before a value, speaks against it."""
        return self._labels is not None and self._labels.end_with(label)

    def label_before(self, text: bytes, start: int) -> bytes:
        """As much of the text before a value as may hold its keyword."""
        return text[max(0, start - self._before) : start]

    def vouches(self, label: bytes) -> bool:
        """Whether a value directly behind this label has a keyword."""
        if self._keywords is None:
            return False
        _, last = self._keywords.last(label)
        return last >= 0 and chars(label[last:]) <= self.rule.proximity

    def _evidence(self, *, shaped_weak: bool, doubted: bool, vouched: str) -> tuple[str, ...]:
        """What made the score, in order: pattern, validator, doubts, keyword, and why not higher."""
        rule = self.rule
        told = ["weak pattern" if shaped_weak else "pattern"]
        if rule.validator:
            told.append(f"validator {rule.validator}")
        if doubted:
            told.append("doubtful neighbours, range or check digits")
        if vouched:
            told.append(vouched)
        elif self._keywords is not None:
            told.append(f"no keyword within {rule.proximity}")
        return tuple(told)

    def _keyword(self, keywords: Keywords, before: bytes, text: bytes, end: int, *, weak: bool) -> str:
        """The keyword that vouches for a value, and how far it stands from it; empty without one."""
        rule = self.rule
        near = last_chars(before, rule.proximity + _KEYWORD_CHARS)
        first, last = keywords.last(near)
        if last >= 0 and (tag := near.rfind(b"</", 0, first)) >= 0 and b">" not in near[tag:first]:
            # The end of an element says nothing of what follows.
            first, last = keywords.last(near[:tag])
        if last >= 0:
            between = near[last:]
            distance = chars(between)
            if distance <= rule.proximity and not (weak and speaks_of_another(between)):
                return f"keyword {keywords.name(near[first:last])}, {distance} before"
        if not rule.proximity_after:
            return ""
        after = text[end : end + self.after].partition(b"\n")[0]
        first, last = keywords.first(after)
        if first >= 0 and (distance := chars(after[:first])) <= rule.proximity_after and not labels_next(after[last:]):
            return f"keyword {keywords.name(after[first:last])}, {distance} after"
        return ""


def _say(why: list[str] | None, reason: str) -> None:
    if why is not None:
        why.append(reason)


class Columns:
    """What the header of a table says to one rule about each of its columns."""

    __slots__ = ("_header", "_votes", "favours")

    def __init__(self, header: Header, votes: dict[int, str]) -> None:
        self._header = header
        self._votes = votes
        #: Whether any column speaks for the rule.
        self.favours = any(votes.values())

    def of(self, column: int) -> str | None:
        """The same as ``said``, of a column."""
        return self._votes.get(column)

    def said(self, text: bytes, start: int, end: int) -> str | None:
        """The keyword in the name of the value's column; empty if the name speaks against it, None for neither."""
        return self._votes.get(self._header.column(text, start, end))

"""A rule made ready to run, and the decision whether a match of it is a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from scanner_tasks.core.model import Confidence
from scanner_tasks.detect.keywords import Keywords, Labels, chars, last_chars, speaks_of_another
from scanner_tasks.detect.normalisers import NORMALISERS
from scanner_tasks.detect.regex import Regex
from scanner_tasks.detect.validators import NEIGHBOURHOOD, VALIDATORS
from scanner_tasks.detect.width import max_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner_tasks.detect.ruleset import Rule

    Spans = Sequence[tuple[int, int]]

_UTF8_MAX: Final = 4
#: Characters before a value in which a label speaks against it.
_LABEL_CHARS: Final = 40
#: Room for a keyword beyond its distance, so that it is read whole.
_KEYWORD_CHARS: Final = 40
RANK: Final = {Confidence.LOW: 0, Confidence.MEDIUM: 1, Confidence.HIGH: 2}


class Value(NamedTuple):
    """An accepted value: bytes start to end of the text it was found in."""

    start: int
    end: int
    confidence: Confidence


class CompiledRule:
    """A rule with its pattern, words and functions. Immutable: threads share it."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.regex = Regex(rule.pattern)
        self.width = max_width(rule.pattern)
        self.normalise = NORMALISERS[rule.normaliser]
        self._literal = rule.literal.encode()
        self._value_group = self.regex.groups.get("value", -1)
        self._weak_group = self.regex.groups.get("weak", -1)
        self._keywords = Keywords(rule.keywords) if rule.keywords else None
        self._labels = Labels(rule.against) if rule.against else None
        self._validate = VALIDATORS[rule.validator] if rule.validator else None
        self._best = max(rule.confidence, rule.keyword_confidence or rule.confidence, key=RANK.__getitem__)
        self._before = _UTF8_MAX * max(rule.proximity + _KEYWORD_CHARS, _LABEL_CHARS)
        self._after = _UTF8_MAX * (rule.proximity_after + _KEYWORD_CHARS)
        #: Bytes before and after a match that its judgement may read.
        self.reach_left = max(NEIGHBOURHOOD, self._before)
        self.reach_right = max(NEIGHBOURHOOD, self._after)

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
        if self._value_group >= 0 and match[self._value_group][0] >= 0:
            return (*match[self._value_group], False)
        if self._weak_group >= 0 and match[self._weak_group][0] >= 0:
            return (*match[self._weak_group], True)
        return (*match[0], False)

    def judge(self, text: bytes, match: Spans, so_far: Confidence | None) -> Value | None:
        """The value of the match if everything speaks for it. Reads no further than the rule's reach.

        A keyword that would only raise the confidence is not looked for when ``so_far`` is as high already.
        """
        start, end, weak = self.span(match)
        if self._validate is not None:
            left = text[start - NEIGHBOURHOOD if start > NEIGHBOURHOOD else 0 : start]
            accepted = self._validate(text[start:end], left, text[end : end + NEIGHBOURHOOD])
            if accepted is None:
                return None
            end = start + accepted.length
            weak = weak or accepted.weak
        rule = self.rule
        before = text[max(0, start - self._before) : start]
        if self._labels is not None and self._labels.end_with(before[-_LABEL_CHARS:]):
            return None
        confidence = rule.confidence
        if self._keywords is not None and (weak or rule.keyword_required or so_far is not self._best):
            if self._has_keyword(self._keywords, before, text, end, weak=weak):
                confidence = rule.keyword_confidence or confidence
            elif weak or rule.keyword_required:
                return None
        return Value(start, end, confidence)

    def _has_keyword(self, keywords: Keywords, before: bytes, text: bytes, end: int, *, weak: bool) -> bool:
        rule = self.rule
        near = last_chars(before, rule.proximity + _KEYWORD_CHARS)
        last = keywords.last_end(near)
        if last >= 0:
            between = near[last:]
            if chars(between) <= rule.proximity and not (weak and speaks_of_another(between)):
                return True
        if not rule.proximity_after:
            return False
        after = text[end : end + self._after].partition(b"\n")[0]
        first = keywords.first_start(after)
        return first >= 0 and chars(after[:first]) <= rule.proximity_after

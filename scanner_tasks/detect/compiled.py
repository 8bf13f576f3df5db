"""A rule made ready to run, and the decision whether a match of it is a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from scanner_tasks.core.model import Confidence
from scanner_tasks.detect.keywords import Keywords, Labels, speaks_of_another
from scanner_tasks.detect.normalisers import NORMALISERS
from scanner_tasks.detect.ruleset import Rule, compile_pattern
from scanner_tasks.detect.validators import NEIGHBOURHOOD, VALIDATORS, Accepted
from scanner_tasks.detect.width import max_width

if TYPE_CHECKING:
    import re2

_UTF8_MAX: Final = 4
#: Characters before a value in which a label speaks against it.
_LABEL_CHARS: Final = 40
#: A keyword may begin this many characters before its distance is used up, and still be read whole.
_KEYWORD_CHARS: Final = 40


class Value(NamedTuple):
    """An accepted value: bytes start to end of the text it was found in."""

    start: int
    end: int
    confidence: Confidence


class CompiledRule:
    """A rule with its pattern, words and functions. Immutable: threads share it."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.regex: re2._Regexp = compile_pattern(rule.pattern)
        self.width = max_width(rule.pattern)
        self.literal = rule.literal.encode()
        groups = {name.decode() if isinstance(name, bytes) else name: no for name, no in self.regex.groupindex.items()}
        self._value_group = groups.get("value", 0)
        self._weak_group = groups.get("weak", 0)
        self._keywords = Keywords(rule.keywords) if rule.keywords else None
        self._labels = Labels(rule.against) if rule.against else None
        self._validate = VALIDATORS[rule.validator] if rule.validator else None
        self.normalise = NORMALISERS[rule.normaliser]
        #: Bytes before and after a match that its judgement may read.
        self.reach_left = max(NEIGHBOURHOOD, _UTF8_MAX * max(rule.proximity + _KEYWORD_CHARS, _LABEL_CHARS))
        self.reach_right = max(NEIGHBOURHOOD, _UTF8_MAX * (rule.proximity_after + _KEYWORD_CHARS))

    def find(self, text: bytes, start: int, end: int) -> re2._Match | None:
        """The first match that begins at ``start`` or later and before ``end``."""
        search = self.regex.search
        if not self.literal:
            return search(text, start)
        while (at := text.find(self.literal, start)) >= 0 and at - self.width < end:
            # Every match holds the literal, so the first one begins at most a width before it. One that begins after
            # it belongs to the next literal: its end may be cut off here.
            found = search(text, max(start, at - self.width), min(len(text), at + self.width + 1))
            if found is not None and found.start() <= at:
                return found
            start = at + 1
        return None

    def span(self, match: re2._Match) -> tuple[int, int, bool]:
        """Where the value of a match begins and ends, and whether it is weak."""
        start, end = match.span(self._value_group)
        if start >= 0 and not (self._value_group == 0 and self._weak_group):
            return start, end, False
        weak_start, weak_end = match.span(self._weak_group)
        return (weak_start, weak_end, True) if weak_start >= 0 else (*match.span(), False)

    def judge(self, text: bytes, match: re2._Match) -> Value | None:
        """The value of the match if everything speaks for it. Reads no further than the rule's reach."""
        start, end, weak = self.span(match)
        if self._validate is not None:
            accepted: Accepted | None = self._validate(
                text[start:end], text[max(0, start - NEIGHBOURHOOD) : start], text[end : end + NEIGHBOURHOOD]
            )
            if accepted is None:
                return None
            end = start + accepted.length
            weak = weak or accepted.weak
        rule = self.rule
        confidence = rule.confidence
        if self._keywords is None and self._labels is None:
            return Value(start, end, confidence)
        before = text[max(0, start - self.reach_left) : start].decode("utf-8", "ignore")
        if self._labels is not None and self._labels.end_with(before[-_LABEL_CHARS:]):
            return None
        if self._keywords is not None:
            if self._has_keyword(self._keywords, before, text, end, weak=weak):
                confidence = rule.keyword_confidence or confidence
            elif weak or rule.keyword_required:
                return None
        return Value(start, end, confidence)

    def _has_keyword(self, keywords: Keywords, before: str, text: bytes, end: int, *, weak: bool) -> bool:
        rule = self.rule
        near = before[-(rule.proximity + _KEYWORD_CHARS) :]
        last = keywords.last_end(near)
        if last >= len(near) - rule.proximity and last >= 0 and not (weak and speaks_of_another(near[last:])):
            return True
        if not rule.proximity_after:
            return False
        after = text[end : end + _UTF8_MAX * (rule.proximity_after + _KEYWORD_CHARS)].decode("utf-8", "ignore")
        after = after.partition("\n")[0]
        first = keywords.first_start(after)
        return 0 <= first <= rule.proximity_after

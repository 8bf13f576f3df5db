"""An occurrence explained: which pattern, which checks, which keyword how far away, and why not higher.

The evidence is what the engine kept when it found the value (``CompiledRule.judge``); the rule, as it is now, says what
the words mean. What the engine says and this does not know is repeated as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.model import Confidence
from scanner_tasks.detect.validators import VALIDATORS, described

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner_tasks.detect.ruleset import Rule

_SAID: Final = {
    "published test value": ("test_value", "It is a value that was published as an example."),
    "in joined parts": ("joined", "Parts that the text joins make it: its place is that of all of them."),
    "inside base64": ("encoded", "It stands in base 64: its place is that of the whole run."),
}
_KEYWORD: Final = re.compile(r"keyword (.*), (\d+) (before|after)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One part of the score."""

    #: pattern, check, doubt, keyword, no_keyword, header, test_value, encoded, joined, account, confidence or other.
    kind: str
    #: The validator, the keyword, the column's word or the confidence; else empty.
    name: str = ""
    #: Characters between keyword and value; None where no keyword stands.
    distance: int | None = None
    #: A sentence.
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Why an occurrence is one."""

    parts: tuple[Part, ...]
    #: A sentence: what keeps the confidence from being higher.
    why_not_higher: str


def explain(evidence: Sequence[str], confidence: Confidence, rule: Rule | None) -> Explanation:
    """The parts of an occurrence's score in words; ``rule`` is None where it no longer exists.

    Examples:
        >>> told = explain(("pattern", "keyword ssn, 2 before", "confidence high"), Confidence.HIGH, None)
        >>> told.parts[1].text
        'The keyword "ssn" ends 2 characters before it.'
        >>> told.why_not_higher
        'It is the highest there is.'
    """
    if not evidence:
        evidence = (f"confidence {confidence}",)
    return Explanation(
        parts=tuple(_part(words, rule) for words in evidence),
        why_not_higher=_why_not_higher(evidence, confidence, rule),
    )


def _part(words: str, rule: Rule | None) -> Part:  # noqa: C901, PLR0911 (a table of what the engine says)
    kind, _, rest = words.partition(" ")
    shape = f": {rule.pattern}" if rule else ""
    if words == "pattern":
        return Part(kind="pattern", text=f"It has the shape that the rule's pattern asks for{shape}")
    if words == "weak pattern":
        return Part(
            kind="pattern", name="weak", text=f"It has the weak shape of the rule's pattern (group weak){shape}"
        )
    if kind == "validator":
        told = f": {described(rest)}" if rest in VALIDATORS else "."
        return Part(kind="check", name=rest, text=f"It passes the check {rest}{told}")
    if words.startswith("doubtful"):
        return Part(
            kind="doubt", text="Its neighbours or its range are doubtful, so that it needs a keyword to be a finding."
        )
    if found := _KEYWORD.fullmatch(words):
        word, distance, side = found.groups()
        verb = "ends" if side == "before" else "begins"
        unit = "character" if distance == "1" else "characters"
        return Part(
            kind="keyword",
            name=word,
            distance=int(distance),
            text=f'The keyword "{word}" {verb} {distance} {unit} {side} it.',
        )
    if words.startswith("column header "):
        word = words.removeprefix("column header ")
        return Part(kind="header", name=word, text=f'The name of its column holds the keyword "{word}".')
    if words.startswith("no keyword within "):
        reach = words.removeprefix("no keyword within ")
        return Part(kind="no_keyword", text=f"No keyword of the rule stands within {reach} characters before it.")
    if words.startswith("AWS account "):
        account = words.removeprefix("AWS account ")
        return Part(kind="account", name=account, text=f"It is a key of the AWS account {account}: its id says so.")
    if words in _SAID:
        return Part(kind=_SAID[words][0], text=_SAID[words][1])
    if kind == "confidence":
        return Part(kind="confidence", name=rest, text=f"So its confidence is {rest}.")
    return Part(kind="other", text=f"{words[:1].upper()}{words[1:]}.")


def _why_not_higher(evidence: Sequence[str], confidence: Confidence, rule: Rule | None) -> str:
    if confidence is Confidence.HIGH:
        return "It is the highest there is."
    has_keyword = any(words.startswith(("keyword ", "column header ")) for words in evidence)
    lacks = next((words for words in evidence if words.startswith("no keyword")), "")
    if rule is None:
        return "Its rule no longer exists, so that nobody can say what would raise it."
    best = rule.keyword_confidence or rule.confidence
    if has_keyword:
        return f"With a keyword this rule gives {best}, and no more."
    if lacks and best is not rule.confidence:
        return f"A keyword near it, or in its column's name, would make it {best}: {_words(rule)}."
    if not rule.keywords:
        return f"The rule has no keywords: its pattern and checks alone are worth {rule.confidence}."
    return f"This rule gives {rule.confidence}, with a keyword or without."


def _words(rule: Rule, most: int = 8) -> str:
    more = f" and {len(rule.keywords) - most} more" if len(rule.keywords) > most else ""
    return ", ".join(rule.keywords[:most]) + more

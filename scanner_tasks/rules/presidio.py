r"""Presidio's recognisers as YAML: patterns with scores, context words, deny lists.

Python's patterns run in RE2 here: what RE2 lacks is refused by name, and a class such as ``\w`` means ASCII.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import re2

from scanner_tasks.core.model import Confidence, Severity
from scanner_tasks.rules.foreign import Reading
from scanner_tasks.rules.pack import Pack

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Presidio takes five words before a match as its context; this is about as far, and Macie's default.
PROXIMITY: Final = 50
#: What a word of the context adds to a score, and the least score with one (Presidio's LemmaContextAwareEnhancer).
BOOST, LEAST_WITH_CONTEXT = 0.35, 0.4
#: Least scores of a confidence.
HIGH_FROM, MEDIUM_FROM = 0.75, 0.4
#: Presidio's default: DOTALL, MULTILINE, IGNORECASE.
_DEFAULT_FLAGS: Final = int(re.DOTALL | re.MULTILINE | re.IGNORECASE)
_FLAGS: Final = {int(re.IGNORECASE): "i", int(re.MULTILINE): "m", int(re.DOTALL): "s"}
#: Flags that change nothing here: patterns are read as text, and classes are ASCII's anyway.
_IDLE_FLAGS: Final = int(re.UNICODE | re.ASCII)
_TABLE: Final = frozenset(
    {"name", "supported_entity", "supported_entities", "supported_language", "supported_languages", "patterns"}
    | {"context", "deny_list", "deny_list_score", "global_regex_flags", "type", "enabled"}
)
_DOCUMENT: Final = frozenset({"recognizers", "supported_languages", "global_regex_flags"})


def read_presidio(document: Mapping[str, Any], *, source: str) -> Pack:
    """The pack of a parsed document; RuleError names the recogniser and what RE2 lacks."""
    reading = Reading(source, "presidio")
    for key in sorted(document.keys() - _DOCUMENT):
        reading.note("", f"field {key!r} has no meaning here and is not carried")
    flags = document.get("global_regex_flags", _DEFAULT_FLAGS)
    recognizers = document.get("recognizers")
    if not isinstance(recognizers, list):
        raise reading.wrong("recognizers", "must be a list")
    for number, table in enumerate(recognizers, 1):
        if isinstance(table, str):
            reading.note(table, "not carried: it names code of Presidio's; see `s3scan rules list` for ours")
        elif isinstance(table, dict):
            _recognizer(table, str(table.get("name") or f"number {number}"), flags, reading)
        else:
            raise reading.wrong(f"number {number}", "must be a table")
    return Pack(rules=tuple(reading.rules), notes=tuple(reading.notes))


def _recognizer(table: dict[str, Any], told: str, default_flags: object, reading: Reading) -> None:
    if table.get("enabled") is False:
        reading.note(told, "not carried: it is not enabled")
        return
    if table.get("type") == "predefined" or not (table.get("patterns") or table.get("deny_list")):
        reading.note(told, "not carried: it has neither patterns nor a deny list: its code is Presidio's")
        return
    for name in sorted(table.keys() - _TABLE):
        reading.note(told, f"field {name!r} has no meaning here and is not carried")
    entity = table.get("supported_entity") or next(iter(table.get("supported_entities") or []), None)
    if not isinstance(entity, str):
        raise reading.wrong(told, "supported_entity is missing")
    prefix = _prefix(table.get("global_regex_flags", default_flags), told, reading)
    words = _context(table, told, reading)
    patterns = table.get("patterns") or []
    if not isinstance(patterns, list) or not all(isinstance(p, dict) and p.get("regex") for p in patterns):
        raise reading.wrong(told, "patterns must be a list of tables with a regex")
    for number, pattern in enumerate(patterns, 1):
        name = str(pattern.get("name") or number)
        one = len(patterns) == 1 and not table.get("deny_list")
        regex = str(pattern["regex"])
        _add(
            reading,
            told if one else f"{told}: {name}",
            entity if one else f"{entity}_{name}",
            reading.pattern(told, f"{prefix}({regex})", group=1),
            _score(pattern.get("score", 0.0), told, reading),
            words,
        )
    if table.get("deny_list"):
        listed = reading.texts(told, "deny_list", table["deny_list"])
        any_of = "|".join(re2.escape(word) for word in sorted(listed, key=len, reverse=True))
        pattern = rf"{prefix}(?:^|[^0-9A-Za-z_])(?P<value>{any_of})(?:[^0-9A-Za-z_]|$)"
        score = _score(table.get("deny_list_score", 1.0), told, reading)
        _add(reading, told, f"{entity}_deny_list" if patterns else entity, pattern, score, words)


def _add(reading: Reading, told: str, name: str, pattern: str, score: float, words: tuple[str, ...]) -> None:  # noqa: PLR0917
    confidence = confidence_of(score)
    reading.add(
        told,
        id=reading.rule_id(name),
        name=told,
        category="custom",
        severity=Severity.MEDIUM,
        confidence=confidence,
        pattern=pattern,
        keywords=words,
        proximity=PROXIMITY if words else 0,
        keyword_confidence=confidence_of(max(score + BOOST, LEAST_WITH_CONTEXT)) if words else None,
        references=(f"Presidio recogniser {told}",),
    )


def confidence_of(score: float) -> Confidence:
    """The confidence that a score of 0 to 1 is.

    Examples:
        >>> [confidence_of(score).value for score in (0.05, 0.4, 0.85)]
        ['low', 'medium', 'high']
    """
    if score >= HIGH_FROM:
        return Confidence.HIGH
    return Confidence.MEDIUM if score >= MEDIUM_FROM else Confidence.LOW


def _score(value: object, told: str, reading: Reading) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 1:
        raise reading.wrong(told, "a score is a number from 0 to 1")
    return float(value)


def _prefix(flags: object, told: str, reading: Reading) -> str:
    """Flags of Python's ``re`` as RE2's."""
    if not isinstance(flags, int) or isinstance(flags, bool):
        raise reading.wrong(told, "global_regex_flags must be a whole number")
    if strange := flags & ~sum(_FLAGS) & ~_IDLE_FLAGS:
        raise reading.wrong(told, f"global_regex_flags: flag {re.RegexFlag(strange)!s} is not RE2's")
    letters = "".join(letter for flag, letter in _FLAGS.items() if flags & flag)
    return f"(?{letters})" if letters else ""


def _context(table: dict[str, Any], told: str, reading: Reading) -> tuple[str, ...]:
    """Context words of all languages."""
    words = list(reading.texts(told, "context", table.get("context")))
    languages = table.get("supported_languages") or []
    if not isinstance(languages, list):
        raise reading.wrong(told, "supported_languages must be a list")
    for language in languages:
        if isinstance(language, dict):
            words += reading.texts(told, "context", language.get("context"))
    if languages or table.get("supported_language"):
        reading.note(told, "languages are not told apart: it looks into texts of every language")
    return tuple(dict.fromkeys(words))

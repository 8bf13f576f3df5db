"""Fields of rules and tables beside them that are more than a text, read strictly.

Each reader takes what TOML gave and what makes the error of a sentence; it returns the value or raises that error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import re2

from scanner_tasks.core.model import Confidence, Severity
from scanner_tasks.detect.regex import Regex

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner_tasks.core.errors import RuleError

    Refuse = Callable[[str], RuleError]
    _Word = TypeVar("_Word", Severity, Confidence)

MAX_COUNT: Final = 1_000_000_000
#: No character is worth more bits: Unicode has fewer than 2^21.
MAX_ENTROPY: Final = 21


def one_of(words: type[_Word], value: object, refuse: Refuse) -> _Word:
    """The word that a text names."""
    try:
        return words(str(value))
    except ValueError:
        raise refuse(f"one of {', '.join(words)}") from None


def severities(value: object, refuse: Refuse) -> tuple[tuple[int, Severity], ...]:
    """The steps of a table such as ``{ 10 = "medium", 100 = "high" }``, ascending."""
    if not isinstance(value, dict) or not value:
        raise refuse('must be a table from counts to severities, such as { 10 = "medium", 100 = "high" }')
    steps: dict[int, Severity] = {}
    for count, severity in value.items():
        if not (str(count).isdecimal() and str(count).isascii() and 1 <= int(count) <= MAX_COUNT):
            raise refuse(f"counts are whole numbers from 1 to {MAX_COUNT}")
        steps[int(count)] = one_of(Severity, severity, refuse)
    return tuple(sorted(steps.items()))


def bits(value: object, refuse: Refuse) -> float:
    """Bits of entropy for each character."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= MAX_ENTROPY:
        raise refuse(f"must be a number from 0 to {MAX_ENTROPY}")
    return float(value)


def texts(value: object, refuse: Refuse) -> tuple[str, ...]:
    """A list of texts, each once and none empty."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise refuse("must be a list of texts, none of them empty")
    if len(set(value)) < len(value):
        raise refuse("has an entry twice")
    return tuple(value)


def regex(pattern: str, refuse: Refuse) -> Regex:
    """The pattern, compiled."""
    try:
        return Regex(pattern)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        raise refuse(f"RE2 refuses it: {reason.decode() if isinstance(reason, bytes) else reason}") from None

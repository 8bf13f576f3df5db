"""Every occurrence in one text, with its place in code points: for those who hold the text themselves."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from scanner_tasks.core.redact import mask
from scanner_tasks.detect.keywords import chars

if TYPE_CHECKING:
    from scanner_tasks.core.model import Confidence

#: Text between two places where bytes and code points are counted.
_STEP = 256


class FoundValue(NamedTuple):
    """One occurrence."""

    rule_id: str
    #: Code points from 0, the end exclusive.
    start: int
    end: int
    #: From 1.
    line: int
    column: int
    confidence: Confidence
    masked: str
    #: The parts of its score, where they were asked for.
    evidence: tuple[str, ...] = ()


class CodePoints:
    """Turns byte positions of a UTF-8 text into code points.

    Examples:
        >>> CodePoints("é!".encode()).at(2)
        1
    """

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._ascii = text.isascii()
        if not self._ascii:
            steps = (chars(text[at : at + _STEP]) for at in range(0, len(text), _STEP))
            self._before = [0, *accumulate(steps)]

    def at(self, position: int) -> int:
        """Code points that begin before the byte."""
        if self._ascii:
            return position
        step = position // _STEP
        return self._before[step] + chars(self._text[step * _STEP : position])


class Lines:
    """Line and column of a code point."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]

    def at(self, position: int) -> tuple[int, int]:
        """Both from 1."""
        line = bisect_right(self._starts, position)
        return line, position - self._starts[line - 1] + 1


def shown(clear: bytes, style: str) -> str:
    """The value as it may be shown."""
    return mask(clear.decode("utf-8", "replace"), style)

"""How long a pattern's match can be, and how short, in bytes: what makes streaming exact.

A search can be trusted for every start that has this many bytes to its right. So a rule's pattern must have an upper
bound: ``*``, ``+`` and ``{n,}`` are refused.
"""

from __future__ import annotations

import re
from typing import Final

_UTF8_MAX: Final = 4
_LAST_ASCII: Final = 0x7F
_ZERO_WIDTH: Final = frozenset("bBAz")
_ONE_BYTE_CLASSES: Final = frozenset("dws")
_MANY_BYTE_CLASSES: Final = frozenset("DWSpPC")
_REPEAT = re.compile(r"\{(\d+)(,?)(\d*)\}")
_GROUP = re.compile(r"\?(?:P?<\w+>|[imsU-]*:)")
_FLAGS = re.compile(r"\?[imsU-]+\)")
_CODE = re.compile(r"\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))")


class Unbounded(ValueError):
    """A repeat without an upper bound, or syntax that this reader does not know."""


def max_width(pattern: str) -> int:
    r"""Most bytes that a match of the RE2 pattern can have.

    Examples:
        >>> max_width(r"(?:^|[^0-9])(?P<value>\d{3}-?\d{2,4})")
        12
        >>> max_width(r"a+")
        Traceback (most recent call last):
        scanner_tasks.detect.width.Unbounded: '+' at 1 has no upper bound: write {1,64} or the like
    """
    return _Reader(pattern).read()[1]


def min_width(pattern: str) -> int:
    r"""Fewest bytes that a match of the RE2 pattern can have; raises Unbounded as ``max_width`` does.

    Examples:
        >>> min_width(r"(?:^|[^0-9])(?P<value>\d{3}-?\d{2,4})"), min_width(r"(?:é|ab?)$")
        (5, 1)
    """
    return _Reader(pattern).read()[0]


_Widths = tuple[int, int]


class _Reader:
    """Recursive descent over alternatives, sequences and repeats: fewest and most bytes of each."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        # A letter may match longer letters under (?i): k matches the Kelvin sign.
        self._folds = "(?i" in pattern

    def read(self) -> _Widths:
        width = self._alternatives()
        if self._at < len(self._text):
            raise Unbounded(f"unexpected {self._text[self._at]!r} at {self._at}")
        return width

    def _alternatives(self) -> _Widths:
        shortest, widest = self._sequence()
        while self._peek() == "|":
            self._at += 1
            least, most = self._sequence()
            shortest, widest = min(shortest, least), max(widest, most)
        return shortest, widest

    def _sequence(self) -> _Widths:
        shortest = widest = 0
        while self._peek() not in ("", "|", ")"):
            least, most = self._repeats(self._atom())
            shortest += least
            widest += most
        return shortest, widest

    def _repeats(self, widths: _Widths) -> _Widths:
        shortest, width = widths
        c = self._peek()
        if c in ("*", "+") and c:
            if width:
                raise Unbounded(f"{c!r} at {self._at} has no upper bound: write {{1,64}} or the like")
            self._at += 1
        elif c == "?":
            shortest = 0
            self._at += 1
        elif found := _REPEAT.match(self._text, self._at):
            least, comma, most = found.groups()
            if comma and not most:
                raise Unbounded(f"{found[0]} at {self._at} has no upper bound: write {{{least},64}} or the like")
            shortest *= int(least)
            width *= int(most or least)
            self._at = found.end()
        else:
            return shortest, width
        if self._peek() == "?":  # lazy
            self._at += 1
        return shortest, width

    def _atom(self) -> _Widths:
        c = self._text[self._at]
        if c == "(":
            return self._group()
        if c == "[":
            return self._class()
        if c == "\\":
            return self._escape()
        self._at += 1
        if c in "^$":
            return 0, 0
        size = len(c.encode())
        return 1 if c == "." or self._folds else size, _UTF8_MAX if c == "." or (self._folds and c.isalpha()) else size

    def _group(self) -> _Widths:
        self._at += 1
        if found := _FLAGS.match(self._text, self._at):
            self._at = found.end()
            return 0, 0
        if found := _GROUP.match(self._text, self._at):
            self._at = found.end()
        width = self._alternatives()
        if self._peek() != ")":
            raise Unbounded("a group is not closed")
        self._at += 1
        return width

    def _escape(self) -> _Widths:
        if found := _CODE.match(self._text, self._at):
            self._at = found.end()
            size = len(chr(int(found[1] or found[2], 16)).encode())
            return 1 if self._folds else size, size
        c = self._text[self._at + 1 : self._at + 2]
        self._at += 2
        if c in _MANY_BYTE_CLASSES:
            if self._peek() == "{":
                self._at = self._text.index("}", self._at) + 1
            elif c in "pP":
                self._at += 1
            return 1, _UTF8_MAX
        if c in _ZERO_WIDTH:
            return 0, 0
        if c == "Q":
            raise Unbounded(r"\Q is not supported: escape each character")
        return 1, 1

    def _class(self) -> _Widths:
        self._at += 1
        width = 1
        if self._peek() == "^":
            width = _UTF8_MAX
            self._at += 1
        first = True
        while first or self._peek() != "]":
            c = self._peek()
            if not c:
                raise Unbounded("a character class is not closed")
            if self._text.startswith("[:", self._at):
                self._at = self._text.index(":]", self._at) + 2
            elif c == "\\":
                width = max(width, self._escape()[1])
            else:
                width = max(width, _UTF8_MAX if ord(c) > _LAST_ASCII else 1)
                self._at += 1
            first = False
        self._at += 1
        return 1, _UTF8_MAX if self._folds or width > 1 else 1

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

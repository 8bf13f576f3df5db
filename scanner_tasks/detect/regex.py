"""RE2 on bytes, reduced to what the engine asks a million times a second: spans.

The library's ``search`` builds a generator and a match object for each call, which costs more than the search. This
calls the same compiled program beneath it. google-re2 is pinned exactly, and a test compares both.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import re2
from re2 import _re2

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A repeat of hundreds; and an end that no character of such a run can be.
_GREAT: Final = re.compile(r"(?<!\\)\{(\d+),(?:[4-9]\d\d|1000)\}")
_DELIMITED: Final = re.compile(r"\(\?:\$\|\[\^[^\]]+\]\)$")
_UNANCHORED: Final = _re2.RE2.Anchor.UNANCHORED
_WHOLE: Final = _re2.RE2.Anchor.ANCHOR_BOTH


class Regex:
    """A pattern in RE2's syntax, on UTF-8 bytes; raises re2.error, silently, for one that RE2 refuses."""

    __slots__ = ("_match", "groups", "pattern")

    def __init__(self, pattern: str) -> None:
        options = re2.Options()
        options.log_errors = False
        compiled = re2.compile(pattern.encode(), options)
        self.pattern = pattern
        #: Named groups and their numbers.
        self.groups: dict[str, int] = {
            name.decode() if isinstance(name, bytes) else name: no for name, no in compiled.groupindex.items()
        }
        self._match = compiled._regexp.Match  # noqa: SLF001  # see above

    def search(self, text: bytes, start: int = 0, end: int | None = None) -> Sequence[tuple[int, int]] | None:
        r"""Spans of the first match in text[start:end]; what stands before ``start`` counts for ``^`` and ``\b``.

        Examples:
            >>> Regex("a(b)").search(b"-ab")
            [(1, 3), (2, 3)]
        """
        size = len(text)
        end = size if end is None else end
        if start > end:
            return None
        spans: Sequence[tuple[int, int]] = self._match(_UNANCHORED, text, start, end)
        return None if spans[0][0] < 0 else spans


class CappedRegex(Regex):
    """A pattern with great repeats, searched without their upper bounds, which cost RE2 thousands of states.

    Only for patterns that end with a delimiter: there a run that is too long is no match, and no shorter part of it
    is. What is longer than ``width`` bytes is passed over.

    Examples:
        >>> delimited = CappedRegex("a[0-9]{2,500}(?:$|[^0-9])", width=502)
        >>> delimited.search(b"a" + b"1" * 501 + b" a12 ")
        [(503, 507)]
    """

    __slots__ = ("_width",)

    def __init__(self, pattern: str, *, width: int) -> None:
        super().__init__(_GREAT.sub(r"{\1,}", pattern))
        self._width = width

    @staticmethod
    def suits(pattern: str) -> bool:
        """Whether a pattern is one of those."""
        return _DELIMITED.search(pattern) is not None and _GREAT.search(pattern) is not None

    def search(self, text: bytes, start: int = 0, end: int | None = None) -> Sequence[tuple[int, int]] | None:
        """As ``Regex.search``."""
        while (spans := super().search(text, start, end)) is not None and spans[0][1] - spans[0][0] > self._width:
            start = spans[0][0] + 1
        return spans


class WholeRegex:
    """A pattern that a text matches as a whole or not at all: told by the automaton alone, faster than any search.

    Examples:
        >>> WholeRegex("(?:ab)*").matches(b"abab"), WholeRegex("ab").matches(b"abab")
        (True, False)
    """

    __slots__ = ("_match",)

    def __init__(self, pattern: str) -> None:
        options = re2.Options()
        options.log_errors = False
        options.never_capture = True
        options.encoding = re2.Options.Encoding.LATIN1
        self._match = re2.compile(pattern.encode(), options)._regexp.Match  # noqa: SLF001  # as above

    def matches(self, text: bytes) -> bool:
        """True if all of the text matches."""
        spans: Sequence[tuple[int, int]] = self._match(_WHOLE, text, 0, len(text))
        return spans[0][0] >= 0

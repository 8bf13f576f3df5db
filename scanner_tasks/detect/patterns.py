"""Patterns that were written for other tools, made ours: groups named, repeats bounded, what RE2 lacks named.

Go's patterns are RE2's own. Python's and PCRE's know more (lookaround, references to groups, atomic groups), and none
of that runs in linear time: it is refused by name, never worked around.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import re2

from scanner_tasks.detect.regex import Regex
from scanner_tasks.detect.width import Unbounded, max_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Bounds tried for repeats that have none, the largest that leaves the pattern narrow enough is taken. RE2 allows 1000.
BOUNDS: Final = (1000, 800, 600, 500, 400, 300, 200, 150, 100, 64, 32)

_TOKEN: Final = re.compile(
    r"""
    (?P<quoted>\\Q.*?(?:\\E|\Z))
  | (?P<escape>\\(?:x\{[0-9A-Fa-f]*\}|[pP]\{[^}]*\}|[pP].|.))
  | (?P<class>\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\])
  | (?P<comment>\(\?\#[^)]*\)?)
  | (?P<flags>\(\?[A-Za-z-]+\))
  | (?P<open>\((?:\?P?<\w+>|\?[A-Za-z-]*:|\?P=\w+|\?P>|\?<[=!]|\?[=!>(|&]|\?[R0-9+]|\?\w*)?)
  | (?P<repeat>(?:[*+?]|\{\d+(?:,\d*)?\})[?+]?)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_GROUP_CONSTRUCTS: Final = {
    "(?=": "lookahead (?=…)",
    "(?!": "negative lookahead (?!…)",
    "(?<=": "lookbehind (?<=…)",
    "(?<!": "negative lookbehind (?<!…)",
    "(?>": "atomic group (?>…)",
    "(?(": "condition (?(…)…)",
    "(?|": "branch reset (?|…)",
    "(?&": "subroutine (?&…)",
    "(?P>": "subroutine (?P>…)",
}
_ESCAPES: Final = {
    "Z": r"\Z (write \z)",
    "G": r"\G",
    "K": r"\K",
    "R": r"\R",
    "h": r"\h (write [ \t])",
    "X": r"\X",
    "g": r"\g",
    "k": r"reference to a group \k",
    "u": r"\u (write \x{…})",
}
_SHAPES: Final = {
    "reference to a group": re.compile(r"\(\?P=|\\[1-9]"),
    "comment (?#…)": re.compile(r"\(\?#"),
    "recursion (?R)": re.compile(r"\(\?[R0-9+]"),
    "possessive repeat": re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\+\Z"),
}
_FLAGS: Final = re.compile(r"\(\?([A-Za-z-]+)[:)]")
_RE2_FLAGS: Final = frozenset("imsU-")
_OPEN_ENDED: Final = re.compile(r"\{(\d+),\}")
_CAPTURES: Final = re.compile(r"\(\Z|\(\?P?<\w+>")


class CannotCarry(ValueError):
    """What RE2 does not have, or what no bound makes narrow enough; the message names it."""


class Carried(NamedTuple):
    """A pattern as our engine takes it."""

    pattern: str
    #: Most repeats of what was written without upper bound; 0 where all had one.
    bound: int


def carry(pattern: str, *, group: int = 0, max_bytes: int) -> Carried:
    r"""A foreign pattern with the value in groups ``value``, ``value2`` … and an upper bound; raises CannotCarry.

    Args:
        pattern: RE2's, Go's or Python's syntax.
        group: number of the group that holds the value; 0 takes the first that is not empty, or the whole match.
        max_bytes: most bytes that a match may have.

    Examples:
        >>> carry(r"(?i)(?:key|pw)=(\w+)", max_bytes=4096)
        Carried(pattern='(?i)(?:key|pw)=(?P<value>\\w{1,1000})', bound=1000)
        >>> carry(r"(?<=id )\d{4}", max_bytes=4096)
        Traceback (most recent call last):
        scanner_tasks.detect.patterns.CannotCarry: lookbehind (?<=…) is not RE2's
    """
    tokens = list(_tokens(pattern))
    if missing := next(filter(None, map(_foreign, tokens)), ""):
        raise CannotCarry(f"{missing} is not RE2's")
    named = _name_groups(tokens, group)
    if not any(_is_open_ended(token) for token in named):
        text = "".join(named)
        _check(text, max_bytes)
        return Carried(text, 0)
    error: Exception | None = None
    for bound in BOUNDS:
        text = "".join(_bounded(token, bound) for token in named)
        try:
            _check(text, max_bytes)
        except CannotCarry as refused:
            error = refused
        else:
            return Carried(text, bound)
    raise CannotCarry(str(error))


def _tokens(pattern: str) -> Iterator[str]:
    for found in _TOKEN.finditer(pattern):
        if found.lastgroup == "quoted":
            yield from (re2.escape(c) for c in found[0].removeprefix(r"\Q").removesuffix(r"\E"))
        else:
            yield found[0]


def _foreign(token: str) -> str:
    """Name of the construct if RE2 lacks it; else empty."""
    if token in _GROUP_CONSTRUCTS:
        return _GROUP_CONSTRUCTS[token]
    if token[:1] == "\\" and token[1:] in _ESCAPES:
        return _ESCAPES[token[1:]]
    if shape := next((name for name, shape in _SHAPES.items() if shape.match(token)), ""):
        return shape
    flags = _FLAGS.fullmatch(token)
    strange = sorted(set(flags[1]) - _RE2_FLAGS) if flags else []
    return f"flag {strange[0]!r} of {token}" if strange else ""


def _name_groups(tokens: list[str], wanted: int) -> list[str]:
    """Capturing groups become value groups, or plain ones."""
    named, number, values = [], 0, 0
    for token in tokens:
        if not _CAPTURES.fullmatch(token):
            named.append(token)
            continue
        number += 1
        if wanted in {0, number}:
            values += 1
            named.append("(?P<value>" if values == 1 else f"(?P<value{values}>")
        else:
            named.append("(?:")
    if wanted > number:
        raise CannotCarry(f"it has {number} groups, and the value is to stand in group {wanted}")
    return named


def _is_open_ended(token: str) -> bool:
    return token[:1] in {"*", "+"} or _OPEN_ENDED.match(token) is not None


def _bounded(token: str, bound: int) -> str:
    lazy = "?" if len(token) > 1 and token.endswith("?") else ""
    if token[:1] == "*":
        return f"{{0,{bound}}}{lazy}"
    if token[:1] == "+":
        return f"{{1,{bound}}}{lazy}"
    if found := _OPEN_ENDED.match(token):
        return f"{{{found[1]},{max(int(found[1]), bound)}}}{lazy}"
    return token


def _check(pattern: str, max_bytes: int) -> None:
    refuse: Callable[[object], CannotCarry] = lambda what: CannotCarry(str(what))  # noqa: E731
    try:
        width = max_width(pattern)
        Regex(pattern)
    except Unbounded as error:
        raise refuse(error) from None
    except re2.error as error:
        reason = error.args[0] if error.args else error
        told = reason.decode() if isinstance(reason, bytes) else reason
        raise refuse(f"RE2 refuses it: {told}") from None
    if width > max_bytes:
        raise refuse(f"it may match {width} bytes; at most {max_bytes}")

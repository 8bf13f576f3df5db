"""The text around a value, with everything starred out that any rule might have found in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner_tasks.detect.candidates import Candidates
from scanner_tasks.detect.encoded import SHAPE
from scanner_tasks.detect.joined import SHAPE as JOINED
from scanner_tasks.detect.regex import Regex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scanner_tasks.detect.compiled import CompiledRule
    from scanner_tasks.detect.filter import Filter

#: Characters of context on each side; a line's end ends it sooner.
CONTEXT_CHARS: Final = 40
CONTEXT_BYTES: Final = 4 * CONTEXT_CHARS
#: How far outside the context a candidate that stands half in it may begin or end. What is longer (keys, session
#: tokens) is one long mixed token, which the shapes below star wherever it is cut.
HALF_IN_BYTES: Final = 256
# Shapes (with their least length) that are masked whether or not a rule knows them: nine digits and more in a row,
# long mixed tokens, whatever stands around an @, base 64 of text, and parts that are joined.
_SHAPES: Final = (
    (Regex(r"[0-9](?:[ .\-()/]{0,2}[0-9]){8,}"), 9),
    (Regex(r"[0-9A-Za-z+/_\-]{0,400}[0-9][0-9A-Za-z+/_\-]{0,400}"), 20),
    (Regex(r"[0-9A-Za-z._%+'\-]{1,64}@[0-9A-Za-z.\-]{1,200}"), 3),
    (Regex(SHAPE), 14),
    (Regex(JOINED), 9),
)
#: Numbers of rows, pages, bytes and elements in a path, which many a rule would take for a value: ``row 10003, ssn``.
_COUNTED: Final = re.compile(
    rb"(?:(?:^|[!,:] ?)(?:row|page|part|message|object|stream) |\[)(\d{1,8})(?=[\],:! ]|$)"
    rb"|(?:^|[!,:] ?)byte (\d{1,13})(?=[!,]|$)"
)
_CONTROLS: Final = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], " ")


class Context:
    """Masks what stands around a value; knows every rule. Changes nothing but its filter, once."""

    def __init__(self, rules: Sequence[CompiledRule]) -> None:
        self._rules = rules
        #: Set once it is made: tells which rules can match in a region at all.
        self.filter: Filter | None = None
        widest = max((rule.width for rule in rules), default=0)
        #: Bytes on each side of a value in which candidates begin: the context, and what may stand half in it.
        self.reach = CONTEXT_BYTES + min(widest, HALF_IN_BYTES) + 1
        #: Bytes behind a value that are read: the last candidate that begins in the context, and the byte behind it.
        self.reach_right = max(self.reach, CONTEXT_BYTES + widest + 1)

    def candidates(self, text: bytes) -> Candidates:
        """What stands in a window; serves every value in it."""
        return Candidates(self._rules, self.filter, text)

    def around(self, text: bytes, start: int, end: int, masked: str, candidates: Candidates) -> str:
        """One line: up to 40 characters before, the masked value, up to 40 characters after.

        Depends only on ``reach`` bytes before the value and ``reach_right`` after it, so never on where a window begins
        or ends. ``candidates`` are those of the text.
        """
        first, last = max(0, start - self.reach), min(len(text), end + self.reach)
        line = text.rfind(b"\n", first, start) + 1 or first
        newline = text.find(b"\n", end, last)
        last = last if newline < 0 else newline
        spans = [span for span in candidates.begun(first, min(last, end + CONTEXT_BYTES)) if span[1] > line]
        spans += _shaped(text, line, last)
        spans.sort()
        left = _starred(text, line, start, spans)[-CONTEXT_CHARS:]
        right = _starred(text, end, last, spans)[:CONTEXT_CHARS]
        return f"{left}{masked}{right}".translate(_CONTROLS)

    def hide(self, masked: str) -> str:
        """A masked value, with what another rule would still find in it starred out (a card number as mail domain)."""
        return self._hide(masked, [])

    def hide_path(self, path: str) -> str:
        """A path, with what a rule would find in it starred out; the numbers that we count by stay."""
        return self._hide(path, [found.span(found.lastindex or 0) for found in _COUNTED.finditer(path.encode())])

    def _hide(self, text: str, kept: Sequence[tuple[int, int]]) -> str:
        if not text:
            return text
        data = text.encode()
        found = sorted(self.candidates(data).begun(0, len(data)))
        spans = [span for span in found if not any(a <= span[0] and span[1] <= b for a, b in kept)]
        return _starred(data, 0, len(data), spans)


def _shaped(text: bytes, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Where a part of a line, without its end, has one of the shapes."""
    for shape, least in _SHAPES:
        at = first
        while found := shape.search(text, at, last):
            start, at = found[0]
            if at - start >= least:
                yield start, at


def _starred(region: bytes, start: int, end: int, spans: list[tuple[int, int]]) -> str:
    """Text of region[start:end] with letters and digits inside the spans (sorted by start) starred."""
    parts: list[str] = []
    at = start
    for first, last in spans:
        first, last = max(first, at), min(last, end)  # noqa: PLW2901  # clipped to what is still to be written
        if first >= last:
            continue
        parts.append(region[at:first].decode("utf-8", "ignore"))
        parts.append("".join("*" if c.isalnum() else c for c in region[first:last].decode("utf-8", "ignore")))
        at = last
    parts.append(region[at:end].decode("utf-8", "ignore"))
    return "".join(parts)

"""Text in base 64 inside a text: where such a run stands, and what it says.

What decodes to text is searched as text (detect/inside.py). A run is told from words, paths and digests by its first
fourteen characters: in base 64 of printable ASCII the first character of four has half of the alphabet left, the second
and the third likewise, so that of a thousand other runs hardly one is ever decoded. What is then no text in UTF-8 (or
UTF-16, as PowerShell takes it) is none.

    password: aHVudGVyMiEK        one run: standard or URL alphabet, with or without padding
    Cg==                          too short
    -----BEGIN … MIIEvQIBADAN…    not text
    eyJhbGci….eyJzdWIi….c2ln      a token with dots is left to its own rule

A run of lines of one length (MIME, PEM, folded YAML), also with escaped line ends, is one. Where a run ends, and what
is read of it, its own bytes and the line behind it tell, so that windows change nothing.
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner_tasks.detect.regex import Regex

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Most bytes of a run that are decoded at a time: a longer one is read in pieces, a value across two of which is lost.
MOST_BYTES: Final = 64 * 1024
#: Text kept on both sides of what is decoded, in bytes: the words that say what it is.
BEFORE_BYTES: Final = 96
AFTER_BYTES: Final = 32
#: Layers of encoding: a docker configuration (2) in a Kubernetes secret.
DEEPEST: Final = 3
#: Bytes right of a run's start that tell its end; behind that stands what its context needs.
REACH: Final = MOST_BYTES + 4096

_ASCII: Final = r"[CDI-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][0-9A-Za-z+/_\-]"
_WIDE: Final = r"[I-Za-f][AQgw][AB][0-9A-Za-z+/]A[C-H][AEIMQUYcgkosw048]A"
_BEGINNING: Final = rf"(?:(?:{_ASCII}){{3}}[CDI-Za-f][A-HQ-Xg-nw-z0-3]|(?:{_WIDE}){{2}})"
_GATE: Final = Regex(rf"(?:^|[^0-9A-Za-z+]|\\[nrt]|%[0-9A-Fa-f]{{2}})({_BEGINNING})")
#: What may be such a run, or the rest of one that begins earlier, in RE2's syntax.
SHAPE: Final = rf"{_BEGINNING}[0-9A-Za-z+/_\-]{{0,1000}}={{0,2}}"
_STANDARD: Final = re.compile(rb"[0-9A-Za-z+/]*")
_URL: Final = re.compile(rb"[0-9A-Za-z_\-]*")
_PADDING: Final = re.compile(rb"={0,2}")
#: Between two lines of a run: real or escaped ends, quotes and signs of concatenation, indentation, quoting of mail.
_LINE_END: Final = re.compile(
    rb"(?:\\?\r?\n|(?:\\r)?\\n(?:[\"'][ \t]{0,8}[+.\\,]?[ \t]{0,8}\\?\r?\n?)?)[ \t]{0,64}[\"'>#|]?[ ]?"
)
_BETWEEN_BYTES: Final = 96
#: Shortest and longest line of a run of many lines, in bytes.
_LEAST_LINE: Final = 40
_MOST_LINE: Final = 1024
#: A run is seen by its first so many bytes.
_GATE_BYTES: Final = 24
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
_CONTROLS: Final = bytes(c for c in range(256) if c < 32 and c not in b"\t\n\r") + b"\x7f"  # noqa: PLR2004
#: Encoded characters that are looked at before the rest is decoded; a multiple of four.
_FIRST: Final = 512
_LEAST_TEXT: Final = 8


class Run(NamedTuple):
    """Bytes start to end of a text, which say ``text``, in base 64 or in parts."""

    start: int
    end: int
    text: bytes
    #: Where parts of ``text`` are joined (detect/joined.py); a value must reach over one of these.
    joints: tuple[int, ...] = ()


class Runs:
    """The runs of one text, window by window. Each byte is looked at a bounded number of times.

    Args:
        room: Bytes behind a run that are in the window when it is told, unless the text ends.
    """

    __slots__ = ("_inside", "_known", "_room", "at")

    def __init__(self, room: int = 0) -> None:
        self._room = max(room, _BETWEEN_BYTES + AFTER_BYTES)
        #: Where the search stands in the window.
        self.at = 0
        #: Whether that is within a run too long for one piece.
        self._inside = False
        #: For each alphabet, the characters that were gone over last: from where to where.
        self._known = [(0, 0), (0, 0)]

    def reset(self) -> None:
        """A new text begins."""
        self.at = 0
        self._inside = False
        self._known = [(0, 0), (0, 0)]

    def find(self, text: bytes, *, is_end: bool) -> Iterator[Run]:
        """The runs that are decided from where the search stands; more text may follow unless ``is_end``."""
        size = len(text)
        self._known = [(0, 0), (0, 0)]
        while self.at < size:
            start = self.at if self._inside else _next(text, self.at)
            if start < 0:
                # A run may begin in the last bytes, too short yet to be seen.
                self.at = size if is_end else max(self.at, size - _GATE_BYTES)
                return
            standard, url, is_cut = self._ends(text, start)
            end = max(standard, url)
            if not is_end and end + self._room > size:
                self.at = start
                return
            run = _decoded(text, start, standard, url)
            if run is not None and not is_cut and _may_wrap(text, run):
                run = _wrapped(text, run)
                if not is_end and run.end + _MOST_LINE + self._room > size:
                    self.at = start
                    return
            self._inside = is_cut and run is not None and run.end == end
            # What is no text is passed over as a whole.
            self.at = max(start + 1, end if run is None else run.end)
            if run is not None:
                yield run

    def _ends(self, text: bytes, start: int) -> tuple[int, int, bool]:
        """Where characters of both alphabets end, and whether that is only the end of a piece."""
        most = start + MOST_BYTES
        ends = []
        for number, pattern in enumerate((_STANDARD, _URL)):
            begin, end = self._known[number]
            if not (begin <= start < end < most):
                end = pattern.match(text, start, most).end()  # type: ignore[union-attr]
                self._known[number] = (start, end)
            ends.append(end)
        end = max(ends)
        return ends[0], ends[1], end == most and text[end : end + 1].isalnum()


def run_at(text: bytes, start: int, most: int) -> Run | None:
    """The run of at most so many bytes that begins at a place; None where none does.

    Examples:
        >>> run_at(b"pw: aHVudGVyMiBhbmQgbW9yZQ==", 4, 400)
        Run(start=4, end=28, text=b'hunter2 and more', joints=())
        >>> run_at(b"path: usr/share/python/lib", 6, 400) is None
        True
    """
    text = text[: start + most + 2]
    if _next(text, start) != start:
        return None
    standard, url = (pattern.match(text, start).end() for pattern in (_STANDARD, _URL))  # type: ignore[union-attr]
    run = _decoded(text, start, standard, url) if max(standard, url) - start <= most else None
    return run if run is not None and run.end - start <= most else None


def _next(text: bytes, at: int) -> int:
    """Where the next run may begin; -1 for nowhere."""
    found = _GATE.search(text, max(0, at - 4))
    while found is not None and found[1][0] < at:
        found = _GATE.search(text, found[0][0] + 1)
    return found[1][0] if found is not None else -1


def _is_dotted(text: bytes, start: int, end: int) -> bool:
    """Whether the run is a part of something with dots: a JSON web token, a signed cookie."""
    return (text[end : end + 1] == b"." and text[end + 1 : end + 2].isalnum()) or (
        text[start - 1 : start] == b"." and text[start - 2 : start - 1].isalnum()
    )


def _decoded(text: bytes, start: int, standard: int, url: int) -> Run | None:
    """The longer of both alphabets that is text from its beginning, if it is text to its end."""
    for end in sorted({standard, url}, reverse=True):
        raw = text[start : min(end, start + _FIRST)]
        plain = _plain(raw)
        if plain is None:
            continue
        if end > start + _FIRST:
            plain = _plain(text[start:end])
        if plain is None or len(plain) < _LEAST_TEXT or _is_dotted(text, start, end):
            return None
        return Run(start, _PADDING.match(text, end).end(), plain)  # type: ignore[union-attr]
    return None


def _plain(raw: bytes) -> bytes | None:
    """What characters of base 64 say, as UTF-8; None where it is no text. An incomplete end is left out."""
    raw = raw.translate(_FROM_URL)
    rest = len(raw) % 4
    padded = raw[: len(raw) - 1] if rest == 1 else raw + b"=" * (-rest % 4)
    try:
        plain = binascii.a2b_base64(padded)
    except binascii.Error:
        return None
    if plain[1:2] == b"\0" == plain[3:4]:
        plain = plain.decode("utf-16-le", "ignore").encode()
    if len(plain.translate(None, _CONTROLS)) < len(plain):
        return None
    try:
        plain.decode()
    except UnicodeDecodeError as error:
        # Cut in the middle of a character.
        if error.reason != "unexpected end of data" or error.start < len(plain) - 3:
            return None
        plain = plain[: error.start]
    return plain


def _may_wrap(text: bytes, run: Run) -> bool:
    width = run.end - run.start
    return _LEAST_LINE <= width <= _MOST_LINE and not width % 4 and text[run.end - 1 : run.end] != b"="


def _wrapped(text: bytes, run: Run) -> Run:
    """The run with the lines that go on with it: of its length, and a last one that is shorter."""
    width = run.end - run.start
    parts, end = [run.text], run.end
    while end - run.start < MOST_BYTES:
        between = _LINE_END.match(text, end, end + _BETWEEN_BYTES)
        if between is None:
            break
        first = between.end()
        last = _STANDARD.match(text, first, first + width + 1).end()  # type: ignore[union-attr]
        closed = _PADDING.match(text, last).end()  # type: ignore[union-attr]
        length = last - first
        plain = _plain(text[first:last]) if 0 < length <= width else None
        if plain is None:
            break
        is_last = length < width or closed > last
        if is_last and (closed - first) % 4:
            break  # a word on the next line
        parts.append(plain)
        end = closed
        if is_last:
            break
    return Run(run.start, end, b"".join(parts)) if len(parts) > 1 else run

"""RTF: the text between its control words, and the objects embedded in it. Read window by window."""

from __future__ import annotations

import re
from binascii import unhexlify
from codecs import getincrementaldecoder
from collections.abc import Iterator
from io import BytesIO
from itertools import islice

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract.budget import Read, read_window
from scanner_tasks.extract.embedded import of_ole1
from scanner_tasks.extract.table import running_text
from scanner_tasks.extract.walk import LARGE, Layer, Walk

_TOKEN = re.compile(
    r"\\'([0-9a-fA-F]{2})|\\u(-?\d{1,6}) ?(?:\\'[0-9a-fA-F]{2}|\?)?"
    r"|\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\(.)|([{}])|([^\\{}\r\n]+)",
    re.DOTALL,
)
#: More than the longest token but text, which may be cut anywhere.
_LONGEST_TOKEN = 64
_BREAKS = {"par": "\n", "line": "\n", "row": "\n", "page": "\n", "sect": "\n", "tab": "\t", "cell": "\t"}
#: Groups without text of the document's.
_FURNITURE = frozenset({"fonttbl", "colortbl", "stylesheet", "pict", "objdata", "themedata", "colorschememapping"})
#: Groups whose text is no part of the text around them, as all are that begin with a star.
_APART = frozenset({
    "author", "operator", "title", "subject", "keywords", "comment", "doccomm", "company", "manager", "category",
    "hlinkbase", "header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf", "footnote",
    "annotation", "atnauthor", "fldinst", "shptxt", "propname", "staticval",
})  # fmt: skip
_NO_DIGIT = re.compile(rb"[^0-9A-Fa-f]")
_HIDDEN, _IS_APART, _OBJECT = 1, 2, 4
#: Of these, a segment is made.
_PIECES = 10_000
_SIGNS = {"~": " ", "-": "", "_": "-"}


def rtf_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """The document as one text, in which each paragraph is a line; then each embedded object as a member."""
    document = _Document(walk)
    pieces = document.pieces(layer.read)
    yield from running_text(walk, layer, "", iter(lambda: "".join(islice(pieces, _PIECES)), ""))
    for number, digits in enumerate(document.objects, 1):
        written = _NO_DIGIT.sub(b"", digits)
        content = unhexlify(written[: len(written) // 2 * 2])
        yield from walk.member(layer, f"object {number}", BytesIO(of_ole1(content)).read)


class _Document:
    """What has been met of a document so far."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        #: Embedded objects, as hexadecimal digits.
        self.objects: list[bytearray] = []
        self._size = 0
        self._state = 0
        self._around = bytearray()  # a byte for each open group: there may be millions

    def pieces(self, read: Read) -> Iterator[str]:
        """The text, token by token; an ExtractError of ``read`` behind what came before it."""
        decoder, kept, error = getincrementaldecoder("cp1252")("replace"), "", None
        is_last = False
        while not is_last:
            data, error = read_window(read, self._walk.budget.window_bytes)
            is_last = len(data) < self._walk.budget.window_bytes
            text, done = kept + decoder.decode(data), 0
            end = len(text) if is_last else max(0, len(text) - _LONGEST_TOKEN)
            for token in _TOKEN.finditer(text):
                if token.start() >= end:
                    break
                done = token.end()
                if told := self._told(*token.groups("")):  # an empty piece would be taken for the end
                    yield told
            kept = text[max(done, end) :]
        if error:
            raise error

    def _told(self, byte: str, code: str, word: str, number: str, sign: str, brace: str, plain: str) -> str:  # noqa: PLR0917
        if brace:
            return self._brace(brace)
        if word:
            return self._word(word, number)
        if self._state & _HIDDEN:
            if self._state & _OBJECT and plain:
                self._object(plain)
            return ""
        if sign == "*":
            self._state |= _IS_APART
            return "\t"
        if byte:
            return bytes.fromhex(byte).decode("cp1252", "replace")
        return chr(int(code) % 0x10000) if code else plain or _SIGNS.get(sign, sign if sign in "\\{}" else "")

    def _brace(self, brace: str) -> str:
        if brace == "{":
            self._around.append(self._state)
            self._state &= ~_IS_APART
            return ""
        was_apart = self._state & _IS_APART and not self._state & _HIDDEN
        self._state = self._around.pop() if self._around else 0
        return "\t" if was_apart else ""

    def _word(self, word: str, number: str) -> str:
        if word in _FURNITURE:
            self._state |= _HIDDEN
        if word == "objdata":
            self._state |= _OBJECT
            self.objects.append(bytearray())
        if self._state & _HIDDEN:
            return ""
        if word in _APART and not self._state & _IS_APART:
            self._state |= _IS_APART
            return "\t"
        return _BREAKS[word] if word in _BREAKS and number != "0" else ""

    def _object(self, digits: str) -> None:
        data = digits.encode("ascii", "ignore").translate(None, b" \t")
        self._size += len(data)
        if self._size > 2 * LARGE:
            self._walk.isolate()
        if self._size > 2 * self._walk.budget.memory_bytes:
            self._walk.note_once(
                ExtractError("Its embedded objects are too large to be held in memory.", Outcome.PARTIAL_BYTES)
            )
            return
        self.objects[-1] += data

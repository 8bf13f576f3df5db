"""PNG and JPEG: the text beside the picture (descriptions, EXIF, XMP, comments), and what stands behind it.

The text in the picture itself is not read.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import replace

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract.budget import Peeked, Read, read_window
from scanner_tasks.extract.plain import NOT_UTF8
from scanner_tasks.extract.streams import zlib
from scanner_tasks.extract.strings import printable, runs
from scanner_tasks.extract.table import running_text, texts
from scanner_tasks.extract.walk import Layer, Walk

_PNG_MAGIC_BYTES = 8
_PNG_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
#: Chunks of the picture itself, and what only says how it is shown. Of all others the printable runs are read.
_PNG_PICTURE = frozenset({b"IHDR", b"PLTE", b"IDAT", b"fdAT", b"iCCP", b"IEND"})
#: The longest that the names before a text are, language and translation included; the format allows less.
_MOST_NAME = 1024
_PIECE_BYTES = 64 * 1024
_SOS, _EOI, _COM, _APP1 = 0xDA, 0xD9, 0xFE, 0xE1
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_XMP = b"http://ns.adobe.com/"
#: A mark within a picture: not a byte 0xff of its own, filling, or a place to begin again.
_MARK = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


def png_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """The text chunks, each with its kind as path."""
    read_window(layer.read, _PNG_MAGIC_BYTES)
    kind = b""
    while kind != b"IEND":
        head = _exactly(layer.read, 8)
        kind, chunk = head[4:], _Part(layer.read, int.from_bytes(head[:4], "big"))
        if kind in _PNG_TEXTS:
            yield from running_text(walk, layer, kind.decode(), _png_text(kind, chunk.read))
        elif kind not in _PNG_PICTURE:
            place = kind.decode("ascii", "replace")
            yield from runs(chunk.read, replace(layer, path=layer.inside(place)))
        chunk.pass_over()
        _exactly(layer.read, 4)
    yield from runs(layer.read, layer)


def _png_text(kind: bytes, read: Read) -> Iterator[str]:
    """The name and the text of a chunk."""
    peeked = Peeked(read, _MOST_NAME)
    name, end, rest = peeked.head.partition(b"\0")
    is_packed = kind == b"zTXt" or (kind == b"iTXt" and rest[:1] == b"\1")
    if kind == b"zTXt":
        rest = rest[1:]
    elif kind == b"iTXt":
        rest = rest[2:].split(b"\0", 2)[-1]
    if not end:
        rest = peeked.head
    peeked.read(len(peeked.head) - len(rest))
    decoder = getincrementaldecoder("utf-8")(NOT_UTF8)
    yield f"{name.decode('latin-1')}: "
    unpacked = zlib(peeked.read) if is_packed else peeked.read
    while data := unpacked(_PIECE_BYTES):
        yield decoder.decode(data)
    yield decoder.decode(b"", True) + "\n"  # noqa: FBT003 (codecs' own)


def jpeg_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """The segments before and within the picture, then the printable runs behind it."""
    source = _Marks(layer.read)
    source.exactly(2)
    while (kind := source.mark()) != _EOI:
        if kind in _ALONE:
            continue
        size = int.from_bytes(source.exactly(2), "big") - 2
        if size < 0:
            raise _corrupt()
        data = source.exactly(size)
        if kind == _COM or 0xE0 <= kind <= 0xEF:  # noqa: PLR2004
            place = "comment" if kind == _COM else "EXIF" if kind == _APP1 else f"APP{kind - 0xE0}"
            is_text = kind == _COM or data.startswith(_XMP)
            yield from texts(walk, layer, place, data.decode("utf-8", NOT_UTF8) if is_text else printable(data))
        if kind == _SOS:
            source.pass_picture()
    yield from runs(source.read, layer)


class _Part:
    """The next ``left`` bytes."""

    def __init__(self, source: Read, left: int) -> None:
        self._source = source
        self._left = left

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; b"" at the end."""
        if not self._left:
            return b""
        data = self._source(min(size, self._left))
        if not data:
            raise _corrupt()
        self._left -= len(data)
        return data

    def pass_over(self) -> None:
        """To its end."""
        while self.read(_PIECE_BYTES):
            pass


class _Marks:
    """A JPEG's bytes, mark by mark."""

    def __init__(self, source: Read) -> None:
        self._source = source
        self._kept = b""

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; b"" at the end."""
        if not self._kept:
            return self._source(size)
        data, self._kept = self._kept[:size], self._kept[size:]
        return data

    def exactly(self, size: int) -> bytes:
        """So many bytes."""
        return _exactly(self.read, size)

    def mark(self) -> int:
        """The kind of the next mark, which begins here."""
        mark = self.exactly(2)
        while mark[0] == mark[1] == 0xFF:  # noqa: PLR2004  # fill bytes
            mark = mark[1:] + self.exactly(1)
        if mark[0] != 0xFF:  # noqa: PLR2004
            raise _corrupt()
        return mark[1]

    def pass_picture(self) -> None:
        """Go on to the mark behind the picture, or behind this part of it."""
        while data := self.read(_PIECE_BYTES):
            if found := _MARK.search(data):
                self._kept = data[found.start() :] + self._kept
                return
            if data.endswith(b"\xff"):
                more = self.read(1)
                if not more:
                    break
                self._kept = b"\xff" + more + self._kept
        raise _corrupt()


def _exactly(read: Read, size: int) -> bytes:
    data, error = read_window(read, size)
    if error:
        raise error
    if len(data) < size:
        raise _corrupt()
    return data


def _corrupt() -> ExtractError:
    return ExtractError("The image is damaged or not whole.", Outcome.PARTIAL_CORRUPT)

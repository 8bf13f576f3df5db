"""PNG and JPEG: the text beside the picture (descriptions, EXIF, XMP, comments), and what stands behind it.

The text in the picture itself is not read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract.budget import Read, read_window
from scanner_tasks.extract.strings import printable, runs
from scanner_tasks.extract.table import texts
from scanner_tasks.extract.walk import Layer, Walk

_PNG_MAGIC_BYTES = 8
_PNG_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt", b"eXIf"})
#: A longer text is read as far as this.
_MOST_TEXT = 1024 * 1024
_SKIP_BYTES = 128 * 1024
_SOS, _EOI, _COM = 0xDA, 0xD9, 0xFE
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})


def png_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """The text chunks, each with its kind as path."""
    read_window(layer.read, _PNG_MAGIC_BYTES)
    kind = b""
    while kind != b"IEND":
        head = _exactly(layer.read, 8)
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        taken = min(size, _MOST_TEXT) if kind in _PNG_TEXTS else 0
        if taken:
            data = _exactly(layer.read, taken)
            yield from texts(walk, layer, kind.decode(), _png_chunk(kind, data))
        _pass_over(layer.read, size - taken + 4)
    yield from runs(layer.read, layer)


def _png_chunk(kind: bytes, data: bytes) -> str:
    name, _, rest = data.partition(b"\0")
    if kind == b"zTXt":
        rest = _inflated(rest[1:])
    elif kind == b"iTXt":
        is_packed, rest = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
        rest = _inflated(rest) if is_packed else rest
    elif kind == b"eXIf":
        return printable(data)
    return f"{name.decode('latin-1')}: {_told(rest)}"


def _told(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _MOST_TEXT)
    except zlib.error:
        return b""


def jpeg_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """The segments before the picture, then the printable runs behind it."""
    read_window(layer.read, 2)
    while True:
        mark = _exactly(layer.read, 2)
        while mark[0] == mark[1] == 0xFF:  # noqa: PLR2004  # fill bytes
            mark = mark[1:] + _exactly(layer.read, 1)
        kind = mark[1]
        if mark[0] != 0xFF:  # noqa: PLR2004
            raise _corrupt()
        if kind == _EOI:
            break
        if kind in _ALONE:
            continue
        size = int.from_bytes(_exactly(layer.read, 2), "big") - 2
        if size < 0:
            raise _corrupt()
        if kind == _COM or 0xE0 <= kind <= 0xEF:  # noqa: PLR2004
            place = "comment" if kind == _COM else "EXIF" if kind == 0xE1 else f"APP{kind - 0xE0}"  # noqa: PLR2004
            data = _exactly(layer.read, size)
            yield from texts(walk, layer, place, _told(data) if kind == _COM else printable(data))
        else:
            _pass_over(layer.read, size)
        if kind == _SOS:
            read = _behind_the_picture(layer.read)
            yield from runs(read, layer)
            return
    yield from runs(layer.read, layer)


def _behind_the_picture(source: Read) -> Read:
    """Passes over the picture to its end mark; what is left of the piece comes first."""
    kept = b""
    while data := source(_SKIP_BYTES):
        data = kept + data
        at = data.find(b"\xff\xd9")
        if at >= 0:
            return _behind(data[at + 2 :], source)
        kept = data[-1:]
    raise _corrupt()


def _behind(rest: bytes, source: Read) -> Read:
    def read(size: int) -> bytes:
        nonlocal rest
        data, rest = rest[:size], rest[size:]
        return data or source(size)

    return read


def _exactly(read: Read, size: int) -> bytes:
    data, error = read_window(read, size)
    if error:
        raise error
    if len(data) < size:
        raise _corrupt()
    return data


def _pass_over(read: Read, size: int) -> None:
    while size > 0:
        size -= len(_exactly(read, min(size, _SKIP_BYTES)))


def _corrupt() -> ExtractError:
    return ExtractError("The image is damaged or not whole.", Outcome.PARTIAL_CORRUPT)

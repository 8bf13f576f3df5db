"""Compressed streams whose blocks tell their own size: snappy's frames, lz4's legacy format. A block is bounded."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome
from scanner_tasks.extract.budget import Read, read_window
from scanner_tasks.extract.streams import Elsewhere

_SNAPPY_PACKED, _SNAPPY_STORED, _SNAPPY_PADDING = 0, 1, range(0x80, 0x100)
#: What a block may hold, by either format's description, and what it may be packed to.
_SNAPPY_BLOCK, _LZ4_BLOCK = 64 * 1024, 8 * 1024 * 1024
_MOST_PACKED = _LZ4_BLOCK + _LZ4_BLOCK // 255 + 16
_LZ4_MAGIC = b"\x02\x21\x4c\x18"
_PADDING_BYTES = 64 * 1024


class _NoBlock(Exception):
    """What begins so is none: it is handed on as it is, and the stream is damaged."""

    def __init__(self, head: bytes) -> None:
        super().__init__()
        self.head = head


class _Blocks:
    """The content of blocks, as ``next_block`` gives them; None at the end."""

    def __init__(self, source: Read, next_block: Callable[[], bytes | None], what: str) -> None:
        self._source = source
        self._next_block = next_block
        self._what = what
        self._out = b""
        self._is_trailer = False

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; b"" at the end."""
        while not self._out:
            if self._is_trailer:
                if data := self._source(size):
                    return data
                raise _damaged(self._what)
            try:
                block = self._next_block()
            except _NoBlock as none:
                self._is_trailer, self._out = True, none.head
                continue
            if block is None:
                return b""
            self._out = block
        data, self._out = self._out[:size], self._out[size:]
        return data


def snappy(read: Read) -> Read:
    """The content of framed snappy data. Its checksums (CRC-32C) are not looked at."""
    try:
        library: Any = importlib.import_module("cramjam").snappy
    except ImportError as error:
        raise ExtractError(
            "The content is snappy data: install cramjam to read it.", Outcome.PARTIAL_UNSUPPORTED
        ) from error

    def block() -> bytes | None:
        head = _head(read, "snappy")
        if head is None:
            return None
        kind, size = head[0], int.from_bytes(head[1:], "little")
        if kind in _SNAPPY_PADDING:  # the stream's name, too
            while size:
                size -= len(_exactly(read, min(size, _PADDING_BYTES), "snappy"))
            return b""
        if kind not in {_SNAPPY_PACKED, _SNAPPY_STORED} or not 4 <= size <= 4 + _SNAPPY_BLOCK * 7 // 6 + 32:  # noqa: PLR2004
            raise _NoBlock(head)
        data = _exactly(read, size, "snappy")[4:]
        if kind == _SNAPPY_STORED:
            return data
        try:
            is_too_large = library.decompress_raw_len(data) > _SNAPPY_BLOCK
            unpacked = b"" if is_too_large else bytes(library.decompress_raw(data))
        except Exception as error:  # of its own make
            raise _damaged("snappy") from error
        if is_too_large:
            raise _damaged("snappy")
        return unpacked

    return _Blocks(read, block, "snappy").read


def lz4_legacy(read: Read, elsewhere: Elsewhere = None) -> Read:
    """The content of lz4's first format: blocks of 8 MB."""
    if elsewhere:
        elsewhere()
    library: Any = importlib.import_module("lz4.block")

    def block() -> bytes | None:
        head = _head(read, "lz4")
        if head is None:
            return None
        if head == _LZ4_MAGIC:
            return b""
        size = int.from_bytes(head, "little")
        if not 0 < size <= _MOST_PACKED:
            raise _NoBlock(head)
        try:
            return bytes(library.decompress(_exactly(read, size, "lz4"), uncompressed_size=_LZ4_BLOCK))
        except library.LZ4BlockError as error:
            raise _damaged("lz4") from error

    return _Blocks(read, block, "lz4").read


def _head(read: Read, what: str) -> bytes | None:
    data, error = read_window(read, 4)
    if error:
        raise error
    if 0 < len(data) < 4:  # noqa: PLR2004
        raise _damaged(what)
    return data or None


def _exactly(read: Read, size: int, what: str) -> bytes:
    data, error = read_window(read, size)
    if error:
        raise error
    if len(data) < size:
        raise _damaged(what)
    return data


def _damaged(what: str) -> ExtractError:
    return ExtractError(f"The {what} stream is damaged or not whole.", Outcome.PARTIAL_CORRUPT)

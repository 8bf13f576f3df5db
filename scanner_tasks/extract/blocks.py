"""Compressed streams whose blocks tell their own size: snappy's frames, Hadoop's and Java's, lz4's legacy format.

A block is bounded.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome
from scanner_tasks.extract.budget import Read, read_window
from scanner_tasks.extract.streams import WIDE_BYTES, Elsewhere

_SNAPPY_PACKED, _SNAPPY_STORED, _SNAPPY_PADDING = 0, 1, range(0x80, 0x100)
#: What a block may hold, by either format's description, and what it may be packed to.
_SNAPPY_BLOCK, _LZ4_BLOCK = 64 * 1024, 8 * 1024 * 1024
_MOST_PACKED = _LZ4_BLOCK + _LZ4_BLOCK // 255 + 16
_LZ4_MAGIC = b"\x02\x21\x4c\x18"
_PADDING_BYTES = 64 * 1024
#: Hadoop's blocks hold 256 KB unless told otherwise; more than this is none.
_HADOOP_BLOCK = 64 * 1024 * 1024
#: Java's library begins so: magic, version, compatible version.
_JAVA_HEAD_BYTES = 16


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
        return data if kind == _SNAPPY_STORED else unsnapped(data, _SNAPPY_BLOCK)

    return _Blocks(read, block, "snappy").read


def unsnapped(data: bytes, most: int) -> bytes:
    """What one raw block of snappy data holds; ExtractError when it is damaged or holds more than ``most``."""
    library: Any = importlib.import_module("cramjam").snappy
    try:
        is_too_large = library.decompress_raw_len(data) > most
        unpacked = b"" if is_too_large else bytes(library.decompress_raw(data))
    except Exception as error:  # of its own make
        raise _damaged("snappy") from error
    if is_too_large:
        raise _damaged("snappy")
    return unpacked


def java_snappy(read: Read, elsewhere: Elsewhere = None) -> Read:
    """The content of snappy data as Java's library and Kafka write it: blocks behind their sizes."""
    _exactly(read, _JAVA_HEAD_BYTES, "snappy")

    def block() -> bytes | None:
        head = _head(read, "snappy")
        if head is None:
            return None
        size = int.from_bytes(head, "big")
        if not 0 < size <= _HADOOP_BLOCK:
            raise _NoBlock(head)
        if size > WIDE_BYTES and elsewhere:
            elsewhere()
        return unsnapped(_exactly(read, size, "snappy"), _HADOOP_BLOCK)

    return _Blocks(read, block, "snappy").read


def hadoop_snappy(read: Read, elsewhere: Elsewhere = None) -> Read:
    """The content of snappy data as Hadoop and Firehose write it."""
    return _hadoop(read, elsewhere, "snappy", unsnapped)


def hadoop_lz4(read: Read, elsewhere: Elsewhere = None) -> Read:
    """The content of lz4 data as Hadoop writes it."""
    library: Any = importlib.import_module("lz4.block")

    def unpack(data: bytes, most: int) -> bytes:
        try:
            return bytes(library.decompress(data, uncompressed_size=most))
        except library.LZ4BlockError as error:
            raise _damaged("lz4") from error

    return _hadoop(read, elsewhere, "lz4", unpack)


def _hadoop(read: Read, elsewhere: Elsewhere, what: str, unpack: Callable[[bytes, int], bytes]) -> Read:
    """Blocks of a told size, each of one piece and more, whose packed sizes are told."""
    left = 0

    def block() -> bytes | None:
        nonlocal left
        if not left:
            head = _head(read, what)
            if head is None:
                return None
            left = int.from_bytes(head, "big")
            if left > _HADOOP_BLOCK:
                raise _NoBlock(head)
            if left > WIDE_BYTES and elsewhere:
                elsewhere()
            if not left:
                return b""
        size = int.from_bytes(_exactly(read, 4, what), "big")
        if size > _HADOOP_BLOCK + _HADOOP_BLOCK // 6 + 32:
            raise _damaged(what)
        unpacked = unpack(_exactly(read, size, what), left)
        left -= len(unpacked)
        if not unpacked:
            raise _damaged(what)
        return unpacked

    return _Blocks(read, block, what).read


def is_hadoop_snappy(head: bytes) -> bool:
    """True when the sizes of a first block agree: its own, and what its first piece tells of itself."""
    whole, packed = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big")
    return (
        0 < whole <= _HADOOP_BLOCK
        and 0 < packed <= whole + whole // 6 + 32
        and len(head) > 8  # noqa: PLR2004
        and told_by_snappy(head[8:]) == whole
    )


def is_hadoop_lz4(head: bytes) -> bool:
    """True when the sizes of a first block can be right; lz4 tells no more, so only its name can make it sure."""
    whole, packed = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big")
    return 0 < whole <= _HADOOP_BLOCK and 0 < packed <= whole + whole // 255 + 16 and len(head) > 8  # noqa: PLR2004


def is_raw_snappy(head: bytes) -> bool:
    """True for what can be one raw block: its size, then bytes as they are; only its name can make it sure."""
    whole = told_by_snappy(head)
    at = next((n for n, byte in enumerate(head[:5]) if byte < 0x80), 5) + 1  # noqa: PLR2004
    return whole > 0 and head[at : at + 1] != b"" and not head[at] & 3


def told_by_snappy(data: bytes) -> int:
    """Bytes that a raw block says that it holds; 0 where it says nothing."""
    size = 0
    for n, byte in enumerate(data[:5]):
        size |= (byte & 0x7F) << 7 * n
        if byte < 0x80:  # noqa: PLR2004
            return size
    return 0


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

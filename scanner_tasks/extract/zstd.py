"""Compressed streams: zstd, block by block."""

from __future__ import annotations

import importlib
from typing import Any

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome
from scanner_tasks.extract.budget import Read, read_window
from scanner_tasks.extract.streams import WIDE_BYTES, Elsewhere, is_skipped

_MAGIC = b"\x28\xb5\x2f\xfd"
#: `zstd --long` needs so much: more is asked for by bombs only.
_WINDOW = 128 * 1024 * 1024
_SKIP_BYTES = 64 * 1024


def zstd(read: Read, elsewhere: Elsewhere = None) -> Read:
    """The content of zstd frames."""
    return ZstdReader(read, elsewhere).read


class ZstdReader:
    """The content of zstd frames, block by block: a block holds at most 128 KB, so what it expands to is bounded.

    The library alone does not tell a cut frame from a whole one, nor bound what one piece of input makes.
    """

    def __init__(self, read: Read, elsewhere: Elsewhere = None) -> None:
        self._read = read
        self._elsewhere = elsewhere
        self._out = b""
        self._library: Any = importlib.import_module("zstandard")
        self._frame: Any = None
        self._has_checksum = False
        self._is_trailer = False

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; b"" at the end."""
        while not self._out:
            if self._is_trailer:
                return self._read(size)
            if self._frame is None and not self._begin():
                return b""
            if self._frame is not None:
                self._block()
        data, self._out = self._out[:size], self._out[size:]
        return data

    def _begin(self) -> bool:
        """Read the next frame's header; False at the end."""
        magic, error = read_window(self._read, 4)
        if error:
            raise error
        if not magic.strip(b"\0"):
            return len(magic) == 4  # noqa: PLR2004  # padding
        if len(magic) == 4 and is_skipped(magic):  # noqa: PLR2004
            left = int.from_bytes(self._exactly(4), "little")  # a skippable frame: an index, no text
            while left:
                left -= len(self._exactly(min(left, _SKIP_BYTES)))
            return True
        if magic != _MAGIC:
            self._out, self._is_trailer = magic, True
            return True
        described = self._exactly(1)
        flags = described[0]
        has_window = not flags & 0x20
        size = (0 if has_window else 1, 2, 4, 8)[flags >> 6] + has_window + (0, 1, 2, 4)[flags & 3]
        self._has_checksum = bool(flags & 4)
        self._frame = self._library.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
        header = magic + described + self._exactly(size)
        try:
            wide = self._library.get_frame_parameters(header).window_size > WIDE_BYTES
        except self._library.ZstdError:
            wide = False  # the decoder says so, too
        if wide and self._elsewhere:
            self._elsewhere()
        self._feed(header)
        return True

    def _block(self) -> None:
        head = self._exactly(3)
        described = int.from_bytes(head, "little")
        is_last, kind, size = described & 1, described >> 1 & 3, described >> 3
        body = self._exactly(1 if kind == 1 else size)
        checksum = self._exactly(4) if is_last and self._has_checksum else b""
        self._out = self._feed(head + body)
        if is_last:
            if checksum:
                try:
                    self._feed(checksum)
                except ExtractError as error:
                    self._fail_behind(error)
            self._frame = None

    def _fail_behind(self, error: ExtractError) -> None:
        """Hand out the last block, whose bytes are there, and then the error."""

        def fail(_size: int) -> bytes:
            raise error

        self._read, self._is_trailer = fail, True

    def _feed(self, data: bytes) -> bytes:
        assert self._frame is not None
        try:
            return bytes(self._frame.decompress(data))
        except self._library.ZstdError as error:
            raise _corrupt("is damaged") from error

    def _exactly(self, size: int) -> bytes:
        data, error = read_window(self._read, size)
        if error:
            raise error
        if len(data) < size:
            raise _corrupt("ends in the middle")
        return data


def _corrupt(how: str) -> ExtractError:
    return ExtractError(f"The zstd stream {how}.", Outcome.PARTIAL_CORRUPT)

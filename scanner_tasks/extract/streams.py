"""Compressed streams: gzip, zlib, bzip2, xz and lzma, lz4, raw deflate. Bounded memory, faults kept small."""

from __future__ import annotations

import bz2
import importlib
import lzma
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeAlias, cast

from isal import igzip_lib

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome
from scanner_tasks.extract.budget import Peeked, Read, read_window

_INPUT_BYTES = 64 * 1024
#: What one step gives a decoder: little at first, since a decoder that meets a fault keeps back what it made of a step.
_LEAST_STEP, _MOST_STEP = 32, 4096
#: A decoder that keeps more of what it made than this is used where the memory harms no other object: many objects are
#: in flight at a time. zstd at its ordinary levels needs 2 MB, xz 9.
WIDE_BYTES = 2 * 1024 * 1024
#: What a decoder of xz takes beside its dictionary.
_LZMA_ITSELF = 1024 * 1024
#: xz -9 needs 65 MB: more is asked for by bombs only.
_XZ_MEMORY = 128 * 1024 * 1024
_GZIP_FIXED, _GZIP_CHECKSUM, _GZIP_EXTRA, _GZIP_NAME, _GZIP_COMMENT = 10, 2, 4, 8, 16
_MOST_HEADER = 256 * 1024
#: Of a frame that lz4 and zstd pass over: its first byte is 0x50 to 0x5f.
_SKIPPED = b"\x2a\x4d\x18"
_LZ4_MAGIC = b"\x04\x22\x4d\x18"
#: lz4 by the number in its header: blocks of 4 MB.
_LZ4_WIDE = 7
_IsalError = cast("type[Exception]", igzip_lib.error)  # its type hints call it an instance


#: Leaves what is being read to a process of its own: called before much memory is taken. None in such a process.
Elsewhere: TypeAlias = "Callable[[], None] | None"


class Decoder(Protocol):
    """As the standard library's bz2 and lzma have it."""

    @property
    def eof(self) -> bool: ...  # noqa: D102
    @property
    def needs_input(self) -> bool: ...  # noqa: D102
    @property
    def unused_data(self) -> bytes | None: ...  # noqa: D102
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...  # noqa: D102


class StreamReader:
    """Decompressed bytes of any number of streams one behind the other.

    NUL padding behind a stream is dropped, and so are frames that lz4 passes over. Anything else there is handed on as
    it is: tools pass over it, and so it would be a place to hide text in. A fault raises
    ``ExtractError(partial(corrupt))`` behind what came before it, but for at most 4 KB of input; of a stream that is
    only cut nothing is lost. How ``read`` cuts the bytes changes nothing.
    """

    def __init__(
        self,
        read: Read,
        make: Callable[[], Decoder],
        *,
        magic: bytes,
        what: str,
        is_alone: bool = False,
        header: Callable[[bytes], int] = lambda _: 0,
    ) -> None:
        self._read = read
        self._make = make
        #: What stands behind the first stream is another's.
        self._is_alone = is_alone
        self._magic = magic
        self._what = what
        self._decoder = make()
        self._input = b""
        #: What ended the input before its end; raised behind what can be had of it.
        self._error: ExtractError | None = None
        self._taken = 0
        self._is_trailer = False
        #: Bytes of a stream's header, which its decoder must be given at once; more than there are where it goes on.
        self._header = header
        self._begins = True

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; b"" at the end."""
        while True:
            if self._is_trailer:
                if not self._input and self._is_at_end():
                    return b""
                data, self._input = self._input[:size], self._input[size:]
                return data
            if self._decoder.eof:
                if not self._next_stream():
                    return b""
            elif data := self._some(size):
                return data

    def _some(self, size: int) -> bytes:
        step = b""
        if self._decoder.needs_input:
            if not self._input and self._is_at_end():
                raise self._corrupt("ends in the middle")
            cut = min(_MOST_STEP, _LEAST_STEP + self._taken // 16)
            if self._begins:
                while (whole := self._header(self._input)) > len(self._input) and not self._is_at_end():
                    pass
                self._begins, cut = False, max(cut, whole)
            step, self._input = self._input[:cut], self._input[cut:]
            self._taken += len(step)
        try:
            data = self._decoder.decompress(step, size)
        except MemoryError:
            raise
        except (OSError, EOFError, ValueError, RuntimeError, lzma.LZMAError, _IsalError) as error:
            raise self._corrupt("is damaged") from error
        if self._decoder.eof:
            self._input = (self._decoder.unused_data or b"") + self._input
        return data

    def _is_at_end(self) -> bool:
        """True when there is no more input; an error that ended it is raised."""
        if self._error:
            raise self._error
        more, self._error = read_window(self._read, _INPUT_BYTES)
        self._input += more
        if not more and self._error:
            raise self._error
        return not more

    def _next_stream(self) -> bool:
        if self._is_alone:
            return False
        self._input = self._input.lstrip(b"\0")
        while len(self._input) < len(self._magic) and not self._is_at_end():
            self._input = self._input.lstrip(b"\0")
        if not self._input:
            return False
        if self._magic == _LZ4_MAGIC and is_skipped(self._input):
            self._read, self._input = without_skipped(_joined(self._input, self._read)), b""
            self._error = None  # it comes again, behind what came before it
            return self._next_stream()
        if self._magic and self._input.startswith(self._magic):
            self._decoder, self._begins = self._make(), True
        else:
            self._is_trailer = True
        return True

    def _corrupt(self, how: str) -> ExtractError:
        return ExtractError(f"The {self._what} stream {how}.", Outcome.PARTIAL_CORRUPT)


def gzip(read: Read) -> Read:
    """The content of gzip data, checksums verified."""
    make = partial(igzip_lib.IgzipDecompressor, flag=igzip_lib.DECOMP_GZIP)
    return StreamReader(read, make, magic=b"\x1f\x8b", what="gzip", header=_gzip_header).read


def _gzip_header(begun: bytes) -> int:
    """Bytes of the header that begins so; one more than are there where it goes on.

    isal loses its place in a header that has several optional parts and comes in pieces.
    """
    at, flags = _GZIP_FIXED, begun[3] if len(begun) > 3 else 0  # noqa: PLR2004
    if flags & _GZIP_EXTRA:
        at += 2 + int.from_bytes(begun[at : at + 2], "little")
    for text in (_GZIP_NAME, _GZIP_COMMENT):
        if flags & text and at <= len(begun) < _MOST_HEADER:
            end = begun.find(b"\0", at)
            if end < 0:
                return len(begun) + 1
            at = end + 1
    at += 2 if flags & _GZIP_CHECKSUM else 0
    return at if at < _MOST_HEADER else len(begun)


def deflate(read: Read) -> Read:
    """The content of one raw deflate stream, as a zip's members have it."""
    make = partial(igzip_lib.IgzipDecompressor, flag=igzip_lib.DECOMP_DEFLATE)
    return StreamReader(read, make, magic=b"", what="deflate").read


def zlib(read: Read, *, is_alone: bool = True) -> Read:
    """The content of one zlib stream, as documents have it; alone, what stands behind it is not looked at."""
    make = partial(igzip_lib.IgzipDecompressor, flag=igzip_lib.DECOMP_ZLIB)
    return StreamReader(read, make, magic=b"", what="zlib", is_alone=is_alone).read


def bzip2(read: Read) -> Read:
    """The content of bzip2 data."""
    return StreamReader(read, bz2.BZ2Decompressor, magic=b"BZh", what="bzip2").read


class _Lzma:
    """A decoder of xz or lzma that asks for a process of its own before it takes much memory."""

    def __init__(self, form: int, elsewhere: Elsewhere) -> None:
        self._elsewhere = elsewhere
        most = WIDE_BYTES + _LZMA_ITSELF if elsewhere else _XZ_MEMORY
        self._decoder = lzma.LZMADecompressor(form, memlimit=most)

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """As the library's."""
        try:
            return self._decoder.decompress(data, max_length)
        except lzma.LZMAError as error:
            if self._elsewhere and "limit" in str(error):
                self._elsewhere()
            raise

    @property
    def needs_input(self) -> bool:
        """As the library's."""
        return self._decoder.needs_input

    @property
    def eof(self) -> bool:
        """As the library's."""
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        """As the library's."""
        return self._decoder.unused_data


def xz(read: Read, elsewhere: Elsewhere = None) -> Read:
    """The content of xz data."""
    return StreamReader(read, lambda: _Lzma(lzma.FORMAT_XZ, elsewhere), magic=b"\xfd7zXZ\0", what="xz").read


def lzma_alone(read: Read, elsewhere: Elsewhere = None) -> Read:
    """The content of old lzma data."""
    return StreamReader(read, lambda: _Lzma(lzma.FORMAT_ALONE, elsewhere), magic=b"", what="lzma").read


def lzma_sized(read: Read, size: int | None, elsewhere: Elsewhere = None) -> Read:
    """The content of lzma data as zip has it: it need not tell its end, so ``size`` does."""
    head, error = read_window(read, 9)
    properties, dictionary = (head[4], int.from_bytes(head[5:], "little")) if len(head) == 9 else (255, 0)  # noqa: PLR2004
    if error or properties >= 225 or dictionary > _XZ_MEMORY:  # noqa: PLR2004
        raise error or ExtractError("The lzma stream is damaged.", Outcome.PARTIAL_CORRUPT)
    if dictionary > WIDE_BYTES and elsewhere:
        elsewhere()
    filters = [{
        "id": lzma.FILTER_LZMA1, "dict_size": max(dictionary, 4096), "lc": properties % 9,
        "lp": properties // 9 % 5, "pb": properties // 45,
    }]  # fmt: skip
    make = partial(lzma.LZMADecompressor, lzma.FORMAT_RAW, filters=filters)
    source = StreamReader(read, make, magic=b"", what="lzma", is_alone=True)
    left = 1 << 62 if size is None else size

    def sized(most: int) -> bytes:
        nonlocal left
        data = source.read(min(most, left)) if left else b""
        left -= len(data)
        return data

    return sized


def lz4_frames(read: Read, elsewhere: Elsewhere = None) -> Read:
    """The content of lz4 frames."""
    frame: Any = importlib.import_module("lz4.frame")
    peeked = Peeked(without_skipped(read), 6)
    head, read = peeked.head, peeked.read
    if elsewhere and len(head) == 6 and head[5] >> 4 & 7 == _LZ4_WIDE:  # noqa: PLR2004
        elsewhere()
    return StreamReader(read, frame.LZ4FrameDecompressor, magic=_LZ4_MAGIC, what="lz4").read


def is_skipped(head: bytes) -> bool:
    """True for what begins a frame that lz4 and zstd pass over: an index, no text."""
    return head[1:4] == _SKIPPED and head[0] & 0xF0 == 0x50  # noqa: PLR2004


def without_skipped(read: Read) -> Read:
    """What stands behind the frames that are passed over."""
    while True:
        peeked = Peeked(read, 8)
        if len(peeked.head) < 8 or not is_skipped(peeked.head):  # noqa: PLR2004
            return peeked.read
        left = 8 + int.from_bytes(peeked.head[4:], "little")
        while left:
            data = peeked.read(min(left, _INPUT_BYTES))
            if not data:
                raise ExtractError("The stream ends in the middle.", Outcome.PARTIAL_CORRUPT)
            left -= len(data)


def _joined(begun: bytes, read: Read) -> Read:
    """What was read already, and then the rest."""

    def joined(size: int) -> bytes:
        nonlocal begun
        if not begun:
            return read(size)
        data, begun = begun[:size], begun[size:]
        return data

    return joined

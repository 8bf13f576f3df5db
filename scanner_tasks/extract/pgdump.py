"""Custom dumps of PostgreSQL (``pg_dump -Fc``): their statements by their printable runs, then the rows of each table.

Rows are packed (gzip, lz4 or zstd) and cut into chunks behind their sizes. Where a chunk begins with what a packed
stream begins with, a table's rows begin; they end with a chunk of no bytes. Dumps that are not packed are read by their
printable runs alone, and so are the tables of contents of the other forms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract.strings import runs
from scanner_tasks.extract.walk import Layer, Walk
from scanner_tasks.extract.zip import Slice

#: Where the header tells the bytes of a number, and that this is the custom form: the only one with rows in it.
_NUMBER_AT, _FORM_AT, _NUMBER_OF_4, _CUSTOM = 8, 10, b"\4", b"\1"
#: A number has a byte for its sign. A chunk is as large as a buffer of the compressor's, 4 KB to 1 MB.
_BEGINS = re.compile(rb"\0(..[\0-\x0f]\0)(?=x[\x01\x5e\x9c\xda]|\x28\xb5\x2f\xfd|\x04\x22\x4d\x18)", re.DOTALL)
_NUMBER_BYTES = 4
_SEARCH_BYTES = 1024 * 1024
#: Less than a match with what stands behind it, so that none is passed over or met twice.
_OVERLAP = 8


def pgdump_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """The statements, then each table's rows and each large object as a member."""
    if layer.head[_NUMBER_AT : _NUMBER_AT + 1] != _NUMBER_OF_4 or layer.head[_FORM_AT : _FORM_AT + 1] != _CUSTOM:
        yield from runs(layer.read, layer)
        return
    with walk.spooled(layer.read) as (file, cut):
        at, number = _next(file, 0), 0
        yield from runs(Slice(file, 0, _end(file) if at is None else at).read, layer)
        while at is not None:
            number += 1
            chunks = _Chunks(file, at)
            yield from walk.member(layer, f"data {number}", chunks.read)
            at = _next(file, chunks.to_end())
        if cut:
            raise cut


class _Chunks:
    """The bytes of the chunks from a place of the file on, to the one that is empty."""

    def __init__(self, file: IO[bytes], at: int) -> None:
        self._file = file
        self._at = at
        self._left = 0
        self._is_done = False

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; b"" at the end."""
        if not self._left and not self._next_chunk():
            return b""
        self._file.seek(self._at)
        data = self._file.read(min(size, self._left))
        if not data:
            raise _cut()
        self._at += len(data)
        self._left -= len(data)
        return data

    def to_end(self) -> int:
        """Where the file goes on behind them, or what is left of them where they are damaged."""
        try:
            while self._left or self._next_chunk():
                self._at, self._left = self._at + self._left, 0
        except ExtractError:
            pass  # told when they were read
        return self._at

    def _next_chunk(self) -> bool:
        if self._is_done:
            return False
        self._file.seek(self._at)
        head = self._file.read(1 + _NUMBER_BYTES)
        if len(head) <= _NUMBER_BYTES or head[0]:
            raise _cut()
        self._at += len(head)
        self._left = int.from_bytes(head[1:], "little")
        self._is_done = not self._left
        return not self._is_done


def _next(file: IO[bytes], at: int) -> int | None:
    """Where the next rows begin."""
    while True:
        file.seek(at)
        data = file.read(_SEARCH_BYTES)
        if found := _BEGINS.search(data):
            return at + found.start()
        if len(data) < _SEARCH_BYTES:
            return None
        at += len(data) - _OVERLAP


def _end(file: IO[bytes]) -> int:
    return file.seek(0, 2)


def _cut() -> ExtractError:
    return ExtractError("The dump is damaged or not whole.", Outcome.PARTIAL_CORRUPT)

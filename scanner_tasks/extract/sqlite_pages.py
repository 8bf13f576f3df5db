"""What stands in the pages of a SQLite database beside its rows: what was deleted and not yet overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from scanner_tasks.extract.budget import Read

_HEADER_BYTES = 100
_LEAST_PAGE = 512
#: Pages of rows, and of an index that holds rows.
_LEAVES = frozenset({b"\x0d", b"\x0a"})


class _Pages:
    """Some pages of a database, one behind the other."""

    def __init__(self, file: IO[bytes], size: int, numbers: Iterator[int]) -> None:
        self._file = file
        self._size = size
        self._numbers = numbers
        self._kept = b""

    def read(self, size: int) -> bytes:
        while not self._kept and (number := next(self._numbers, 0)):
            self._file.seek((number - 1) * self._size)
            self._kept = self._file.read(self._size)
        data, self._kept = self._kept[:size], self._kept[size:]
        return data


def freed_pages(file: IO[bytes]) -> Read:
    """The pages that hold nothing any more: rows that were deleted stand in them until others take their place."""
    size, trunk, count = _head(file)
    return _Pages(file, size, _numbers(file, size, trunk, count)).read


def freed_rows(file: IO[bytes]) -> Read:
    """What is left of rows that were deleted from pages that still hold others, NULs between them."""
    size, _, count = _head(file)
    blocks = _blocks(file, size, count if size >= _LEAST_PAGE else 0)
    kept = b""

    def read(most: int) -> bytes:
        nonlocal kept
        while not kept:
            block = next(blocks, None)
            if block is None:
                return b""
            kept = block
        data, kept = kept[:most], kept[most:]
        return data

    return read


def _head(file: IO[bytes]) -> tuple[int, int, int]:
    """Bytes of a page, the first page that tells of freed ones, the number of pages."""
    length = file.seek(0, 2)
    file.seek(0)
    head = file.read(_HEADER_BYTES)
    size = int.from_bytes(head[16:18], "big")
    size = 65_536 if size == 1 else size
    is_size = size >= _LEAST_PAGE and not size & (size - 1)
    return size, int.from_bytes(head[32:36], "big") if is_size else 0, length // max(size, 1) if is_size else 0


def _blocks(file: IO[bytes], size: int, count: int) -> Iterator[bytes]:
    """The free blocks of each page of rows, as far as their chain goes forward."""
    for number in range(count):
        file.seek(number * size)
        page = file.read(size)
        begin = 0 if number else _HEADER_BYTES
        if page[begin : begin + 1] not in _LEAVES:
            continue
        at = int.from_bytes(page[begin + 1 : begin + 3], "big")
        while 0 < at < size - 4:
            following, length = int.from_bytes(page[at : at + 2], "big"), int.from_bytes(page[at + 2 : at + 4], "big")
            yield page[at + 4 : at + length] + b"\0"
            at = following if following > at else 0


def _numbers(file: IO[bytes], size: int, trunk: int, most: int) -> Iterator[int]:
    told = 0
    while 0 < trunk <= most and told <= most:
        file.seek((trunk - 1) * size)
        page = file.read(size)
        yield trunk
        count = min(int.from_bytes(page[4:8], "big"), size // 4 - 2, most - told)
        for n in range(count):
            leaf = int.from_bytes(page[8 + 4 * n : 12 + 4 * n], "big")
            if 0 < leaf <= most:
                yield leaf
        told += 1 + count
        trunk = int.from_bytes(page[:4], "big")

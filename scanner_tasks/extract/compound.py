"""Compound files (OLE): the file system in which doc, xls, ppt and msg keep their streams.

A reader of our own, as [MS-CFB] tells it: no chain of sectors is followed longer than the file has room for.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome
from scanner_tasks.extract.budget import Read

_HEADER_BYTES, _ENTRY_BYTES = 512, 128
_HEADER_DIFAT = 109
#: Sector numbers from here on stand for an end, free space and the like.
_FIRST_SPECIAL = 0xFFFFFFFA
_NONE = 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_SHIFTS = (9, 12)
_MOST_ENTRIES = 1_000_000
_NOT_SHOWN = dict.fromkeys(range(32))


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream: where it stands in the tree, and in the file."""

    #: Names of the storages around it and its own, control characters left out.
    path: tuple[str, ...]
    start: int
    size: int

    @property
    def name(self) -> str:
        """Its path as one text."""
        return "/".join(self.path)


class Compound:
    """The streams of a compound file; ExtractError(partial(corrupt)) when it is damaged."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self._length = file.seek(0, 2)
        file.seek(0)
        header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES or _int(header, 30, 2) not in _SHIFTS:
            raise corrupt()
        self._sector = 1 << _int(header, 30, 2)
        self._mini_sector = 64
        self._cutoff = _int(header, 56, 4)
        self._sectors = self._length // self._sector + 1
        self._fat = self._numbers(self._fat_sectors(header))
        self._mini_fat = self._numbers(self._chain(_int(header, 60, 4), self._fat))
        self._has_long_sizes = _int(header, 26, 2) > 3  # noqa: PLR2004
        self._entries = b"".join(self._at(n) for n in self._chain(_int(header, 48, 4), self._fat))
        if self._entries[66:67] != bytes([_ROOT]):
            raise corrupt()
        self._mini = list(self._chain(_int(self._entries, 116, 4), self._fat))
        self.streams = {stream.path: stream for stream in self._tree()}

    def head(self, name: str, size: int) -> bytes:
        """The first bytes of a stream; b"" where there is none."""
        stream = self.streams.get((name,))
        return self.open(stream)(size) if stream else b""

    def open(self, stream: Stream) -> Read:
        """The stream's bytes; each read gives all that was asked for but at the end."""
        is_mini = stream.size < self._cutoff
        chain = self._chain(stream.start, self._mini_fat if is_mini else self._fat)
        left, kept = stream.size, b""

        def read(size: int) -> bytes:
            nonlocal left, kept
            pieces, have = [kept], len(kept)
            while have < min(size, left):
                number = next(chain, None)
                if number is None:
                    raise corrupt()
                pieces.append(self._mini_at(number) if is_mini else self._at(number))
                have += len(pieces[-1])
            data = b"".join(pieces)
            wanted = min(size, left)
            data, kept = data[:wanted], data[wanted:]
            left -= len(data)
            return data

        return read

    def _fat_sectors(self, header: bytes) -> Iterator[int]:
        yield from (_int(header, 76 + 4 * n, 4) for n in range(_HEADER_DIFAT))
        at, seen = _int(header, 68, 4), 0
        while at < _FIRST_SPECIAL and seen < self._sectors:
            numbers = self._at(at)
            yield from (_int(numbers, 4 * n, 4) for n in range(self._sector // 4 - 1))
            at, seen = _int(numbers, self._sector - 4, 4), seen + 1

    def _numbers(self, sectors: Iterator[int]) -> array[int]:
        numbers: array[int] = array("I")
        for number in sectors:
            if number < _FIRST_SPECIAL and len(numbers) <= self._sectors:
                data = self._at(number)
                numbers.extend(_int(data, at, 4) for at in range(0, len(data) - 3, 4))
        return numbers

    def _chain(self, at: int, fat: array[int]) -> Iterator[int]:
        for _ in range(len(fat)):
            if at >= _FIRST_SPECIAL:
                return
            if at >= len(fat):
                raise corrupt()
            yield at
            at = fat[at]
        if at < _FIRST_SPECIAL:
            raise corrupt()  # it goes round

    def _at(self, number: int) -> bytes:
        place = (number + 1) * self._sector
        if place >= self._length:
            raise corrupt()
        self.file.seek(place)
        return self.file.read(self._sector)

    def _mini_at(self, number: int) -> bytes:
        sector, place = divmod(number * self._mini_sector, self._sector)
        if sector >= len(self._mini):
            raise corrupt()
        return self._at(self._mini[sector])[place : place + self._mini_sector]

    def _tree(self) -> Iterator[Stream]:
        """The streams in the order of the directory's tree."""
        todo: list[tuple[int, tuple[str, ...]]] = [(_int(self._entries, 76, 4), ())]
        seen: set[int] = set()
        while todo:
            number, above = todo.pop()
            entry = self._entries[number * _ENTRY_BYTES : (number + 1) * _ENTRY_BYTES]
            if number in seen or number == _NONE or len(entry) < _ENTRY_BYTES or len(seen) > _MOST_ENTRIES:
                continue
            seen.add(number)
            name = entry[: max(0, min(_int(entry, 64, 2), 64) - 2)].decode("utf-16-le", "replace")
            path = (*above, name.translate(_NOT_SHOWN))
            todo += [(_int(entry, 72, 4), above), (_int(entry, 68, 4), above)]
            if entry[66] == _STORAGE:
                todo.append((_int(entry, 76, 4), path))
            elif entry[66] == _STREAM:
                yield Stream(path, _int(entry, 116, 4), _int(entry, 120, 8 if self._has_long_sizes else 4))


def corrupt() -> ExtractError:
    """What a damaged file ends as."""
    return ExtractError("The old Office document is damaged.", Outcome.PARTIAL_CORRUPT)


def _int(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")

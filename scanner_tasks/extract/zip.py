"""Zip archives: members by the central directory, one at a time; by their own headers where there is none.

The standard library's zipfile holds every entry of the directory in memory, which a bomb of entries makes use of. Names
are only names: nothing is ever written.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from isal import isal_zlib

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract import streams
from scanner_tasks.extract.budget import Read
from scanner_tasks.extract.magics import Form
from scanner_tasks.extract.walk import Layer, Walk
from scanner_tasks.extract.zstd import zstd

_END, _END64_PLACE, _END64 = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"
_ENTRY, _LOCAL, _DESCRIPTOR = b"PK\x01\x02", b"PK\x03\x04", b"PK\x07\x08"
#: A comment is shorter; something else may stand behind the archive.
_MOST_BEHIND = 256 * 1024
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_ENCRYPTED, _UTF8, _SIZES_FOLLOW = 0x1, 0x800, 0x8
_FARTHEST = 1 << 62
_SEARCH_BYTES = 64 * 1024
_LZMA = 14
#: Checksum and sizes that may stand behind a member.
_MOST_DESCRIPTOR = 24


@dataclass(frozen=True, slots=True)
class Member:
    """One member: where its local header stands, and what the directory says of it."""

    name: str
    at: int
    size: int
    method: int
    flags: int
    #: None where it is not known before the end.
    crc: int | None
    #: Bytes when unpacked; None where they are not known.
    whole: int | None
    #: Of a member that was found without a directory: where its content begins.
    content_at: int | None = None
    #: What the directory says of it.
    comment: bytes = b""


class Slice:
    """Part of a file that others read, too."""

    def __init__(self, file: IO[bytes], at: int, size: int) -> None:
        self._file = file
        self._at = at
        self._left = size

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; b"" at the end."""
        _seek(self._file, self._at)
        data = self._file.read(min(size, self._left))
        self._at += len(data)
        self._left -= len(data)
        return data


def members(file: IO[bytes]) -> Iterator[Member]:
    """The members in the directory's order, or, where there is none, in that of the headers that are there."""
    place = _directory(file)
    if place is None:
        yield from _headers(file)
    else:
        yield from _entries(file, *place)


def content(file: IO[bytes], member: Member, elsewhere: streams.Elsewhere = None) -> Read:
    """The member's bytes, decompressed; ExtractError when it is encrypted or compressed in a way we cannot read."""
    if member.flags & _ENCRYPTED:
        raise ExtractError("A member of the zip archive is encrypted.", Outcome.PARTIAL_ENCRYPTED)
    at = member.content_at
    if at is None:
        _seek(file, member.at)
        header = file.read(30)
        if len(header) < 30 or not header.startswith(_LOCAL):  # noqa: PLR2004
            raise _corrupt()
        at = member.at + 30 + _int(header, 26, 2) + _int(header, 28, 2)
    read = Slice(file, at, member.size).read
    if member.method == _LZMA:
        return _checked(streams.lzma_sized(read, member.whole, elsewhere), member.crc)
    unpack: Callable[[Read], Read] | None = {
        0: lambda r: r, 8: streams.deflate, 12: streams.bzip2,
        93: lambda r: zstd(r, elsewhere), 95: lambda r: streams.xz(r, elsewhere),
    }.get(member.method)  # fmt: skip
    if unpack is None:
        raise ExtractError(
            f"A member of the zip archive is compressed by method {member.method}.", Outcome.PARTIAL_UNSUPPORTED
        )
    return _checked(unpack(read), member.crc)


class Extents:
    """Which parts of the file the members take that were met, so that what stands between them can be found."""

    def __init__(self) -> None:
        self._starts = array("q")
        self._ends = array("q")

    def add(self, file: IO[bytes], member: Member) -> None:
        """One more member."""
        _seek(file, member.at)
        header = file.read(30)
        self._starts.append(member.at)
        self._ends.append(member.at + len(header) + _int(header, 26, 2) + _int(header, 28, 2) + member.size)

    @property
    def first(self) -> int:
        """Where the first member begins."""
        return min(self._starts, default=_FARTHEST)

    def gaps(self, end: int) -> Iterator[tuple[int, int]]:
        """Where nothing stands that the directory tells of, between the first member and ``end``; sizes apart."""
        reached = self.first
        for n in sorted(range(len(self._starts)), key=self._starts.__getitem__):
            if self._starts[n] - reached > _MOST_DESCRIPTOR:
                yield reached, self._starts[n]
            reached = max(reached, self._ends[n])
        if end - reached > _MOST_DESCRIPTOR:
            yield reached, end


def member_text(
    walk: Walk, layer: Layer, file: IO[bytes], member: Member, *, form: Form | None = None
) -> Iterator[Segment]:
    """The text of one member, a fault noted; ``form`` is what reads it if it is text."""
    if member.name.endswith("/") and not member.size:
        walk.meter.member()
        return
    try:
        read = content(file, member, walk.elsewhere)
    except ExtractError as error:
        walk.meter.member()
        walk.note(error)
        return
    yield from walk.member(layer, member.name, read, form=form)


def directory_of(file: IO[bytes]) -> int | None:
    """Where the archive's directory begins; None where there is none."""
    place = _directory(file)
    return None if place is None else place[0]


def end_of(file: IO[bytes]) -> int | None:
    """Where the archive's last record ends: a comment, and whatever else is there, stands behind it. None without."""
    at = _end_record(file)
    return None if at is None else at[0] + 22


def _end_record(file: IO[bytes]) -> tuple[int, bytes] | None:
    """Where the record of the directory's end begins, and the file's bytes from 20 before it."""
    length = file.seek(0, 2)
    tail_at = max(0, length - _MOST_BEHIND - 22)
    file.seek(tail_at)
    tail = file.read(_MOST_BEHIND + 22)
    found = tail.rfind(_END)
    while found >= 0 and found + 22 + _int(tail, found + 20, 2) > len(tail):
        found = tail.rfind(_END, 0, found)
    return None if found < 0 else (tail_at + found, tail[max(0, found - 20) : found + 22].rjust(42, b"\0"))


def _directory(file: IO[bytes]) -> tuple[int, int, int] | None:
    """Where the central directory begins and ends, and what is to be added to the places it tells; None without one."""
    record = _end_record(file)
    if record is None:
        return None
    end, tail = record
    size, start = _int(tail, 32, 4), _int(tail, 36, 4)
    if tail.startswith(_END64_PLACE):
        place = _int(tail, 8, 8)
        _seek(file, place)
        big = file.read(56)
        if big.startswith(_END64) and len(big) == 56:  # noqa: PLR2004
            end = place
            size, start = _int(big, 40, 8), _int(big, 48, 8)
    begin = end - size
    file.seek(max(begin, 0))
    if begin < 0 or (size and file.read(4) != _ENTRY):
        return None
    # Something may stand before the archive, which its places do not count.
    return begin, end, begin - start


def _entries(file: IO[bytes], at: int, end: int, shift: int) -> Iterator[Member]:
    while at + 46 <= end:
        _seek(file, at)
        entry = file.read(46)
        if not entry.startswith(_ENTRY):
            raise _corrupt()
        lengths = _int(entry, 28, 2), _int(entry, 30, 2), _int(entry, 32, 2)
        name, extra = file.read(lengths[0]), file.read(lengths[1])
        packed, whole, start = _int(entry, 20, 4), _int(entry, 24, 4), _int(entry, 42, 4)
        big = _extra(extra, 1)
        if whole == _FULL32:
            whole, big = _int(big, 0, 8), big[8:]
        if packed == _FULL32:
            packed, big = _int(big, 0, 8), big[8:]
        if start == _FULL32:
            start = _int(big, 0, 8)
        flags = _int(entry, 8, 2)
        method, crc = _int(entry, 10, 2), _int(entry, 16, 4)
        comment = file.read(lengths[2])
        yield Member(_name(name, flags), start + shift, packed, method, flags, crc, whole, comment=comment)
        at += 46 + sum(lengths)


def _headers(file: IO[bytes]) -> Iterator[Member]:
    """What is left of an archive whose directory is not there."""
    yield from members_between(file, 0, _FARTHEST)
    raise _corrupt()


def members_between(file: IO[bytes], begin: int, end: int) -> Iterator[Member]:
    """Members whose headers stand in this part of the file: each goes as far as it says, or to the next signature."""
    at = _find(file, begin, (_LOCAL,))
    while at is not None and at < end:
        _seek(file, at)
        header = file.read(30)
        if len(header) < 30:  # noqa: PLR2004
            break
        flags, packed = _int(header, 6, 2), _int(header, 18, 4)
        name, extra = file.read(_int(header, 26, 2)), file.read(_int(header, 28, 2))
        content_at = at + 30 + len(name) + len(extra)
        if packed == _FULL32:
            packed = _int(_extra(extra, 1), 8, 8)
        crc: int | None = _int(header, 14, 4)
        if flags & _SIZES_FOLLOW and not packed:
            crc = None
            next_at = _find(file, content_at, (_DESCRIPTOR, _LOCAL, _ENTRY))
            packed = (file.seek(0, 2) if next_at is None else next_at) - content_at
        yield Member(_name(name, flags), at, packed, _int(header, 8, 2), flags, crc, None, content_at)
        at = _find(file, content_at + packed, (_LOCAL,))


def _seek(file: IO[bytes], at: int) -> None:
    if not 0 <= at < _FARTHEST:
        raise _corrupt()
    file.seek(at)


def _find(file: IO[bytes], at: int, signatures: tuple[bytes, ...]) -> int | None:
    while True:
        _seek(file, at)
        data = file.read(_SEARCH_BYTES)
        places = [place for signature in signatures if (place := data.find(signature)) >= 0]
        if places:
            return at + min(places)
        if len(data) < _SEARCH_BYTES:
            return None
        at += len(data) - 3


def _checked(read: Read, crc: int | None) -> Read:
    """The same bytes; ExtractError behind the last when they are not those that were packed."""
    sum_so_far = 0

    def checked(size: int) -> bytes:
        nonlocal sum_so_far
        data = read(size)
        sum_so_far = isal_zlib.crc32(data, sum_so_far)
        if not data and crc is not None and sum_so_far != crc:
            raise ExtractError("A member of the zip archive has a wrong checksum.", Outcome.PARTIAL_CORRUPT)
        return data

    return checked


def _name(name: bytes, flags: int) -> str:
    if flags & _UTF8:
        return name.decode("utf-8", "replace")
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("cp437")


def _extra(extra: bytes, wanted: int) -> bytes:
    at = 0
    while at + 4 <= len(extra):
        size = _int(extra, at + 2, 2)
        if _int(extra, at, 2) == wanted:
            return extra[at + 4 : at + 4 + size]
        at += 4 + size
    return b""


def _int(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")


def _corrupt() -> ExtractError:
    return ExtractError("The zip archive is damaged or not whole.", Outcome.PARTIAL_CORRUPT)

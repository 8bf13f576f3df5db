"""Tar archives as a stream: old, GNU and pax; members in order, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract.budget import Read, read_window
from scanner_tasks.extract.kind import is_tar_header
from scanner_tasks.extract.walk import Layer, Walk

_BLOCK = 512
_SKIP_BYTES = 64 * 1024
#: Longest name or pax header that is looked at; a longer one is passed over.
_MOST_HEADER = 64 * 1024
#: Kinds of members without content: links, devices, folders.
_WITHOUT_CONTENT = frozenset(b"123456")
_LONG_NAME, _LONG_LINK, _PAX, _PAX_OF_ALL, _SPARSE = (ord(c) for c in "LKxgS")


@dataclass(slots=True)
class _Content:
    """One member's bytes: those that are not read are passed over."""

    source: Read
    left: int
    padding: int

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; b"" at the end."""
        if not self.left:
            return b""
        data = self.source(min(size, self.left))
        if not data:
            raise _corrupt("ends in the middle of a member")
        self.left -= len(data)
        return data

    def pass_over(self) -> None:
        """Go to the next header."""
        while self.read(_SKIP_BYTES):
            pass
        read_window(self.source, self.padding)


def tar_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """The text of each member. Zero blocks do not end it: what stands behind them is read, too."""
    long_name = None
    while (header := _next_header(layer.read)) is not None:
        kind, size = header[156], _number(header[124:136])
        told_size, name = size, long_name or _name(header)
        content = _Content(layer.read, 0 if kind in _WITHOUT_CONTENT else told_size, -told_size % _BLOCK)
        if kind in _WITHOUT_CONTENT:
            content.padding = 0
        if kind in {_LONG_NAME, _PAX} and size <= _MOST_HEADER:
            data, error = read_window(content.read, size)
            if error:
                raise error
            told = data.rstrip(b"\0") if kind == _LONG_NAME else _pax_path(data)
            long_name = told.decode("utf-8", "replace") if told else long_name
        elif kind not in {_LONG_NAME, _LONG_LINK, _PAX, _PAX_OF_ALL}:
            long_name = None
            if kind == _SPARSE:
                _pass_sparse_map(header, layer.read)
            if content.left:
                yield from walk.member(layer, name, content.read)
            else:
                walk.meter.member()
        else:
            walk.meter.member()
        content.pass_over()


def _next_header(read: Read) -> bytes | None:
    """None at the end; an archive that ends without a zero block has been cut between two members."""
    is_ended = False
    while True:
        block, error = read_window(read, _BLOCK)
        if error:
            raise error
        if not block.strip(b"\0"):
            if len(block) < _BLOCK:
                if is_ended:
                    return None
                raise _corrupt("ends without its end mark")
            is_ended = True
            continue
        if not is_tar_header(block):
            raise _corrupt("is damaged" if len(block) == _BLOCK else "ends in the middle")
        return block


def _number(field: bytes) -> int:
    if field[0] & 0x80:  # GNU: binary
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    digits = field.strip(b" \0")
    if digits.translate(None, b"01234567"):
        raise _corrupt("is damaged")
    return int(digits or b"0", 8)


def _name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return (prefix + b"/" + name if prefix else name).decode("utf-8", "replace")


def _pax_path(data: bytes) -> bytes | None:
    """The name that a pax header gives the next member."""
    found = None
    while data:
        told, _, _ = data.partition(b" ")
        if not told.isdigit() or not 0 < int(told) <= len(data):
            return found
        record, data = data[len(told) + 1 : int(told)], data[int(told) :]
        key, _, value = record.partition(b"=")
        if key in {b"path", b"GNU.sparse.name"}:
            found = value.rstrip(b"\n")
            if key != b"path":  # the other one is a name that GNU tar made up
                return found
    return found


def _pass_sparse_map(header: bytes, read: Read) -> None:
    """Only the parts that a sparse file holds are stored; where they belong is of no interest."""
    goes_on = header[482]
    while goes_on:
        block, error = read_window(read, _BLOCK)
        if error or len(block) < _BLOCK:
            raise error or _corrupt("ends in the middle")
        goes_on = block[504]


def _corrupt(how: str) -> ExtractError:
    return ExtractError(f"The tar archive {how}.", Outcome.PARTIAL_CORRUPT)

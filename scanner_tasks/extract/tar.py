"""Tar archives as a stream: old, GNU and pax; members in order, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract.budget import Read, read_window
from scanner_tasks.extract.kind import is_tar_header
from scanner_tasks.extract.table import texts
from scanner_tasks.extract.walk import Layer, Walk

_BLOCK = 512
_SKIP_BYTES = 64 * 1024
#: Longest name or pax header that is looked at; a longer one is passed over.
_MOST_HEADER = 64 * 1024
_MOST_DIGITS = 20
#: Kinds of members without content: links, devices, folders.
_WITHOUT_CONTENT = frozenset(b"123456")
_LONG_NAME, _LONG_LINK, _PAX, _PAX_OF_ALL, _SPARSE = (ord(c) for c in "LKxgS")
#: What stands before a member and tells more of it.
_HEADERS = frozenset({_LONG_NAME, _LONG_LINK, _PAX, _PAX_OF_ALL})


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
    said = _Said()
    while (header := _next_header(layer.read)) is not None:
        kind = header[156]
        # The header's own field holds no more than 8 GB: a larger member's size stands in what was said before it.
        size = _number(header[124:136]) if kind in _HEADERS or said.size is None else said.size
        content = _Content(layer.read, 0 if kind in _WITHOUT_CONTENT else size, -size % _BLOCK)
        if kind in _WITHOUT_CONTENT:
            content.padding = 0
        if kind in _HEADERS:
            if size <= _MOST_HEADER:
                yield from texts(walk, layer, "headers of a member", said.take(kind, content))
        else:
            name, said = said.name or _name(header), _Said()
            if kind == _SPARSE:
                _pass_sparse_map(header, layer.read)
            if content.left:
                yield from walk.member(layer, name, content.read)
            else:
                walk.meter.member()
        content.pass_over()


@dataclass(slots=True)
class _Said:
    """What the headers before a member say of it."""

    name: str | None = None
    size: int | None = None

    def take(self, kind: int, content: _Content) -> str:
        """One more header; what people or programs wrote in it: comments, extended attributes."""
        data, error = read_window(content.read, content.left)
        if error:
            raise error
        if kind == _LONG_NAME:
            self.name = data.rstrip(b"\0").decode("utf-8", "replace") or self.name
        if kind not in {_PAX, _PAX_OF_ALL}:
            return ""
        told = _pax(data)
        if kind == _PAX:
            path = told.get(b"GNU.sparse.name") or told.get(b"path")  # with the first, the other is made up
            self.name = path.decode("utf-8", "replace") if path else self.name
            size = told.get(b"size", b"")
            self.size = int(size) if size.isdigit() and len(size) < _MOST_DIGITS else self.size
        return "".join(
            f"{key.decode('utf-8', 'replace')}: {value.decode('utf-8', 'replace')}\n"
            for key, value in told.items()
            if key == b"comment" or b"xattr" in key
        )


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


def _pax(data: bytes) -> dict[bytes, bytes]:
    """What a pax header says of the next member, as far as it is whole."""
    told: dict[bytes, bytes] = {}
    while data:
        length, _, _ = data.partition(b" ")
        if not length.isdigit() or not len(length) < int(length) <= len(data):
            break
        record, data = data[len(length) + 1 : int(length)], data[int(length) :]
        key, _, value = record.partition(b"=")
        told[key] = value.rstrip(b"\n")
    return told


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

"""Paths inside plain text, worked out only where something was found: column of a table, JSON path.

What detection reads stays the plain text, byte by byte; a path is asked for after a finding, from the segment that
holds it and a little state kept from the segments before. Where the state does not suffice (a cell of several lines, a
document of many megabytes) no path is told rather than a wrong one; line and column are always right.
"""

from __future__ import annotations

import csv
import json
import re
from bisect import bisect_right
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from scanner_tasks.extract.walk import Layer

PathAt: TypeAlias = Callable[[int], str]

#: Bytes kept of a line that the next segment goes on with.
_MOST_LINE = 256 * 1024
#: Bytes of a JSON document in which paths are told, and its levels.
_MOST_DOCUMENT = 4 * 1024 * 1024
_MOST_LEVELS = 200
_CHECK_EVERY = 64 * 1024
_NAME_CHARS = 60
_LOOKED_AT_LINES = 5


class Places:
    """The same path all through: what text without structure has."""

    def __init__(self, root: str = "", inside: Callable[[str], str] = str) -> None:
        self.root = root
        self._inside = inside

    def of(self, data: bytes, line: int) -> PathAt | None:
        """What tells the paths in the text's next segment, which begins in that line; None where all are ``root``."""
        del data, line
        return None


def places_of(layer: Layer) -> Places:
    """The places of a text, told by its first bytes and its name."""
    head = layer.head[layer.kind.mark_bytes :].decode(layer.kind.encoding or "utf-8", "replace")
    name = layer.name.lower().removesuffix(".gz")
    if _is_json(head, name):
        lines = name.endswith((".jsonl", ".ndjson")) or _is_json_lines(head)
        return (JsonLines if lines else JsonDocument)(layer.path, layer.inside)
    if delimiter := _delimiter(head, name):
        return Columns(layer.path, layer.inside, delimiter, head)
    return Places(layer.path)


class Columns(Places):
    """``row 12, ssn``: the row is the line, the column's name that of the first line, or its number."""

    def __init__(self, root: str, inside: Callable[[str], str], delimiter: str, head: str) -> None:
        super().__init__(root, inside)
        self._delimiter = delimiter.encode()
        self._names = _names(head, delimiter)
        #: What the segments before hold of the line that the next begins in, and whether a quote is open before it.
        self._begun: bytes | None = b""
        self._is_open = False

    def of(self, data: bytes, line: int) -> PathAt:  # noqa: D102
        begun, is_open = self._begun, self._is_open

        def path_at(at: int) -> str:
            number = line + data.count(b"\n", 0, at)
            start = data.rfind(b"\n", 0, at) + 1
            before = data[start:at] if start else (None if begun is None else begun + data[:at])
            quotes = (data.count(b'"', 0, start) + (begun or b"").count(b'"')) if start else 0
            if before is None or is_open ^ bool(quotes % 2):
                return self._inside(f"row {number}")
            n = _QUOTED.sub(b"", before).count(self._delimiter)
            column = self._names[n] if n < len(self._names) else ""
            return self._inside(f"row {number}, {column or f'column {n + 1}'}")

        end = data.rfind(b"\n") + 1
        if end:
            self._is_open ^= bool((data.count(b'"', 0, end) + (begun or b"").count(b'"')) % 2)
            self._begun = data[end:]
        elif begun is not None:
            self._begun = begun + data
        if self._begun and len(self._begun) > _MOST_LINE:
            self._begun = None
        return path_at


_QUOTED = re.compile(rb'"[^"]*"?')
_NAME = re.compile(r"[A-Za-z_][\w .()/#%&*:-]*")
_LONG_NUMBER = re.compile(r"\d{4}")
_DELIMITERS = {".csv": ",;\t|", ".tsv": "\t", ".tab": "\t", ".psv": "|"}


def _delimiter(head: str, name: str) -> str:
    """The delimiter of a table; "" for what is none."""
    lines = [line for line in head.split("\n")[: _LOOKED_AT_LINES + 1] if line.strip()][:_LOOKED_AT_LINES]
    ending = name[name.rfind(".") :]
    if ending in _DELIMITERS and lines:
        return max(_DELIMITERS[ending], key=lines[0].count)
    for delimiter in ",;\t|":
        counts = [_QUOTED.sub(b"", line.encode("utf-8", "replace")).count(delimiter.encode()) for line in lines[:-1]]
        if len(counts) > 1 and counts[0] > 1 and len(set(counts)) == 1 and _names(head, delimiter):
            return delimiter
    return ""


def _names(head: str, delimiter: str) -> list[str]:
    """The names that the first line gives the columns; none where it may hold values."""
    first, end, _ = head.partition("\n")
    if not end:
        return []
    try:
        cells = next(csv.reader([first.rstrip("\r")], delimiter=delimiter), [])
    except csv.Error:
        return []
    told = [cell.strip() for cell in cells]
    is_header = all(_NAME.fullmatch(cell) and not _LONG_NUMBER.search(cell) for cell in told if cell)
    return [cell[:_NAME_CHARS] for cell in told] if is_header and len(set(told)) == len(told) else []


def _is_json(head: str, name: str) -> bool:
    text = head.lstrip()
    if not text.startswith(("{", "[")):
        return False
    if name.endswith((".json", ".jsonl", ".ndjson", ".geojson", ".ipynb", ".har")):
        return True
    return text[1:].lstrip().startswith(('"', "}") if text[0] == "{" else ('"', "{", "["))


def _is_json_lines(head: str) -> bool:
    first, _, rest = head.lstrip().partition("\n")
    if not rest.lstrip().startswith("{"):
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return True


#: A string that the end cuts is a token, too, without a group: what is in it is no structure.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+(")?|([{}\[\],:])', re.DOTALL)
_PLAIN_KEY = re.compile(r"[A-Za-z_]\w*")


class _Stack:
    """Where in a JSON text one stands: for each level the key, or the number of the element."""

    __slots__ = ("last", "levels")

    def __init__(self, levels: list[bytes | int | None], last: bytes = b"") -> None:
        self.levels = levels
        self.last = last

    def take(self, token: bytes) -> None:
        """Go on by one token."""
        levels = self.levels
        if token == b"{":
            levels.append(None)
        elif token == b"[":
            levels.append(0)
        elif token in b"}]":
            if levels:
                levels.pop()
        elif token == b",":
            if levels:
                top = levels[-1]
                levels[-1] = top + 1 if isinstance(top, int) else None
        elif token == b":":
            if levels and not isinstance(levels[-1], int):
                levels[-1] = self.last
        else:
            self.last = token

    def path(self) -> str:
        """As ``$.customers[3].ssn``."""
        told = ["$"]
        for level in self.levels:
            if isinstance(level, int):
                told.append(f"[{level}]")
            elif level is not None:
                told.append(_key(level))
        return "".join(told)


def _key(token: bytes) -> str:
    try:
        name = str(json.loads(token))
    except ValueError:
        name = token.decode("utf-8", "replace").strip('"')
    name = name[:_NAME_CHARS]
    return f".{name}" if _PLAIN_KEY.fullmatch(name) else f"[{json.dumps(name, ensure_ascii=False)}]"


def _walk(stack: _Stack, data: bytes, start: int, at: int) -> int | None:
    """Take the tokens from ``start`` that end at or before ``at``; where the last ended, None when nested too deep."""
    for found in _TOKEN.finditer(data, start):
        if found.end() > at or found.lastindex is None:
            break
        stack.take(found[0])
        start = found.end()
        if len(stack.levels) > _MOST_LEVELS:
            return None
    return start


class JsonLines(Places):
    """A JSON document a line: the path within the line's."""

    def __init__(self, root: str, inside: Callable[[str], str]) -> None:
        super().__init__(root, inside)
        self._begun: bytes | None = b""

    def of(self, data: bytes, line: int) -> PathAt:  # noqa: D102
        del line
        begun = self._begun

        def path_at(at: int) -> str:
            start = data.rfind(b"\n", 0, at) + 1
            end = data.find(b"\n", at)
            rest = data[start : None if end < 0 else end]
            if not start and begun is None:
                return self.root
            before = b"" if start or begun is None else begun
            stack = _Stack([])
            is_told = _walk(stack, before + rest, 0, len(before) + at - start) is not None
            return self._inside(stack.path()) if is_told else self.root

        end = data.rfind(b"\n") + 1
        if end:
            self._begun = data[end:]
        elif begun is not None:
            self._begun = begun + data
        if self._begun and len(self._begun) > _MOST_LINE:
            self._begun = None
        return path_at


class JsonDocument(Places):
    """One JSON document over many lines: kept as far as paths are told, and read only when one is asked for."""

    def __init__(self, root: str, inside: Callable[[str], str]) -> None:
        super().__init__(root, inside)
        self._data = bytearray()
        #: Byte, levels and last token, now and then on the way: the next question begins at the last before it.
        self._checks: list[tuple[int, list[bytes | int | None], bytes]] = [(0, [], b"")]

    def of(self, data: bytes, line: int) -> PathAt | None:  # noqa: D102
        del line
        first = len(self._data)
        if first + len(data) > _MOST_DOCUMENT:
            return None
        self._data += data
        return lambda at: self._path(first + at)

    def _path(self, at: int) -> str:
        begin, levels, last = self._checks[bisect_right(self._checks, at, key=lambda check: check[0]) - 1]
        stack = _Stack(list(levels), last)
        while begin < at:
            # A token that the piece's end cuts is read again with the next piece.
            piece = bytes(self._data[begin : begin + _CHECK_EVERY])
            done = _walk(stack, piece, 0, min(at - begin, len(piece)))
            if done is None:
                return self.root
            if begin + len(piece) >= at:
                break
            if not done:  # a string longer than the piece: what is in it cannot be told from what is not
                return self.root
            begin += done
            if begin > self._checks[-1][0]:
                self._checks.append((begin, list(stack.levels), stack.last))
        return self._inside(stack.path())

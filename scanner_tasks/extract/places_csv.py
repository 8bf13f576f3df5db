"""Rows and columns of csv and its kin."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable

from scanner_tasks.extract.places import MOST_LINE, NAME_CHARS, PathAt, Places

_LOOKED_AT_LINES = 5


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
        if self._begun and len(self._begun) > MOST_LINE:
            self._begun = None
        return path_at


_QUOTED = re.compile(rb'"[^"]*"?')
_NAME = re.compile(r"[A-Za-z_][\w .()/#%&*:-]*")
_LONG_NUMBER = re.compile(r"\d{4}")
_DELIMITERS = {".csv": ",;\t|", ".tsv": "\t", ".tab": "\t", ".psv": "|"}


def delimiter_of(head: str, name: str) -> str:
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
    return [cell[:NAME_CHARS] for cell in told] if is_header and len(set(told)) == len(told) else []

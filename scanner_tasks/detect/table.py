r"""The rows and columns of a text that is a table: CSV, TSV, PSV, or one JSON object a line.

What a text is, its first line tells, and each line is read on its own, so that where the text is cut into windows
changes nothing. A column is what a value's place in its line means: the number of delimiters before it, or the key
before it in JSON. That holds for lines that are no proper row as well; nothing here is trusted with what a value is.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from collections import Counter
from itertools import accumulate, count
from operator import add
from typing import Final, NamedTuple

#: Longest line, in bytes, that is read as a header, and longest way back from a value to its row's beginning.
LINE_BYTES: Final = 4096
DELIMITERS: Final = (b",", b"\t", b";", b"|", b"&")
#: A line longer than this ends the table, in bytes.
LONGEST_LINE: Final = 32 * 1024
#: Columns beyond this many are not told apart.
MOST_COLUMNS: Final = 400
#: The column of what stands in none.
NOWHERE: Final = -1
_HIDDEN: Final = b"\x1f"
_EMPTY: Final = (b"", b'""', b"\r", b'""\r', b"NULL", b"null", b"\\N")
_LONGEST_EMPTY: Final = max(map(len, _EMPTY))
_COLONS: Final = frozenset((b":", b": ", b" : "))
_KEY: Final = re.compile(rb'"([^"\\\x00-\x1f]{1,64})"[ ]?:[ ]?"?\Z')
#: Way back from a JSON value to the quote before its key.
_KEY_BYTES: Final = 72

Column = int | bytes


class Grid(NamedTuple):
    """Whole lines of a window as columns."""

    #: Column by column the cells of the rows, all of one length.
    columns: list[list[bytes]]
    #: Which of the lines are rows, the others having another number of cells; all of them when it is None.
    rows: list[int] | None
    #: The lines without their ends.
    lines: list[bytes]
    delimiter: bytes
    #: Where the first line begins, and where the last one ends without its newline.
    start: int
    end: int
    #: Whether delimiters between quotes are hidden.
    hides: bool

    def begun(self, text: bytes, at: int) -> int:
        """How many of the rows begin at a place of the window or before it."""
        if at < self.start:
            return 0
        lines = min(text.count(b"\n", self.start, at) + 1, len(self.lines))
        return lines if self.rows is None else bisect_left(self.rows, lines)

    def line_starts(self) -> list[int]:
        """Where each line begins in the window, and where one behind the last would."""
        return list(map(add, accumulate(map(len, self.lines), initial=self.start), count()))

    def row_starts(self) -> list[int]:
        """Where each row begins in the window."""
        starts = self.line_starts()
        return starts[:-1] if self.rows is None else [starts[line] for line in self.rows]

    def outside(self, rows: set[int], margin: int) -> list[tuple[int, int]]:
        """Pieces of the window: what is no row, these rows, and as much as ``margin`` behind each of these."""
        pieces = [(0, self.start + margin)]
        others = rows
        if self.rows is not None:
            others = set(range(len(self.lines))).difference(self.rows) | {self.rows[row] for row in rows}
        if others:
            starts = self.line_starts()
            for line in sorted(others):
                first, last = max(0, starts[line] - 1), starts[line + 1] + margin
                if first <= pieces[-1][1] + margin:
                    pieces[-1] = (pieces[-1][0], last)
                else:
                    pieces.append((first, last))
        return [*pieces, (max(0, self.end - 1), sys.maxsize)]

    def with_columns(self, columns: dict[int, list[bytes]]) -> bytes:
        """The lines with these columns instead of their own, as long as before."""
        cells = [columns.get(number, column) for number, column in enumerate(self.columns)]
        joined = list(map(self.delimiter.join, zip(*cells, strict=True)))
        if self.rows is not None:
            lines = list(self.lines)
            for line, row in zip(self.rows, joined, strict=True):
                lines[line] = row
            joined = lines
        whole = b"\n".join(joined)
        return whole.replace(_HIDDEN, self.delimiter) if self.hides else whole


class Table:
    """What is known of the table that a text is: where its columns are, and how many rows were read.

    Args:
        delimiter: Between cells; for JSON lines the quote.
        width: Cells in a row; 0 in a text that is no table.
        names: Of the columns, where there is a header.
        is_json: Each line is a JSON object: columns are its keys.
    """

    def __init__(self, delimiter: bytes, width: int, *, names: tuple[bytes, ...] = (), is_json: bool = False) -> None:
        self.delimiter: Final = delimiter
        self.width: Final = width
        self.names: Final = names
        self.is_json: Final = is_json
        #: Whether rows are still read.
        self.is_open = bool(self.width)
        #: Rows read so far that have something in a column, by column.
        self.filled: Counter[Column] = Counter()

    @classmethod
    def of_line(cls, first_line: bytes) -> Table:
        """The table that a text without a header is, as its first line tells."""
        line = first_line.removeprefix(b"\xef\xbb\xbf").strip(b"\r\n")
        if line[:1] == b"{" and line.rstrip(b",")[-1:] == b"}":
            return cls(b'"', line.count(b'"') + 1 if b'"' in line else 0, is_json=True)
        delimiter = max(DELIMITERS, key=line.count)
        count = unquoted(line, delimiter).count(delimiter)
        return cls(delimiter, count + 1 if count else 0)

    def column(self, text: bytes, position: int) -> Column:
        """The column in which a byte stands; NOWHERE in a text that is no table, or too far from its line's begin."""
        if not self.width:
            return NOWHERE
        if self.is_json:
            found = _KEY.search(text[max(0, position - _KEY_BYTES) : position])
            return found[1] if found else NOWHERE
        number = column_at(text, position, self.delimiter)
        return number if number < MOST_COLUMNS else NOWHERE

    def close(self) -> None:
        """A line is too long: what follows is not read as rows."""
        self.is_open = False

    def name(self, place: Column) -> str:
        """What a column is called: by the header, by its key, or by its number from 1."""
        if isinstance(place, bytes):
            return place.decode("utf-8", "replace")
        named = self.names[place] if 0 <= place < len(self.names) else b""
        return named.decode("utf-8", "replace") or str(place + 1)

    def read(self, text: bytes, start: int, end: int) -> Grid | None:
        """The lines from one place to another, counted as rows where they are rows; None where none is.

        Both places are the beginnings of lines, or the end of the text. Call it once for each line, in order.
        """
        if not self.is_open or start >= end:
            return None
        region = text[start:end]
        if region.endswith(b"\n"):
            region = region[:-1]
        lines = region.split(b"\n")
        if max(map(len, lines)) > LONGEST_LINE:
            self.close()
            lines = lines[: next(number for number, line in enumerate(lines) if len(line) > LONGEST_LINE)]
            if not lines:
                return None
            region = b"\n".join(lines)
        hides = not self.is_json and b'"' in region
        if hides:
            lines = [unquoted(line, self.delimiter) for line in lines]
        wanted = self.width - 1
        counts = [line.count(self.delimiter) for line in lines]
        rows = None
        if counts.count(wanted) < len(lines):
            rows = [number for number, count in enumerate(counts) if count == wanted]
            if not rows:
                return None
        flat = self.delimiter.join(lines if rows is None else [lines[n] for n in rows]).split(self.delimiter)
        columns = [flat[number :: self.width] for number in range(self.width)]
        self._count(columns)
        if hides and _HIDDEN in region:
            return None
        return Grid(columns, rows, lines, self.delimiter, start, start + len(region), hides)

    def _count(self, columns: list[list[bytes]]) -> None:
        if not self.is_json:
            for number, column in enumerate(columns[:MOST_COLUMNS]):
                self.filled[number] += len(column)
                if min(map(len, column)) <= _LONGEST_EMPTY:
                    self.filled[number] -= sum(map(column.count, _EMPTY))
            return
        for number in range(1, self.width - 1, 2):
            keys, after = columns[number], columns[number + 1]
            if not set(after).isdisjoint(_COLONS):
                values = columns[number + 2] if number + 2 < self.width else [b""] * len(keys)
                full = [
                    key for key, colon, value in zip(keys, after, values, strict=True) if colon in _COLONS and value
                ]
            else:
                full = [key for key, rest in zip(keys, after, strict=True) if rest[:1] == b":" and b"null" not in rest]
            if len(self.filled) < MOST_COLUMNS:
                self.filled.update(full)


def unquoted(line: bytes, delimiter: bytes) -> bytes:
    r"""A line whose delimiters between quotes are hidden: it has as many bytes.

    Examples:
        >>> unquoted(b'a,"b,c",d', b",")
        b'a,"b\x1fc",d'
    """
    if b'"' not in line:
        return line
    parts = line.split(b'"')
    for number in range(1, len(parts), 2):
        if delimiter in parts[number]:
            parts[number] = parts[number].replace(delimiter, _HIDDEN)
    return b'"'.join(parts)


def column_at(text: bytes, position: int, delimiter: bytes) -> int:
    """The column, from 0, in which a byte of a row stands; NOWHERE when the row begins too far away."""
    begin = max(0, position - LINE_BYTES)
    line = text.rfind(b"\n", begin, position) + 1
    if not line and begin:
        return NOWHERE
    before = text[line or begin : position]
    if b'"' not in before:
        return before.count(delimiter)
    # What stands between quotes is every second part.
    return sum(part.count(delimiter) for part in before.split(b'"')[::2])

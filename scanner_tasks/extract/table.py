"""Tables as text: a line for each row, a ``name: value`` for each cell, and the way back from a byte to its cell.

The column's name stands before every value, so that the rules find their keywords there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Location, Segment
from scanner_tasks.extract.strings import after
from scanner_tasks.extract.walk import Layer, Walk

#: What the path calls the column, the name that stands before the value ("" for none), the value.
Cell: TypeAlias = tuple[str, str, str]

_SEGMENT_BYTES = 256 * 1024
_BREAKS = str.maketrans("\t\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", " " * 11)
_NAME_CHARS = 80


def table_text(
    walk: Walk, layer: Layer, rows: Iterable[tuple[int, list[Cell]]], path_of: Callable[[int, str], str]
) -> Iterator[Segment]:
    """The rows as one text; ``path_of`` makes the path of a row's number and a cell's column."""
    lines: list[str] = []
    cells: list[tuple[int, list[str]]] = []
    size, line, offset = 0, 1, 0
    for number, row in rows:
        walk.meter.rows()
        if not row:
            continue
        parts = [
            f"{name[:_NAME_CHARS].translate(_BREAKS)}: {value.translate(_BREAKS)}" if name else value.translate(_BREAKS)
            for _, name, value in row
        ]
        lines.append("\t".join(parts))
        cells.append((number, [place for place, _, _ in row]))
        size += len(lines[-1]) + 1
        if size >= _SEGMENT_BYTES:
            segment = _segment(lines, cells, line, offset, path_of)
            walk.meter.charge(len(segment.data), layer.depth + 1)
            yield segment
            line, offset = line + len(lines), offset + len(segment.data)
            lines, cells, size = [], [], 0
    if lines:
        segment = _segment(lines, cells, line, offset, path_of)
        walk.meter.charge(len(segment.data), layer.depth + 1)
        yield segment


def _segment(
    lines: list[str],
    cells: list[tuple[int, list[str]]],
    line: int,
    offset: int,
    path_of: Callable[[int, str], str],
) -> Segment:
    data = ("\n".join(lines) + "\n").encode("utf-8", "replace")

    def path_at(at: int) -> str:
        number, places = cells[data.count(b"\n", 0, at)]
        begin = data.rfind(b"\n", 0, at) + 1
        return path_of(number, places[min(data.count(b"\t", begin, at), len(places) - 1)])

    return Segment(data=data, start=Location(line=line, column=1, offset=offset), continues=line > 1, path_at=path_at)


def texts(walk: Walk, layer: Layer, place: str, text: str) -> Iterator[Segment]:
    """One text that stands at one place: a page, a description."""
    data = text.encode("utf-8", "replace")
    walk.meter.charge(len(data), layer.depth + 1)
    if data:
        start = Location(line=1, column=1, offset=0, path=layer.inside(place) if place else layer.path)
        yield Segment(data=data, start=start, continues=False)


def running_text(walk: Walk, layer: Layer, place: str, pieces: Iterable[str]) -> Iterator[Segment]:
    """One text that comes in pieces."""
    location = Location(line=1, column=1, offset=0, path=layer.inside(place) if place else layer.path)
    continues = False
    for data in _batches(pieces):
        walk.meter.charge(len(data), layer.depth + 1)
        yield Segment(data=data, start=location, continues=continues)
        location, continues = after(location, data), True


def _batches(pieces: Iterable[str]) -> Iterator[bytes]:
    """The pieces together, as many as make a segment; what came before an error, too."""
    some: list[str] = []
    size = 0
    try:
        for piece in pieces:
            some.append(piece)
            size += len(piece)
            if size >= _SEGMENT_BYTES:
                yield "".join(some).encode("utf-8", "replace")
                some, size = [], 0
    except ExtractError:
        if size:
            yield "".join(some).encode("utf-8", "replace")
        raise
    if size:
        yield "".join(some).encode("utf-8", "replace")


def told(value: object) -> str:
    """A cell's value as its text; "" for nothing and for true and false. Numbers stand as people write them.

    Examples:
        >>> told(4111111111111111.0), told(0.5), told(b"x"), told(None), told(True)
        ('4111111111111111', '0.5', 'x', '', '')
    """
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

"""SQLite databases: every table's rows, from a copy in memory. A risky parser: the library reads what it is given."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from io import BytesIO

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract.strings import printable, runs
from scanner_tasks.extract.table import Cell, table_text
from scanner_tasks.extract.walk import Layer, Walk

#: How often the library asks whether it is to go on, in its own steps.
_STEPS = 100_000
_LEAST_PAGE = 512


def sqlite_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """Each table as a text of its own, then the printable runs of pages that were freed."""
    walk.isolate()
    content = bytearray(walk.whole(layer.read))
    freed = _freed(content)
    # A database in WAL mode cannot be opened from memory; its log is another object anyway.
    content[18:20] = b"\1\1"
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        budget = walk.budget
        connection.set_progress_handler(lambda: walk.meter.clock() >= budget.deadline, _STEPS)
        try:
            # Virtual tables keep their content in real ones, and would run the code of others.
            connection.deserialize(bytes(content))
            del content
            connection.execute("pragma trusted_schema = off")
            connection.execute("pragma query_only = on")
            names = [
                row[0]
                for row in connection.execute("select name from sqlite_master where type = 'table' and rootpage > 0")
            ]
        except (sqlite3.Error, MemoryError, ValueError) as error:
            raise _corrupt() from error
        for name in names:
            try:
                yield from _table(walk, layer, connection, name)
            except sqlite3.Error:
                walk.meter.look_at_the_clock()
                walk.note(_corrupt())
    yield from runs(BytesIO(freed).read, replace(layer, path=layer.inside("freed pages")))


def _freed(content: bytearray) -> bytes:
    """The pages that hold nothing any more: rows that were deleted stand in them until others take their place."""
    size = int.from_bytes(content[16:18], "big")
    size = 65_536 if size == 1 else size
    if size < _LEAST_PAGE or size & (size - 1):
        return b""
    pieces: list[bytearray] = []
    most, trunk = len(content) // size, int.from_bytes(content[32:36], "big")
    while 0 < trunk <= most and len(pieces) <= most:
        page = content[(trunk - 1) * size : trunk * size]
        pieces.append(page)
        count = min(int.from_bytes(page[4:8], "big"), size // 4 - 2, most - len(pieces))
        leaves = (int.from_bytes(page[8 + 4 * n : 12 + 4 * n], "big") for n in range(count))
        pieces += [content[(leaf - 1) * size : leaf * size] for leaf in leaves if leaf]
        trunk = int.from_bytes(page[:4], "big")
    return b"".join(pieces)


def _table(walk: Walk, layer: Layer, connection: sqlite3.Connection, name: str) -> Iterator[Segment]:
    quoted = name.replace('"', '""')
    rows = connection.execute(f'select * from "{quoted}"')
    columns = [column[0] for column in rows.description]

    def path_of(row: int, column: str) -> str:
        return layer.inside(f"{name}: row {row}, {column}")

    yield from table_text(walk, layer, ((n, _cells(columns, row)) for n, row in enumerate(rows, 1)), path_of)


def _cells(columns: list[str], row: tuple[object, ...]) -> list[Cell]:
    cells = []
    for name, value in zip(columns, row, strict=True):
        if isinstance(value, bytes):
            try:
                text = value.decode()
            except UnicodeDecodeError:
                text = printable(value)
        else:
            text = "" if value is None else str(value)
        if text:
            cells.append((name, name, text))
    return cells


def _corrupt() -> ExtractError:
    return ExtractError("The SQLite database is damaged.", Outcome.PARTIAL_CORRUPT)

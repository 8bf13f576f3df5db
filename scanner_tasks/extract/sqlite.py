"""SQLite databases: every table's rows, from a copy. A risky parser: the library reads what it is given."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import IO
from urllib.parse import quote

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract.strings import printable, runs
from scanner_tasks.extract.table import Cell, table_text
from scanner_tasks.extract.walk import Layer, Walk

#: How often the library asks whether it is to go on, in its own steps.
_STEPS = 100_000
_LEAST_PAGE = 512
#: A longer value, or one that a generated column would make, is not read.
_MOST_VALUE = 32 * 1024 * 1024


def sqlite_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """Each table as a text of its own, then the printable runs of pages that were freed."""
    walk.isolate()
    with walk.spooled(layer.read) as (file, cut):
        # A database in WAL mode cannot be opened for reading alone; its log is another object anyway.
        file.seek(18)
        file.write(b"\1\1")
        file.flush()
        connection = _in_place(file)
        if connection is None and file.seek(0, 2) > walk.budget.memory_bytes:
            file.seek(0)
            yield from runs(file.read, layer)
            raise cut or ExtractError(
                f"It is larger than the {walk.budget.memory_bytes} bytes that are held in memory: it was read by its"
                " printable runs, not by its rows.",
                Outcome.PARTIAL_BYTES,
            )
        with closing(connection or _opened(walk, file)) as connection:
            yield from _tables(walk, layer, connection)
        yield from runs(_freed(file).read, replace(layer, path=layer.inside("freed pages")))
        if cut:
            raise cut


def _in_place(file: IO[bytes]) -> sqlite3.Connection | None:
    """The database as it stands in the spool, where its file can be named while the library opens it."""
    named = getattr(file, "named", None)
    if named is None:
        return None
    with named() as name:
        if name is None:
            return None
        try:
            return sqlite3.connect(f"file:{quote(name)}?mode=ro&immutable=1", uri=True)
        except sqlite3.Error:
            return None


def _opened(walk: Walk, file: IO[bytes]) -> sqlite3.Connection:
    """The database in memory: the library opens only what has a name."""
    file.seek(0)
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(walk.whole(file.read))
    except (sqlite3.Error, MemoryError) as error:
        connection.close()
        raise _corrupt() from error
    return connection


def _tables(walk: Walk, layer: Layer, connection: sqlite3.Connection) -> Iterator[Segment]:
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    budget = walk.budget
    connection.set_progress_handler(lambda: walk.meter.clock() >= budget.deadline, _STEPS)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_VALUE)
    try:
        connection.execute("pragma trusted_schema = off")
        connection.execute("pragma query_only = on")
        # Virtual tables keep their content in real ones, and would run the code of others.
        found = connection.execute("select name from sqlite_master where type = 'table' and rootpage > 0")
        names = [row[0] for row in found]
    except (sqlite3.Error, ValueError) as error:
        raise _corrupt() from error
    for name in names:
        walk.meter.look_at_the_clock()
        try:
            yield from _table(walk, layer, connection, name)
        except sqlite3.Error:
            walk.meter.look_at_the_clock()
            walk.note(_corrupt())


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


def _freed(file: IO[bytes]) -> _Pages:
    """The pages that hold nothing any more: rows that were deleted stand in them until others take their place."""
    length = file.seek(0, 2)
    file.seek(0)
    head = file.read(100)
    size = int.from_bytes(head[16:18], "big")
    size = 65_536 if size == 1 else size
    is_size = size >= _LEAST_PAGE and not size & (size - 1)
    trunk = int.from_bytes(head[32:36], "big") if is_size else 0
    return _Pages(file, size, _numbers(file, size, trunk, length // max(size, 1)))


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

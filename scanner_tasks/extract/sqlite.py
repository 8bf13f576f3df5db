"""SQLite databases: every table's rows, from a copy. A risky parser: the library reads what it is given."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from typing import IO
from urllib.parse import quote

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract.kind import HEAD_BYTES, sniff
from scanner_tasks.extract.sqlite_pages import freed_pages, freed_rows
from scanner_tasks.extract.strings import printable, runs
from scanner_tasks.extract.table import Cell, running_text, table_text, told
from scanner_tasks.extract.walk import Layer, Walk

#: How often the library asks whether it is to go on, in its own steps.
_STEPS = 100_000
#: How the library marks a column that is made when it is read.
_MADE = 2
#: A longer value is not read.
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
        damage = None
        try:
            with closing(connection or _opened(walk, file)) as connection:
                yield from _tables(walk, layer, connection)
        except ExtractError as error:
            if error.outcome is not Outcome.PARTIAL_CORRUPT:
                raise
            damage = error
        if damage:
            file.seek(0)
            yield from runs(file.read, layer)
            raise cut or damage
        yield from runs(freed_pages(file), replace(layer, path=layer.inside("freed pages")))
        yield from runs(freed_rows(file), replace(layer, path=layer.inside("freed rows")))
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
    yield from running_text(walk, layer, "schema", _schema(connection))
    is_whole = True
    for name in names:
        walk.meter.look_at_the_clock()
        try:
            yield from _table(walk, layer, connection, name)
        except sqlite3.Error:
            walk.meter.look_at_the_clock()
            is_whole = False
    if not is_whole:
        raise _corrupt()


def _schema(connection: sqlite3.Connection) -> Iterator[str]:
    """How the tables, views and triggers were made: values by default, comments."""
    try:
        for (statement,) in connection.execute("select sql from sqlite_master where sql is not null"):
            yield f"{statement};\n"
    except (sqlite3.Error, ValueError) as error:
        raise _corrupt() from error


def _table(walk: Walk, layer: Layer, connection: sqlite3.Connection, name: str) -> Iterator[Segment]:
    statement = f"select {_stored(connection, name)} from {_quoted(name)}"
    rows = connection.execute(statement)
    columns = [column[0] for column in rows.description]
    #: Columns in which files stand, which are read afterwards.
    files: set[int] = set()

    def path_of(row: int, column: str) -> str:
        return layer.inside(f"{name}: row {row}, {column}")

    yield from table_text(walk, layer, ((n, _cells(columns, row, files)) for n, row in enumerate(rows, 1)), path_of)
    for number, row in enumerate(connection.execute(statement) if files else (), 1):
        for at in files:
            if isinstance(row[at], bytes) and _is_file(row[at]):
                place = f"{name}: row {number}, {columns[at]}"
                yield from walk.member(layer, place, BytesIO(row[at]).read)


def _stored(connection: sqlite3.Connection, name: str) -> str:
    """The table's columns but those that are made when they are read, of what the others hold."""
    told = connection.execute("select name, hidden from pragma_table_xinfo(?)", (name,)).fetchall()
    return ", ".join(_quoted(column) for column, hidden in told if hidden != _MADE) or "*"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _is_file(value: bytes) -> bool:
    """True for a value that is read by more than its printable runs: a picture, an archive, a document."""
    return sniff(value[:HEAD_BYTES]).form not in {"text", "binary"}


def _cells(columns: list[str], row: tuple[object, ...], files: set[int]) -> list[Cell]:
    cells = []
    for at, (name, value) in enumerate(zip(columns, row, strict=True)):
        text = ""
        if not isinstance(value, bytes):
            text = told(value)
        elif _is_file(value):
            files.add(at)
        else:
            try:
                text = value.decode()
            except UnicodeDecodeError:
                text = printable(value)
        if text:
            cells.append((name, name, text))
    return cells


def _corrupt() -> ExtractError:
    return ExtractError("The SQLite database is damaged.", Outcome.PARTIAL_CORRUPT)

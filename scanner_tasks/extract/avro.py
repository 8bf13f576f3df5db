"""Avro container files through fastavro: every field of every record."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract.budget import Read, read_window
from scanner_tasks.extract.table import Cell, table_text, told
from scanner_tasks.extract.walk import Layer, Walk


class _Source:
    """A file to read from, as far as fastavro needs one."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def read(self, size: int) -> bytes:
        if size < 0:
            raise EOFError
        data, error = read_window(self._read, size)
        if error:
            raise error
        return data


def avro_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """The records as one text."""
    walk.isolate()
    fastavro: Any = importlib.import_module("fastavro")

    def path_of(row: int, column: str) -> str:
        return layer.inside(f"row {row}, {column}")

    rows = _records(fastavro, _Source(layer.read))
    yield from table_text(walk, layer, rows, path_of)


def _records(fastavro: Any, source: _Source) -> Iterator[tuple[int, list[Cell]]]:
    number = 0
    try:
        for number, record in enumerate(fastavro.reader(source), 1):
            yield number, list(flat("", record))
    except (ExtractError, MemoryError):
        raise
    except Exception as error:
        if not number and "codec" in str(error).lower():
            raise ExtractError(
                "The Avro file is compressed in a way that cannot be read.", Outcome.PARTIAL_UNSUPPORTED
            ) from error
        raise ExtractError("The Avro file is damaged.", Outcome.PARTIAL_CORRUPT) from error


def flat(name: str, value: object) -> Iterator[Cell]:
    """The leaves of a nested value, each under its path.

    Examples:
        >>> list(flat("", {"a": {"b": 1}, "c": ["x", None]}))
        [('a.b', 'a.b', '1'), ('c[0]', 'c[0]', 'x')]
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(f"{name}.{key}" if name else str(key), inner)
    elif isinstance(value, list | tuple):
        for n, inner in enumerate(value):
            yield from flat(f"{name}[{n}]", inner)
    elif text := told(value):
        yield name, name, text

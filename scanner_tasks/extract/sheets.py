"""Workbooks (xlsx, xlsb, xls, ods) through calamine: every cell with its sheet and address.

A risky parser: it runs where a crash costs the object only.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import IO, Any

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract.table import Cell, table_text, told
from scanner_tasks.extract.walk import Layer, Walk

#: A first row of which every cell is such a word names the columns.
_NAME = re.compile(r"[A-Za-z_][\w .,()/#%&*:-]{0,79}")
_LONG_NUMBER = re.compile(r"\d{4}")


def sheets_text(walk: Walk, layer: Layer, file: IO[bytes]) -> Iterator[Segment]:
    """Each sheet as a text of its own."""
    calamine: Any = importlib.import_module("python_calamine")
    file.seek(0)
    try:
        book = calamine.CalamineWorkbook.from_filelike(file)
        for name in book.sheet_names:
            walk.meter.page()
            sheet = book.get_sheet_by_name(name)

            def path_of(row: int, column: str, name: str = name) -> str:
                return layer.inside(f"{name}!{column}{row}")

            yield from table_text(walk, layer, _rows(sheet), path_of)
    except calamine.PasswordError as error:
        raise ExtractError("The workbook is encrypted.", Outcome.PARTIAL_ENCRYPTED) from error
    except calamine.CalamineError as error:
        raise _corrupt() from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # of Rust
            raise _corrupt() from None
        raise


def _rows(sheet: Any) -> Iterator[tuple[int, list[Cell]]]:
    names: list[str] | None = None
    # Rows are counted from the sheet's first, columns from the first that is used.
    first_column = (sheet.start or (0, 0))[1]
    for number, row in enumerate(sheet.iter_rows(), 1):
        texts = [told(value) for value in row]
        if names is None and any(texts):
            names = texts if _are_names(texts) else []
            heads = [""] * len(texts)
        else:
            heads = names or []
        cells = [
            (letters(first_column + n), heads[n] if n < len(heads) else "", text)
            for n, text in enumerate(texts)
            if text
        ]
        yield number, cells


def _are_names(row: list[str]) -> bool:
    names = [text for text in row if text]
    return len(set(names)) == len(names) and all(_NAME.fullmatch(n) and not _LONG_NUMBER.search(n) for n in names)


def letters(column: int) -> str:
    """A column's name.

    Examples:
        >>> letters(0), letters(25), letters(26), letters(701)
        ('A', 'Z', 'AA', 'ZZ')
    """
    name = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        name = chr(65 + letter) + name
    return name


def _corrupt() -> ExtractError:
    return ExtractError("The workbook is damaged.", Outcome.PARTIAL_CORRUPT)

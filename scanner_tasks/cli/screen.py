"""What commands print: a table or a line for people, JSON for programs.

Names from S3 may hold anything, terminal codes too: what cannot be printed is shown escaped.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Exit status of a command that tells of a job some of whose objects were not read, or not to their ends.
INCOMPLETE = 3

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
JobId = Annotated[str, typer.Argument(metavar="JOB_ID", help="The id that `jobs start` printed.", show_default=False)]


_ID_FROM = {
    "JOB_ID": "`s3scan jobs start` or `s3scan jobs list` prints",
    "FINDING": "`s3scan results --json` prints as finding_id",
}


def uuid_of(text: str, what: str = "JOB_ID") -> UUID:
    """The id of a job or finding; InvalidInput when it is none."""
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415

    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(f"{what}: give the UUID that {_ID_FROM[what]}.") from None


def print_json(value: object) -> None:
    """One line of JSON."""
    print(json.dumps(value, ensure_ascii=False, default=plain))


def plain(value: object) -> str:
    """What JSON has no form for: moments in UTC, ids."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def moment(text: str | None) -> datetime | None:
    """A moment of the API's JSON, so that it is shown as one."""
    return datetime.fromisoformat(text) if text else None


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """A table, or one line when there is nothing in it."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        numeric = column.endswith("#")
        table.add_column(column.rstrip("#"), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(value)) for value in row))
    if not table.rows:
        print(empty)
        return
    # A pipe gets whole lines: nothing is folded for a screen that is not there.
    Console(width=None if sys.stdout.isatty() else 400, highlight=False).print(table)


def shown(value: Any) -> str:
    r"""A value as people read it.

    Examples:
        >>> shown(None), shown(1234567), shown("a\x1b[2Jb")
        ('-', '1,234,567', '"a\\u001b[2Jb"')
    """
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = str(value)
    return text if text.isprintable() else json.dumps(text)

"""What a statement costs the server, as EXPLAIN ANALYZE tells it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, event

_PARENTS = "select i.inhrelid::regclass::text, i.inhparent::regclass::text from pg_inherits i"


@dataclass
class Plan:
    """Of one statement: indexes and tables that were scanned, and rows that these scans looked at."""

    statement: str
    indexes: set[str] = field(default_factory=set)
    walked: set[str] = field(default_factory=set)
    rows: int = 0
    text: str = ""


@contextmanager
def recorded(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are sent on this connection, with their values."""
    sent: list[tuple[str, Any]] = []

    def record(_connection, _cursor, statement, parameters, _context, _many) -> None:
        sent.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", record)
    yield sent
    event.remove(connection, "before_cursor_execute", record)


def plan_of(connection: Connection, statement: str, parameters: Any, *, of: str) -> Plan:
    """Run the statement and tell how it reads partitions of the table ``of``; indexes by their parent's name."""
    parents = dict(connection.exec_driver_sql(_PARENTS).all())
    (told,) = connection.exec_driver_sql(f"explain (analyze, format json) {statement}", parameters).scalar_one()
    plan = Plan(statement=statement, text=str(told))
    nodes = [told["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        name = node.get("Index Name")
        table = node.get("Relation Name", "")
        if parents.get(table, table) == of and node["Node Type"].endswith("Scan"):
            plan.rows += round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
            if name is None and node["Node Type"] != "Bitmap Heap Scan":
                plan.walked.add(table)
        if name is not None and parents.get(name, name).startswith(of):
            plan.indexes.add(parents.get(name, name))
    return plan

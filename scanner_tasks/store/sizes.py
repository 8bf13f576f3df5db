"""How large the database is, by table and partition, and what a million objects more would add."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.store.engine import execute
from scanner_tasks.store.schema import metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexSize:
    """One index of a table or partition."""

    name: str
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TableSize:
    """A table, or one partition of it."""

    #: The table whose partition it is; None for a table without partitions.
    partition_of: str | None
    name: str
    #: As the last vacuum or analyze counted them; -1 when neither has run.
    rows: int
    #: Of the rows themselves, of large values kept beside them, of all indexes.
    heap_bytes: int
    toast_bytes: int
    index_bytes: int
    indexes: tuple[IndexSize, ...]

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.heap_bytes + self.toast_bytes + self.index_bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """The whole database."""

    tables: tuple[TableSize, ...]
    #: Listed by jobs that are there, and found in them, as of the last refresh of job_progress.
    objects: int
    findings: int

    @property
    def bytes(self) -> int:
        """Of all tables of ours."""
        return sum(table.bytes for table in self.tables)

    def bytes_per_object(self) -> float | None:
        """Of everything but findings, by objects; None when there are none. Small tables count too."""
        if not self.objects:
            return None
        return sum(t.bytes for t in self.tables if (t.partition_of or t.name) != "findings") / self.objects

    def bytes_per_finding(self) -> float | None:
        """Of the findings with their indexes; None when there are none."""
        if not self.findings:
            return None
        return sum(t.bytes for t in self.tables if (t.partition_of or t.name) == "findings") / self.findings

    def bytes_per_million_objects(self) -> float | None:
        """Growth by a million objects more with findings as often as so far; None when there are no objects."""
        each = self.bytes_per_object()
        if each is None:
            return None
        return 1e6 * (each + (self.bytes_per_finding() or 0.0) * self.findings / self.objects)


def read_sizes(connection: Connection) -> Sizes:
    """Sizes as the server tells them: no table is read, but job_progress."""
    rows = execute(
        connection,
        """
        select p.relname as partition_of, c.relname as name, cast(c.reltuples as bigint) as rows,
          pg_relation_size(c.oid) as heap_bytes, pg_indexes_size(c.oid) as index_bytes,
          pg_table_size(c.oid) - pg_relation_size(c.oid) as toast_bytes,
          array(
            select x.relname || ' ' || pg_relation_size(x.oid)
            from pg_index i join pg_class x on x.oid = i.indexrelid where i.indrelid = c.oid
            order by pg_relation_size(x.oid) desc, x.relname
          ) as indexes
        from pg_class c left join pg_inherits h on h.inhrelid = c.oid left join pg_class p on p.oid = h.inhparent
        where c.relkind in ('r', 'm') and c.relnamespace = cast('public' as regnamespace)
          and coalesce(p.relname, c.relname) = any(:ours)
        order by coalesce(p.relname, c.relname), length(c.relname), c.relname
        """,
        ours=[*metadata.tables, "job_progress"],
    )
    tables = tuple(
        TableSize(
            **{name: value for name, value in row._mapping.items() if name != "indexes"},  # noqa: SLF001
            indexes=tuple(
                IndexSize(name=name, bytes=int(size)) for name, size in (told.split(" ") for told in row.indexes)
            ),
        )
        for row in rows
    )
    sums = execute(
        connection,
        "select coalesce(sum(listed), 0) as objects, coalesce(sum(findings), 0) as findings from job_progress",
    ).one()
    return Sizes(tables=tables, objects=int(sums.objects), findings=int(sums.findings))

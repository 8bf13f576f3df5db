"""Indexes of partitioned tables, made beside running writers (for migrations).

Postgres makes no index of a partitioned table concurrently. So each partition gets its own, concurrently; the table's
index is made empty (``on only``), and takes the partitions' ones in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: How long the build of one partition's index waits for transactions older than itself; it blocks no writer meanwhile.
_PATIENCE = "60s"

_PARTITIONS = """
select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = %(table)s::regclass and not i.inhdetachpending
  and not exists (
    select 1 from pg_index x join pg_inherits xi on xi.inhrelid = x.indexrelid
    where x.indrelid = c.oid and xi.inhparent = %(index)s::regclass)
order by c.oid
"""
_STATE = "select i.indisvalid from pg_index i where i.indexrelid = to_regclass(%(name)s)"


def create_partitioned_index(connection: Connection, index: str, table: str, definition: str) -> None:
    """Make ``index`` on the partitioned ``table`` and on all of its partitions; a repeat goes on where one broke off.

    Args:
        connection: in autocommit mode.
        index: its name; a partition's has the partition's number behind it.
        table: the partitioned table.
        definition: ``using btree (a, b) where …``.
    """
    patience = connection.exec_driver_sql("select current_setting('lock_timeout')").scalar_one()
    connection.exec_driver_sql(f"create index if not exists {index} on only {table} {definition}")
    while names := list(connection.exec_driver_sql(_PARTITIONS, {"table": table, "index": index}).scalars()):
        for partition in names:
            ours = f"{index}{partition.removeprefix(table)}"
            if connection.exec_driver_sql(_STATE, {"name": ours}).scalar() is False:  # a build that was interrupted
                connection.exec_driver_sql(f"drop index concurrently {ours}")
            connection.exec_driver_sql("select set_config('lock_timeout', %(to)s, false)", {"to": _PATIENCE})
            connection.exec_driver_sql(f"create index concurrently if not exists {ours} on {partition} {definition}")
            connection.exec_driver_sql("select set_config('lock_timeout', %(to)s, false)", {"to": patience})
            connection.exec_driver_sql(f"alter index {index} attach partition {ours}")

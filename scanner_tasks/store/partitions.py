"""Partitions: made before the first job needs them, dropped when the last of their jobs is gone.

Neither blocks writers: a partition is made apart and attached then; it is detached concurrently, which waits for older
transactions while newer ones go on, and is cut short when they take too long: the next turn goes on with it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from scanner_tasks.core.errors import StatementRefused
from scanner_tasks.store.engine import execute, statement_alone
from scanner_tasks.store.schema import JOBS_IN_A_PARTITION, PARTITIONED

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

#: Seconds that one detaching waits for transactions older than itself.
DETACH_PATIENCE_S = 5.0
_CANCELLED = "57014"
_BATCH_STORAGE = " with (fillfactor = 60, toast_tuple_target = 256, autovacuum_vacuum_scale_factor = 0.05)"


def ensure_partitions(connection: Connection) -> int:
    """Make the partitions of the current range of jobs and of the next one; how many were made.

    Each is made apart and attached then, with a constraint that proves its range: attaching takes no lock that a writer
    waits for (``create table … partition of`` would).
    """
    newest = execute(connection, "select coalesce(max(job_no), 0) as job_no from jobs").one().job_no
    first = newest // JOBS_IN_A_PARTITION
    made = 0
    for table in PARTITIONED:
        for number in (first, first + 1):
            name, low = f"{table}_p{number}", number * JOBS_IN_A_PARTITION
            high = low + JOBS_IN_A_PARTITION
            if execute(connection, "select to_regclass(:name) as found", name=name).one().found:
                continue
            storage = _BATCH_STORAGE if table == "job_batches" else ""
            execute(connection, f"create table {name} (like {table} including all){storage}")
            execute(
                connection,
                f"alter table {name} add constraint {name}_range check (job_no >= {low} and job_no < {high})",
            )
            execute(connection, f"alter table {table} attach partition {name} for values from ({low}) to ({high})")
            execute(connection, f"alter table {name} drop constraint {name}_range")
            made += 1
    return made


def emptied_ranges(connection: Connection) -> tuple[int, ...]:
    """Numbers of partitions, below that of the newest job, all of whose jobs are gone or being deleted."""
    rows = execute(
        connection,
        """
        select distinct number from (
          select cast(substring(c.relname from '_p([0-9]+)$') as int) as number
          from pg_class c where c.relkind = 'r' and c.relname ~ :names
        ) p
        where number < (select coalesce(max(job_no), 0) from jobs) / :size and not exists (
          select 1 from jobs j where j.deleted_at is null
            and j.job_no between p.number * :size and p.number * :size + :size - 1)
        order by number
        """,
        names=f"^({'|'.join(PARTITIONED)})_p[0-9]+$",
        size=JOBS_IN_A_PARTITION,
    )
    return tuple(rows.scalars())


def drop_partition(engine: Engine, table: str, number: int, *, patience_s: float = DETACH_PATIENCE_S) -> bool:
    """Detach a partition and drop it; False when older transactions kept it: call it again later.

    A repeat goes on where the last one was cut short. Call it for ``emptied_ranges`` only.
    """
    name = f"{table}_p{number}"
    for _ in range(3):  # attached, detaching, detached
        with engine.connect() as connection:
            row = execute(
                connection,
                """
                select i.inhdetachpending as pending, i.inhrelid is not null as attached from pg_class c
                left join pg_inherits i on i.inhrelid = c.oid where c.oid = to_regclass(:name)
                """,
                name=name,
            ).first()
        if row is None:
            return True
        if not row.attached:
            statement = f"drop table {name}"
        elif row.pending:
            statement = f"alter table {table} detach partition {name} finalize"
        else:
            statement = f"alter table {table} detach partition {name} concurrently"
        try:
            with statement_alone(engine) as (connection, cancel):
                timer = threading.Timer(patience_s, cancel)
                timer.start()
                try:
                    execute(connection, statement)
                finally:
                    timer.cancel()
        except StatementRefused as refused:
            if _CANCELLED in str(refused):
                return False
            raise
    return _is_gone(engine, name)


def _is_gone(engine: Engine, name: str) -> bool:
    with engine.connect() as connection:
        return execute(connection, "select to_regclass(:name) is null", name=name).scalar_one() is True

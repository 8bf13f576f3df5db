"""Partitions, made before the first job needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.store.engine import execute
from scanner_tasks.store.schema import JOBS_IN_A_PARTITION, PARTITIONED

if TYPE_CHECKING:
    from sqlalchemy import Connection

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

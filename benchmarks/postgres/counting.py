"""What counting costs: a delta row beside a hot counter row, and the view over deltas beside one over all rows."""

from __future__ import annotations

import statistics
import threading
import time
from typing import TYPE_CHECKING
from uuid import uuid4

from benchmarks.postgres import plain
from scanner_tasks.store import progress
from scanner_tasks.store.engine import execute, transaction

if TYPE_CHECKING:
    from sqlalchemy import Engine

WRITERS, WINDOW_S = 24, 4.0
_ROWS_EACH, _REFRESHES, _BATCH = 10, 3, 100
_TABLES = f"""
drop table if exists counted_rows;
drop table if exists counters;
create table counted_rows (n int primary key, state int not null) with (fillfactor = 60);
insert into counted_rows select g, 0 from generate_series(0, {WRITERS * _ROWS_EACH - 1}) g;
create table counters (job_no int primary key, done bigint not null);
insert into counters values (1, 0)
"""
_COUNTED = {
    "delta": "with changed as (update counted_rows set state = state + 1 where n = :n returning 1)"
    " insert into job_deltas (job_no, code, objects) select 1, 10, 100 from changed",
    "counter": "with changed as (update counted_rows set state = state + 1 where n = :n returning 1)"
    " update counters set done = done + 100 from changed where job_no = 1",
}


def count(engine: Engine, *, by: str) -> tuple[float, float]:
    """Transactions a second, and p99 in s, of 24 writers that change one row each and count it for one job."""
    with engine.begin() as connection:
        connection.exec_driver_sql(_TABLES)
    over, times, lock = threading.Event(), [], threading.Lock()

    def write(number: int) -> None:
        mine: list[float] = []
        while not over.is_set():
            began = time.monotonic()
            with transaction(engine) as connection:
                execute(connection, _COUNTED[by], n=number * _ROWS_EACH + len(mine) % _ROWS_EACH)
            mine.append(time.monotonic() - began)
        with lock:
            times.extend(mine)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(WRITERS)]
    for thread in threads:
        thread.start()
    threading.Event().wait(WINDOW_S)  # the measuring window
    over.set()
    for thread in threads:
        thread.join()
    with transaction(engine) as connection:
        execute(connection, "delete from job_deltas where job_no = 1 and code = 10 and objects = 100")
    return len(times) / WINDOW_S, sorted(times)[int(0.99 * len(times))]


def refreshes(engine: Engine, objects: int) -> tuple[float, float]:
    """Median seconds of REFRESH CONCURRENTLY with ``objects`` in the ledger and in the plain table: ours, plain.

    The plain table has lost its indexes, which no refresh reads: it is filled ten times as fast.
    """
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "drop materialized view if exists plain_progress; drop table if exists plain_objects"
        )
        connection.exec_driver_sql(plain.TABLES.partition("create index")[0])
        connection.exec_driver_sql(
            "alter table plain_objects drop constraint plain_objects_pkey;"
            "alter table plain_objects drop constraint plain_objects_job_id_object_key_key;"
            "truncate job_deltas; truncate job_batches"
        )
        job_no = connection.exec_driver_sql("select max(job_no) from jobs").scalar_one()
        # As a scan leaves them: batches with their outcomes, a delta for each registration, claim and completion.
        connection.exec_driver_sql(
            f"""
            insert into job_batches (job_no, batch_no, state, attempt, objects, pending, pending_bytes, outcomes,
              keys, sizes, etags)
            select {job_no}, n, 3, 1, 100, 0, 0, decode(repeat('0a', 100), 'hex'),
              (select array_agg('year=2026/month=11/part-' || lpad((n * 100 + o)::text, 9, '0'))
               from generate_series(0, 99) o),
              array_fill(100::bigint, array[100]), decode(repeat('00', 800), 'hex')
            from generate_series(0, {objects // _BATCH} - 1) n;
            insert into job_deltas (job_no, code, objects, bytes, batches, open_batches)
            select {job_no}, d.code, 100, 10000, (d.code = 0)::int, 0
            from generate_series(0, {objects // _BATCH} - 1) n cross join (values (0), (10)) d (code);
            insert into plain_objects (job_id, bucket, object_key, size_bytes, etag, status)
            select '{uuid4()}', 'bench', 'year=2026/month=11/part-' || lpad(n::text, 9, '0'), 100,
              lpad(n::text, 32, '0'), 'succeeded'
            from generate_series(0, {objects} - 1) n;
            """
        )
        connection.exec_driver_sql(plain.VIEW)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze plain_objects")
        connection.exec_driver_sql("vacuum analyze job_deltas")
    with transaction(engine) as connection:
        progress.compact_deltas(connection)
    ours, others = [], []
    for _ in range(_REFRESHES):
        ours.append(_refresh(engine, "job_progress"))
        others.append(_refresh(engine, "plain_progress"))
    return statistics.median(ours), statistics.median(others)


def _refresh(engine: Engine, view: str) -> float:
    began = time.monotonic()
    with transaction(engine) as connection:
        execute(connection, f"refresh materialized view concurrently {view}")
    return time.monotonic() - began

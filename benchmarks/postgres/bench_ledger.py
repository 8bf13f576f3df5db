"""The ledger beside a plain table of objects: registration, completion, WAL, disk; a hot counter row; the view.

Variants take turns within each round, in one PostgreSQL with fsync on; figures are medians over the rounds, ratios the
medians of the rounds' ratios. Failure rows (1 % of the objects) and deltas are included.

    python -m benchmarks.postgres.bench_ledger [--objects 200000] [--rounds 3] [--writers 8] [--view-objects 10000000]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from benchmarks.postgres import plain
from benchmarks.postgres.clients import claim, make_feeder, record
from benchmarks.postgres.machine import machine
from benchmarks.postgres.server import DURABLE, migrate, quiet
from scanner_tasks.core.model import ObjectRef, ObjectResult, Outcome
from scanner_tasks.core.planning import Policy, plan_page
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.store import feeding, jobs, progress
from scanner_tasks.store.engine import execute, make_engine, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from sqlalchemy import Engine

    from scanner_tasks.flow.parts import Feeder

_PAGE, _BATCH = 10_000, 100
_COUNTER_WRITERS, _COUNTER_S = 24, 4.0
_POLICY = Policy(object_max_bytes=1 << 40)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one step of one variant took."""

    objects: int
    seconds: float
    wal_bytes: int
    disk_bytes: int


class Bench:
    """One server, both designs."""

    def __init__(self, engine: Engine, feeder: Feeder, objects: int, writers: int) -> None:
        self.engine, self.feeder, self.objects, self.writers = engine, feeder, objects, writers
        with engine.begin() as connection:
            connection.exec_driver_sql(plain.TABLES)

    def measured(self, tables: str, work: Callable[[], None]) -> Cost:
        """Run ``work`` after a checkpoint; its time, WAL, and how much the tables named ``tables`` grew.

        Autovacuum is off, and what a former step left is vacuumed before: neither pays for the other's dead rows.
        """
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("vacuum analyze plain_objects, job_batches, job_deltas, jobs")
            connection.exec_driver_sql("checkpoint")
        before, lsn = self._disk(tables), self._scalar("select pg_current_wal_insert_lsn()")
        began = time.monotonic()
        work()
        seconds = time.monotonic() - began
        wal = self._scalar("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), cast(:lsn as pg_lsn))", lsn=lsn)
        return Cost(objects=self.objects, seconds=seconds, wal_bytes=int(wal), disk_bytes=self._disk(tables) - before)

    def _disk(self, tables: str) -> int:
        return int(
            self._scalar(
                "select coalesce(sum(pg_total_relation_size(oid)), 0) from pg_class"
                " where relkind = 'r' and relname ~ :tables",
                tables=tables,
            )
        )

    def _scalar(self, statement: str, **values: Any) -> Any:
        with transaction(self.engine) as connection:
            return execute(connection, statement, **values).scalar_one()

    # --- registration -------------------------------------------------------------------------------------------------

    def register_ours(self, refs: list[ObjectRef]) -> tuple[UUID, Cost]:
        """Through the real planner and the real statement, a page of the listing at a time."""
        job_id = start_job("bench", using=self.feeder).job_id

        def work() -> None:
            for page in _pages(refs):
                with transaction(self.engine) as connection:
                    job = jobs.get_job(connection, job_id)
                    assert job is not None
                    is_last = page[-1] is refs[-1]
                    feeding.add_batches(connection, job, plan_page(page, _POLICY), cursor=page[-1].key, is_last=is_last)

        return job_id, self.measured("^(job_batches_p|job_deltas|jobs$|object_failures)", work)

    def register_plain(self, refs: list[ObjectRef]) -> tuple[str, Cost]:
        """A row for each object."""
        job_id = str(uuid4())

        def work() -> None:
            for page in _pages(refs):
                plain.register(self.engine, job_id, page)

        return job_id, self.measured("^plain_objects", work)

    # --- completion ---------------------------------------------------------------------------------------------------

    def complete_ours(self, job_id: UUID) -> Cost:
        """Claim and record every batch, by several writers."""

        def one(batch_no: int) -> None:
            batch = claim(self.engine, job_id, batch_no)
            assert batch is not None
            results = [
                ObjectResult(position=at, outcome=Outcome.FAILED_DENIED, detail=_ERROR)
                if at == 0
                else ObjectResult(position=at, outcome=Outcome.SCANNED)
                for at, _ in batch.objects
            ]
            assert record(self.engine, batch, results)

        return self.measured("^(job_batches_p|job_deltas|object_failures)", lambda: self._spread(one))

    def complete_plain(self, job_id: str, refs: list[ObjectRef]) -> Cost:
        """The same outcomes by two batched updates each."""

        def one(batch_no: int) -> None:
            keys = [ref.key for ref in refs[batch_no * _BATCH : (batch_no + 1) * _BATCH]]
            plain.complete(self.engine, job_id, keys, {keys[0]: _ERROR})

        return self.measured("^plain_objects", lambda: self._spread(one))

    def _spread(self, work: Callable[[int], None]) -> None:
        order = list(range(self.objects // _BATCH))
        random.Random(2026).shuffle(order)
        with ThreadPoolExecutor(self.writers) as pool:
            for _ in pool.map(work, order):
                pass

    def hot_share(self) -> float:
        """Share of updates of our ledger that were HOT."""
        with transaction(self.engine) as connection:
            execute(connection, "select pg_stat_force_next_flush()")
            row = execute(
                connection,
                "select sum(n_tup_hot_upd) hot, sum(n_tup_upd) total from pg_stat_user_tables"
                " where relname like 'job_batches%'",
            ).one()
        return float(row.hot) / max(float(row.total), 1)

    # --- counting -----------------------------------------------------------------------------------------------------

    def count(self, *, by: str) -> tuple[float, float]:
        """Transactions a second, and p99 in s, of 24 writers that change one row each and count it for one job."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql(
                "drop table if exists counted_rows; drop table if exists counters;"
                "create table counted_rows (n int primary key, state int not null) with (fillfactor = 60);"
                "insert into counted_rows select g, 0 from generate_series(0, 239) g;"
                "create table counters (job_no int primary key, done bigint not null); "
                "insert into counters values (1, 0)"
            )
        statement = {
            "delta": "with changed as (update counted_rows set state = state + 1 where n = :n returning 1)"
            " insert into job_deltas (job_no, code, objects) select 1, 10, 100 from changed",
            "counter": "with changed as (update counted_rows set state = state + 1 where n = :n returning 1)"
            " update counters set done = done + 100 from changed where job_no = 1",
        }[by]
        over, times, lock = threading.Event(), [], threading.Lock()

        def write(number: int) -> None:
            mine: list[float] = []
            while not over.is_set():
                began = time.monotonic()
                with transaction(self.engine) as connection:
                    execute(connection, statement, n=number * 10 + len(mine) % 10)
                mine.append(time.monotonic() - began)
            with lock:
                times.extend(mine)

        threads = [threading.Thread(target=write, args=(n,)) for n in range(_COUNTER_WRITERS)]
        for thread in threads:
            thread.start()
        threading.Event().wait(_COUNTER_S)  # the measuring window
        over.set()
        for thread in threads:
            thread.join()
        with transaction(self.engine) as connection:
            execute(connection, "delete from job_deltas where job_no = 1 and code = 10 and objects = 100")
        return len(times) / _COUNTER_S, sorted(times)[int(0.99 * len(times))]

    # --- the view -----------------------------------------------------------------------------------------------------

    def refreshes(self, objects: int) -> tuple[float, float]:
        """Median seconds of REFRESH CONCURRENTLY with ``objects`` in the ledger and in the plain table: ours, plain."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql(
                "truncate plain_objects, job_deltas; drop materialized view if exists plain_progress"
            )
            connection.exec_driver_sql("truncate job_batches")
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
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("vacuum analyze plain_objects")
            connection.exec_driver_sql("vacuum analyze job_deltas")
        with transaction(self.engine) as connection:
            progress.compact_deltas(connection)
        ours, others = [], []
        for _ in range(3):
            ours.append(self._refresh("job_progress"))
            others.append(self._refresh("plain_progress"))
        return statistics.median(ours), statistics.median(others)

    def _refresh(self, view: str) -> float:
        began = time.monotonic()
        with transaction(self.engine) as connection:
            execute(connection, f"refresh materialized view concurrently {view}")
        return time.monotonic() - began


_ERROR = "S3 refused the read: the role needs s3:GetObject here."


def _pages(refs: list[ObjectRef]) -> Iterator[list[ObjectRef]]:
    return (refs[at : at + _PAGE] for at in range(0, len(refs), _PAGE))


def _refs(count: int, *, shape: str) -> list[ObjectRef]:
    """Keys in listing order: ``hive`` are alike, ``random`` are hashes."""
    keys = (
        [f"warehouse/events/year=2026/month=11/day=23/part-{n:09d}.json.gz" for n in range(count)]
        if shape == "hive"
        else sorted(hashlib.sha256(str(n).encode()).hexdigest() for n in range(count))
    )
    return [
        ObjectRef(bucket="bench", key=key, size_bytes=1000 + n % 977, etag=hashlib.md5(key.encode()).hexdigest())
        for n, key in enumerate(keys)
    ]


def _line(name: str, ours: Any, others: Any, ratio: float, target: str, *, unit: str) -> str:
    return f"| {name} | {ours:,.4g} {unit} | {others:,.4g} {unit} | {ratio:.3g} | {target} |"


def _steps(bench: Bench, rounds: int, lines: list[str]) -> None:
    for shape, disk_target in (("hive", "≤ 1/5"), ("random", "≤ 1/2")):
        refs = _refs(bench.objects, shape=shape)
        costs: dict[str, list[Cost]] = {name: [] for name in ("ours in", "plain in", "ours done", "plain done")}
        for _ in range(rounds):
            job_id, cost = bench.register_ours(refs)
            costs["ours in"].append(cost)
            plain_id, cost = bench.register_plain(refs)
            costs["plain in"].append(cost)
            costs["ours done"].append(bench.complete_ours(job_id))
            costs["plain done"].append(bench.complete_plain(plain_id, refs))
        for step, name, speed_target, wal_target in (
            ("in", "registration", "≥ 2", "≤ 1/10"),
            ("done", "completion", "≥ 3", "≤ 1/20"),
        ):
            ours, others = costs[f"ours {step}"], costs[f"plain {step}"]
            for what, unit, target, value in (
                ("objects/s", "/s", speed_target, lambda c: c.objects / c.seconds),
                ("WAL", "B/object", wal_target, lambda c: c.wal_bytes / c.objects),
                ("disk", "B/object", disk_target if step == "in" else "-", lambda c: c.disk_bytes / c.objects),
            ):
                ratio = statistics.median(value(a) / max(value(b), 1e-9) for a, b in zip(ours, others, strict=True))
                median = [statistics.median(map(value, each)) for each in (ours, others)]
                lines.append(_line(f"{name}, {shape} keys: {what}", *median, ratio, target, unit=unit))


def main() -> int:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--view-objects", type=int, default=10_000_000)
    options = parser.parse_args()
    quiet()
    folder = Path(tempfile.mkdtemp(prefix="s3scan-bench-"))
    folder.chmod(0o755)
    postgres = LocalPostgres(folder / "postgres", settings=(*DURABLE, "max_wal_size=8GB", "autovacuum=off"))
    lines = ["| step | ours | plain | ratio | target |", "|---|---|---|---|---|"]
    try:
        postgres.start()
        migrate(postgres.url())
        engine = make_engine(postgres.url(), pool_size=max(_COUNTER_WRITERS, options.writers) + 2)
        bench = Bench(engine, make_feeder(engine), options.objects, options.writers)
        _steps(bench, options.rounds, lines)
        lines.append(f"| completion: HOT updates | {bench.hot_share():.1%} | - | - | ≥ 95 % |")
        counts = [(bench.count(by="delta"), bench.count(by="counter")) for _ in range(options.rounds)]
        speeds = [statistics.median(each[n][0] for each in counts) for n in (0, 1)]
        ratio = statistics.median(a[0] / b[0] for a, b in counts)
        lines.append(
            _line("24 writers on one job, delta against a hot counter row", *speeds, ratio, "≥ 3", unit="tx/s")
        )
        small = bench.refreshes(options.view_objects // 10)
        large = bench.refreshes(options.view_objects)
        for objects, (ours, others) in ((options.view_objects // 10, small), (options.view_objects, large)):
            target = "≤ 1/10" if objects == options.view_objects else "-"
            lines.append(
                _line(f"refresh at {objects:,} objects", ours * 1e3, others * 1e3, ours / others, target, unit="ms")
            )
        lines.append(f"| our refresh, ten times the objects | - | - | {large[0] / small[0]:.3g} | ≤ 2 |")
        print("\n".join(lines))
        print("\n" + ", ".join(f"{name} {value}" for name, value in machine(engine).items()))
        print(f"{options.objects:,} objects a step, {options.rounds} rounds, {options.writers} writers,", end=" ")
        print(f"load average {os.getloadavg()[0]:.1f} at the end.")
        engine.dispose()
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

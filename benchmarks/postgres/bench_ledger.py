"""The ledger beside a plain table of objects: registration, completion, WAL, disk; a hot counter row; the view.

Variants take turns within each round, in one PostgreSQL with fsync on; figures are medians over the rounds, ratios the
medians of the rounds' ratios. Failure rows (1 % of the objects) and deltas are included. Planning (what is scanned, and
in which batch) comes before the registration; a line of its own has both, against a plain design that plans nothing.

A worker of the plain design holds what one receive gave it, ten messages of an object each, and changes the status of
these at once. Beside it stands the same design with updates of a hundred rows, which SQS does not allow.

    python -m benchmarks.postgres.bench_ledger [--objects 400000] [--rounds 3] [--writers 8] [--view-objects 10000000]
    python -m benchmarks.postgres.bench_ledger --small
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
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from benchmarks.postgres import counting, plain
from benchmarks.postgres.clients import claim, make_feeder, record
from benchmarks.postgres.machine import machine
from benchmarks.postgres.server import migrate, quiet
from benchmarks.postgres.targets import Table, Target, at_least, at_most
from scanner_tasks.core.model import ObjectRef, ObjectResult, Outcome
from scanner_tasks.core.planning import Policy, plan_page
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.store import feeding, jobs
from scanner_tasks.store.engine import execute, make_engine, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from sqlalchemy import Engine

    from scanner_tasks.flow.parts import Feeder

_PAGE, _BATCH = 10_000, 100
#: Messages of one receive, at most (SQS); of the plain design's objects so many are completed so, since it is slow.
_RECEIVED, _BY_RECEIVES = 10, 1 / 8
#: fsync on; a buffer for all that is measured, so that it is not the disk's reads that are compared.
_SETTINGS = ("shared_buffers=2GB", "max_wal_size=8GB", "autovacuum=off")
_POLICY = Policy(object_max_bytes=1 << 40)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one step of one variant took."""

    objects: int
    seconds: float
    wal_bytes: int
    disk_bytes: int
    #: Before that, in our process alone.
    planned_s: float = 0.0


class Bench:
    """One server, both designs."""

    def __init__(self, engine: Engine, feeder: Feeder, objects: int, writers: int) -> None:
        self.engine, self.feeder, self.objects, self.writers = engine, feeder, objects, writers
        with engine.begin() as connection:
            connection.exec_driver_sql(plain.TABLES)

    def measured(self, tables: str, work: Callable[[], None], *, objects: int | None = None) -> Cost:
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
        disk = self._disk(tables) - before
        return Cost(objects=objects or self.objects, seconds=seconds, wal_bytes=int(wal), disk_bytes=disk)

    def begin_anew(self) -> None:
        """Empty tables: what a former round left free in them would take in what this one adds."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql("truncate plain_objects, job_batches, job_deltas, object_failures")

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
        began = time.monotonic()
        plan = [(page[-1], plan_page(page, _POLICY)) for page in _pages(refs)]
        planned_s = time.monotonic() - began

        def work() -> None:
            for last, planned in plan:
                with transaction(self.engine) as connection:
                    job = jobs.get_job(connection, job_id)
                    assert job is not None
                    feeding.add_batches(connection, job, planned, cursor=last.key, is_last=last is refs[-1])

        cost = self.measured("^(job_batches_p|job_deltas|jobs$|object_failures)", work)
        return job_id, replace(cost, planned_s=planned_s)

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

        batches = self._scalar("select next_batch_no from jobs where job_id = :job_id", job_id=job_id)
        return self.measured("^(job_batches_p|job_deltas|object_failures)", lambda: self._spread(batches, one))

    def complete_plain(self, job_id: str, refs: list[ObjectRef], *, at_once: int) -> Cost:
        """The same outcomes by two updates of ``at_once`` objects each."""

        def one(number: int) -> None:
            mine = range(number * at_once, (number + 1) * at_once)
            keys = [refs[n].key for n in mine]
            failed = {refs[n].key: _ERROR for n in mine if n % _BATCH == 0}
            plain.complete(self.engine, job_id, keys, failed)

        batches = len(refs) // at_once
        return self.measured("^plain_objects", lambda: self._spread(batches, one), objects=len(refs))

    def _spread(self, batches: int, work: Callable[[int], None]) -> None:
        order = list(range(batches))
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


def _steps(bench: Bench, rounds: int, table: Table) -> None:
    for shape, disk_target in (("hive", at_most(1 / 5, "1/5")), ("random", at_most(1 / 2, "1/2"))):
        refs = _refs(bench.objects, shape=shape)
        few = _BATCH * max(1, int(len(refs) * _BY_RECEIVES) // _BATCH)
        costs: dict[str, list[Cost]] = {name: [] for name in ("in", "plain in", "done", "plain done", "by 100")}
        for _ in range(rounds):
            bench.begin_anew()
            job_id, cost = bench.register_ours(refs)
            costs["in"].append(cost)
            plain_id, cost = bench.register_plain(refs)
            costs["plain in"].append(cost)
            costs["done"].append(bench.complete_ours(job_id))
            costs["plain done"].append(bench.complete_plain(plain_id, refs[:few], at_once=_RECEIVED))
            costs["by 100"].append(bench.complete_plain(plain_id, refs[few:], at_once=_BATCH))
        tenth, twentieth = at_most(1 / 10, "1/10"), at_most(1 / 20, "1/20")
        for name, step, others, targets in (
            # Of random keys, 64 bytes of key and 17 of ETag are all that a row can be packed to: no promise but disk.
            ("registration", "in", "plain in", (at_least(2), tenth if shape == "hive" else None, disk_target)),
            ("completion, plain by 10", "done", "plain done", (at_least(3), twentieth, None)),
            ("completion, plain by 100", "done", "by 100", (None, twentieth, None)),
        ):
            _compare(table, f"{name}, {shape} keys", costs[step], costs[others], targets)
        with_plan = [replace(cost, seconds=cost.seconds + cost.planned_s) for cost in costs["in"]]
        _compare(table, f"planning and registration, {shape} keys", with_plan, costs["plain in"])


def _compare(
    table: Table, name: str, ours: list[Cost], others: list[Cost], targets: tuple[Target | None, ...] = (None,)
) -> None:
    """The first figures, as many as there are targets."""
    figures: tuple[tuple[str, str, Callable[[Cost], float]], ...] = (
        ("objects/s", "/s", lambda c: c.objects / c.seconds),
        ("WAL", "B/object", lambda c: c.wal_bytes / c.objects),
        ("disk", "B/object", lambda c: c.disk_bytes / c.objects),
    )
    for (what, unit, value), target in zip(figures, targets, strict=False):
        ratio = statistics.median(value(a) / max(value(b), 1e-9) for a, b in zip(ours, others, strict=True))
        mine, other = (f"{statistics.median(map(value, each)):,.4g} {unit}" for each in (ours, others))
        table.add(f"{name}: {what}", ratio, ours=mine, plain=other, target=target)


def _counts(engine: Engine, rounds: int, view_objects: int, table: Table) -> None:
    counts = [(counting.count(engine, by="delta"), counting.count(engine, by="counter")) for _ in range(rounds)]
    deltas, counters = (statistics.median(each[n][0] for each in counts) for n in (0, 1))
    ratio = statistics.median(a[0] / b[0] for a, b in counts)
    ours, others = f"{deltas:,.0f} tx/s", f"{counters:,.0f} tx/s"
    table.add(f"{counting.WRITERS} writers, a hot counter row", ratio, ours=ours, plain=others, target=at_least(3))
    small, large = (counting.refreshes(engine, objects) for objects in (view_objects // 10, view_objects))
    for objects, (mine, other), target in (
        (view_objects // 10, small, None),
        (view_objects, large, at_most(1 / 10, "1/10")),
    ):
        ours, others = f"{mine * 1e3:,.1f} ms", f"{other * 1e3:,.1f} ms"
        table.add(f"refresh at {objects:,} objects", mine / other, ours=ours, plain=others, target=target)
    table.add("our refresh, ten times the objects", large[0] / small[0], target=at_most(2))


def main() -> int:
    """Measure and print a table in Markdown; 1 when a target is missed at full size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--view-objects", type=int, default=10_000_000)
    parser.add_argument("--small", action="store_true", help="20,000 objects: a minute, for CI; its verdicts are none")
    options = parser.parse_args()
    if options.small:
        options.objects, options.rounds, options.view_objects = 20_000, 1, 200_000
    quiet()
    folder = Path(tempfile.mkdtemp(prefix="s3scan-bench-"))
    folder.chmod(0o755)
    postgres = LocalPostgres(folder / "postgres", settings=_SETTINGS)
    table, began = Table(), time.monotonic()
    try:
        postgres.start()
        migrate(postgres.url())
        engine = make_engine(postgres.url(), pool_size=max(counting.WRITERS, options.writers) + 2)
        print(", ".join(f"{name} {value}" for name, value in machine(engine).items()))
        print(f"{', '.join(_SETTINGS)}; load average {os.getloadavg()[0]:.1f} before", flush=True)
        bench = Bench(engine, make_feeder(engine), options.objects, options.writers)
        _steps(bench, options.rounds, table)
        hot = bench.hot_share()
        table.add("completion: HOT updates", hot, ours=f"{hot:.1%}", target=at_least(0.95, "95 %"))
        _counts(engine, options.rounds, options.view_objects, table)
        engine.dispose()
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{options.objects:,} objects a step, {options.rounds} rounds, {options.writers} writers;", end=" ")
    print(f"load average {os.getloadavg()[0]:.1f} after; {time.monotonic() - began:,.0f} s\n\n{table}")
    if table.missed:
        print(f"\nmissed: {'; '.join(table.missed)}")
    return 1 if table.missed and not options.small else 0


if __name__ == "__main__":
    sys.exit(main())

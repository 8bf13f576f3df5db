"""List millions of keys into the ledger: the real Feed, the real client, a real Postgres; no object is read.

A small S3 in a process of its own computes the keys (benchmarks/bench_listing.py's, 70 ms a page), PostgreSQL runs with
its defaults (fsync on) on the same machine, Step Functions and SQS are in memory. Turns of Feed follow one another, and
a settle a minute, as in AWS. At the end the ledger is counted, and each key is looked for once: by its number where the
layout is the counter, else by number of rows.

Prints progress with an estimate of what is left, then a table, then what a billion objects would take by the same
rates: docs/SCALING.md has the formulas.

Run: python -m benchmarks.simulate_listing [--keys 1000000] [--layout hive-like] [--minutes 20] [--connections 16]
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from benchmarks.bench_listing import bucket_name, reader, store
from scanner_tasks.core.listing.plan import PAGE_KEYS
from scanner_tasks.core.model import JobStatus
from scanner_tasks.core.ports import Depth, OutgoingMessage, ReceivedMessage
from scanner_tasks.fakes import FakeExecutions, FakeMetrics
from scanner_tasks.flow.feed import feed
from scanner_tasks.flow.parts import Feeder
from scanner_tasks.flow.read_results import get_job
from scanner_tasks.flow.settle import settle
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.settings import Settings
from scanner_tasks.store.engine import execute, make_engine, transaction
from scanner_tasks.store.sizes import read_sizes
from tests.aws.fake_s3 import LAYOUTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Engine

    from scanner_tasks.core.ports import Page

PAGE_S = 0.070
SETTLE_S = 60.0


class NoQueues:
    """Takes messages and forgets them: nothing is scanned."""

    def send(self, _queue: str, _messages: Sequence[OutgoingMessage]) -> list[int]:
        """Take all."""
        return []

    def depth(self, _queue: str) -> Depth:
        """As if workers were at it."""
        return Depth(visible=1, in_flight=0, delayed=0)

    def receive(self, _queue: str, _limit: int, _visibility_timeout_s: int) -> list[ReceivedMessage]:
        """No dead letters."""
        return []

    def delete(self, _queue: str, _receipts: Sequence[str]) -> None:
        """Nothing to delete."""


class Counting:
    """S3, and how many pages were asked for."""

    def __init__(self, objects: object) -> None:
        self._objects = objects
        self.requests = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._objects, name)

    def through(self, _access: object) -> Counting:
        """However it is reached, it is the same."""
        return self

    def list_page(self, bucket: str, **asked: object) -> Page:
        """One more."""
        self.requests += 1
        return self._objects.list_page(bucket, **asked)  # type: ignore[attr-defined, no-any-return]


@dataclass(frozen=True)
class Outcome:
    """What a run gave."""

    objects: int
    seconds: float
    requests: int
    turns: int
    feed_cpu_s: float
    ledger_bytes: int
    wal_bytes: int
    is_whole: bool


def simulate(keys: int, layout: str, minutes: float, connections: int, folder: Path) -> Outcome:
    server = LocalPostgres(folder / "postgres")
    server.start()
    try:
        url = server.url()
        subprocess.run(
            [sys.executable, "-m", "alembic", "upgrade", "head"],
            cwd=Path(__file__).parents[1],
            env={**os.environ, "DATABASE_URL": url},
            check=True,
            capture_output=True,
        )
        engine = make_engine(url, pool_size=5)
        with store(keys, PAGE_S) as endpoint_url:
            outcome = _list(engine, keys, layout, minutes, connections, endpoint_url)
        engine.dispose()
        return outcome
    finally:
        server.stop()


def _list(engine: Engine, keys: int, layout: str, minutes: float, connections: int, endpoint_url: str) -> Outcome:  # noqa: PLR0917
    objects = Counting(reader(endpoint_url, connections))
    using = Feeder(
        settings=Settings(
            fingerprint_key="for simulations",  # type: ignore[arg-type]
            feed_high_water=2**31 - 1,  # nothing is scanned here: the mark would hold the listing back
            list_connections=connections,
            feed_turn_s=30.0,
        ),
        engine=engine,
        objects=objects,  # type: ignore[arg-type]
        executions=FakeExecutions(),
        ruleset_hash=lambda: "r",
        queues=NoQueues(),
        metrics=FakeMetrics(),
    )
    with transaction(engine) as connection:
        wal = execute(connection, "select pg_current_wal_lsn()").scalar_one()
    settle(using=using)
    job_id = start_job(bucket_name(layout), using=using).job_id
    began, cpu, settled, turns = time.monotonic(), time.process_time(), time.monotonic(), 0
    while True:
        job = get_job(job_id, real_time=True, using=using)
        seconds = time.monotonic() - began
        listed = job.progress.listed
        if turns:
            left = (keys - listed) * seconds / max(1, listed)
            print(f"{seconds:6.0f} s  {listed:12,} objects  {listed / seconds:8,.0f}/s  {left:6.0f} s left", flush=True)
        if job.job.status is not JobStatus.LISTING or seconds > minutes * 60:
            break
        feed(job_id, execution_no=job.job.execution_no, turn=turns, using=using)
        turns += 1
        if time.monotonic() - settled > SETTLE_S:
            settle(using=using)
            settled = time.monotonic()
    feed_cpu_s = time.process_time() - cpu
    rows = _check(engine, job_id, keys if job.job.status is not JobStatus.LISTING else None, layout)
    assert rows == job.progress.listed, (rows, job.progress.listed)
    with transaction(engine) as connection:
        written = execute(connection, "select pg_current_wal_lsn() - cast(:lsn as pg_lsn)", lsn=wal).scalar_one()
        batches = [t.bytes for t in read_sizes(connection).tables if t.partition_of == "job_batches"]
    return Outcome(
        objects=rows,
        seconds=seconds,
        requests=objects.requests,
        turns=turns,
        feed_cpu_s=feed_cpu_s,
        ledger_bytes=sum(batches),
        wal_bytes=int(written),
        is_whole=job.job.status is not JobStatus.LISTING,
    )


def _check(engine: Engine, job_id: UUID, keys: int | None, layout: str) -> int:
    """Objects in the ledger; each key once, where all are there and their numbers tell."""
    with transaction(engine) as connection:
        row = execute(
            connection,
            "select count(*) as rows, coalesce(sum(objects), 0) as objects, count(distinct batch_no) as numbers"
            " from job_batches b join jobs j using (job_no) where j.job_id = :job_id",
            job_id=job_id,
        ).one()
        assert row.rows == row.numbers
        if keys is not None:
            assert int(row.objects) == keys, (int(row.objects), keys)
            if layout == "flat counter":
                seen = execute(
                    connection,
                    "select count(distinct k) as n, min(k) as low, max(k) as high from job_batches b join jobs j"
                    " using (job_no) cross join unnest(b.keys) k where j.job_id = :job_id",
                    job_id=job_id,
                ).one()
                assert (seen.n, int(seen.low), int(seen.high)) == (keys, 0, keys - 1), tuple(seen)
    return int(row.objects)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--layout", choices=LAYOUTS, default="hive-like")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--connections", type=int, default=16)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(
        f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f}; {asked.layout}, {asked.keys:,} keys, {asked.connections} connections",
        flush=True,
    )
    folder = Path(tempfile.mkdtemp(prefix="s3scan-simulate-"))
    folder.chmod(0o755)
    try:
        told = simulate(asked.keys, asked.layout, asked.minutes, asked.connections, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    pages = told.objects / PAGE_KEYS
    how = "All" if told.is_whole else "NOT all, the time is over"
    print(f"\n{how}: {told.objects:,} objects in {told.seconds:,.0f} s")
    print("\n| | in all | by 1,000 objects |\n|---|---|---|")
    print(f"| objects a second | {told.objects / told.seconds:,.0f} | |")
    print(f"| LIST requests | {told.requests:,} | {told.requests / pages:.3f} |")
    print(f"| turns of Feed | {told.turns:,} | |")
    print(f"| processor of Feed, s | {told.feed_cpu_s:,.0f} | {told.feed_cpu_s * 1000 / pages:.2f} ms |")
    print(f"| ledger (job_batches), MB | {told.ledger_bytes / 1e6:,.0f} | {told.ledger_bytes / pages:,.0f} B |")
    print(f"| WAL, MB | {told.wal_bytes / 1e6:,.0f} | {told.wal_bytes / pages:,.0f} B |")
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()

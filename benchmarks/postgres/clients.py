"""A thousand worker threads on twenty to fifty server connections: does anybody starve?

Each thread has a client connection of its own to PgBouncer (transaction mode) and claims and records batches of 100
objects one after the other; settle runs every second beside them. Real PostgreSQL with fsync on.

    python -m benchmarks.postgres.clients [--threads 1000] [--processes 4] [--servers 40] [--rounds 10]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.postgres.machine import machine
from benchmarks.postgres.numbered import FINDING, NumberedObjects
from benchmarks.postgres.server import DURABLE, migrate, quiet
from scanner_tasks.core.errors import ScannerError
from scanner_tasks.core.model import ClaimedBatch, ObjectResult, Outcome
from scanner_tasks.core.planning import Policy, plan_page
from scanner_tasks.fakes import FakeExecutions, FakeMetrics, FakeQueues
from scanner_tasks.flow.parts import Feeder
from scanner_tasks.flow.settle import settle
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.local.pooler import LocalPooler
from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.settings import Settings
from scanner_tasks.store import batches, feeding, jobs, progress
from scanner_tasks.store.engine import make_engine, transaction

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier
    from uuid import UUID

    from sqlalchemy import Engine

    from scanner_tasks.core.model import Job

_PAGE = 10_000


def run(*, threads: int, processes: int, servers: int, rounds: int) -> dict[str, Any]:
    """Every thread claims and records ``rounds`` batches; the report tells waits, counts and errors."""
    quiet()
    folder = Path(tempfile.mkdtemp(prefix="s3scan-clients-"))
    folder.chmod(0o755)
    postgres = LocalPostgres(folder / "postgres", settings=DURABLE)
    pooler = LocalPooler(folder / "pooler", postgres, servers=servers)
    try:
        postgres.start()
        migrate(postgres.url())
        pooler.start()
        feeder = make_feeder(make_engine(postgres.url(), pool_size=2))
        job = _job(feeder, objects=threads * rounds * 100)
        return _storm(job, feeder, pooler.url(), threads=threads, processes=processes, rounds=rounds) | {
            "server connections": servers,
            **machine(feeder.engine),
        }
    finally:
        pooler.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def make_feeder(engine: Engine) -> Feeder:
    """A feeder on the real database, with services in memory."""
    return Feeder(
        settings=Settings(fingerprint_key="a key of the benchmark"),  # type: ignore[arg-type]
        engine=engine,
        objects=NumberedObjects(0),  # type: ignore[arg-type]
        executions=FakeExecutions(),
        ruleset_hash=lambda: "benchmark",
        queues=FakeQueues(),
        metrics=FakeMetrics(),
    )


def _job(feeder: Feeder, *, objects: int) -> Job:
    bucket = NumberedObjects(objects)
    job_id = start_job("clients", using=feeder).job_id
    after, is_last = None, False
    while not is_last:
        page = bucket.list_page("clients", prefix="", start_after=after, max_keys=_PAGE)
        after, is_last = page.objects[-1].key, page.is_last
        with transaction(feeder.engine) as connection:
            job = jobs.get_job(connection, job_id)
            assert job is not None
            plan = plan_page(list(page.objects), Policy(object_max_bytes=1 << 40))
            feeding.add_batches(connection, job, plan, cursor=after, is_last=is_last)
    return job


def _storm(job: Job, feeder: Feeder, url: str, *, threads: int, processes: int, rounds: int) -> dict[str, Any]:
    spawn = multiprocessing.get_context("spawn")
    start, answers = spawn.Barrier(processes + 1), spawn.Queue()
    everybody = [range(n, threads * rounds, threads) for n in range(threads)]
    workers = [
        spawn.Process(target=_process, args=(url, job.job_id, everybody[n::processes], start, answers))
        for n in range(processes)
    ]
    for worker in workers:
        worker.start()
    over = threading.Event()
    settling: list[float] = []

    def settle_each_second() -> None:
        while not over.wait(1):
            began = time.monotonic()
            settle(using=feeder)
            settling.append(time.monotonic() - began)

    settler = threading.Thread(target=settle_each_second)
    start.wait()
    began = time.monotonic()
    settler.start()
    told = [answers.get() for _ in workers]
    seconds = time.monotonic() - began
    over.set()
    for worker in workers:
        worker.join()
    settler.join()
    with transaction(feeder.engine) as connection:
        sums = progress.live_progress(connection, [job.job_no])[job.job_no]
    done = [n for each in told for n in each["done"]]
    return {
        "threads": threads,
        "processes": processes,
        "batches": threads * rounds,
        "seconds": round(seconds, 1),
        "objects a second": round(threads * rounds * 100 / seconds),
        "claim s p50/p99/max": _quantiles([s for each in told for s in each["claims"]]),
        "record s p50/p99/max": _quantiles([s for each in told for s in each["records"]]),
        "settle s p50/p99/max": _quantiles(settling),
        "batches by thread, least and most": [min(done), max(done)],
        "errors": sum(each["errors"] for each in told),
        "every object accounted for": sums.done == sums.listed == threads * rounds * 100,
    }


def _quantiles(values: list[float]) -> list[float]:
    ordered = sorted(values) or [0.0]
    return [round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) for share in (0.5, 0.99, 1)]


def _process(url: str, job_id: UUID, shares: list[range], start: Barrier, answers: Any) -> None:
    """A thread for each share of the batches."""
    quiet()
    engine = make_engine(url, pool_size=len(shares))
    told: dict[str, Any] = {"claims": [], "records": [], "done": [], "errors": 0}
    ready, start_work = threading.Barrier(len(shares) + 1), threading.Event()

    def work(share: range) -> None:
        with transaction(engine):  # connected before the clock runs
            ready.wait()
        start_work.wait()
        done = 0
        for batch_no in share:
            batch = _timed(told, "claims", partial(claim, engine, job_id, batch_no))
            if batch is None:
                continue
            results = [
                ObjectResult(position=at, outcome=Outcome.SCANNED, findings=(FINDING,) if at == 0 else ())
                for at, _ in batch.objects
            ]
            done += bool(_timed(told, "records", partial(record, engine, batch, results)))
        told["done"].append(done)

    workers = [threading.Thread(target=work, args=(share,)) for share in shares]
    for worker in workers:
        worker.start()
    ready.wait()
    start.wait()
    start_work.set()
    for worker in workers:
        worker.join()
    answers.put(told)
    engine.dispose()


def _timed(told: dict[str, Any], what: str, action: Any) -> Any:
    began = time.monotonic()
    try:
        return action()
    except ScannerError:
        told["errors"] += 1
        return None
    finally:
        told[what].append(time.monotonic() - began)


def claim(engine: Engine, job_id: UUID, batch_no: int) -> ClaimedBatch | None:
    """Claim a batch in a transaction of its own."""
    with transaction(engine) as connection:
        return batches.claim_batch(connection, job_id=job_id, batch_no=batch_no, epoch=0, lease_s=300)


def record(engine: Engine, batch: ClaimedBatch, results: list[ObjectResult]) -> bool:
    """Record a batch's results in a transaction of its own."""
    with transaction(engine) as connection:
        return batches.record_results(connection, batch, results)


def main() -> int:
    """Run it and print the report; 1 when an object is unaccounted for or a thread starved."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--servers", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=10)
    report = run(**vars(parser.parse_args()))
    print(json.dumps(report, indent=2))
    return 0 if report["every object accounted for"] and not report["errors"] else 1


if __name__ == "__main__":
    sys.exit(main())

"""The ledger's counts under duplicates, kills, a crash and lost answers: do they equal the truth?

The real flow (feed, scan_batch, settle, control) runs on a real PostgreSQL with fsync on, behind PgBouncer in
transaction mode; S3 is generated and SQS is in memory, so that each message can be delivered two or three times, at the
same time too. Meanwhile server sessions are terminated at random, commits lose their answers, the server crashes once
in immediate mode, the job is paused and resumed, and compaction and refresh go on.

    python -m benchmarks.postgres.stress [--objects 400000] [--writers 20] [--seed 1]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from benchmarks.postgres.cutter import CommitCutter
from benchmarks.postgres.numbered import MarkDetector, NumberedObjects
from scanner_tasks.core.envelope import read_envelope
from scanner_tasks.core.errors import ScannerError
from scanner_tasks.core.ports import Depth, OutgoingMessage
from scanner_tasks.fakes import FakeExecutions, FakeMetrics
from scanner_tasks.flow.control import pause_job, resume_job
from scanner_tasks.flow.feed import feed
from scanner_tasks.flow.leases import LeaseKeeper
from scanner_tasks.flow.parts import Feeder, Worker
from scanner_tasks.flow.read_results import get_job
from scanner_tasks.flow.scan_batch import scan_batch
from scanner_tasks.flow.settle import settle
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.local.pooler import LocalPooler
from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.settings import Settings
from scanner_tasks.store.engine import execute, make_engine, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Engine

    from scanner_tasks.core.ports import ReceivedMessage

ROOT = Path(__file__).parents[2]
BUCKET = "stress"
#: fsync and synchronous commits stay on, as they are in production.
DURABLE = ("shared_buffers=256MB", "checkpoint_timeout=30s")


class RepeatingQueues:
    """A queue that delivers every message two or three times, in any order, and again when its task fails."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._messages: queue.PriorityQueue[tuple[float, int, str]] = queue.PriorityQueue()
        self._numbers = iter(range(1 << 62))
        self._lock = threading.Lock()
        self.sent = self.deliveries = self.returned = 0
        self._in_flight = 0

    def send(self, _queue: str, messages: Sequence[OutgoingMessage]) -> list[int]:
        """Take all."""
        with self._lock:
            for message in messages:
                self.sent += 1
                for _ in range(self._chance.choice((2, 3))):
                    # In a random order within a second: copies run side by side or long after one another.
                    place = time.monotonic() + self._chance.random()
                    self._messages.put((place, next(self._numbers), message.body))
        return []

    def take(self) -> str | None:
        """The next body; None when there is none just now."""
        try:
            _, _, body = self._messages.get(timeout=0.05)
        except queue.Empty:
            return None
        with self._lock:
            self.deliveries += 1
            self._in_flight += 1
        return body

    def settle(self, body: str, *, acknowledged: bool) -> None:
        """The delivery is over: gone, or back in the queue."""
        with self._lock:
            self._in_flight -= 1
            if not acknowledged:
                self.returned += 1
                self._messages.put((time.monotonic(), next(self._numbers), body))

    def depth(self, _queue: str) -> Depth:
        """What stands in the queue."""
        return Depth(visible=self._messages.qsize(), in_flight=self._in_flight, delayed=0)

    def receive(self, _queue: str, _limit: int, _visibility_timeout_s: int) -> list[ReceivedMessage]:
        """The dead letter queue is empty: nothing dies here."""
        return []

    def delete(self, _queue: str, _receipts: Sequence[str]) -> None:
        """Nothing to delete."""


@dataclass(kw_only=True)
class Storm:
    """What was done to the system, and what it answered."""

    kills: int = 0
    crashes: int = 0
    pauses: int = 0
    cut_commits: int = 0
    snapshots: int = 0
    bad_snapshots: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)


def run(*, objects: int, writers: int, seed: int, servers: int = 20, kill_every_s: float = 0.4) -> dict[str, Any]:
    """One storm; the report holds truth, view, deltas and ledger side by side. Takes minutes for 400,000 objects."""
    quiet()
    folder = Path(tempfile.mkdtemp(prefix="s3scan-stress-"))
    folder.chmod(0o755)
    postgres = LocalPostgres(folder / "postgres", settings=DURABLE)
    pooler = LocalPooler(folder / "pooler", postgres, servers=servers)
    try:
        postgres.start()
        migrate(postgres.url())
        pooler.start()
        with CommitCutter(pooler.port, share=0.01, seed=seed) as cutter:
            url = pooler.url().replace(f":{pooler.port}/", f":{cutter.port}/")
            options = {"objects": objects, "writers": writers, "seed": seed, "kill_every_s": kill_every_s}
            return _Run(postgres, cutter, url, **options).report()
    finally:
        pooler.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


class _Run:
    def __init__(
        self,
        postgres: LocalPostgres,
        cutter: CommitCutter,
        url: str,
        *,
        objects: int,
        writers: int,
        seed: int,
        kill_every_s: float,
    ) -> None:
        self.chance = random.Random(seed)
        self.bucket = NumberedObjects(objects)
        self.queues = RepeatingQueues(self.chance)
        self.postgres, self.cutter, self.kill_every_s = postgres, cutter, kill_every_s
        self.writers = writers
        self.storm = Storm()
        self.over = threading.Event()
        self.is_calm = threading.Event()
        self.is_calm.set()
        self.executions = FakeExecutions()
        self.settings = Settings(
            fingerprint_key="a key of the stress test",  # type: ignore[arg-type]
            lane_count=1,
            feed_turn_s=0.5,
            outage_patience_s=600,
            dispatched_timeout_s=5,
        )
        self.url = url
        self.feeder = Feeder(**self._parts(make_engine(url, pool_size=4)), queues=self.queues, metrics=FakeMetrics())

    def _parts(self, engine: Engine) -> dict[str, Any]:
        return {
            "settings": self.settings,
            "engine": engine,
            "objects": self.bucket,
            "executions": self.executions,
            "ruleset_hash": lambda: "stress",
        }

    def report(self) -> dict[str, Any]:
        began = time.monotonic()
        job_id = self._patiently(lambda: start_job(BUCKET, using=self.feeder).job_id)
        threads = [
            threading.Thread(target=work, args=(job_id, *more))
            for work, *more in (
                *((self._write, n) for n in range(self.writers)),
                (self._feed,),
                (self._feed,),  # two turns at once: each page is recorded once
                (self._settle,),
                (self._refresh,),
                (self._kill,),
                (self._trouble,),
            )
        ]
        for thread in threads:
            thread.start()
        while not self.over.is_set():
            if all(not t.is_alive() for t in threads):
                break
            time.sleep(0.2)
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - began
        return self._accounts(job_id) | self._told(seconds)

    def _patiently(self, action: Callable[[], Any]) -> Any:
        while True:
            try:
                return action()
            except ScannerError:
                if self.over.is_set():
                    raise
                time.sleep(0.05)

    # --- the system ---------------------------------------------------------------------------------------------------

    def _write(self, _job_id: UUID, number: int) -> None:
        """One worker thread with a connection of its own, as a thread of a Celery worker."""
        engine = make_engine(self.url, pool_size=2)
        worker = Worker(
            **self._parts(engine),
            detector=MarkDetector(),  # type: ignore[arg-type]
            leases=LeaseKeeper(engine, lease_s=8, stuck_after_s=60),
            scan_slots=threading.Semaphore(),
            child_command=(sys.executable, str(ROOT / "benchmarks" / "postgres" / "child.py")),
        )
        del number
        while not self.over.is_set():
            body = self.queues.take()
            if body is None:
                continue
            job_id, batch_no, epoch = read_envelope(body).args
            began = time.monotonic()
            try:
                answer: str = scan_batch(UUID(job_id), batch_no, epoch, using=worker)
            except ScannerError as error:
                answer = type(error).__name__
            self.storm.answers[answer] += 1
            self.storm.latencies_s.append(time.monotonic() - began)
            self.queues.settle(body, acknowledged=not answer[0].isupper())
        engine.dispose()

    def _feed(self, job_id: UUID) -> None:
        while not self.over.is_set():
            with contextlib.suppress(ScannerError):
                number = get_job(job_id, real_time=True, using=self.feeder).job.execution_no
                feed(job_id, execution_no=number, turn=0, using=self.feeder)
            time.sleep(0.1)

    def _settle(self, job_id: UUID) -> None:
        while not self.over.is_set():
            with contextlib.suppress(ScannerError):
                settle(using=self.feeder)
                if get_job(job_id, real_time=True, using=self.feeder).job.status.is_final:
                    self.over.set()
            time.sleep(0.5)

    def _refresh(self, job_id: UUID) -> None:
        """What a user sees while it happens: parts never negative, never more than listed."""
        done = 0
        while not self.over.is_set():
            with contextlib.suppress(ScannerError):
                seen = get_job(job_id, real_time=True, using=self.feeder).progress
                self.storm.snapshots += 1
                parts = (seen.pending, seen.processing, seen.scanned, seen.partial, seen.skipped, seen.failed)
                if min(parts) < 0 or sum(parts) != seen.listed or seen.scanned + seen.failed < done:
                    self.storm.bad_snapshots.append(repr(seen))
                done = seen.scanned + seen.failed
            time.sleep(0.2)

    # --- the trouble --------------------------------------------------------------------------------------------------

    def _kill(self, _job_id: UUID) -> None:
        """Terminate a random session of the server, again and again."""
        engine = make_engine(self.postgres.url(), pool_size=1)
        while not self.over.wait(self.kill_every_s * (0.5 + self.chance.random())):
            with contextlib.suppress(ScannerError), transaction(engine) as connection:
                killed = execute(
                    connection,
                    """
                    select pg_terminate_backend(pid) as done from pg_stat_activity
                    where backend_type = 'client backend' and pid <> pg_backend_pid()
                    order by (state = 'idle'), random() limit 1
                    """,
                ).first()
                self.storm.kills += killed is not None
        engine.dispose()

    def _trouble(self, job_id: UUID) -> None:
        """One immediate crash at a third of the work, a pause and a resume at two thirds."""
        if not self._reached(job_id, 1 / 3):
            return
        self.postgres.kill()
        self.storm.crashes += 1
        self.postgres.start()
        if not self._reached(job_id, 2 / 3):
            return
        self._patiently(lambda: pause_job(job_id, using=self.feeder))
        self.storm.pauses += 1
        self._patiently(lambda: resume_job(job_id, using=self.feeder))

    def _reached(self, job_id: UUID, share: float) -> bool:
        while not self.over.wait(0.2):
            with contextlib.suppress(ScannerError):
                seen = get_job(job_id, real_time=True, using=self.feeder).progress
                if seen.scanned >= share * self.bucket.count:
                    return True
        return False

    # --- the accounts -------------------------------------------------------------------------------------------------

    def _accounts(self, job_id: UUID) -> dict[str, Any]:
        engine = make_engine(self.postgres.url(), pool_size=1)
        names = ("listed", "scanned", "partial", "skipped", "failed", "findings")
        calm = replace(self.feeder, engine=engine)  # nothing between us and the server
        settle(using=calm)
        view = get_job(job_id, real_time=False, using=calm).progress
        deltas = get_job(job_id, real_time=True, using=calm)
        with transaction(engine) as connection:
            rows = execute(connection, "select status, count(*) as n from job_objects group by status").all()
            ledger: dict[str, int] = {row.status: row.n for row in rows}
            ledger["listed"] = sum(ledger.values())
            ledger["findings"] = execute(connection, "select count(*) as n from findings").one().n
            ledger["batches_twice"] = (
                execute(connection, "select count(*) - count(distinct keys[1]) as n from job_batches").one().n
            )
            hot = execute(
                connection,
                """
                select coalesce(sum(n_tup_hot_upd), 0) as hot, coalesce(sum(n_tup_upd), 0) as all
                from pg_stat_user_tables where relname like 'job_batches%'
                """,
            ).one()
        engine.dispose()
        truth = self.bucket.truth()
        accounts = {
            "truth": {name: truth[name] for name in names},
            "view": {name: getattr(view, name) for name in names},
            "deltas": {name: getattr(deltas.progress, name) for name in names},
            "ledger": {name: ledger.get(name, 0) for name in names},
        }
        return accounts | {
            "status": str(deltas.job.status),
            "pages recorded twice": ledger["batches_twice"],
            "all equal": len({json.dumps(account) for account in accounts.values()}) == 1,
            "HOT updates since the crash": f"{hot.hot} of {hot.all}",
        }

    def _told(self, seconds: float) -> dict[str, Any]:
        latencies = sorted(self.storm.latencies_s)
        return {
            "objects": self.bucket.count,
            "messages sent": self.queues.sent,
            "deliveries": self.queues.deliveries,
            "messages given back to the queue": self.queues.returned,
            "answers": dict(self.storm.answers),
            "sessions terminated": self.storm.kills,
            "commits without an answer": self.cutter.cuts,
            "crashes": self.storm.crashes,
            "pauses": self.storm.pauses,
            "snapshots": self.storm.snapshots,
            "bad snapshots": self.storm.bad_snapshots[:3],
            "delivery p50/p99/max s": [
                round(latencies[min(len(latencies) - 1, int(share * len(latencies)))], 3) for share in (0.5, 0.99, 1)
            ],
            "seconds": round(seconds, 1),
        }


def quiet() -> None:
    """No log lines: the storm's faults are the point, and would be thousands."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def migrate(url: str) -> None:
    """Bring the database to the newest schema."""
    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        check=True,
        capture_output=True,
    )


def main() -> int:
    """Run a storm and print its report; 1 when the accounts differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=400_000)
    parser.add_argument("--writers", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    report = run(objects=options.objects, writers=options.writers, seed=options.seed)
    print(json.dumps(report, indent=2))
    return 0 if report["all equal"] and not report["bad snapshots"] else 1


if __name__ == "__main__":
    sys.exit(main())

"""The ledger's counts under duplicates, kills, a crash and lost answers: do they equal the truth?

The real flow (feed, scan_batch, settle, control) runs on a real PostgreSQL with fsync on, behind PgBouncer in
transaction mode; S3 is generated and SQS is in memory, so that each message can be delivered two or three times, at the
same time too. Meanwhile server sessions are terminated at random, commits lose their answers, workers vanish with what
they claimed, the server crashes once in immediate mode, the job is paused and resumed, and compaction and refresh go
on. All trouble is dealt out by deliveries and batches, none by the clock: a slow machine meets as much as a fast one.

    python -m benchmarks.postgres.stress [--objects 400000] [--writers 20] [--seed 1]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from benchmarks.postgres.accounts import accounts
from benchmarks.postgres.cutter import CommitCutter
from benchmarks.postgres.machine import machine
from benchmarks.postgres.numbered import MarkDetector, NumberedObjects
from benchmarks.postgres.repeating import RepeatingQueues
from benchmarks.postgres.server import DURABLE, ROOT, migrate, quiet
from scanner_tasks.core.envelope import read_envelope
from scanner_tasks.core.errors import Conflict, ScannerError, Unavailable
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
from scanner_tasks.store import batches
from scanner_tasks.store.engine import execute, make_engine, transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

BUCKET = "stress"
#: Objects of a batch; of so many batches one loses its first claim together with its worker.
_BATCH, _LOST_EACH = 100, 30
#: Shares of the batches: done when the crash comes, and at most until it has come; the same for the pause.
_CRASH, _PAUSE = (1 / 3, 1 / 2), (2 / 3, 5 / 6)
_LEASE_S, _LOST_LEASE_S = 4.0, 1.0


@dataclass(kw_only=True)
class Storm:
    """What was done to the system, and what it answered."""

    kills: int = 0
    lost_workers: int = 0
    crashes: int = 0
    pauses: int = 0
    cut_commits: int = 0
    snapshots: int = 0
    bad_snapshots: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)


def run(
    *, objects: int, writers: int, seed: int, servers: int = 20, kill_each: int = 20, cut_share: float = 0.01
) -> dict[str, Any]:
    """One storm; the report holds truth, view, deltas and ledger side by side. Takes minutes for 400,000 objects.

    A session is terminated for each ``kill_each`` deliveries; ``cut_share`` of the commits lose their answer.
    """
    quiet()
    folder = Path(tempfile.mkdtemp(prefix="s3scan-stress-"))
    folder.chmod(0o755)
    postgres = LocalPostgres(folder / "postgres", settings=DURABLE)
    pooler = LocalPooler(folder / "pooler", postgres, servers=servers)
    try:
        postgres.start()
        migrate(postgres.url())
        pooler.start()
        with CommitCutter(pooler.port, share=cut_share, seed=seed) as cutter:
            url = pooler.url().replace(f":{pooler.port}/", f":{cutter.port}/")
            report = _Run(
                postgres, cutter, url, objects=objects, writers=writers, seed=seed, kill_each=kill_each
            ).report()
            return report | machine(make_engine(postgres.url(), pool_size=1))
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
        kill_each: int,
    ) -> None:
        self.chance = random.Random(seed)
        self.bucket = NumberedObjects(objects)
        self.queues = RepeatingQueues(self.chance)
        self.postgres, self.cutter, self.kill_each = postgres, cutter, kill_each
        self.writers = writers
        self.storm = Storm()
        self.over = threading.Event()
        self.has_crashed, self.has_paused = threading.Event(), threading.Event()
        #: Batches that no worker has vanished with yet, though one shall.
        self.to_lose = set(range(7, objects // _BATCH, _LOST_EACH))
        #: Held while one vanishes and while the job is paused: a pause would give the lost claim back, uncounted.
        self.vanishing = threading.Lock()
        self.executions = FakeExecutions()
        self.settings = Settings(
            fingerprint_key="a key of the stress test",  # type: ignore[arg-type]
            lane_count=1,
            feed_turn_s=0.5,
            outage_patience_s=600,
            dispatched_timeout_s=5,
            list_lease_s=5,
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
        calm = make_engine(self.postgres.url(), pool_size=1)
        job_id = start_job(BUCKET, using=replace(self.feeder, engine=calm)).job_id
        calm.dispose()
        threads = [
            threading.Thread(target=work, args=(job_id,))
            for work in (
                *[self._write] * self.writers,
                *[self._feed] * 2,  # two turns at once: each page is recorded once
                self._settle,
                self._refresh,
                self._kill,
                self._trouble,
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
        return accounts(job_id, self.bucket.truth(), self.postgres.url(), using=self.feeder) | self._told(seconds)

    def _patiently(self, action: Callable[[], Any]) -> None:
        """Until it is done; one whose commit lost its answer finds itself refused the next time."""
        while not self.over.is_set():
            with contextlib.suppress(Unavailable):
                with contextlib.suppress(Conflict):
                    action()
                return
            time.sleep(0.05)

    # --- the system ---------------------------------------------------------------------------------------------------

    def _write(self, _job_id: UUID) -> None:
        """One worker thread with a connection of its own, as a thread of a Celery worker."""
        engine = make_engine(self.url, pool_size=2)
        worker = Worker(
            **self._parts(engine),
            detector=MarkDetector(),  # type: ignore[arg-type]
            leases=LeaseKeeper(engine, lease_s=_LEASE_S, stuck_after_s=60),
            scan_slots=threading.Semaphore(),
            child_command=(sys.executable, str(ROOT / "benchmarks" / "postgres" / "child.py")),
        )
        while not self.over.is_set():
            self._wait_for(self.has_crashed, _CRASH[1])
            self._wait_for(self.has_paused, _PAUSE[1])
            body = self.queues.take()
            if body is None:
                continue
            job_id, batch_no, epoch = read_envelope(body).args
            began = time.monotonic()
            try:
                if batch_no in self.to_lose and self._vanish(engine, UUID(job_id), batch_no, epoch):
                    answer = "Vanished"
                else:
                    answer = scan_batch(UUID(job_id), batch_no, epoch, using=worker)
            except ScannerError as error:
                answer = type(error).__name__
            self.storm.answers[answer] += 1
            self.storm.latencies_s.append(time.monotonic() - began)
            self.queues.settle(body, acknowledged=not answer[0].isupper())
        worker.children.close()
        engine.dispose()

    def _wait_for(self, trouble: threading.Event, share: float) -> None:
        """Hold a writer while so much is done and the trouble is still to come: it comes amid work, never after it."""
        while not trouble.is_set() and not self.over.is_set() and self._share_done() >= share:
            trouble.wait(0.1)

    def _share_done(self) -> float:
        return self.storm.answers["done"] * _BATCH / self.bucket.count

    def _vanish(self, engine: Engine, job_id: UUID, batch_no: int, epoch: int) -> bool:
        """Claim as a worker that is killed then: nobody renews it. False when there was nothing to claim."""
        with self.vanishing:
            with transaction(engine) as connection:
                place = {"job_id": job_id, "batch_no": batch_no, "epoch": epoch}
                claimed = batches.claim_batch(connection, **place, lease_s=_LOST_LEASE_S)
            if claimed is not None:
                self.to_lose.discard(batch_no)
                self.storm.lost_workers += 1
            return claimed is not None

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
        """Terminate a random session of the server, one that is at work if any is, at each ``kill_each`` deliveries."""
        engine = make_engine(self.postgres.url(), pool_size=1)
        while not self.over.wait(0.005):
            if self.storm.kills >= self.queues.deliveries // self.kill_each:
                continue
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
        if not self._reached(_CRASH[0]):
            return
        self.postgres.kill()
        self.storm.crashes += 1
        self.postgres.start()
        self.has_crashed.set()
        if not self._reached(_PAUSE[0]):
            return
        with self.vanishing:
            while self._lost_claims() and not self.over.wait(0.1):
                pass  # settle returns them
            self._patiently(lambda: pause_job(job_id, using=self.feeder))
            self.storm.pauses += 1
            self._patiently(lambda: resume_job(job_id, using=self.feeder))
        self.has_paused.set()

    def _lost_claims(self) -> int:
        with contextlib.suppress(ScannerError), transaction(self.feeder.engine) as connection:
            return int(
                execute(
                    connection,
                    "select count(*) from job_batches where batch_no % :each = 7 and attempt = 1 and state = 2",
                    each=_LOST_EACH,
                ).scalar_one()
            )
        return 1

    def _reached(self, share: float) -> bool:
        while not self.over.wait(0.02):
            if self._share_done() >= share:
                return True
        return False

    def _told(self, seconds: float) -> dict[str, Any]:
        latencies = sorted(self.storm.latencies_s)
        return {
            "objects": self.bucket.count,
            "messages sent": self.queues.sent,
            "deliveries": self.queues.deliveries,
            "messages given back to the queue": self.queues.returned,
            "answers": dict(self.storm.answers),
            "sessions terminated": self.storm.kills,
            "workers that vanished": self.storm.lost_workers,
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

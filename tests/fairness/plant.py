"""A small installation of its own: emulated SQS and S3, Postgres, Feed and settle as threads, real Celery workers.

Clocks are short where AWS's are long; everything else is what runs in production. Batches are put into the ledger
directly, so that thousands of them cost a listing of nothing.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

from scanner_tasks.aws.boto3_requests import Boto3Requests
from scanner_tasks.aws.objects import ObjectReader
from scanner_tasks.aws.queues import Queues
from scanner_tasks.core import lanes
from scanner_tasks.core.errors import ScannerError
from scanner_tasks.core.model import Job, JobSource, ObjectRef, PlannedBatch, PlannedObject
from scanner_tasks.fakes import FakeExecutions, FakeMetrics
from scanner_tasks.flow.control import find_job
from scanner_tasks.flow.feed import feed
from scanner_tasks.flow.parts import Feeder
from scanner_tasks.flow.read_results import JobView, get_job
from scanner_tasks.flow.settle import settle
from scanner_tasks.flow.start_job import register_job
from scanner_tasks.local.child import Child
from scanner_tasks.local.deploy import client, create_queues, queue_url_prefix
from scanner_tasks.local.emulator import Emulator
from scanner_tasks.local.ports import wait_until
from scanner_tasks.local.postgres import THROWAWAY_SETTINGS, LocalPostgres
from scanner_tasks.settings import Settings
from scanner_tasks.store import feeding
from scanner_tasks.store.engine import execute, make_engine, transaction
from tests.conftest import migrate

REPOSITORY = Path(__file__).parents[2]
TRAP = Path(__file__).with_name("trap")
_KEY = "a key of the tests only"
#: Far more than anything takes on a busy machine.
PATIENCE_S = 60.0
#: A minute of a fleet passes here in a second or two, so Feed looks more often than its least wait of a second.
FEED_EVERY_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Done:
    """One batch that is done: its place in the order of completion, from 0."""

    place: int
    job_id: UUID
    batch_no: int
    at: datetime


class Plant:
    """A context manager that starts the parts and stops them; workers are started by ``add_worker``.

    Args:
        folder: for data and logs; every user may enter it.
        lane_count: lanes that buckets share.
        visibility_s: the lanes' visibility timeout.
        lease_s: how long a claim holds without renewal.
        durable: Postgres that survives being killed.
        settings: of Feed, settle and the workers.
    """

    def __init__(
        self,
        folder: Path,
        *,
        lane_count: int = lanes.DEFAULT_LANE_COUNT,
        visibility_s: int = 30,
        lease_s: float = 20,
        durable: bool = False,
        **settings: Any,
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        self.emulator = Emulator(folder / "emulator")
        self.postgres = LocalPostgres(folder / "postgres", settings=() if durable else THROWAWAY_SETTINGS)
        self.visibility_s = visibility_s
        self._values = {
            "lane_count": lane_count,
            "visibility_timeout_s": visibility_s,
            "lease_s": lease_s,
            "feed_turn_s": 20.0,
            "feed_wait_s": 1,
            "dispatched_timeout_s": 30.0,
            "scan_threads": 20,  # a pause in place of work needs no CPU
            "max_workers": 20,
            **settings,
        }
        self.workers: list[Child] = []
        self.executions, self.metrics = FakeExecutions(), FakeMetrics()
        self._numbers = itertools.count()
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        for worker in self.workers:
            if worker.exit_status is None:
                os.kill(worker.pid, signal.SIGKILL)
            worker.stop()
        if hasattr(self, "engine"):
            self.engine.dispose()
        self.emulator.stop()
        self.postgres.stop()

    def _start(self) -> None:
        self.emulator.start()
        endpoint = self.emulator.endpoint_url
        self.sqs, self.s3 = client("sqs", endpoint), client("s3", endpoint)
        create_queues(self.sqs, lanes.lane_names(self._values["lane_count"]))
        for lane in lanes.lane_names(self._values["lane_count"]):
            attributes = {"VisibilityTimeout": str(self.visibility_s)}
            self.sqs.set_queue_attributes(QueueUrl=self.queue_url(lane), Attributes=attributes)
        self.postgres.start()
        migrate(self.postgres.url(), "upgrade", "head")
        self.settings = Settings(
            **self._values,
            database_url=self.postgres.url(),
            aws_endpoint_url=endpoint,
            queue_url_prefix=queue_url_prefix(endpoint),
            fingerprint_key=_KEY,
        )
        self.engine = make_engine(self.postgres.url(), pool_size=20)
        self.feeder = Feeder(
            settings=self.settings,
            engine=self.engine,
            objects=ObjectReader(Boto3Requests(self.s3)),
            executions=self.executions,
            ruleset_hash=lambda: "hash",
            queues=Queues(self.sqs, self.settings.queue_url_prefix),
            metrics=self.metrics,
        )

    # Objects and jobs

    def new_bucket(self, texts: dict[str, bytes]) -> tuple[str, list[ObjectRef]]:
        """A bucket with these objects, as a listing sees them."""
        bucket = f"bucket-{next(self._numbers)}"
        self.s3.create_bucket(Bucket=bucket)

        def put(item: tuple[str, bytes]) -> ObjectRef:
            key, text = item
            etag = self.s3.put_object(Bucket=bucket, Key=key, Body=text)["ETag"].strip('"')
            return ObjectRef(bucket=bucket, key=key, size_bytes=len(text), etag=etag)

        with ThreadPoolExecutor(8) as pool:
            return bucket, list(pool.map(put, texts.items()))

    def add_job(self, bucket: str, batches: Iterable[Sequence[ObjectRef]], *, feed: bool = True) -> UUID:
        """A job whose listing is complete; Feed sends its batches from now on."""
        job = register_job(bucket, "", source=JobSource.KEYS, job_id=uuid4(), using=self.feeder)
        planned = [PlannedBatch(objects=tuple(PlannedObject(ref=ref) for ref in refs)) for refs in batches]
        with transaction(self.engine) as connection:
            assert feeding.add_batches(connection, job, planned, cursor="end", is_last=True)
        if feed:
            self.start_feeding(job.job_id)
        return job.job_id

    # The clockwork that AWS would be

    def start_feeding(self, job_id: UUID) -> None:
        self._in_thread(lambda: self._feed(job_id))

    def feed_once(self, job_id: UUID) -> None:
        job = self._job(job_id)
        feed(job_id, execution_no=job.execution_no, turn=0, using=self.feeder)

    def start_settling(self, every_s: float = 1.0) -> None:
        self._in_thread(lambda: self._settle(every_s))

    def _in_thread(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _feed(self, job_id: UUID) -> None:
        wait_s = 0.0
        while not self._ended.wait(wait_s):
            wait_s = FEED_EVERY_S
            try:
                job = find_job(job_id, using=self.feeder)
                if job.finished_at is None:
                    feed(job_id, execution_no=job.execution_no, turn=0, using=self.feeder)
            except ScannerError:
                continue  # as the state machine: again after a while

    def _settle(self, every_s: float) -> None:
        while not self._ended.wait(every_s):
            try:
                settle(using=self.feeder)
            except ScannerError:
                continue

    # Workers

    def add_worker(self, *, wait: bool = True, stop_timeout_s: float = 30.0, **env: str) -> Child:
        """A Celery worker with our tasks; returns once it is ready."""
        number = next(self._numbers)
        concurrency = self.settings.max_workers
        argv = [sys.executable, "-m", "celery", "-A", "scanner_tasks.app", "worker", "-P", "threads"]
        argv += ["-c", str(concurrency), "-n", f"w{number}@test", "--loglevel", "INFO"]
        argv += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        worker = Child(
            name=f"worker {number}",
            argv=argv,
            env=self.env | env,
            log=self.folder / f"worker-{number}.log",
            cwd=self.folder,
            grace_s=stop_timeout_s,
        )
        self.workers.append(worker.start())
        if wait:
            self.until_ready(worker)
        return worker

    def until_ready(self, worker: Child) -> None:
        self.until(lambda: " ready." in worker.log.read_text(errors="replace"), "the worker", check=worker.check)

    @property
    def env(self) -> dict[str, str]:
        names = {"database_url": "DATABASE_URL", "max_workers": "MAX_WORKERS"}
        values = self.settings.model_dump(include=set(self._values) | {"queue_url_prefix"})
        return {
            **self.emulator.env,
            **{names.get(name, f"S3SCAN_{name.upper()}"): _text(value) for name, value in values.items()},
            "DATABASE_URL": self.postgres.url(),
            "S3SCAN_FINGERPRINT_KEY": _KEY,
            "TRAP_JOURNAL": str(self.journal),
            "PYTHONPATH": os.pathsep.join([str(TRAP), str(REPOSITORY)]),
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.folder),
            "NO_PROXY": "*",
        }

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    def noted(self, what: str) -> list[str]:
        """Names of the trapped objects whose scan began or ended, in order."""
        text = self.journal.read_text() if self.journal.exists() else ""
        return [line.split()[3] for line in text.splitlines() if line.split()[2] == what]

    def last_pid(self) -> int:
        """The process that noted something last; 0 before the first note."""
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return int(lines[-1].split()[1]) if lines else 0

    def signal(self, worker: Child, number: signal.Signals) -> None:
        os.kill(worker.pid, number)

    def until_ended(self, worker: Child) -> int:
        self.until(lambda: worker.exit_status is not None, "the end of a worker")
        assert worker.exit_status is not None
        return worker.exit_status

    # What stands where

    def queue_url(self, name: str) -> str:
        return queue_url_prefix(self.emulator.endpoint_url) + name

    def depth(self, queue: str) -> tuple[int, int]:
        """Visible, in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.queue_url(queue), AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])

    @property
    def in_flight(self) -> int:
        return sum(self.depth(lane)[1] for lane in self.settings.lane_names)

    def rows(self, query: str, **values: Any) -> Sequence[Any]:
        with transaction(self.engine) as connection:
            return execute(connection, query, **values).all()

    def job(self, job_id: UUID) -> JobView:
        return get_job(job_id, real_time=True, using=self.feeder)

    def lane(self, job_id: UUID) -> str:
        return self._job(job_id).lane

    def _job(self, job_id: UUID) -> Job:
        return find_job(job_id, using=self.feeder)

    def count(self, job_id: UUID, *states: int) -> int:
        """Batches of the job in these states."""
        query = (
            "select count(*) n from job_batches join jobs using (job_no) where job_id = :id and state = any(:states)"
        )
        return int(self.rows(query, id=job_id, states=list(states))[0].n)

    def done(self) -> list[Done]:
        """Every batch that is done, in the order of completion."""
        query = """select job_id, batch_no, state_at from job_batches join jobs using (job_no) where state = 3
            order by state_at, batch_no"""
        rows = self.rows(query)
        return [Done(place=n, job_id=r.job_id, batch_no=r.batch_no, at=r.state_at) for n, r in enumerate(rows)]

    def until(
        self,
        ready: Callable[[], bool],
        what: str,
        *,
        timeout_s: float = PATIENCE_S,
        check: Callable[[], None] | None = None,
    ) -> None:
        wait_until(ready, what=what, timeout_s=timeout_s, check=check)

    def until_done(self, *job_ids: UUID, timeout_s: float = PATIENCE_S) -> None:
        """Until no batch of these jobs is open."""
        for job_id in job_ids:
            self.until(lambda job_id=job_id: not self.count(job_id, 0, 1, 2), "the job's batches", timeout_s=timeout_s)

    def until_finished(self, job_id: UUID, *, timeout_s: float = PATIENCE_S) -> JobView:
        """Until settle has ended the job."""
        self.until(lambda: self._job(job_id).finished_at is not None, "the job's end", timeout_s=timeout_s)
        return self.job(job_id)


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)

"""The flow on a real Postgres, with S3, SQS and Step Functions in memory."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine

from scanner_tasks import rules
from scanner_tasks.core.envelope import read_envelope
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.fakes import FakeExecutions, FakeMetrics, FakeObjects, FakeQueues
from scanner_tasks.flow.feed import feed
from scanner_tasks.flow.leases import LeaseKeeper
from scanner_tasks.flow.parts import Feeder, Worker
from scanner_tasks.flow.read_results import JobView, get_job
from scanner_tasks.flow.scan_batch import scan_batch
from scanner_tasks.flow.settle import settle
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.settings import Settings
from scanner_tasks.store.engine import execute, transaction

CHILD_COMMAND = (sys.executable, str(Path(__file__).with_name("object_child.py")))
_numbers = itertools.count()


class System:
    """The parts of one small installation, and the clockwork that AWS would be."""

    def __init__(self, engine: Engine, **settings: object) -> None:
        self.engine = engine
        self.bucket = f"flow-{next(_numbers)}"
        self.objects = FakeObjects({self.bucket: {}})
        self.queues = FakeQueues()
        self.executions = FakeExecutions()
        self.metrics = FakeMetrics()
        self.child_command = CHILD_COMMAND
        values = {"fingerprint_key": "a key of the tests only", "lane_count": 2, "feed_turn_s": 30.0, **settings}
        self.settings = Settings(**values)
        self.feeder = self.make_feeder()
        self.worker = self.make_worker()

    def make_feeder(self, **settings: object) -> Feeder:
        return Feeder(
            settings=self.settings.model_copy(update=settings),
            engine=self.engine,
            objects=self.objects,
            executions=self.executions,
            ruleset_hash=lambda: "hash",
            queues=self.queues,
            metrics=self.metrics,
        )

    def make_worker(self, *, lease_s: float = 60.0, stuck_after_s: float = 60.0) -> Worker:
        fingerprinter = Fingerprinter(self.settings.fingerprint_key.get_secret_value().encode(), "k1")
        return Worker(
            settings=self.settings,
            engine=self.engine,
            objects=self.objects,
            executions=self.executions,
            ruleset_hash=lambda: "hash",
            detector=Detector(rules.load_builtin(), fingerprinter),
            leases=LeaseKeeper(self.engine, lease_s=lease_s, stuck_after_s=stuck_after_s),
            child_command=self.child_command,
            scan_slots=threading.BoundedSemaphore(2),
        )

    def put(self, contents: dict[str, bytes]) -> None:
        self.objects.buckets[self.bucket].update(contents)

    def start(self, prefix: str = "") -> UUID:
        return start_job(self.bucket, prefix, using=self.feeder).job_id

    def feed(self, job_id: UUID, **changes: int) -> str:
        view = self.job(job_id)
        arguments = {"execution_no": view.job.execution_no, "turn": 0, **changes}
        return feed(job_id, using=self.feeder, **arguments).state

    def deliver(self, job_id: UUID, *, worker: Worker | None = None) -> list[str]:
        """Receive every message of the job's lane, run its task, and delete it unless the task raises."""
        lane = self.job(job_id).job.lane
        outcomes = []
        while messages := self.queues.receive(lane, 10, 0):
            outcomes += [run_message(message.body, worker or self.worker) for message in messages]
            self.queues.delete(lane, [m.receipt for m in messages])
        return outcomes

    def run(self, job_id: UUID) -> JobView:
        """Feed, work and settle until the job has ended."""
        for _ in range(50):
            self.feed(job_id)
            self.deliver(job_id)
            settle(using=self.feeder)
            view = self.job(job_id)
            if view.job.finished_at:
                return view
        raise AssertionError(f"the job did not end: {view}")

    def job(self, job_id: UUID) -> JobView:
        return get_job(job_id, real_time=True, using=self.feeder)

    def statuses(self, job_id: UUID) -> dict[str, str]:
        """Object key → status, from the ledger itself."""
        with transaction(self.engine) as connection:
            rows = execute(connection, "select object_key, status from job_objects where job_id = :id", id=job_id)
            return {row.object_key: row.status for row in rows}


def run_message(body: str, worker: Worker) -> str:
    job_id, batch_no, epoch = read_envelope(body).args
    return scan_batch(UUID(job_id), batch_no, epoch, using=worker)


@pytest.fixture
def make_system(engine: Engine) -> Iterator[Callable[..., System]]:
    made: list[System] = []

    def make(**settings: object) -> System:
        made.append(System(engine, **settings))
        return made[-1]

    yield make
    for system in made:
        system.worker.leases.stop()
        system.worker.children.close()
    with transaction(engine) as connection:  # other tests' settle must not meet these jobs
        execute(connection, "update jobs set finished_at = now() where finished_at is null")


@pytest.fixture
def system(make_system: Callable[..., System]) -> System:
    return make_system()

"""The real pipeline, started once: emulated AWS with the state machine and its functions, Postgres, workers, the API.

The tests' clocks are short: leases and visibility timeouts of seconds, a settle each second.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Row

from scanner_tasks.core import lanes
from scanner_tasks.core.envelope import scan_batch_message, task_id
from scanner_tasks.local import commands
from scanner_tasks.local.api_client import Api, FoundRule, JobState
from scanner_tasks.local.child import Child
from scanner_tasks.local.deploy import FEED, client
from scanner_tasks.local.emulator import REPOSITORY, emulator_python
from scanner_tasks.local.ports import wait_until
from scanner_tasks.local.stack import Stack
from scanner_tasks.store.engine import execute, make_engine, transaction
from tests.conftest import unavailable

#: A dead worker's batches are planned again after the lease, its other messages are back after the visibility timeout.
LEASE_S, VISIBILITY_S = 3, 4
#: Far more than any step takes on a busy machine.
PATIENCE_S = 90.0

_numbers = itertools.count()


class Pipeline(Stack):
    """The demo's stack without its dashboard, and what tests ask of it and do to it."""

    def __init__(self, folder: Path) -> None:
        self.lines: list[str] = []
        super().__init__(folder, say=self.lines.append)
        self._functions_env: dict[str, str] = {}

    @property
    def settings(self) -> dict[str, str]:
        return super().settings | {"S3SCAN_LEASE_S": str(LEASE_S), "S3SCAN_VISIBILITY_TIMEOUT_S": str(VISIBILITY_S)}

    def _start_aws(self) -> None:
        super()._start_aws()
        self.s3, self.sqs = (client(service, self.emulator.endpoint_url) for service in ("s3", "sqs"))
        self.lambda_, self.states = (client(name, self.emulator.endpoint_url) for name in ("lambda", "stepfunctions"))
        for lane in lanes.lane_names():  # before a worker asks how long a message stays hidden
            self.sqs.set_queue_attributes(
                QueueUrl=self.queue_url(lane), Attributes={"VisibilityTimeout": str(VISIBILITY_S)}
            )

    def _spawn(self, name: str, argv: list[str], more: dict[str, str] | None = None) -> None:
        if name != "Flower":
            super()._spawn(name, argv, more)

    def open(self) -> None:
        """Connect to what has started."""
        self.api = Api(self.api_url)
        self.engine = make_engine(self.postgres.url("s3scan"), pool_size=3)

    # What AWS holds

    def queue_url(self, name: str) -> str:
        return self.settings["S3SCAN_QUEUE_URL_PREFIX"] + name

    def send(self, lane: str, bodies: Sequence[str], group: str) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(
                pool.map(
                    lambda body: self.sqs.send_message(
                        QueueUrl=self.queue_url(lane), MessageBody=body, MessageGroupId=group
                    ),
                    bodies,
                )
            )

    def is_drained(self, queue: str) -> bool:
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        found = self.sqs.get_queue_attributes(QueueUrl=self.queue_url(queue), AttributeNames=list(names))
        return all(int(found["Attributes"][name]) == 0 for name in names)

    def new_bucket(self, objects: dict[str, bytes]) -> str:
        bucket = f"e2e-{next(_numbers)}"
        self.s3.create_bucket(Bucket=bucket)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda o: self.s3.put_object(Bucket=bucket, Key=o[0], Body=o[1]), objects.items()))
        return bucket

    def set_feed(self, **settings: str) -> None:
        """Give the Feed function other settings; without any, those it had."""
        read = self.lambda_.get_function_configuration
        self._functions_env = self._functions_env or read(FunctionName=FEED.name)["Environment"]["Variables"]
        variables = self._functions_env | settings
        self.lambda_.update_function_configuration(FunctionName=FEED.name, Environment={"Variables": variables})
        wait_until(
            lambda: read(FunctionName=FEED.name).get("LastUpdateStatus", "Successful") == "Successful",
            what="the function's new settings",
            timeout_s=PATIENCE_S,
        )

    # What the ledger holds

    def rows(self, query: str, **values: Any) -> Sequence[Row[Any]]:
        with transaction(self.engine) as connection:
            return execute(connection, query, **values).all()

    def batches(self, job_id: str) -> Sequence[Row[Any]]:
        query = """select b.batch_no, b.state, b.attempt, b.given_back, j.lane, j.bucket, j.epoch
          from job_batches b join jobs j using (job_no) where j.job_id = :job_id order by b.batch_no"""
        return self.rows(query, job_id=job_id)

    def messages(self, job_id: str) -> list[str]:
        """The body of each of the job's messages, as Feed sends it."""
        return [
            scan_batch_message(
                job_id=UUID(job_id), batch_no=row.batch_no, epoch=row.epoch, lane=row.lane, bucket=row.bucket
            )
            for row in self.batches(job_id)
        ]

    # Waiting, always for something that is asked for

    def until(self, ready: Callable[[], bool], what: str) -> None:
        wait_until(ready, what=what, timeout_s=PATIENCE_S, check=self.check)

    def until_listed(self, job_id: str) -> None:
        self.until(lambda: self.api.job(job_id).total_is_final, "the listing")

    def ended(self, job_id: str) -> JobState:
        """The job, once it has ended and no message of its lane is left."""
        self.until(lambda: self.api.job(job_id).is_final, f"the end of job {job_id}")
        (job,) = self.rows("select lane from jobs where job_id = :job_id", job_id=job_id)
        self.until(lambda: self.is_drained(job.lane), "the last message of the lane")
        return self.api.job(job_id)

    def found(self, job_id: str) -> list[FoundRule]:
        return list(self.api.results(job_id, page=37))

    # Processes

    def worker(self, pid: int) -> Child:
        return next(child for child in self._children if child.pid == pid)

    def worker_of(self, job_id: str, batch_no: int) -> Child | None:
        """The worker that has received the batch's first message, by its log."""
        the_id = str(task_id(UUID(job_id), batch_no, 0))
        workers = [child for child in self._children if child.name.startswith("worker")]
        return next((child for child in workers if f"[{the_id}] received" in child.log.read_text()), None)

    def kill(self, worker: Child) -> None:
        """As the kernel does when memory is short; another one is started in its place."""
        self._children.remove(worker)
        os.kill(worker.pid, signal.SIGKILL)
        wait_until(lambda: worker.exit_status is not None, what="the worker's end", timeout_s=PATIENCE_S)
        self._spawn(f"{worker.name}-again", commands.worker(f"{worker.name}-again"))

    def run_python(self, program: str, *arguments: str) -> str:
        """What a Python program prints that has our packages and settings: a customer's own process."""
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            env=self._environment(),
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def worker_logs(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.logs.glob("worker-*.log")))

    def receives(self, message_id: str) -> list[int]:
        """Which receives of a message that is no task the workers have logged."""
        pattern = rf"SQS message {message_id} of .*: receive (\d+),"
        return sorted(int(number) for number in re.findall(pattern, self.worker_logs()))


@pytest.fixture(scope="session")
def pipeline(scratch: Path) -> Iterator[Pipeline]:
    try:
        emulator_python()
        made = Pipeline(scratch / "e2e")
        made.__enter__()
    except (RuntimeError, TimeoutError) as error:
        unavailable("the pipeline", error)
    try:
        made.open()
        yield made
        made.engine.dispose()
    finally:
        made.stop()


def text_with(ssns: int, *, lines: int) -> bytes:
    """Lines of harmless text; so many of them hold an SSN."""
    every = max(1, lines // max(1, ssns))
    rows = [
        f"row {n}: ssn: 219-09-{n // every + 1000:04d}" if n % every == 0 and n // every < ssns else f"row {n}: nothing"
        for n in range(lines)
    ]
    return "\n".join(rows).encode()


def by_key(found: Sequence[FoundRule]) -> dict[str, int]:
    """Occurrences of SSNs for each key."""
    counts: Counter[str] = Counter()
    for finding in found:
        assert finding.rule == "us.ssn"
        counts[finding.key] += finding.count
    return dict(counts)

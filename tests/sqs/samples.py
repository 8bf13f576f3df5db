"""A Celery application on queues of its own, with real workers on a leash."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
import uuid
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scanner_tasks.local.child import Child, ChildFailed
from scanner_tasks.local.ports import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scanner_tasks.local.emulator import Emulator

#: How a stock worker fails: it ends, or does not do what is waited for. Anything else is a mistake in the test.
repaired = pytest.mark.xfail(
    strict=True,
    raises=(AssertionError, TimeoutError, ChildFailed, subprocess.SubprocessError, pytest.fail.Exception),
    reason="what is repaired",
)
#: The same test on stock kombu must fail: when it no longer does, the repair can go.
with_and_without = pytest.mark.parametrize(
    "stock",
    [
        pytest.param(False, id="repaired"),
        pytest.param(True, id="stock", marks=repaired),
    ],
)
#: As above, where stock kombu's failure has to be waited for.
with_and_slowly_without = pytest.mark.parametrize(
    "stock", [pytest.param(False, id="repaired"), pytest.param(True, id="stock", marks=[repaired, pytest.mark.slow])]
)
HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]


@dataclass
class Sample:
    """One test's queues, its Celery application and its workers."""

    emulator: Emulator
    folder: Path
    client: Any
    lanes: list[str]
    urls: dict[str, str]
    dlq_url: str
    events: str | None
    options: dict[str, Any]
    stock: bool = False
    endpoint: str | None = None
    #: Host, port, and the file that makes the host's name resolve.
    dns: tuple[str, int, str] | None = None
    workers: list[Child] = field(default_factory=list)

    @property
    def lane(self) -> str:
        return self.lanes[0]

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    def env(self, endpoint: str | None = None) -> dict[str, str]:
        sample = {
            "queues": {name: {"url": url} for name, url in self.urls.items()},
            "lanes": self.lanes,
            "journal": str(self.journal),
            "options": {**self.options, **({"events_queue": self.events} if self.events else {})},
            "events": bool(self.events),
            "stock": self.stock,
            "dns": self.dns,
        }
        return {
            **self.emulator.env,
            "AWS_ENDPOINT_URL": endpoint or self.endpoint or self.emulator.endpoint_url,
            "SAMPLE": json.dumps(sample),
            "PYTHONPATH": os.pathsep.join([str(HERE), str(REPOSITORY)]),
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.folder),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore",
        }

    def start(
        self,
        *,
        concurrency: int = 4,
        loglevel: str = "INFO",
        queues: Sequence[str] = (),
        endpoint: str | None = None,
        wait: bool = True,
        **child: Any,
    ) -> Child:
        """A worker; returns once it is ready."""
        number = len(self.workers)
        argv = [sys.executable, "-m", "celery", "-A", "sample_app", "worker", "-P", "threads", "-c", str(concurrency)]
        argv += ["-n", f"w{number}@test", "--loglevel", loglevel, "--without-gossip", "--without-mingle"]
        argv += ["--heartbeat-interval", "2"] if self.events else ["--without-heartbeat"]
        argv += ["-Q", ",".join(queues)] if queues else []
        worker = Child(
            name=f"worker {number}",
            argv=argv,
            env=self.env(endpoint),
            log=self.folder / f"worker{number}.log",
            cwd=self.folder,
            **{"grace_s": 20.0, **child},
        )
        self.workers.append(worker)
        worker.start()
        if wait:
            self.wait_until(lambda: " ready." in self.log(worker), what="the worker", worker=worker)
        return worker

    def log(self, worker: Child | None = None) -> str:
        path = (worker or self.workers[-1]).log
        return path.read_text(errors="replace") if path.exists() else ""

    def send(self, program: str, *, endpoint: str | None = None, timeout_s: float = 60) -> None:
        """Run a piece of Python with the application's names in a process of its own."""
        subprocess.run(
            [sys.executable, "-c", f"from sample_app import *\n{textwrap.dedent(program)}"],
            env=self.env(endpoint),
            cwd=self.folder,
            check=True,
            timeout=timeout_s,
        )

    def put(self, task: str, *args: Any, lane: str | None = None, **attributes: Any) -> None:
        """Send a task's message as Celery does, from this process."""
        self.put_raw(envelope(task, args, lane or self.lane), lane, **attributes)

    def put_raw(self, body: str, lane: str | None = None, **attributes: Any) -> None:
        self.client.send_message(QueueUrl=self.urls[lane or self.lane], MessageBody=body, **attributes)

    def lines(self, what: str) -> list[str]:
        """Names in the journal's lines of this kind, in order."""
        if not self.journal.exists():
            return []
        found = re.findall(rf"^\S+ {what} (.*)$", self.journal.read_text(), re.MULTILINE)
        return [str(name) for name in found]

    def depth(self, url: str) -> tuple[int, int]:
        """Visible, in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return int(attributes[names[0]]), int(attributes[names[1]])

    @property
    def in_flight(self) -> int:
        return sum(self.depth(self.urls[lane])[1] for lane in self.lanes)

    def is_empty(self) -> bool:
        return all(self.depth(self.urls[lane]) == (0, 0) for lane in self.lanes)

    def wait_until(
        self, ready: Callable[[], bool], *, what: str, timeout_s: float = 30, worker: Child | None = None
    ) -> None:
        """As wait_until; fails at once when the worker ends, and shows its log."""
        watched = worker or (self.workers[-1] if self.workers else None)
        try:
            wait_until(ready, what=what, timeout_s=timeout_s, check=watched.check if watched else None)
        except TimeoutError as error:
            pytest.fail(f"{error}\n{watched.log_tail(40) if watched else ''}")


def envelope(task: str, args: Sequence[Any], lane: str) -> str:
    """The body that kombu sends for a task, in the JSON form."""
    task_id = str(uuid.uuid4())
    body = b64encode(json.dumps([list(args), {}, {}]).encode()).decode()
    return json.dumps(
        {
            "body": body,
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"lang": "py", "task": task, "id": task_id, "root_id": task_id, "retries": 0},
            "properties": {
                "correlation_id": task_id,
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": lane},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": task_id,
            },
        }
    )


#: A program for Sample.send: ``count`` short tasks for ``lane``, published in batches.
BATCH_OF = """
with app.producer_or_acquire() as producer, producer.batch():
    for n in range({count}):
        work.apply_async((f"{lane}/{{n}}", 0.02), queue="{lane}", producer=producer)
"""

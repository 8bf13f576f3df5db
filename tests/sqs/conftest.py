"""Queues with unique names on the emulator, and the proxy that spoils its answers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import urllib.error
import urllib.request
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from scanner_tasks.local.child import Child
from scanner_tasks.local.ports import free_port, is_open, wait_until
from tests.sqs.faults import FaultProxy
from tests.sqs.samples import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from scanner_tasks.local.emulator import Emulator


def end_at_once(child: Child) -> None:
    """What a graceful stop does is asserted by the tests about it; the others need not wait for it."""
    if child.pid and child.exit_status is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
    child.stop()


@pytest.fixture
def proxy(emulator: Emulator) -> Iterator[FaultProxy]:
    proxy = FaultProxy(emulator.port)
    yield proxy
    proxy.close()


@pytest.fixture(scope="session")
def client(emulator: Emulator) -> Iterator[Any]:
    client = boto3.client(
        "sqs",
        endpoint_url=emulator.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    yield client
    client.close()


@pytest.fixture
def make_sample(emulator: Emulator, client: Any, tmp_path: Path) -> Iterator[Callable[..., Sample]]:
    """Make a Sample; its workers end with the test."""
    made: list[Sample] = []

    def make(
        *,
        lanes: int = 1,
        visibility_s: int = 30,
        redrive: bool = True,
        events: bool = False,
        stock: bool = False,
        **options: Any,
    ) -> Sample:
        run = uuid.uuid4().hex[:8]
        dlq_url = client.create_queue(QueueName=f"{run}-dlq")["QueueUrl"]
        arn = client.get_queue_attributes(QueueUrl=dlq_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        attributes = {"VisibilityTimeout": str(visibility_s)}
        if redrive:
            attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "3"})
        names = [f"{run}-{n}" for n in range(lanes)]
        urls = {n: client.create_queue(QueueName=n, Attributes=attributes)["QueueUrl"] for n in names}
        if events:
            urls[f"{run}-events"] = client.create_queue(
                QueueName=f"{run}-events", Attributes={"VisibilityTimeout": "5", "MessageRetentionPeriod": "300"}
            )["QueueUrl"]
        sample = Sample(
            emulator=emulator,
            folder=tmp_path,
            client=client,
            lanes=names,
            urls=urls,
            dlq_url=dlq_url,
            events=f"{run}-events" if events else None,
            options=options,
            stock=stock,
        )
        made.append(sample)
        return sample

    yield make
    for sample in made:
        for worker in sample.workers:
            end_at_once(worker)


@pytest.fixture
def start_flower():
    """Start a Flower for a sample; ``sample.ask(path, method)`` answers (status, body)."""
    started = []

    def start(sample, *options, folder=None, stock=False, **env):
        port = free_port()
        ours, theirs = ["scanner_tasks.sqs.flower", "-A", "sample_app"], ["celery", "-A", "sample_app", "flower"]
        child = Child(
            name="flower",
            argv=[sys.executable, "-m", *(theirs if stock else ours), f"--port={port}", *options],
            env={**sample.env(), "FLOWER_UNAUTHENTICATED_API": "true", **env},
            log=sample.folder / f"flower{len(started)}.log",
            cwd=folder or sample.folder,
        ).start()
        started.append(child)
        wait_until(lambda: is_open(port), what="Flower", timeout_s=30, check=child.check)

        def ask(path, method="GET"):
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read().decode()

        sample.ask = ask
        sample.flower = child
        return child

    yield start
    for child in started:
        end_at_once(child)

"""A request delivered twice starts one execution; nothing that a message holds can stop settle."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from scanner_tasks.core import lanes
from scanner_tasks.core.envelope import scan_batch_message
from scanner_tasks.core.ports import OutgoingMessage
from scanner_tasks.flow.settle import settle
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.store.engine import execute, transaction

from .conftest import System


def test_second_delivery_while_the_first_starts_its_execution_starts_the_same_one(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, start = uuid4(), system.executions.start
    inner = []

    def start_after_a_repeat(name: str, payload: dict[str, object]) -> str:
        if not inner:  # the first caller has taken its number and not yet started: the second comes by
            inner.append(None)
            inner.append(start_job(system.bucket, using=system.feeder, job_id=job_id))
        return start(name, payload)

    monkeypatch.setattr(system.executions, "start", start_after_a_repeat)
    first = start_job(system.bucket, using=system.feeder, job_id=job_id)
    third = start_job(system.bucket, using=system.feeder, job_id=job_id)

    assert list(system.executions.started) == [f"{job_id}-1"]
    assert {first.execution_arn, inner[1].execution_arn, third.execution_arn} == {first.execution_arn}
    assert system.job(job_id).job.execution_no == 1


POISONS: dict[str, Callable[[UUID], tuple[list[object], str]]] = {
    "batch number too large": lambda job_id: ([str(job_id), 2**40, 0], "scanner_tasks.scan_batch"),
    "batch number infinite": lambda job_id: ([str(job_id), float("inf"), 0], "scanner_tasks.scan_batch"),
    "batch number a text": lambda job_id: ([str(job_id), "x", 0], "scanner_tasks.scan_batch"),
    "epoch too large": lambda job_id: ([str(job_id), 0, 10**5000 % 10**400 + 10**300], "scanner_tasks.scan_batch"),
    "job a list": lambda _: ([["x"], 0, 0], "scanner_tasks.scan_batch"),
    "no arguments": lambda _: ([], "scanner_tasks.scan_batch"),
    "NUL in the task's name": lambda job_id: ([str(job_id), 0, 0], "scanner_tasks.\0"),
    "half a surrogate pair": lambda job_id: ([str(job_id), 0, 0], "scanner_tasks.\ud800"),
}


@pytest.mark.parametrize("name", POISONS)
def test_settle_keeps_any_dead_letter_and_goes_on(system: System, name: str) -> None:
    system.put({"a": b"text"})
    job_id = system.start()
    system.feed(job_id)
    args, task = POISONS[name](job_id)
    body = scan_batch_message(job_id=job_id, batch_no=0, epoch=0, lane="scan-0", bucket=system.bucket)
    outer = json.loads(base64.b64decode(body))
    outer["headers"]["task"] = task
    outer["body"] = base64.b64encode(json.dumps([args, {}, {}]).encode()).decode()
    system.queues.send(lanes.DLQ, [OutgoingMessage(body=json.dumps(outer), group=system.bucket)])

    assert settle(using=system.feeder).dead_letters == 1
    assert system.queues.depth(lanes.DLQ).visible == 0
    with transaction(system.engine) as connection:
        row = execute(connection, "select * from dead_letters order by arrived_at desc limit 1").one()
    assert (row.state, row.job_no, row.task.startswith("scanner_tasks.")) == ("open", None, True)
    # The job that it names is none the worse.
    assert system.run(job_id).job.status == "succeeded"

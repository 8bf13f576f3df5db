"""The message built without Celery against the one that Celery and kombu really send."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from celery import Celery
from hypothesis import given
from hypothesis import strategies as st
from kombu import Queue
from kombu import transport as kombu_transport
from kombu.transport import SQS

from scanner_tasks.core import lanes
from scanner_tasks.core.envelope import MESSAGE_GROUP_HEADER, read_envelope, scan_batch_message, task_id
from scanner_tasks.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

JOB = UUID("9b2c1a9e-0000-4000-8000-000000000001")

#: Fields that may differ, each with its reason. Everything else must be equal, order of fields included.
MAY_DIFFER = {
    ("properties", "delivery_tag"): "random; kombu's SQS channel replaces it by the receipt handle",
    ("properties", "reply_to"): "result queue of the sending process; results are ignored",
    ("headers", "origin"): "pid and host of the sending process",
}


class RecordingClient:
    """The three calls that publishing makes on a boto3 SQS client."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send_message(self, **kwargs: Any) -> dict[str, Any]:
        self.sent.append(kwargs)
        return {}

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        return {"Attributes": {"ApproximateNumberOfMessages": "0"}}


@pytest.fixture
def apply_async(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Celery's own ``scan_batch.apply_async`` up to boto3; returns the arguments of SendMessage."""
    client = RecordingClient()
    monkeypatch.setattr(SQS.Channel, "sqs", lambda _self, queue=None: client)
    # Stock kombu, whatever another test of this process has made of the alias.
    monkeypatch.setitem(kombu_transport.TRANSPORT_ALIASES, "sqs", "kombu.transport.SQS:Transport")
    monkeypatch.setitem(kombu_transport._transport_cache, "sqs", SQS.Transport)
    app = Celery("scanner_tasks", set_as_current=False)
    app.conf.update(
        broker_url="sqs://",
        broker_transport_options={
            "region": "us-east-1",
            "predefined_queues": {name: {"url": f"http://127.0.0.1:1/0/{name}"} for name in lanes.lane_names()},
        },
        task_queues=[Queue(name, routing_key=name) for name in lanes.lane_names()],
        task_default_queue="scan-0",
        task_create_missing_queues=False,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        result_backend=None,
        task_acks_late=True,
    )

    @app.task(name="scanner_tasks.scan_batch")
    def scan_batch(job_id, batch_no, epoch): ...

    def send(job_id: UUID, batch_no: int, epoch: int, *, lane: str, bucket: str) -> dict[str, Any]:
        scan_batch.apply_async(
            (str(job_id), batch_no, epoch),
            queue=lane,
            task_id=str(task_id(job_id, batch_no, epoch)),
            MessageGroupId=lanes.message_group(bucket),
            headers={MESSAGE_GROUP_HEADER: lanes.message_group(bucket)},
        )
        return client.sent[-1]

    return send


def fields(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Leaves by path, in order."""
    if isinstance(value, dict) and value:
        return {p: leaf for name, inner in value.items() for p, leaf in fields(inner, (*path, name)).items()}
    return {path: value}


def decoded(body: str) -> dict[tuple[str, ...], Any]:
    message = json.loads(base64.b64decode(body))
    message["body"] = base64.b64decode(message["body"]).decode()
    return fields(message)


@pytest.mark.parametrize(("batch_no", "epoch", "lane"), [(0, 0, "scan-0"), (1_234_567, 41, "scan-7")])
def test_message_equals_what_celery_sends(apply_async, batch_no, epoch, lane):
    real = apply_async(JOB, batch_no, epoch, lane=lane, bucket="my-bucket")
    ours = scan_batch_message(job_id=JOB, batch_no=batch_no, epoch=epoch, lane=lane, bucket="my-bucket")

    assert real["QueueUrl"].endswith(lane)
    assert real["MessageGroupId"] == lanes.message_group("my-bucket")
    assert set(real) == {"QueueUrl", "MessageGroupId", "MessageBody"}
    expected, got = decoded(real["MessageBody"]), decoded(ours)
    assert list(got) == list(expected)  # same fields in the same order, none more, none less
    assert {path for path in expected if expected[path] != got[path]} <= set(MAY_DIFFER)
    assert all(isinstance(got[path], str) for path in MAY_DIFFER)


def test_what_celery_sends_is_read_back(apply_async):
    real = apply_async(JOB, 3, 1, lane="scan-3", bucket="my-bucket")

    envelope = read_envelope(real["MessageBody"])

    assert (envelope.task, envelope.args, envelope.kwargs) == ("scanner_tasks.scan_batch", (str(JOB), 3, 1), {})
    assert envelope.task_id == str(task_id(JOB, 3, 1))
    assert (envelope.message_group, envelope.lane) == ("my-bucket", "scan-3")


def test_message_without_base64_is_read_too():
    body = scan_batch_message(job_id=JOB, batch_no=3, epoch=1, lane="scan-3", bucket="b-1")
    plain = base64.b64decode(body).decode()
    inner = json.loads(plain)
    inner["properties"]["body_encoding"] = None
    inner["body"] = base64.b64decode(inner["body"]).decode()

    assert read_envelope(plain) == read_envelope(json.dumps(inner)) == read_envelope(body)


def test_same_batch_gives_the_same_message_and_another_epoch_another_task():
    def message(epoch: int) -> str:
        return scan_batch_message(job_id=JOB, batch_no=3, epoch=epoch, lane="scan-3", bucket="b-1")

    assert message(1) == message(1)
    assert read_envelope(message(1)).task_id != read_envelope(message(2)).task_id


def test_message_is_small_enough_for_ten_in_one_request():
    body = scan_batch_message(job_id=JOB, batch_no=10**9, epoch=10**6, lane="scan-63", bucket="b" * 63)
    assert len(body) < 2_500


@given(st.uuids(), st.integers(0, 2**40), st.integers(0, 2**31))
def test_every_batch_reads_back_as_itself(job_id, batch_no, epoch):
    body = scan_batch_message(job_id=job_id, batch_no=batch_no, epoch=epoch, lane="scan-1", bucket="b-1")
    assert read_envelope(body).args == (str(job_id), batch_no, epoch)


def _changed(**changes: Any) -> str:
    """A message of ours with parts replaced; a dict value replaces fields inside."""
    message = json.loads(base64.b64decode(scan_batch_message(job_id=JOB, batch_no=1, epoch=0, lane="a", bucket="b")))
    for name, value in changes.items():
        if isinstance(value, dict) and value:
            message[name].update(value)
        else:
            message[name.replace("_", "-")] = value
    return base64.b64encode(json.dumps(message).encode()).decode()


def _inner(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


S3_EVENT = json.dumps({"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]})
PROTOCOL_1 = {"task": "scanner_tasks.scan_batch", "id": "1", "args": [], "kwargs": {}}
NOT_OURS = {
    "empty": "",
    "words": "hello, hidden-value",
    "binary in base64": base64.b64encode(b"\xff\xfe\x00hidden-value").decode(),
    "words in base64": base64.b64encode(b"hidden-value").decode(),
    "a number in base64": base64.b64encode(b"7").decode(),
    "a list": "[]",
    "an empty object": "{}",
    "half of a message": scan_batch_message(job_id=JOB, batch_no=1, epoch=0, lane="a", bucket="b")[:-101],
    "deeply nested": "[" * 100_000,
    "an enormous number": "[" + "9" * 10_000 + "]",
    "S3 event": S3_EVENT,
    "S3 event in base64": base64.b64encode(S3_EVENT.encode()).decode(),
    "not ASCII": "é",
    "lone surrogate": "\ud800",
    "headers missing": _changed(headers=None),
    "properties missing": _changed(properties=[]),
    "protocol 1": _changed(headers={}, body=_inner(PROTOCOL_1)),
    "no task": _changed(headers={"task": None}),
    "id is a number": _changed(headers={"id": 1}),
    "another application": _changed(headers={"task": "hidden-value.add"}),
    "pickle": _changed(content_type="application/x-python-serialize"),
    "body missing": _changed(body=None),
    "body is words": _changed(body="hidden-value"),
    "body of two parts": _changed(body=_inner([[], {}])),
    "body of four parts": _changed(body=_inner([[], {}, {}, {}])),
    "args are no list": _changed(body=_inner(["hidden-value", {}, {}])),
    "kwargs are no object": _changed(body=_inner([[], [], {}])),
}


@pytest.mark.parametrize("body", NOT_OURS.values(), ids=NOT_OURS.keys())
def test_what_is_not_ours_is_refused_without_quoting_it(body):
    with pytest.raises(InvalidInput) as refusal:
        read_envelope(body)
    assert "hidden-value" not in str(refusal.value)


@given(st.text())
def test_any_other_text_is_refused(text):
    with pytest.raises(InvalidInput):
        read_envelope(text)

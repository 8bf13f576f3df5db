"""What is left of the repairs: each test passes with ours, and must fail with stock kombu, Celery and Flower.

docs/celery-on-sqs.md lists every repair with its test.
"""

import os
import signal
import uuid

import pytest
from celery import Celery
from celery.events.dispatcher import EventDispatcher
from kombu import Connection

from scanner_tasks.local.ports import wait_until
from scanner_tasks.sqs.discreet import DiscreetDispatcher
from tests.sqs.samples import envelope, repaired, with_and_without

BRISK = {"wait_time_seconds": 1, "poll_grace_s": 1, "request_timeout_s": 0.5}


@with_and_without
@pytest.mark.parametrize("outage", ["refused", "dns"])
def test_outage_of_the_endpoint_is_sat_out(make_sample, proxy, stock, outage):
    sample = make_sample(stock=stock, visibility_s=1, **BRISK)  # what a dead poll takes is soon back
    resolves = sample.folder / "resolves"
    resolves.touch()
    sample.dns = ("sqs.sample.invalid", proxy.port, str(resolves))
    sample.start(endpoint=f"http://sqs.sample.invalid:{proxy.port}")
    polled = proxy.seen["ReceiveMessage", "ok"]
    sample.wait_until(lambda: proxy.seen["ReceiveMessage", "ok"] > polled, what="a poll")
    if outage == "dns":
        resolves.unlink()
        proxy.spoil("ReceiveMessage", "bye", times=2)  # the next poll needs a new connection
    else:
        proxy.refuse()
    sample.wait_until(lambda: "Traceback" in sample.log() or "will try again" in sample.log(), what="a line about it")
    resolves.touch()
    if outage == "refused":
        proxy.listen()
    sample.put("sample.work", "after")
    sample.wait_until(lambda: sample.lines("end") == ["after"], what="the task", timeout_s=6)


@pytest.mark.parametrize("kind", ["headers", "half"])
@repaired
def test_stock_worker_outlives_an_answer_that_cannot_be_read(make_sample, proxy, kind):
    sample = make_sample(stock=True, wait_time_seconds=1)
    sample.start(endpoint=proxy.url)
    proxy.spoil("ReceiveMessage", kind)
    sample.wait_until(lambda: proxy.spoilt("ReceiveMessage") == 1, what="the fault")
    sample.put("sample.work", kind)
    sample.wait_until(lambda: kind in sample.lines("end"), what="the task", timeout_s=5)


@with_and_without
def test_message_that_goes_back_does_not_end_the_worker_when_sqs_denies_it(make_sample, proxy, stock):
    sample = make_sample(stock=stock)
    sample.start(endpoint=proxy.url)
    for call in ("ChangeMessageVisibility", "ChangeMessageVisibilityBatch"):
        proxy.spoil(call, "denied", times=9)
    sample.put("sample.requeue", "back")
    sample.wait_until(lambda: sample.lines("start") == ["back"], what="the task")
    sample.put("sample.work", "after")
    sample.wait_until(lambda: sample.lines("end") == ["after"], what="the next task", timeout_s=4)


@with_and_without
def test_message_that_was_moved_from_another_queue_is_deleted(make_sample, stock):
    sample = make_sample(stock=stock)
    sample.start()
    sample.put_raw(envelope("sample.work", ["moved"], "a-queue-elsewhere"))
    sample.wait_until(lambda: sample.lines("end") == ["moved"], what="the task")
    sample.wait_until(sample.is_empty, what="its delete", timeout_s=3)
    sample.put("sample.work", "after")
    sample.wait_until(lambda: "after" in sample.lines("end"), what="the next task", timeout_s=3)


@with_and_without
def test_contents_of_messages_that_no_task_can_run_are_not_logged(make_sample, stock):
    sample = make_sample(stock=stock)
    sample.start()
    sample.put("sample.unknown", "s3cret")
    sample.put("sample.work", "too", "many", "s3cret")
    sample.put_raw('{"properties": {}, "body": "s3cret{", "content-type": "application/json", "headers": {}}')
    sample.put("sample.work", "after")
    sample.wait_until(lambda: sample.lines("end") == ["after"], what="the task after them")
    assert "s3cret" not in sample.log()


@with_and_without
def test_no_queue_of_twelve_waits_for_another_ones_poll(make_sample, stock):
    sample = make_sample(lanes=12, stock=stock, wait_time_seconds=5)
    sample.start(grace_s=0.1)
    for n in range(3):  # kombu has ten handles: a lane whose poll has ended stands behind two others
        sample.put("sample.work", f"t{n}")
        sample.wait_until(lambda n=n: f"t{n}" in sample.lines("start"), what=f"task {n}", timeout_s=2)


@with_and_without
def test_what_waits_in_memory_is_visible_at_once_when_the_worker_stops(make_sample, stock):
    sample = make_sample(lanes=2, stock=stock)
    worker = sample.start(concurrency=1)
    sign = sample.folder / "sign"
    sample.put("sample.hold", "runs", str(sign))
    sample.wait_until(lambda: sample.lines("start") == ["runs"], what="a running task")
    waits = sample.urls[sample.lanes[1]]
    sample.put("sample.work", "waits", lane=sample.lanes[1])
    sample.wait_until(lambda: sample.depth(waits) == (0, 1), what="its message in memory")
    os.kill(worker.pid, signal.SIGTERM)
    try:  # the other task runs on
        sample.wait_until(lambda: sample.depth(waits) == (1, 0), what="the message", timeout_s=2)
    finally:
        sign.touch()
    wait_until(lambda: worker.exit_status is not None, what="the worker's end", timeout_s=20)
    assert sample.depth(waits) == (1, 0)
    assert sample.lines("end") == ["runs"]


@with_and_without
@pytest.mark.parametrize("kind", ["403", "dead"])
def test_send_is_tried_again(make_sample, proxy, stock, kind):
    sample = make_sample(stock=stock, **BRISK)
    proxy.spoil("SendMessage", kind)
    sample.send('work.delay("t")', endpoint=proxy.url, timeout_s=5 if stock else 30)
    assert sample.depth(sample.urls[sample.lane]) == (1, 0)


@with_and_without
def test_producer_asks_for_no_queues_size(make_sample, proxy, stock):
    sample = make_sample(stock=stock)
    sample.send('work.delay("t")', endpoint=proxy.url)
    assert proxy.seen["SendMessage", "ok"] == 1
    assert proxy.seen["GetQueueAttributes", "ok"] == 0


@pytest.mark.parametrize(
    "transport",
    [
        pytest.param("scanner_tasks.sqs.transport:Transport", id="repaired"),
        pytest.param("kombu.transport.SQS:Transport", id="stock", marks=repaired),
    ],
)
def test_queues_share_a_client(transport):
    queues = {name: {"url": f"http://127.0.0.1:1/0/{name}"} for name in "ab"}
    options = {"predefined_queues": queues, "region": "us-east-1"}
    with Connection("sqs://key:secret@", transport=transport, transport_options=options) as connection:
        channel = connection.default_channel
        assert channel.sqs("a") is channel.sqs("b")


@pytest.mark.parametrize(
    "dispatcher",
    [pytest.param(DiscreetDispatcher, id="repaired"), pytest.param(EventDispatcher, id="stock", marks=repaired)],
)
def test_event_of_a_failed_task_has_no_text_of_its_exception(dispatcher):
    sent = []
    app = Celery()
    app.conf.broker_transport_options = {"hide_exception_text": True}
    one = dispatcher(app=app, enabled=False)
    one.enabled, one._publish = True, lambda event, *_, **__: sent.append(str(event))
    one.send(
        "task-failed",
        uuid="1",
        exception="KeyError('s3cret')",
        traceback="Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError: 's3cret'",
    )
    sent += map(str, one._group_buffer["task"])  # kept for a batch of events
    assert len(sent) == 1
    assert "KeyError" in sent[0]
    assert "s3cret" not in sent[0]


@with_and_without
def test_worker_answers_a_ping(make_sample, stock):
    sample = make_sample(stock=stock, events=True, control_prefix=f"ctl{uuid.uuid4().hex[:6]}-", supports_fanout=True)
    sample.start(grace_s=0.1)
    sample.send('assert app.control.ping(["w0@test"], timeout=3) == [{"w0@test": {"ok": "pong"}}]', timeout_s=20)


@pytest.mark.parametrize("stock", [pytest.param(False, id="repaired"), pytest.param(True, id="stock", marks=repaired)])
def test_flower_shows_the_queues_depths_and_promises_nothing_that_it_cannot_do(make_sample, start_flower, stock):
    sample = make_sample(events=True)
    start_flower(sample, stock=stock)
    broker, revoke = sample.ask("/broker"), sample.ask("/api/task/revoke/some-id", "POST")
    assert (broker[0], revoke[0]) == (200, 403)

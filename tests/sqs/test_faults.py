"""SQS answers badly: the worker lives, says so in one line, and runs the next task."""

import itertools

import pytest

from tests.sqs.samples import repaired, with_and_without


@pytest.mark.parametrize("kind", ["503", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("400", "dead"))])
@repaired  # a 5xx or 4xx ends the worker, a dead socket stalls it
def test_stock_worker_outlives_a_fault_on_receive(make_sample, proxy, kind):
    sample = make_sample(wait_time_seconds=1, stock=True)
    sample.start(endpoint=proxy.url)
    proxy.spoil("ReceiveMessage", kind)
    sample.wait_until(lambda: proxy.spoilt("ReceiveMessage") == 1, what="the fault")
    sample.put("sample.work", kind)
    sample.wait_until(lambda: kind in sample.lines("end"), what="the task", timeout_s=5)


def test_polls_back_off_while_sqs_is_away_and_return_when_it_is_back(make_sample, proxy):
    sample = make_sample(wait_time_seconds=1)
    sample.start(endpoint=proxy.url)
    proxy.spoil("ReceiveMessage", "503", times=4)
    sample.wait_until(lambda: proxy.spoilt("ReceiveMessage") == 4, what="four faults")
    spoilt = [at for at, op, how in proxy.in_order if op == "ReceiveMessage" and how != "ok"]
    # 0.2 s doubles: pauses of at least 0.2, 0.4 and 0.8 s.
    assert all(later - earlier > 0.15 * 2**n for n, (earlier, later) in enumerate(itertools.pairwise(spoilt)))
    sample.put("sample.work", "after")
    sample.wait_until(lambda: sample.lines("end") == ["after"], what="the task", timeout_s=15)


@with_and_without
def test_worker_goes_on_while_a_delete_hangs(make_sample, proxy, stock):
    sample = make_sample(visibility_s=20, stock=stock)
    sample.start(endpoint=proxy.url)
    call = "DeleteMessage" if stock else "DeleteMessageBatch"
    proxy.spoil(call, "dead")
    sample.put("sample.work", "first")
    sample.wait_until(lambda: proxy.spoilt(call) == 1, what="a delete that hangs")
    sample.put("sample.work", "second")
    # The hanging call is given up after five seconds; the second task does not wait for that.
    sample.wait_until(lambda: "second" in sample.lines("end"), what="the second task", timeout_s=3)
    sample.wait_until(sample.is_empty, what="both deletes")


@with_and_without
def test_delete_that_is_denied_does_not_end_the_worker(make_sample, proxy, stock):
    sample = make_sample(stock=stock)
    sample.start(endpoint=proxy.url)
    for operation in ("DeleteMessageBatch", "DeleteMessage"):
        proxy.spoil(operation, "denied", times=9)
    sample.put("sample.work", "first")
    sample.wait_until(lambda: proxy.spoilt("DeleteMessage") + proxy.spoilt("DeleteMessageBatch") > 0, what="a delete")
    sample.put("sample.work", "second")
    sample.wait_until(lambda: "second" in sample.lines("end"), what="the second task", timeout_s=8)


@with_and_without
@pytest.mark.parametrize("kind", ["half", "503"])
def test_worker_starts_although_a_queues_attributes_cannot_be_read_at_first(make_sample, proxy, stock, kind):
    sample = make_sample(stock=stock)
    proxy.spoil("GetQueueAttributes", kind, times=5 if kind == "503" else 2)  # boto3's own retries take four 503
    sample.start(endpoint=proxy.url)
    sample.put("sample.work", "first")
    sample.wait_until(lambda: sample.lines("end") == ["first"], what="the task", timeout_s=10)


@with_and_without
def test_message_that_breaks_the_envelope_neither_ends_the_worker_nor_takes_its_neighbours_along(make_sample, stock):
    sample = make_sample(stock=stock, visibility_s=2)
    garbage = [
        '{"properties": 5}',
        '{"properties": {"delivery_info": null}, "body": "x"}',
        '{"properties": {"body_encoding": "base64"}, "body": "!"}',
        '{"properties": {}, "headers": {"task": "sample.work"}, "body": "x"}',
        '{"properties": {}, "headers": 7, "body": "x"}',
    ]
    for body in garbage:
        sample.put_raw(body)
    sample.put("sample.work", "neighbour")
    sample.start()
    sample.wait_until(lambda: "neighbour" in sample.lines("end"), what="the neighbour", timeout_s=15)
    sample.wait_until(lambda: sample.depth(sample.dlq_url)[0] == len(garbage), what="the garbage in the DLQ")
    assert sample.lines("start") == ["neighbour"]

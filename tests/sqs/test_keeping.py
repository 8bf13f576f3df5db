"""What runs keeps its message; what is not run goes back; what fails is redriven by SQS."""

import os
import signal
import time

import pytest

from tests.sqs.samples import repaired, with_and_slowly_without


@with_and_slowly_without
def test_tasks_longer_than_the_visibility_timeout_run_exactly_once(make_sample, stock):
    sample = make_sample(visibility_s=2, stock=stock, wait_time_seconds=1)
    sample.start(concurrency=8, grace_s=0.1)
    sign = sample.folder / "sign"
    for n in range(4):
        sample.put("sample.hold", f"t{n}", str(sign))
    sample.wait_until(lambda: len(sample.lines("start")) >= 4, what="4 running tasks")
    if stock:  # it is free, and asks: that the messages come again is a matter of time only
        sample.wait_until(lambda: len(sample.lines("start")) > 4, what="a second delivery", timeout_s=60)
    else:
        sample.start(concurrency=8, grace_s=0.1)  # an idle worker would take what becomes visible
        began = time.monotonic()
        sample.wait_until(lambda: time.monotonic() - began > 6, what="three visibility timeouts")
    sign.touch()
    sample.wait_until(lambda: len(set(sample.lines("end"))) == 4, what="4 long tasks")
    assert sorted(sample.lines("start")) == ["t0", "t1", "t2", "t3"]
    sample.wait_until(sample.is_empty, what="an empty lane", timeout_s=10)
    assert sample.depth(sample.dlq_url) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("stops", [False, True], ids=["to the end", "while the worker stops"])
def test_twelve_tasks_of_14_s_with_4_s_visibility_run_exactly_once(make_sample, stops):
    sample = make_sample(visibility_s=4)
    worker = sample.start(concurrency=12, grace_s=60)
    for n in range(12):
        sample.put("sample.work", f"t{n}", 14)
    sample.wait_until(lambda: len(sample.lines("start")) == 12, what="12 running tasks")
    if stops:
        os.kill(worker.pid, signal.SIGTERM)
        _wait_for_end(worker, timeout_s=30)
        assert worker.exit_status == 0
    else:
        sample.wait_until(lambda: len(sample.lines("end")) == 12, what="12 long tasks")
        sample.wait_until(sample.is_empty, what="an empty lane")
    names = sorted(f"t{n}" for n in range(12))
    assert sorted(sample.lines("start")) == sorted(sample.lines("end")) == names
    assert sample.is_empty()
    assert sample.depth(sample.dlq_url) == (0, 0)


def test_a_task_that_hangs_is_given_back_after_the_cap(make_sample):
    sample = make_sample(visibility_s=1, visibility_cap_s=2)
    worker = sample.start(concurrency=4, grace_s=0.1)
    sample.put("sample.work", "hangs", 60)
    sample.wait_until(lambda: sample.lines("start").count("hangs") == 2, what="a second delivery", timeout_s=15)
    assert "is held for over 2 s: no longer extended" in sample.log(worker)


def test_stop_finishes_what_runs_and_gives_the_rest_back_at_once(make_sample):
    sample = make_sample(visibility_s=3)
    worker = sample.start(concurrency=2)
    for n in range(2):
        sample.put("sample.work", f"runs{n}", 5)
    sample.wait_until(lambda: len(sample.lines("start")) == 2, what="two running tasks")
    os.kill(worker.pid, signal.SIGTERM)
    sample.wait_until(lambda: "SQS polls ended" in sample.log(worker), what="the polls' end")
    sample.put("sample.work", "late")
    _wait_for_end(worker)
    assert worker.exit_status == 0
    assert sorted(sample.lines("end")) == ["runs0", "runs1"]  # each once, though the stop lasted over the timeout
    assert sample.lines("start") == sample.lines("start")[:2]
    # What came during the stop waits for another worker, visible and never received.
    assert sample.depth(sample.urls[sample.lane]) == (1, 0)
    assert _receive_count(sample, sample.urls[sample.lane]) == 1
    assert sample.depth(sample.dlq_url) == (0, 0)


@with_and_slowly_without
def test_message_sent_while_a_worker_stops_is_not_swallowed_by_its_open_poll(make_sample, stock):
    sample = make_sample(lanes=2, visibility_s=30, stock=stock, wait_time_seconds=3)
    first = sample.start(concurrency=2, loglevel="DEBUG")
    sample.put("sample.work", "runs", 4)
    sample.wait_until(lambda: sample.lines("start") == ["runs"], what="a running task")
    os.kill(first.pid, signal.SIGTERM)
    stopped = "Canceling task consumer" if stock else "SQS polls are ending"
    sample.wait_until(lambda: stopped in sample.log(first), what="the stop")
    sample.put("sample.work", "late", lane=sample.lanes[1])
    _wait_for_end(first)
    assert sample.depth(sample.urls[sample.lanes[1]]) == (1, 0)


def test_task_that_gives_back_is_begun_in_a_stopping_worker_and_loses_no_receive(make_sample):
    sample = make_sample(lanes=3, wait_time_seconds=2)
    worker = sample.start(concurrency=1)
    sign = sample.folder / "sign"
    sample.put("sample.hold", "runs", str(sign))
    sample.wait_until(lambda: sample.lines("start") == ["runs"], what="a running task")
    waits, late, other = (sample.urls[lane] for lane in (sample.lanes[1], sample.lanes[2], sample.lanes[0]))
    sample.put("sample.return", "waits", lane=sample.lanes[1])
    sample.wait_until(lambda: sample.depth(waits) == (0, 1), what="its message in memory")
    os.kill(worker.pid, signal.SIGTERM)
    sample.wait_until(lambda: "SQS polls are ending: 1 open" in sample.log(worker), what="the stop")
    sample.put("sample.return", "late", lane=sample.lanes[2])
    sample.wait_until(lambda: sorted(sample.lines("start")) == ["late", "runs", "waits"], what="both")
    sample.wait_until(lambda: sample.depth(waits) == sample.depth(late) == (0, 0), what="their deletes")
    assert sample.depth(other) == (0, 1)
    sign.touch()
    _wait_for_end(worker)
    assert worker.exit_status == 0
    assert sample.lines("end") == ["runs"]


def test_killed_worker_loses_nothing(make_sample):
    sample = make_sample(visibility_s=2)
    first = sample.start(concurrency=2)
    sample.put("sample.work", "survives", 1)
    sample.wait_until(lambda: sample.lines("start") == ["survives"], what="a running task")
    os.kill(first.pid, signal.SIGKILL)
    _wait_for_end(first)
    sample.start(concurrency=2)
    sample.wait_until(lambda: sample.lines("end") == ["survives"], what="the task on another worker", timeout_s=15)


def test_everything_that_fails_reaches_the_dlq_after_three_receives(make_sample):
    sample = make_sample(visibility_s=1)
    worker = sample.start()
    sample.put("sample.fail", "fails")
    sample.put("sample.unknown", "s3cret-argument")
    sample.put("sample.work", "too", "many", "s3cret-argument")
    for body in (
        "not JSON s3cret-body",
        '{"Records": [{"eventSource": "aws:s3", "key": "s3cret-key"}]}',
        '{"properties": {}, "body": "s3cret-pickle", "content-type": "application/x-python-serialize", "headers": {}}',
        '{"properties": {}, "body": "s3cret{", "content-type": "application/json", "headers": {}}',
    ):
        sample.put_raw(body)
    sample.wait_until(lambda: sample.depth(sample.dlq_url)[0] == 7, what="seven dead letters", timeout_s=25)
    assert sample.lines("start") == ["fails"] * 3
    assert sample.is_empty()
    assert "s3cret" not in sample.log(worker)
    assert {_receives(message) for message in _take(sample, sample.dlq_url)} <= {1, 4}


@pytest.mark.slow
@repaired  # Celery acknowledges what it cannot decode
def test_stock_worker_keeps_what_it_cannot_decode(make_sample):
    sample = make_sample(visibility_s=1, stock=True)
    sample.start()
    sample.put_raw('{"properties": {}, "body": "{", "content-type": "application/json", "headers": {}}')
    sample.wait_until(lambda: sample.depth(sample.dlq_url)[0] == 1, what="a dead letter", timeout_s=6)


@with_and_slowly_without
def test_worker_refuses_a_queue_that_would_lose_its_failed_tasks(make_sample, stock):
    sample = make_sample(lanes=2, redrive=False, stock=stock)
    worker = sample.start(wait=False)
    _wait_for_end(worker, timeout_s=4)
    assert worker.exit_status == 78
    for lane in sample.lanes:
        assert f"SQS queue {lane} has no RedrivePolicy" in sample.log(worker)
    assert "Traceback" not in sample.log(worker)


def test_worker_that_was_told_so_consumes_from_a_queue_without_redrive_policy(make_sample):
    sample = make_sample(redrive=False, require_redrive_policy=False)
    sample.start()
    sample.put("sample.fail", "fails")
    sample.wait_until(lambda: sample.lines("start") == ["fails"], what="the task")
    sample.wait_until(sample.is_empty, what="the deleted message")


def _wait_for_end(worker, timeout_s=20):
    from scanner_tasks.local.ports import wait_until  # noqa: PLC0415

    wait_until(lambda: worker.exit_status is not None, what="the worker's end", timeout_s=timeout_s)


def _take(sample, url):
    answer = sample.client.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["ApproximateReceiveCount"]
    )
    return answer.get("Messages", [])


def _receives(message):
    return int(message["Attributes"]["ApproximateReceiveCount"])


def _receive_count(sample, url):
    return _receives(_take(sample, url)[0])

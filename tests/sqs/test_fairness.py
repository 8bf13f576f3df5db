"""No lane waits behind another."""

import time

from tests.sqs.samples import BATCH_OF, envelope


def test_message_on_any_of_nine_idle_lanes_starts_within_a_second(make_sample):
    sample = make_sample(lanes=9, wait_time_seconds=20)
    sample.start(concurrency=20)
    for lane in sample.lanes[::-2]:
        sample.put("sample.work", lane, lane=lane)
        sent = time.monotonic()
        sample.wait_until(lambda lane=lane: lane in sample.lines("start"), what=f"the task of {lane}", timeout_s=5)
        assert time.monotonic() - sent < 1


def test_bucket_that_comes_later_is_done_long_before_the_one_that_fills_its_lane(make_sample):
    sample = make_sample(lanes=8, visibility_s=60)
    busy, quiet = sample.lanes[2], sample.lanes[6]
    sample.send(BATCH_OF.format(lane=busy, count=500))
    sample.start(concurrency=20)
    sample.wait_until(lambda: len(sample.lines("end")) >= 40, what="a busy worker")
    arrived = len(sample.lines("end"))
    for ten in range(5):
        bodies = [envelope("sample.work", (f"{quiet}/{ten}{n}", 0.02), quiet) for n in range(10)]
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
        sample.client.send_message_batch(QueueUrl=sample.urls[quiet], Entries=entries)
    sample.wait_until(lambda: sum(name.startswith(quiet) for name in sample.lines("end")) == 50, what="the 50 tasks")
    ended = sample.lines("end")[arrived:]
    last = max(n for n, name in enumerate(ended) if name.startswith(quiet))
    between = sum(name.startswith(busy) for name in ended[:last])
    assert between <= 150, f"{between} tasks of the busy lane before the last of the other's"

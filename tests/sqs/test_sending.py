"""Publishing in batches, message groups, and events through one queue."""

import time

import pytest

from scanner_tasks.sqs.sending import MAX_REQUEST_BYTES, BatchRefused, PublishBatch
from tests.sqs.samples import with_and_slowly_without, with_and_without

BATCH = """
with app.producer_or_acquire() as producer, producer.batch():
    for n in range(45):
        work.apply_async((f"t{n}",), producer=producer, MessageGroupId="group-7")
"""


@with_and_without
def test_producer_batch_sends_ten_messages_in_a_request_with_their_group(make_sample, proxy, stock):
    sample = make_sample(stock=stock)
    sample.send(BATCH, endpoint=proxy.url)
    assert proxy.seen["SendMessageBatch", "ok"] == 5
    assert proxy.seen["SendMessage", "ok"] == 0
    assert _group_of_one(sample, sample.urls[sample.lane]) == "group-7"
    assert sample.depth(sample.urls[sample.lane]) == (44, 1)


def test_messages_of_a_batch_are_ordinary_tasks(make_sample):
    sample = make_sample()
    sample.send(BATCH)
    sample.start()
    sample.wait_until(lambda: len(sample.lines("end")) == 45, what="45 tasks")
    assert sorted(sample.lines("end")) == sorted(f"t{n}" for n in range(45))


def test_batch_outlives_faults_and_loses_nothing(make_sample, proxy):
    sample = make_sample()
    proxy.spoil("SendMessageBatch", "503", times=2)
    proxy.spoil("SendMessageBatch", "garbled")
    sample.send(BATCH, endpoint=proxy.url)
    visible, _ = sample.depth(sample.urls[sample.lane])
    assert visible == 45


@with_and_without
def test_send_whose_answer_is_garbled_is_not_taken_for_done(make_sample, proxy, stock):
    sample = make_sample(stock=stock)
    proxy.spoil("SendMessage", "garbled")  # the emulator has not seen it
    sample.send('work.delay("t")', endpoint=proxy.url)
    assert sample.depth(sample.urls[sample.lane]) == (1, 0)


def test_batch_that_fails_half_way_sends_nothing_of_what_it_keeps(make_sample, proxy):
    sample = make_sample()
    sample.send(
        """
        try:
            with app.producer_or_acquire() as producer, producer.batch():
                work.apply_async(("t",), producer=producer)
                1 / 0
        except ZeroDivisionError:
            pass
        """,
        endpoint=proxy.url,
    )
    assert sample.depth(sample.urls[sample.lane]) == (0, 0)


@with_and_slowly_without
def test_message_group_survives_a_retry_of_the_task(make_sample, stock):
    sample = make_sample(lanes=2, stock=stock)
    sample.send('again.apply_async(("t",), MessageGroupId="group-7")')
    sample.start(queues=[sample.lane])
    retried = sample.urls[sample.lanes[1]]
    sample.wait_until(lambda: sample.depth(retried) == (1, 0), what="the retry")
    assert _group_of_one(sample, retried) == "group-7"


def _group_of_one(sample, url):
    answer = sample.client.receive_message(QueueUrl=url, MessageSystemAttributeNames=["MessageGroupId"])
    return answer["Messages"][0].get("Attributes", {}).get("MessageGroupId")


class Client:
    """SendMessageBatch with scripted answers."""

    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []

    def send_message_batch(self, QueueUrl, Entries):  # noqa: N803
        self.requests.append([entry["MessageBody"] for entry in Entries])
        fail = self.answers.pop(0) if self.answers else {}
        return {
            "Successful": [{"Id": e["Id"]} for e in Entries if e["MessageBody"] not in fail],
            "Failed": [
                {"Id": e["Id"], "Code": "X", "SenderFault": fail[e["MessageBody"]]}
                for e in Entries
                if e["MessageBody"] in fail
            ],
        }


def _batch(client, *bodies):
    batch = PublishBatch(None, 1000)
    for body in bodies:
        batch.send_message(client=client, entry={"QueueUrl": "q", "MessageBody": body})
    return batch


def test_only_the_failed_messages_of_a_request_are_sent_again():
    client = Client({"b": False}, {"b": False})
    _batch(client, "a", "b", "c").flush()
    assert client.requests == [["a", "b", "c"], ["b"], ["b"]]


def test_message_that_sqs_refuses_is_an_error():
    with pytest.raises(BatchRefused, match="refused 1 message"):
        _batch(Client({"b": True}), "a", "b").flush()


def test_requests_keep_the_limits_of_count_and_size():
    client = Client()
    _batch(client, *["x" * (MAX_REQUEST_BYTES // 3)] * 7).flush()
    assert sorted(len(request) for request in client.requests) == [1, 3, 3]


@with_and_slowly_without
def test_events_reach_a_receiver_through_one_queue_and_nothing_creates_another(make_sample, proxy, stock):
    sample = make_sample(events=True, stock=stock)
    sample.start(endpoint=proxy.url)
    sample.put("sample.work", "t")
    sample.put("sample.fail", "f")
    sample.send(
        """
        from celery.events import EventReceiver
        wanted = {"worker-heartbeat", "task-received", "task-started", "task-succeeded", "task-failed"}
        def seen(event):
            wanted.discard(event["type"])
            note("event", event["type"])
            receiver.should_stop = not wanted
        with app.connection() as connection:
            receiver = EventReceiver(connection, handlers={"*": seen}, app=app)
            receiver.capture(limit=None, timeout=8)
        """,
        endpoint=proxy.url,
    )
    assert {"worker-heartbeat", "task-received", "task-succeeded", "task-failed"} <= set(sample.lines("event"))
    assert proxy.seen["CreateQueue", "ok"] == 0


@pytest.mark.parametrize("kind", ["503", "dead", "garbled"])
def test_events_that_cannot_be_sent_cost_the_worker_nothing(make_sample, proxy, kind):
    sample = make_sample(events=True)
    worker = sample.start(endpoint=proxy.url)
    proxy.spoil("SendMessage", kind, times=50)
    began = time.monotonic()
    for n in range(5):
        sample.put("sample.work", f"t{n}")
    sample.wait_until(lambda: len(sample.lines("end")) == 5, what="5 tasks", timeout_s=20)
    sample.wait_until(sample.is_empty, what="an empty lane")
    assert time.monotonic() - began < 20
    assert worker.exit_status is None

"""Sending in batches: what a call holds, what is sent again, what is given up."""

from __future__ import annotations

import threading

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner_tasks.aws.faults import Backoff
from scanner_tasks.aws.queues import BYTES_PER_CALL, Queues
from scanner_tasks.core.errors import Denied, Unavailable
from scanner_tasks.core.ports import Depth, OutgoingMessage
from tests.sqs.faults import FaultProxy

URL = "https://sqs.example/1/"


class Sqs:
    """A client that records calls; ``answer`` decides on each entry: None takes it, else (code, sender_fault)."""

    def __init__(self, answer=lambda _body: None, fail=lambda _call: None):
        self.calls = []
        self.answer = answer
        self.fail = fail
        self.lock = threading.Lock()

    def send_message_batch(self, **call):
        with self.lock:
            self.calls.append(call)
            error = self.fail(len(self.calls))
        if error:
            raise error
        taken, failed = [], []
        for entry in call["Entries"]:
            wrong = self.answer(entry["MessageBody"])
            if wrong is None:
                taken.append({"Id": entry["Id"]})
            elif wrong != "lost":
                failed.append({"Id": entry["Id"], "Code": wrong[0], "SenderFault": wrong[1]})
        return {"Successful": taken, "Failed": failed}

    def sent(self):
        return [entry["MessageBody"] for call in self.calls for entry in call["Entries"]]


def client_error(code, status=400):
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "SendMessageBatch")


@pytest.fixture
def slept():
    return []


@pytest.fixture
def send(slept):
    def send(sqs, bodies, group="bucket"):
        backoff = Backoff(attempts=3, sleep=slept.append, chance=lambda: 1.0)
        return Queues(sqs, URL, backoff=backoff).send("scan-0", [OutgoingMessage(b, group) for b in bodies])

    return send


@settings(deadline=None)
@given(sizes=st.lists(st.integers(0, 300_000) | st.integers(0, 3000), max_size=60))
def test_every_message_travels_once_in_calls_that_sqs_takes(sizes):
    sqs = Sqs()
    messages = [OutgoingMessage(f"{n}:" + "x" * size, "g") for n, size in enumerate(sizes)]
    assert Queues(sqs, URL).send("scan-0", messages) == []
    assert sorted(sqs.sent()) == sorted(m.body for m in messages)
    for call in sqs.calls:
        entries = call["Entries"]
        assert call["QueueUrl"] == URL + "scan-0"
        assert len(entries) <= 10
        assert len({e["Id"] for e in entries}) == len(entries)
        assert {e["MessageGroupId"] for e in entries} == {"g"}
        assert len(entries) == 1 or sum(len(e["MessageBody"]) + 1 for e in entries) <= BYTES_PER_CALL


def test_bytes_are_counted_not_characters(send):
    sqs = Sqs()
    send(sqs, ["é" * 100_000] * 3)
    assert [len(c["Entries"]) for c in sqs.calls] == [1, 1, 1]


def test_twenty_calls_are_under_way_at_the_same_time(send):
    together = threading.Barrier(20, timeout=20)

    def answer(body):
        if body.endswith("0"):
            together.wait()

    sqs = Sqs(answer)
    assert send(sqs, [str(n) for n in range(200)]) == []
    assert len(sqs.calls) == 20


def test_entries_given_back_are_sent_again_alone(send, slept):
    refused = {"3": [("InternalError", False), ("InternalError", False)], "5": [("RequestThrottled", True)]}
    sqs = Sqs(answer=lambda body: refused.get(body, []).pop() if refused.get(body) else None)
    assert send(sqs, [str(n) for n in range(8)]) == []
    assert [[e["MessageBody"] for e in c["Entries"]] for c in sqs.calls[1:]] == [["3", "5"], ["3"]]
    assert slept == [0.1, 0.1]


def test_an_entry_missing_from_the_answer_is_sent_again(send):
    answers = iter(["lost", None])
    sqs = Sqs(answer=lambda _body: next(answers))
    assert send(sqs, ["a"]) == []
    assert sqs.sent() == ["a", "a"]


def test_a_wrong_entry_is_given_up_at_once_and_the_others_are_sent(send, slept):
    sqs = Sqs(answer=lambda body: ("InvalidMessageContents", True) if body == "bad" else None)
    assert send(sqs, ["a", "bad", "b"]) == [1]
    assert len(sqs.calls) == 1
    assert slept == []


def test_what_never_goes_is_named_after_the_tries(send, slept):
    sqs = Sqs(answer=lambda body: ("InternalError", False) if body == "stuck" else None)
    assert send(sqs, ["a", "stuck"]) == [1]
    assert sqs.sent().count("stuck") == 3
    assert slept == [0.1, 0.2]


@pytest.mark.parametrize(
    "error",
    [client_error("InternalFailure", 500), client_error("Throttling"), EndpointConnectionError(endpoint_url=URL)],
)
def test_a_call_that_fails_for_a_passing_reason_is_repeated(send, slept, error):
    sqs = Sqs(fail=lambda call: error if call == 1 else None)
    assert send(sqs, ["a", "b"]) == []
    assert sqs.sent() == ["a", "b", "a", "b"]
    assert len(slept) == 1


def test_a_service_that_stays_down_leaves_every_message_unsent(send):
    sqs = Sqs(fail=lambda _call: client_error("ServiceUnavailable", 503))
    assert send(sqs, [str(n) for n in range(25)]) == list(range(25))
    assert len(sqs.calls) == 3 * 3


def test_a_missing_permission_is_named(send):
    with pytest.raises(Denied, match="sqs:SendMessage"):
        send(Sqs(fail=lambda _call: client_error("AccessDenied", 403)), ["a"])


def test_a_missing_queue_is_named(send):
    with pytest.raises(Unavailable, match="scan-0 does not exist"):
        send(Sqs(fail=lambda _call: client_error("AWS.SimpleQueueService.NonExistentQueue")), ["a"])


def test_deletions_that_fail_for_a_passing_reason_are_repeated(slept):
    calls = []

    class Deleting:
        def delete_message_batch(self, *, QueueUrl, Entries):  # noqa: N803
            calls.append([e["ReceiptHandle"] for e in Entries])
            if len(calls) > 1:
                return {"Successful": [{"Id": "0"}]}
            failed = [{"Id": "0", "SenderFault": True}, {"Id": "1", "SenderFault": False}]
            return {"Successful": [{"Id": "2"}], "Failed": failed}

    queues = Queues(Deleting(), URL, backoff=Backoff(attempts=3, sleep=slept.append))
    queues.delete("scan-0", ["stale", "slow", "fine"])
    assert calls == [["stale", "slow", "fine"], ["slow"]]


def test_deletions_that_the_answer_does_not_name_are_repeated_and_never_taken_for_done(slept):
    class Truncated:
        """What botocore makes of a 200 whose body is cut short."""

        def delete_message_batch(self, **_call):
            return {"ResponseMetadata": {"HTTPStatusCode": 200}}

    queues = Queues(Truncated(), URL, backoff=Backoff(attempts=3, sleep=slept.append))
    with pytest.raises(Unavailable, match="Could not delete 2 messages"):
        queues.delete("scan-0", ["a", "b"])
    assert len(slept) == 2


@pytest.mark.parametrize("kind", ["garbled", "half", "cut", "truncated", "stall"])
def test_answers_cut_short_count_neither_as_sent_nor_as_deleted(emulator, make, client, unique, kind):
    url = client("sqs").create_queue(QueueName=unique)["QueueUrl"]
    prefix = url.removesuffix(unique)
    proxy = FaultProxy(emulator.port)
    sqs = make("sqs", endpoint_url=proxy.url, read_timeout_s=0.5, attempts=2)
    queues = Queues(sqs, prefix, backoff=Backoff(attempts=4, sleep=lambda _s: None))
    try:
        proxy.spoil("SendMessageBatch", kind)
        assert queues.send(unique, [OutgoingMessage(str(n), "g") for n in range(3)]) == []
        assert proxy.spoilt("SendMessageBatch") == 1
        queued = Queues(client("sqs"), prefix).receive(unique, 20, 30)
        assert {message.body for message in queued} == {"0", "1", "2"}
        proxy.spoil("DeleteMessageBatch", kind)
        queues.delete(unique, [message.receipt for message in queued])
        assert proxy.spoilt("DeleteMessageBatch") == 1
        assert queues.depth(unique) == Depth(visible=0, in_flight=0, delayed=0)
    finally:
        sqs.close()
        proxy.close()

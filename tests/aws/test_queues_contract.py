"""Queues on the emulator and FakeQueues keep the same promises."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from scanner_tasks.aws.queues import Queues
from scanner_tasks.core.ports import Depth, OutgoingMessage
from scanner_tasks.fakes import FakeQueues


def messages(count):
    return [OutgoingMessage(body=f"body {n} é", group=f"bucket-{n % 3}") for n in range(count)]


class QueuesContract:
    """What callers rely on. ``queue`` moves a message to ``dlq`` after three receives."""

    queue: str
    dlq: str

    def test_what_is_sent_is_received_once_each_with_its_group(self):
        before = datetime.now(UTC) - timedelta(seconds=5)
        assert self.queues.send(self.queue, messages(25)) == []
        received = self.queues.receive(self.queue, 100, 30)
        assert sorted((m.body, m.group) for m in received) == sorted((m.body, m.group) for m in messages(25))
        assert len({m.message_id for m in received}) == 25
        assert {m.receive_count for m in received} == {1}
        assert all(before < m.sent_at < datetime.now(UTC) + timedelta(seconds=5) for m in received)

    def test_nothing_to_send_is_no_call(self):
        assert self.queues.send(self.queue, []) == []

    def test_a_limit_holds_and_what_is_in_flight_stays_hidden(self):
        self.queues.send(self.queue, messages(5))
        assert len(self.queues.receive(self.queue, 3, 30)) == 3
        assert self.queues.depth(self.queue) == Depth(visible=2, in_flight=3, delayed=0)
        assert len(self.queues.receive(self.queue, 10, 30)) == 2
        assert self.queues.receive(self.queue, 10, 30) == []

    def test_a_message_that_shows_again_at_once_is_received_once(self):
        self.queues.send(self.queue, messages(2))
        assert sorted(m.body for m in self.queues.receive(self.queue, 100, 0)) == [m.body for m in messages(2)]
        assert self.queues.depth(self.queue).visible == 2
        assert self.queues.receive(self.dlq, 1, 0) == []

    def test_what_is_deleted_is_gone_and_stale_receipts_are_passed_over(self):
        self.queues.send(self.queue, messages(12))
        received = self.queues.receive(self.queue, 12, 30)
        self.queues.delete(self.queue, [m.receipt for m in received])
        self.queues.delete(self.queue, [received[0].receipt])
        self.queues.delete(self.queue, [])
        assert self.queues.depth(self.queue) == Depth(visible=0, in_flight=0, delayed=0)

    def test_a_message_received_three_times_moves_to_the_dead_letters_with_its_age(self):
        self.queues.send(self.queue, messages(1))
        received = [self.queues.receive(self.queue, 1, 0) for _ in range(3)]
        assert [[m.receive_count for m in r] for r in received] == [[1], [2], [3]]
        assert len({m.receipt for (m,) in received}) == 3
        assert self.queues.receive(self.queue, 1, 0) == []
        (dead,) = self.queues.receive(self.dlq, 10, 30)
        ((first,), *_) = received
        assert (dead.message_id, dead.body, dead.group, dead.sent_at) == (
            first.message_id,
            first.body,
            first.group,
            first.sent_at,
        )
        self.queues.delete(self.dlq, [dead.receipt])
        assert self.queues.depth(self.dlq).visible == 0


class TestQueues(QueuesContract):
    @pytest.fixture(autouse=True)
    def _queues(self, client, unique):
        sqs = client("sqs")
        self.queue, self.dlq = unique, f"{unique}-dlq"
        dlq_url = sqs.create_queue(QueueName=self.dlq)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dlq_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = {"deadLetterTargetArn": arn, "maxReceiveCount": "3"}
        sqs.create_queue(QueueName=self.queue, Attributes={"RedrivePolicy": json.dumps(policy)})
        self.queues = Queues(sqs, dlq_url.removesuffix(self.dlq))


class TestFakeQueues(QueuesContract):
    @pytest.fixture(autouse=True)
    def _queues(self):
        self.queue, self.dlq = "scan-0", "scan-dlq"
        self.queues = FakeQueues()


def test_the_fake_shows_a_message_again_when_its_visibility_timeout_has_passed():
    now = 1_000.0
    queues = FakeQueues(clock=lambda: now)
    queues.send("scan-0", messages(1))
    assert len(queues.receive("scan-0", 10, 30)) == 1
    now += 29
    assert queues.receive("scan-0", 10, 30) == []
    now += 1
    (again,) = queues.receive("scan-0", 10, 30)
    assert again.receive_count == 2


def test_a_receipt_of_an_earlier_receive_deletes_nothing_from_the_fake():
    queues = FakeQueues()
    queues.send("scan-0", messages(1))
    (first,) = queues.receive("scan-0", 1, 0)
    queues.receive("scan-0", 1, 0)
    queues.delete("scan-0", [first.receipt])
    assert queues.depth("scan-0").visible == 1


def test_a_failing_fake_sends_nothing_and_says_so():
    queues = FakeQueues()
    queues.failing.add("scan-0")
    assert queues.send("scan-0", messages(2)) == [0, 1]
    assert queues.bodies("scan-0") == []

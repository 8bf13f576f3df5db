"""SQS: batches of pointer messages out; depths, dead letters and deletions back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scanner_tasks.aws.faults import AWS_ERRORS, SLOW_DOWN, Backoff, error_code, is_transient, service_error
from scanner_tasks.core.errors import Denied, Unavailable
from scanner_tasks.core.ports import Depth, OutgoingMessage, ReceivedMessage

__all__ = ["Depth", "OutgoingMessage", "Queues", "ReceivedMessage"]

#: SQS takes 10 messages a call …
ENTRIES_PER_CALL = 10
#: … and 256 KiB (1 MiB in newer Regions); a round number below leaves room for attributes.
BYTES_PER_CALL = 250_000
THREADS = 20


class Queues:
    """Queues by name under one URL prefix.

    Args:
        client: boto3 ``sqs`` client with at least ``threads`` connections in its pool.
        url_prefix: URL of a queue without its name, ending in a slash.
        threads: SendMessageBatch calls at the same time.
        backoff: waits between rounds of sending.
    """

    def __init__(self, client: Any, url_prefix: str, *, threads: int = THREADS, backoff: Backoff | None = None) -> None:
        self._client = client
        self._url_prefix = url_prefix
        self._threads = threads
        self._backoff = backoff or Backoff(attempts=5)

    def send(self, queue: str, messages: Sequence[OutgoingMessage]) -> list[int]:
        """Send all; returns the indexes, ascending, of those that could not be sent (normally none).

        Entries that SQS gives back, and calls that fail for a passing reason, are sent again with backoff; an entry
        that is wrong by itself (``SenderFault``) is given up at once. A call whose answer was lost may have been taken:
        its messages are then sent twice, never lost. Raises Denied, or Unavailable when there is no such queue: some
        messages may have been sent all the same.
        """
        pending = list(range(len(messages)))
        given_up: list[int] = []
        failures = 0
        while pending and failures < self._backoff.attempts:
            results = self._send_round(queue, messages, pending)
            given_up += [i for result in results for i in result.wrong]
            again = sorted(i for result in results for i in result.again)
            failures = failures + 1 if len(again) == len(pending) else 1
            pending = again
            if pending and failures < self._backoff.attempts:
                self._backoff.wait(failures, next((r.error for r in results if r.error), None))
        return sorted(given_up + pending)

    def depth(self, queue: str) -> Depth:
        """How many messages stand in the queue, as SQS's approximate counts say."""
        try:
            answer = self._client.get_queue_attributes(
                QueueUrl=self._url_prefix + queue,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            )
        except AWS_ERRORS as error:
            raise _queue_error(error, queue, "measure", "sqs:GetQueueAttributes") from error
        counts = answer["Attributes"]
        return Depth(
            visible=int(counts["ApproximateNumberOfMessages"]),
            in_flight=int(counts["ApproximateNumberOfMessagesNotVisible"]),
            delayed=int(counts["ApproximateNumberOfMessagesDelayed"]),
        )

    def receive(self, queue: str, limit: int, visibility_timeout_s: int, *, wait_s: int = 1) -> list[ReceivedMessage]:
        """At most ``limit`` messages, each once, until the queue answers with none.

        ``wait_s`` makes each call a long poll: a short one asks a few of SQS's servers only and may find nothing in a
        queue that is not empty.
        """
        found: dict[str, ReceivedMessage] = {}
        while len(found) < limit:
            try:
                answer = self._client.receive_message(
                    QueueUrl=self._url_prefix + queue,
                    MaxNumberOfMessages=min(ENTRIES_PER_CALL, limit - len(found)),
                    VisibilityTimeout=visibility_timeout_s,
                    WaitTimeSeconds=wait_s,
                    MessageSystemAttributeNames=["All"],
                )
            except AWS_ERRORS as error:
                raise _queue_error(error, queue, "receive from", "sqs:ReceiveMessage") from error
            # Stop as well when only known ones come back: with a short visibility timeout they appear again.
            fresh = [m for m in map(_received, answer.get("Messages", ())) if m.message_id not in found]
            if not fresh:
                break
            found.update((m.message_id, m) for m in fresh)
        return list(found.values())

    def delete(self, queue: str, receipts: Sequence[str]) -> None:
        """Delete what these receipts stand for.

        A receipt that is stale or unknown is passed over: its message comes again. Raises Denied or Unavailable.
        """
        for start in range(0, len(receipts), ENTRIES_PER_CALL):
            left = list(receipts[start : start + ENTRIES_PER_CALL])
            for failures in range(1, self._backoff.attempts + 1):
                left = self._delete_call(queue, left)
                if not left:
                    break
                if failures == self._backoff.attempts:
                    raise Unavailable(f"Could not delete {len(left)} messages from the queue {queue}. Try again later.")
                self._backoff.wait(failures)

    def _send_round(self, queue: str, messages: Sequence[OutgoingMessage], pending: Sequence[int]) -> list[_CallResult]:
        calls = list(_pack(messages, pending))
        if len(calls) == 1:
            return [self._send_call(queue, messages, calls[0])]
        with ThreadPoolExecutor(min(self._threads, len(calls)), thread_name_prefix="send") as pool:
            return list(pool.map(lambda call: self._send_call(queue, messages, call), calls))

    def _send_call(self, queue: str, messages: Sequence[OutgoingMessage], indexes: Sequence[int]) -> _CallResult:
        """One SendMessageBatch."""
        entries = [
            {"Id": str(i), "MessageBody": messages[i].body, "MessageGroupId": messages[i].group} for i in indexes
        ]
        try:
            answer = self._client.send_message_batch(QueueUrl=self._url_prefix + queue, Entries=entries)
        except AWS_ERRORS as error:
            if is_transient(error):
                return _CallResult(again=list(indexes), error=error)
            raise _queue_error(error, queue, "send to", "sqs:SendMessage") from error
        taken = {int(entry["Id"]) for entry in answer.get("Successful", ())}
        wrong = {
            int(entry["Id"])
            for entry in answer.get("Failed", ())
            if entry.get("SenderFault") and entry.get("Code") not in SLOW_DOWN
        }
        again = [i for i in indexes if i not in taken and i not in wrong]
        return _CallResult(wrong=sorted(wrong), again=again)

    def _delete_call(self, queue: str, receipts: Sequence[str]) -> list[str]:
        try:
            answer = self._client.delete_message_batch(
                QueueUrl=self._url_prefix + queue,
                Entries=[{"Id": str(i), "ReceiptHandle": receipt} for i, receipt in enumerate(receipts)],
            )
        except AWS_ERRORS as error:
            raise _queue_error(error, queue, "delete from", "sqs:DeleteMessage") from error
        # Only what SQS names is settled: botocore reads a body cut short as an answer without entries.
        settled = {int(entry["Id"]) for entry in answer.get("Successful", ())}
        settled |= {int(entry["Id"]) for entry in answer.get("Failed", ()) if entry.get("SenderFault")}
        return [receipt for i, receipt in enumerate(receipts) if i not in settled]


@dataclass(frozen=True, kw_only=True)
class _CallResult:
    """What one SendMessageBatch left over."""

    #: Given up: SQS says that the entry itself is wrong.
    wrong: Sequence[int] = ()
    #: To be sent again.
    again: Sequence[int] = ()
    #: Why the whole call failed.
    error: BaseException | None = None


def _pack(messages: Sequence[OutgoingMessage], indexes: Sequence[int]) -> Iterator[list[int]]:
    """Cut indexes, in order, into calls of at most 10 entries and 250,000 bytes; a larger message goes alone."""
    call: list[int] = []
    call_bytes = 0
    for index in indexes:
        size = len(messages[index].body.encode()) + len(messages[index].group.encode())
        if call and (len(call) == ENTRIES_PER_CALL or call_bytes + size > BYTES_PER_CALL):
            yield call
            call, call_bytes = [], 0
        call.append(index)
        call_bytes += size
    if call:
        yield call


def _received(message: dict[str, Any]) -> ReceivedMessage:
    attributes = message.get("Attributes", {})
    return ReceivedMessage(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        group=attributes.get("MessageGroupId"),
        receive_count=int(attributes["ApproximateReceiveCount"]),
        sent_at=datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC),
    )


def _queue_error(error: BaseException, queue: str, verb: str, permission: str) -> Denied | Unavailable:
    if error_code(error) in {"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"}:
        return Unavailable(f"The queue {queue} does not exist: create it, or check the URL prefix of the queues.")
    return service_error(error, doing=f"{verb} the queue {queue}", permission=permission)

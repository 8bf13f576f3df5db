"""Sending: SendMessageBatch behind kombu's ``Producer.batch()``, and the message group that survives a re-send.

    with app.producer_or_acquire() as producer, producer.batch():
        for n in range(1000):
            task.apply_async((n,), producer=producer, MessageGroupId="customer-7")

Celery's own path is taken (signals, routing, serialisers); only the requests are fewer. A request whose answer is lost
may be repeated, so that a message is queued twice: SQS promises at least once.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from kombu.exceptions import OperationalError

from scanner_tasks.sqs import upstream
from scanner_tasks.sqs.resend import ATTEMPTS, PASSING, PatientSender, is_passing, pause_before_next

if TYPE_CHECKING:
    from collections.abc import Iterator

#: kombu does not hand back a received MessageGroupId, so a header carries it through ``Task.retry()`` and redrive.
GROUP_HEADER = "message_group"
MAX_ENTRIES = 10
#: Under the request limit that SQS had for years (256 KiB); the limit is 1 MiB today.
MAX_REQUEST_BYTES = 250_000
THREADS = 20


class BatchRefused(OperationalError):
    """SQS did not take some messages of a batch; the others are queued."""


class PublishBatch:
    """Messages published within ``Producer.batch()``; sent at ``flush``, ten in a request, twenty requests at a time.

    Order is kept within a request only.
    """

    def __init__(self, channel: Sending, max_size: int) -> None:
        self.channel = channel
        self.max_size = max_size
        self._entries: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._clients: dict[str, Any] = {}
        self._size = 0

    def publish(self, message: Any, *, exchange: str, routing_key: str, **_: Any) -> None:
        """Keep one message; at ``max_size`` messages all are sent."""
        with self.channel.standing_in(self):
            self.channel.basic_publish(message, exchange=exchange, routing_key=routing_key)
        if self._size >= self.max_size:
            self.flush()

    def send_message(self, *, client: Any, entry: dict[str, Any]) -> None:
        """The channel's ``SendMessage``, kept for later."""
        url = entry.pop("QueueUrl")
        self._clients[url] = client
        self._entries[url].append({"Id": uuid.uuid4().hex, **entry})
        self._size += 1

    def flush(self) -> None:
        """Send what is kept; BatchRefused when SQS does not take all of it in the end."""
        requests = [
            (self._clients[url], url, entries) for url, all_ in self._entries.items() for entries in _requests(all_)
        ]
        self.discard()
        if len(requests) == 1:
            _send(*requests[0])
        elif requests:
            with ThreadPoolExecutor(min(THREADS, len(requests))) as threads:
                sent = [threads.submit(_send, *request) for request in requests]
            for future in sent:
                future.result()

    def discard(self) -> None:
        """Forget what is kept."""
        self._entries.clear()
        self._size = 0

    def close(self) -> None:
        """Nothing is held open."""


class _StandIn:
    """Takes the place of boto3's client while a batch collects: kombu's ``_put`` builds the request as ever."""

    def __init__(self, batch: PublishBatch, client: Any) -> None:
        self._batch, self._client = batch, client

    def send_message(self, **entry: Any) -> None:
        self._batch.send_message(client=self._client, entry=entry)


class Sending(upstream.Channel):  # type: ignore[misc]
    """What the channel adds to publishing."""

    supports_batch_publish = True
    sending_client: Any  # clients.py's

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._collecting = threading.local()
        super().__init__(*args, **kwargs)

    def create_publish_batch(self, max_size: int) -> PublishBatch:
        """For kombu's ``Producer.batch()``."""
        return PublishBatch(self, max_size)

    @contextlib.contextmanager
    def standing_in(self, batch: PublishBatch) -> Iterator[None]:
        """Within it, this thread's messages go to ``batch``."""
        self._collecting.batch = batch
        try:
            yield
        finally:
            self._collecting.batch = None

    def sqs(self, queue: str | None = None) -> Any:
        """As the parent's; while a message is sent one that ends and tries again, or that collects for a batch."""
        batch = getattr(self._collecting, "batch", None)
        if batch:
            return _StandIn(batch, self.sending_client(queue))
        if getattr(self._collecting, "is_sending", False):
            return PatientSender(self.sending_client(queue))
        return super().sqs(queue)

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> Any:
        carry_group(message)
        self._collecting.is_sending = True
        try:
            return super()._put(queue, message, **kwargs)
        finally:
            self._collecting.is_sending = False


def carry_group(message: dict[str, Any]) -> None:
    """Write the message group into the header, or take it from there.

    Examples:
        >>> message = {"headers": {}, "properties": {"MessageGroupId": "b"}}
        >>> carry_group(message); message["headers"]
        {'message_group': 'b'}
        >>> again = {"headers": {"message_group": "b"}, "properties": {}}
        >>> carry_group(again); again["properties"]
        {'MessageGroupId': 'b'}
    """
    headers, properties = message.get("headers"), message.get("properties")
    if headers is None or properties is None:
        return
    group = properties.get("MessageGroupId")
    if group:
        headers[GROUP_HEADER] = group
    elif headers.get(GROUP_HEADER):
        properties["MessageGroupId"] = headers[GROUP_HEADER]


def _requests(entries: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Entries cut so that each request keeps SQS's limits; a message over them goes alone and SQS says so."""
    request: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        length = len(entry["MessageBody"].encode())
        if request and (len(request) == MAX_ENTRIES or size + length > MAX_REQUEST_BYTES):
            yield request
            request, size = [], 0
        request.append(entry)
        size += length
    if request:
        yield request


def _send(client: Any, url: str, entries: list[dict[str, Any]]) -> None:
    """Send one request, the failed entries of it again."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = client.send_message_batch(QueueUrl=url, Entries=entries)
        except Exception as error:
            if attempt == ATTEMPTS or not is_passing(error):
                raise
            pause_before_next("SendMessageBatch", url, attempt, repr(error))
            continue
        # Only what SQS names as queued is queued: botocore reads a body cut short as an answer without entries.
        queued = {entry["Id"] for entry in answer.get("Successful", [])}
        entries = [entry for entry in entries if entry["Id"] not in queued]
        if not entries:
            return
        failed = answer.get("Failed", [])
        codes = ", ".join(sorted({str(entry.get("Code")) for entry in failed})) or "no answer"
        if any(entry.get("SenderFault") and entry.get("Code") not in PASSING for entry in failed):
            raise BatchRefused(f"SQS refused {len(failed)} message(s) for {url}: {codes}")
        if attempt < ATTEMPTS:
            pause_before_next("SendMessageBatch", url, attempt, codes)
    raise BatchRefused(f"SQS did not accept {len(entries)} message(s) for {url}: {codes}")

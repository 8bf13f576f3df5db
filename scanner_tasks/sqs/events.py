"""Celery's events through one ordinary queue, for Flower: no SNS, no CreateQueue.

Stock kombu loses them: on SQS the ``celeryev`` exchange is a binding table within each process, and a receiver creates
a queue of its own (``celeryev.<uuid>``). With the option ``events_queue`` every process writes to and reads from that
one predefined queue. One reader sees all events; two would share them.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

from botocore.client import Config
from kombu.log import get_logger

from scanner_tasks.sqs import upstream

log = get_logger(__name__)

EXCHANGE = "celeryev"
#: After a failure events are dropped for so long: they are sent from the worker's event loop, and worth less than it.
PAUSE_S = 10.0
AT_ONCE = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})


class EventsQueue(upstream.Channel):  # type: ignore[misc]
    """Maps the events exchange and its receivers' queues to one queue."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._events_paused_until = 0.0
        self._events_boto_client: Any = None
        super().__init__(*args, **kwargs)

    @property
    def events_queue(self) -> str | None:
        """Option ``events_queue``: its name among the predefined queues."""
        name = self.transport_options.get("events_queue")
        return str(name) if name else None

    def canonical_queue_name(self, queue_name: str) -> str:
        """As kombu's, except a receiver's queue."""
        if self.events_queue and (queue_name == self.events_queue or queue_name.startswith(f"{EXCHANGE}.")):
            return self.events_queue
        return str(super().canonical_queue_name(queue_name))

    def _lookup(self, exchange: str, routing_key: str, default: str | None = None) -> Any:
        if self.events_queue and exchange == EXCHANGE:
            return [self.events_queue]
        return super()._lookup(exchange, routing_key, default)

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> Any:
        if not self.events_queue or queue != self.events_queue:
            return super()._put(queue, message, **kwargs)
        if monotonic() < self._events_paused_until:
            return None
        # The worker sends from its event loop: short timeouts, and a failure (any of it) costs events, not the worker.
        try:
            body = upstream.encode_message(upstream.dumps(message))
            self._events_client().send_message(QueueUrl=self._new_queue(queue), MessageBody=body)
        except Exception as error:  # noqa: BLE001
            self._events_paused_until = monotonic() + PAUSE_S
            log.warning("events for Flower dropped for %.0f s: %r", PAUSE_S, error)
        return None

    def _events_client(self) -> Any:
        if self._events_boto_client is None:
            self._events_boto_client = self._new_boto_client(
                "sqs", self.region, self.conninfo.userid, self.conninfo.password, config=AT_ONCE
            )
        return self._events_boto_client

    def _message_to_python(self, message: dict[str, Any], queue_name: str, q_url: str) -> Any:
        # Replaces kombu's, which deletes a no-ack queue's message (an event) at once through the event loop's client;
        # Flower has no event loop. Here the whole receive is deleted in one request, by _messages_to_python.
        payload = self._prepare_json_payload(upstream.bytes_to_str(self._decode_python_message_body(message["Body"])))
        if queue_name not in self._noack_queues:
            return super()._message_to_python(message, queue_name, q_url)
        payload.setdefault("properties", {}).setdefault("delivery_tag", message["ReceiptHandle"])
        return payload

    def _messages_to_python(self, messages: list[dict[str, Any]], queue: str) -> Any:
        if queue in self._noack_queues:
            self._delete_messages(queue, messages)
        return super()._messages_to_python(messages, queue)

    def _delete_messages(self, queue: str, messages: list[dict[str, Any]]) -> None:
        """Delete a receive's messages in one request; a failure only means that they are seen again."""
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
        try:
            self.brief_client(queue).delete_message_batch(QueueUrl=self._new_queue(queue), Entries=entries)
        except Exception as error:  # noqa: BLE001
            log.warning("SQS DeleteMessage of %s failed: %r", queue, error)

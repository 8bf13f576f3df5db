"""Messages that no task can run stay in their queue, for its redrive policy, and are logged without their contents.

Celery 5.7.0 acknowledges, and so loses, a message that it cannot decode (``Consumer.on_decode_error``), and writes the
body of each unknown, invalid or undecodable message into its log.
"""

from __future__ import annotations

from typing import Any

from celery import bootsteps, signals
from kombu.log import get_logger

log = get_logger(__name__)


class KeepStrangers(bootsteps.Step):  # type: ignore[misc]
    """Replaces the consumer's four handlers, before its task handler looks them up."""

    def include_if(self, consumer: Any) -> bool:  # noqa: ARG002
        """Always."""
        return True

    def create(self, consumer: Any) -> None:
        """Called once, when the worker builds its consumer."""
        _Handlers(consumer).put_in_place()


class _Handlers:
    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer

    def put_in_place(self) -> None:
        consumer = self._consumer
        consumer.on_decode_error = lambda message, exc: self._keep(message, "cannot be decoded", exc)
        consumer.on_unknown_message = lambda _body, message: self._keep(message, "is no task", None)
        consumer.on_invalid_task = lambda _body, message, exc: self._keep(message, "is not a valid task", exc)
        consumer.on_unknown_task = self._on_unknown_task

    def _on_unknown_task(self, _body: Any, message: Any, exc: Exception) -> None:
        self._keep(message, "is a task that no module of this worker defines", exc)
        task_id = message.headers.get("id")
        if self._consumer.event_dispatcher and task_id:
            self._consumer.event_dispatcher.send("task-failed", uuid=task_id, exception="NotRegistered()")
        signals.task_unknown.send(
            sender=self._consumer, message=message, exc=exc, name=message.headers.get("task"), id=task_id
        )

    def _keep(self, message: Any, why: str, exc: Exception | None) -> None:
        info = message.delivery_info
        received = info.get("sqs_message", {})
        log.error(
            "SQS message %s of %s %s%s: receive %s, left to the queue's redrive policy",
            received.get("MessageId"),
            info.get("sqs_queue_name") or info.get("routing_key"),
            why,
            f" ({type(exc).__name__})" if exc else "",
            received.get("Attributes", {}).get("ApproximateReceiveCount"),
        )
        message.reject_log_error(log, self._consumer.connection_errors)
        signals.task_rejected.send(sender=self._consumer, message=message, exc=exc)

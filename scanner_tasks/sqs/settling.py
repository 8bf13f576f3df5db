"""Ack, reject and release: each reaches SQS through ``chores.py``, and none raises into the event loop."""

from __future__ import annotations

from typing import Any

from kombu.log import get_logger

from scanner_tasks.sqs import upstream
from scanner_tasks.sqs.chores import Chore, Chores

log = get_logger(__name__)

CLOSE_TIMEOUT_S = 10.0
#: The queue a message came from; ``routing_key`` may still name the one it was first sent to.
RECEIVED_FROM = "sqs_queue_name"


class Settling(upstream.Channel):  # type: ignore[misc]
    """What becomes of a received message."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._chores = Chores()
        super().__init__(*args, **kwargs)

    @property
    def requires_redrive(self) -> bool:
        """Option ``require_redrive_policy``: a rejected message is always left to the queue's redrive policy."""
        return bool(self.transport_options.get("require_redrive_policy", True))

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:  # noqa: FBT001, FBT002
        """Delete the message, soon.

        Replaces kombu's: a blocking DeleteMessage on the event loop that raises AccessDenied through it, and finds the
        client by the routing key, which is wrong for a message that was moved here from a dead letter queue.
        """
        chore = self._chore(delivery_tag)
        if chore and self.hub:
            self._chores.add(chore)
        elif chore:  # without an event loop the caller expects it done
            chore.client.delete_message(QueueUrl=chore.url, ReceiptHandle=chore.receipt)
        upstream.VirtualChannel.basic_ack(self, delivery_tag, multiple)
        self.wake()

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002
        """Leave the message to the redrive policy, or give it back; never raises."""
        try:
            super().basic_reject(delivery_tag, requeue=requeue)
        except Exception as error:  # noqa: BLE001 (e.g. ChangeMessageVisibility of a backoff policy)
            log.warning("SQS message could not be rejected, it returns after its visibility timeout: %r", error)
            self.qos.ack(delivery_tag)  # frees the slot only; kombu would hold it for ever
        self.wake()

    def close(self) -> None:
        """As kombu's, and waits for the chores: acks of tasks that ended during a stop are still sent."""
        was_closed = self.closed
        super().close()
        if not was_closed and not self._chores.close(CLOSE_TIMEOUT_S):
            log.warning("SQS does not answer: what is not deleted returns after its visibility timeout")

    def _chore(self, delivery_tag: str, visibility_s: int | None = None) -> Chore | None:
        try:
            info = self.qos.get(delivery_tag).delivery_info
            receipt, url = info["sqs_message"]["ReceiptHandle"], info["sqs_queue"]
        except KeyError:
            return None
        client = self.brief_client(info.get(RECEIVED_FROM))
        return Chore(client=client, url=url, receipt=receipt, visibility_s=visibility_s)

    def _envelope_payload(self, payload: dict[str, Any], raw_text: str, message: Any, q_url: str) -> Any:
        envelope = super()._envelope_payload(payload, raw_text, message, q_url)
        names = {url: name for name, url in self._queue_cache.items()}
        envelope["properties"]["delivery_info"][RECEIVED_FROM] = names.get(q_url)
        return envelope

    def _delete_rejected_message(self, delivery_tag: str) -> None:
        # Replaces kombu's, which asks for the redrive policy on the event loop and deletes the message without one. Our
        # workers refuse such a queue at their start (redrive.py), so nothing has to be asked or deleted here.
        if not self.requires_redrive:
            super()._delete_rejected_message(delivery_tag)

    def _restore(self, message: Any, *_: Any) -> None:
        """At a stop: what was received and not run is visible at once (kombu: after wait_time_seconds)."""
        self._change_visibility(message, 0)

    def _restore_at_beginning(self, message: Any) -> None:
        """A lost worker process or Reject(requeue=True): again after a moment."""
        self._change_visibility(message, self.wait_time_seconds)

    def _change_visibility(self, message: Any, seconds: int) -> None:
        info = message.delivery_info
        if "sqs_message" not in info:
            return
        self._chores.add(
            Chore(
                client=self.brief_client(info.get(RECEIVED_FROM)),
                url=info["sqs_queue"],
                receipt=info["sqs_message"]["ReceiptHandle"],
                visibility_s=seconds,
            )
        )

    def _release_messages(self, queue_url: str, lane: str, messages: list[dict[str, Any]]) -> None:
        # Replaces kombu's: one blocking call for each message.
        log.info("SQS queue %s: %d message(s) that came too late go back", lane, len(messages))
        client = self.brief_client(lane)
        for message in messages:
            self._chores.add(Chore(client=client, url=queue_url, receipt=message["ReceiptHandle"], visibility_s=0))

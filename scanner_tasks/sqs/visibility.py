"""A task that runs, or waits in memory for a thread, keeps its message: visibility is extended until a cap.

kombu 5.7.0 extends nothing: a task longer than the visibility timeout runs twice at the same time, and its message can
reach the dead letter queue while it runs well. Here a thread extends each message held at a third of the timeout, also
while a stopping worker finishes what runs. The cap ends it for a task that hangs: its message returns.

    Timeout 300 s, cap 3600 s: extended every 100 s; a task of an hour is alone, one that hangs is redelivered after 65
    minutes at most.
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import Any

from celery import bootsteps
from kombu.log import get_logger

from scanner_tasks.sqs.chores import BATCH
from scanner_tasks.sqs.settling import RECEIVED_FROM

log = get_logger(__name__)

CAP_S = 3600.0
#: SQS keeps a message invisible for twelve hours after its receive, and no longer.
SQS_CAP_S = 12 * 3600


class VisibilityHeartbeat(bootsteps.StartStopStep):  # type: ignore[misc]
    """Starts with the consumer, ends when the worker has finished its tasks."""

    requires = ("celery.worker.consumer.tasks:Tasks", "scanner_tasks.sqs.redrive:RequireRedrive")

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        self._ended = threading.Event()
        super().__init__(consumer, **kwargs)

    def start(self, consumer: Any) -> None:
        """Begin to extend what the task consumer's channel holds."""
        channel = consumer.task_consumer.channel
        if not hasattr(channel, "brief_client"):
            return  # another broker
        self._ended.set()  # a former connection's
        self._ended = threading.Event()
        extender = Extender(channel, timeouts=consumer.sqs_visibility_timeouts, ended=self._ended)
        threading.Thread(target=extender.run, name="sqs-visibility", daemon=True).start()

    def stop(self, consumer: Any) -> None:
        """Nothing: tasks still run."""

    def shutdown(self, consumer: Any) -> None:  # noqa: ARG002
        """All tasks have ended."""
        self._ended.set()


class Extender:
    """Extends the visibility of what one channel holds."""

    def __init__(self, channel: Any, *, timeouts: dict[str, int | None], ended: threading.Event) -> None:
        self._channel = channel
        self._ended = ended
        self._timeouts = {url: seconds or channel.visibility_timeout for url, seconds in timeouts.items()}
        options = channel.transport_options
        self._cap_s = min(float(options.get("visibility_cap_s", CAP_S)), SQS_CAP_S)
        self._since: dict[str, float] = {}
        self._given_up: set[str] = set()

    @property
    def interval_s(self) -> float:
        """A third of the shortest timeout: one lost request costs nothing."""
        return min(self._timeouts.values(), default=self._channel.visibility_timeout) / 3

    def run(self) -> None:
        """Until the worker has ended."""
        wait_s = self.interval_s
        while not self._ended.wait(wait_s):
            is_whole = self.extend(monotonic())
            wait_s = self.interval_s if is_whole else min(1.0, self.interval_s / 3)

    def extend(self, now: float) -> bool:
        """One round over all messages held and not yet settled; False when some call failed."""
        held = _held(self._channel.qos)
        self._since = {tag: self._since.get(tag, now) for tag in held}
        self._given_up &= held.keys()
        by_queue: dict[tuple[str | None, str], list[str]] = {}
        for tag, info in held.items():
            if tag in self._given_up or "sqs_queue" not in info:
                continue
            if now - self._since[tag] >= self._cap_s:
                self._given_up.add(tag)
                log.error(
                    "SQS message %s of %s is held for over %.0f s: no longer extended, it will be delivered again",
                    info["sqs_message"].get("MessageId"),
                    info.get(RECEIVED_FROM),
                    self._cap_s,
                )
                continue
            by_queue.setdefault((info.get(RECEIVED_FROM), info["sqs_queue"]), []).append(tag)
        batches = [
            (name, url, tags[start : start + BATCH])
            for (name, url), tags in by_queue.items()
            for start in range(0, len(tags), BATCH)
        ]
        return sum(self._try_extend(*batch) for batch in batches) == len(batches)

    def _try_extend(self, name: str | None, url: str, tags: list[str]) -> bool:
        try:
            why = self._extend(name, url, tags)
        except Exception as error:  # noqa: BLE001 (HTTP errors, dead sockets, bodies that cannot be read)
            why = repr(error)
        if why:
            log.warning("SQS ChangeMessageVisibility of %s failed, will try again: %s", name, why)
        return not why

    def _extend(self, name: str | None, url: str, tags: list[str]) -> str | None:
        """Why it is to be tried again soon; None when it is done."""
        timeout = self._timeouts.get(url, self._channel.visibility_timeout)
        answer = self._channel.brief_client(name).change_message_visibility_batch(
            QueueUrl=url,
            Entries=[{"Id": str(n), "ReceiptHandle": tag, "VisibilityTimeout": timeout} for n, tag in enumerate(tags)],
        )
        for entry in answer.get("Failed", []):
            if entry.get("SenderFault"):  # settled meanwhile, or visible again already
                self._given_up.add(tags[int(entry["Id"])])
            log.info("SQS ChangeMessageVisibility of a message of %s refused: %s", name, entry.get("Code"))
        # botocore reads a body cut short as an answer without entries.
        return None if answer.get("Successful") or answer.get("Failed") else "the answer names no message"


def _held(qos: Any) -> dict[str, dict[str, Any]]:
    """Delivery tag → delivery info of what is not settled; the event loop may change it meanwhile."""
    while True:
        try:
            delivered = list(qos._delivered.items())  # noqa: SLF001
            break
        except RuntimeError:  # changed during iteration
            continue
    return {tag: message.delivery_info for tag, message in delivered if tag not in qos._dirty}  # noqa: SLF001

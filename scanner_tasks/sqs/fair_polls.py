"""The polling loop of a channel: one poll for each lane, as many messages as ``prefetch.py`` allows, backoff."""

from __future__ import annotations

from collections import Counter
from time import monotonic
from typing import TYPE_CHECKING, Any

from kombu.log import get_logger
from vine import promise

from scanner_tasks.sqs import intake, upstream
from scanner_tasks.sqs.backoff import LONGEST_S, pause_s
from scanner_tasks.sqs.chores import Chores
from scanner_tasks.sqs.polls import FAILED
from scanner_tasks.sqs.prefetch import Ask, Prefetch
from scanner_tasks.sqs.sending import GROUP_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable

log = get_logger(__name__)

#: A settled message wakes the loop at once; this only covers what is settled behind its back.
LOOK_AGAIN_S = 0.25


class FairPolls(upstream.Channel):  # type: ignore[misc]
    """Replaces kombu's ``_schedule_queue``, ``_loop1``, ``_get_bulk_async`` and ``_on_messages_ready``.

    kombu asks without counting what other queues have asked for, polls again at once after an error or when no slot is
    free, and lets one message that it cannot read end the worker and lose its nine neighbours.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.prefetch = Prefetch()
        #: Lanes that wait for a slot, in the order they came.
        self.waiting: dict[str, None] = {}
        #: When each lane's poll last began or ended.
        self.last_poll: dict[str, float] = {}
        #: Set at a stop: no new polls, and what still arrives goes back.
        self.is_draining = False
        #: Whether a task of this name is begun all the same then (giveback.py).
        self.takes_late: Callable[[str], bool] = lambda _: False
        self._failures: Counter[str] = Counter()
        self._is_ticking = False
        super().__init__(*args, **kwargs)

    _chores: Chores  # settling.py's

    @property
    def held(self) -> int:
        """Messages received and not settled: running, or waiting in memory."""
        return max(0, len(self.qos._delivered) - len(self.qos._dirty))  # noqa: SLF001

    @property
    def longest_poll_s(self) -> float:
        """A lane whose poll neither began nor ended for so long is stuck."""
        return float(self.wait_time_seconds + self.poll_grace_s + LONGEST_S)

    def basic_cancel(self, consumer_tag: str) -> Any:
        """As kombu's; the lane asks no more."""
        lane = self._tag_to_queue.get(consumer_tag)
        if lane is not None:
            self.prefetch.forget(lane)
            self.waiting.pop(lane, None)
            self.last_poll.pop(lane, None)
        return super().basic_cancel(consumer_tag)

    def wake(self) -> None:
        """A slot may be free: let the lanes that wait ask; from any thread."""
        if self.hub and self.waiting:
            self.hub.call_soon(self._pump)

    def _schedule_queue(self, queue: str) -> None:
        if queue in self._active_queues and queue not in self.prefetch.asked:
            self.waiting.setdefault(queue)
            self.last_poll.setdefault(queue, monotonic())
            self._pump()

    def _pump(self) -> None:
        if self.is_draining or self.closed:
            self.waiting.clear()
            return
        for lane in self.prefetch.turns.order(
            self.waiting
        ):  # no lane starves: its turn stays while the others' move on
            if lane not in self._active_queues:
                del self.waiting[lane]
                continue
            if intake.is_closed() and lane not in self._noack_queues:  # those carry no tasks
                continue
            ask = self.prefetch.plan(
                lane,
                slots=self.qos.prefetch_count,
                held=self.held,
                lanes=len(self._active_queues),
                long_wait_s=self.wait_time_seconds,
                unsettled=self._chores.pending,
            )
            if ask:
                del self.waiting[lane]
                self._ask(lane, ask)
        if self.waiting and not self._is_ticking:
            self._is_ticking = True
            self.hub.call_later(LOOK_AGAIN_S, self._tick)

    def _tick(self) -> None:
        self._is_ticking = False
        self._pump()

    def _ask(self, lane: str, ask: Ask) -> None:
        self.prefetch.began(lane, ask)
        self.last_poll[lane] = monotonic()
        try:
            url = self._new_queue(lane)
            self.asynsqs(lane).receive_message(
                lane,
                url,
                number_messages=ask.count,
                wait_time_seconds=ask.wait_s,
                callback=promise(self._poll_ended, (lane, url)),
            )
        except Exception as error:  # noqa: BLE001 (no credentials just now, a name that does not resolve)
            log.warning("SQS ReceiveMessage of %s could not start, will try again: %r", lane, error)
            self._poll_ended(lane, "", {FAILED: True})

    def _poll_ended(self, lane: str, url: str, answer: dict[str, Any]) -> None:
        messages = answer.get("Messages") or []
        self.prefetch.ended(lane, received=len(messages))
        if lane in self._active_queues:
            self.last_poll[lane] = monotonic()
        self._failures[lane] = self._failures[lane] + 1 if answer.get(FAILED) else 0
        if messages:
            self._hand_over(lane, url, messages)
        pause = pause_s(self._failures[lane])
        if pause:
            self.hub.call_later(pause, self._schedule_queue, lane)
        else:
            self.hub.call_soon(self._schedule_queue, lane)

    def _hand_over(self, lane: str, url: str, messages: list[dict[str, Any]]) -> None:
        if self.connection is None:
            return  # the channel is closed: they are visible again after their timeout
        callback = self.connection._callbacks.get(lane)  # noqa: SLF001
        if callback is None:
            self._release_messages(url, lane, messages)
            return
        if self.is_draining:
            late = [message for message in messages if not self.takes_late(self._task_name(message))]
            if late:
                self._release_messages(url, lane, late)
            messages = [message for message in messages if message not in late]
        if lane in self._noack_queues:
            self._delete_messages(lane, messages)
        groups = []
        for message in messages:
            try:
                payload = self._message_to_python(message, lane, url)
                groups.append(str(payload.get("headers", {}).get(GROUP_HEADER, "")))
                callback(payload)
            except Exception as error:  # noqa: BLE001 (an envelope can be wrong in any way)
                # Not the error's text: it may quote the body.
                log.error(  # noqa: TRY400 (a traceback would tell where kombu stumbled, which helps nobody)
                    "SQS message %s of %s cannot be read (%s): left to the queue's redrive policy",
                    message.get("MessageId"),
                    lane,
                    type(error).__name__,
                )
                receipt = message.get("ReceiptHandle")
                if receipt in self.qos._delivered:  # noqa: SLF001
                    self.basic_reject(receipt, requeue=False)
        self.prefetch.turns.received(lane, groups, now=monotonic())

    def _task_name(self, message: dict[str, Any]) -> str:
        """The task that a received message names; "" when it cannot be read."""
        try:
            text = self._decode_python_message_body(message["Body"])
            return str(self._prepare_json_payload(upstream.bytes_to_str(text))["headers"]["task"])
        except Exception:  # noqa: BLE001 (an envelope can be wrong in any way)
            return ""

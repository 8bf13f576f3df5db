"""At a stop, what was received and not begun goes back at once.

Celery 5.7.0 cancels it when the pool stops, kombu makes it visible again ``wait_time_seconds`` after the last task has
ended, and as long as polls are listened to (drain.py) a thread that becomes free would even begin it. Here nothing more
is begun and it is visible at once; that receive counts.

A task that returns at once in a stopping worker, having given its work back by itself, says so::

    @app.task(gives_back=True)

and is begun all the same, beside the pool: its message is deleted and no receive is lost, however many workers stop
over it. With the threads pool only; another pool's tasks are left to Celery.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from typing import TYPE_CHECKING, Any

from celery import bootsteps
from celery.concurrency.base import apply_target
from celery.concurrency.thread import ApplyResult
from celery.worker import state
from kombu.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

log = get_logger(__name__)

THREADS = 8
#: A thread that has just taken a task needs a moment to say that it has begun.
MOMENT_S = 0.2


class Remember(bootsteps.StartStopStep):  # type: ignore[misc]
    """Keeps what has been received and not begun, in ``consumer.sqs_not_begun``: Celery forgets it before the stop."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        """Look before the consumer's ``on_close`` does away with it."""

        def on_close() -> None:
            consumer.sqs_not_begun = _not_begun(list(state.reserved_requests))
            consumer.on_close()

        consumer.sqs_not_begun = []
        consumer.blueprint.on_close = on_close


class GiveBack:
    """One worker's stop.

    Args:
        consumer: Celery's.
        channel: the task consumer's.
        turn: runs the event loop once, for a twentieth of a second at most.
    """

    def __init__(self, consumer: Any, channel: Any, *, turn: Callable[[], object]) -> None:
        self._app, self._pool, self._channel, self._turn = consumer.app, consumer.pool, channel, turn
        self._waiting: list[Any] = getattr(consumer, "sqs_not_begun", [])
        self._begun: list[Future[Any]] = []
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sqs-give-back")

    def begin(self) -> None:
        """From now on the pool begins nothing; what waits goes back."""
        executor = getattr(self._pool, "executor", None)
        if not isinstance(executor, ThreadPoolExecutor):
            return
        executor.shutdown(wait=False, cancel_futures=True)
        self._pool.on_apply = self._apply
        # What polls still bring: a task that gives back gets its message, any other message is visible at once.
        self._channel.takes_late = self._gives_back
        until = monotonic() + MOMENT_S
        while _not_begun(self._waiting) and monotonic() < until:
            self._turn()
        self._waiting = _not_begun(self._waiting)
        if self._waiting:
            log.info("%d task(s) that were not begun go back", len(self._waiting))
        for request in self._waiting:
            request.execute_using_pool(self._pool)

    @property
    def is_busy(self) -> bool:
        """Something that was begun beside the pool has not ended."""
        return any(not future.done() for future in self._begun)

    def end(self) -> None:
        """Wait for what was begun beside the pool, and settle its messages."""
        self._threads.shutdown()
        for _ in range(2):  # a task that ends leaves its acknowledgement to the loop
            self._turn()

    def _gives_back(self, name: str) -> bool:
        return bool(getattr(self._app.tasks.get(name), "gives_back", False))

    def _apply(
        self,
        target: Any,
        args: Any = None,
        kwargs: Any = None,
        callback: Any = None,
        accept_callback: Any = None,
        **_: Any,
    ) -> Any:
        """In place of the pool's ``on_apply``: also for tasks whose timer ends, or that a late poll brings."""
        name, task_id = args[:2]
        if self._gives_back(name):
            self._begun.append(self._threads.submit(apply_target, target, args, kwargs, callback, accept_callback))
            return ApplyResult(self._begun[-1])
        for request in (*self._waiting, *list(state.reserved_requests)):
            if request.id == task_id and not self._is_settled(request):
                self._channel._restore(request.message)  # noqa: SLF001
                self._channel.qos.ack(request.message.delivery_tag)  # and not once more when the channel closes
        return None

    def _is_settled(self, request: Any) -> bool:
        return request.message.delivery_tag in self._channel.qos._dirty  # noqa: SLF001


def _not_begun(requests: Iterable[Any]) -> list[Any]:
    return [one for one in requests if one.time_start is None and one not in state.active_requests]

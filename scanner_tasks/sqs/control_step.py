"""The worker's part of remote control: its queue says that it is alive, and commands do what they say.

Active with ``worker_enable_remote_control`` and the option ``control_prefix``.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

from celery import bootsteps
from celery.worker.control import Panel
from kombu.log import get_logger

from scanner_tasks.sqs import reaper
from scanner_tasks.sqs.redrive import read_attributes

log = get_logger(__name__)

HEARTBEAT_S = 120.0
CONTROL_STEP = "celery.worker.consumer.control:Control"


class KeepControlQueue(bootsteps.StartStopStep):  # type: ignore[misc]
    """Tags the worker's control queue every two minutes, for the reaper, and reaps once."""

    requires = (CONTROL_STEP,)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        self._ended = threading.Event()
        super().__init__(consumer, **kwargs)

    def include_if(self, consumer: Any) -> bool:
        """Nothing is added where there is no remote control."""
        conf = consumer.app.conf
        return bool(conf.worker_enable_remote_control and conf.broker_transport_options.get("control_prefix"))

    def start(self, consumer: Any) -> None:
        """Begin to tag, in a thread."""
        self._ended.set()  # a former connection's
        self._ended = threading.Event()
        channel = consumer.connection.default_channel
        if not hasattr(channel, "control_prefix"):
            return  # another broker
        Panel.data.update(shutdown=shutdown, add_consumer=add_consumer, pool_grow=resize, pool_shrink=resize)
        Panel.data.update(time_limit=time_limit)
        exchange = consumer.app.control.mailbox.exchange.name
        pulse = Pulse(consumer, channel, channel.canonical_queue_name(f"{consumer.hostname}.{exchange}"), self._ended)
        threading.Thread(target=pulse.run, name="sqs-control", daemon=True).start()

    def stop(self, consumer: Any) -> None:  # noqa: ARG002
        """Tag no more."""
        self._ended.set()


class Pulse:
    """Keeps one worker's control queue."""

    def __init__(self, consumer: Any, channel: Any, name: str, ended: threading.Event) -> None:
        self._consumer, self._channel, self._name, self._ended = consumer, channel, name, ended
        self._client = channel.brief_client(None)
        #: Beats until the next try after a refusal; each refusal doubles it.
        self._skip, self._tries = 0, 0
        self._every_s = float(channel.transport_options.get("control_heartbeat_s", HEARTBEAT_S))

    def run(self) -> None:
        """Until the worker ends."""
        self.beat()
        try:
            reaper.reap_for(self._consumer.app)
        except Exception as error:  # noqa: BLE001 (another worker's litter)
            log.warning("control queues of dead workers were not looked for: %r", error)
        while not self._ended.wait(self._every_s):
            self.beat()

    def beat(self) -> None:
        """Tag the queue; make it anew when it is gone, or could not be made or subscribed."""
        if getattr(self._channel.connection, "control_is_refused", False):
            self._try_again()
            return
        self._skip = self._tries = 0
        url = self._channel._queue_cache.get(self._name)  # noqa: SLF001
        if url is None:
            return
        try:
            self._client.tag_queue(QueueUrl=url, Tags={reaper.LAST_SEEN: str(int(time.time()))})
        except self._client.exceptions.QueueDoesNotExist:
            log.warning("control queue %s is gone, it is made anew", self._name)
            self._channel._queue_cache.pop(self._name, None)  # noqa: SLF001
            self._consumer.call_soon(self._reset)
        except Exception as error:  # noqa: BLE001 (the next beat tries again)
            log.warning("control queue %s not tagged, will try again: %r", self._name, error)

    def _try_again(self) -> None:
        """At the next beat, then after two, four … sixteen: a try holds up the event loop while SNS is silent."""
        if self._skip:
            self._skip -= 1
            return
        self._tries += 1
        self._skip = 2 ** min(self._tries, 4) - 1
        self._consumer.call_soon(self._reset)

    def _reset(self) -> None:
        for step in self._consumer.blueprint.order:
            if type(step).__name__ == "Control" and hasattr(step, "box"):
                step.box.reset()


def shutdown(state: Any, msg: str = "Got shutdown from remote", **_: Any) -> None:  # noqa: ARG001
    """The same stop as SIGTERM's. Celery's own raises through the event loop: open polls are not listened to."""
    log.warning(msg)
    os.kill(os.getpid(), signal.SIGTERM)


_add_consumer = Panel.data["add_consumer"]


def add_consumer(state: Any, queue: str, **options: Any) -> Any:
    """As Celery's, for the application's own queues, and not without a redrive policy."""
    consumer = state.consumer
    if queue not in consumer.app.amqp.queues:
        raise ValueError(f"{queue} is none of this application's task queues")
    channel = consumer.task_consumer.channel
    if channel.requires_redrive and "RedrivePolicy" not in read_attributes(channel, queue, attempts=1):
        raise ValueError(f"SQS queue {queue} has no RedrivePolicy: every failed task in it would be lost")
    return _add_consumer(state, queue, **options)


_time_limit = Panel.data["time_limit"]


def time_limit(state: Any, task_name: str | None = None, **options: Any) -> Any:
    """As Celery's, except where nothing would keep to it."""
    if hasattr(state.consumer.pool, "executor"):  # celery/concurrency/thread.py
        raise ValueError("a task that runs in a thread has no time limit: carry a deadline in the task")
    return _time_limit(state, task_name=task_name, **options)


def resize(state: Any, n: int = 1, **_: Any) -> Any:  # noqa: ARG001
    """Celery's prefork grows and shrinks; with threads it fails with a riddle ('TaskPool' has no attribute 'grow')."""
    raise ValueError("the size of this pool is fixed: start the worker with another --concurrency")

"""A file that is touched only while the worker does its work: for a container's health check (health.py).

``celery inspect ping`` needs remote control and costs requests; a process that merely exists may have stopped polling.
The event loop touches the file every five seconds while every lane's poll begins and ends in time. A lane that waits
because the worker is full, or because its intake is closed (intake.py), is well as long as the oldest message held is
younger than ``liveness_deadline_s``.
"""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import Any

from celery import bootsteps
from kombu.log import get_logger

from scanner_tasks.sqs.visibility import CAP_S

log = get_logger(__name__)

INTERVAL_S = 5.0


class Liveness(bootsteps.StartStopStep):  # type: ignore[misc]
    """Active with the option ``liveness_file``."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        """Touch the file now and then every five seconds."""
        channel = consumer.task_consumer.channel
        path = consumer.app.conf.broker_transport_options.get("liveness_file")
        if not path or not hasattr(channel, "prefetch"):
            return
        pulse = Pulse(channel, Path(path))
        pulse.beat()
        consumer.timer.call_repeatedly(INTERVAL_S, pulse.beat)


class Pulse:
    """Decides whether the worker is alive, and tells it to the file."""

    def __init__(self, channel: Any, path: Path) -> None:
        self._channel = channel
        self._path = path
        self._since: dict[str, float] = {}
        self._was_alive = True
        self._deadline_s = float(
            channel.transport_options.get(
                "liveness_deadline_s", channel.transport_options.get("visibility_cap_s", CAP_S)
            )
        )

    def beat(self) -> None:
        """Touch the file if all is well, else say once what is not."""
        trouble = self.trouble(monotonic())
        if trouble is None:
            self._path.touch()
        elif self._was_alive:
            log.error("worker is not alive: %s", trouble)
        self._was_alive = trouble is None

    def trouble(self, now: float) -> str | None:
        """Why the worker is not alive; None when it is."""
        channel = self._channel
        delivered, dirty = list(channel.qos._delivered), channel.qos._dirty  # noqa: SLF001
        self._since = {tag: self._since.get(tag, now) for tag in delivered if tag not in dirty}
        for lane, last in list(channel.last_poll.items()):
            if lane in channel.waiting:
                oldest_s = now - min(self._since.values(), default=now)
                if oldest_s > self._deadline_s:
                    return f"it takes nothing, and its oldest message is held for {oldest_s:.0f} s"
            elif now - last > channel.longest_poll_s:
                return f"the poll of {lane} has not ended for {now - last:.0f} s"
        return None

"""At a stop, open polls are ended before the tasks are: no message is handed to a worker that no longer listens.

Celery 5.7.0 stops its event loop and then waits for the running tasks; a long poll that is still open meanwhile is
answered into a socket that nobody reads, and the message stays invisible for its whole timeout, one receive burnt. Here
the loop goes on for up to ``drain_s`` until the polls have ended, and what they bring goes back at once; then the
connections are closed.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

from celery import bootsteps
from celery.worker import state
from kombu.log import get_logger

log = get_logger(__name__)

#: A hot lane's poll lasts a second; a silent lane's twenty are not waited for.
DRAIN_S = 2.0


class EndPolls(bootsteps.StartStopStep):  # type: ignore[misc]
    """Stops before the task consumer is cancelled."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def stop(self, consumer: Any) -> None:
        """Wait for the short polls, hang up on the long ones."""
        channel: Any = getattr(consumer.task_consumer, "channel", None)
        hub = consumer.hub
        is_stopping = state.should_stop is not None or state.should_terminate is not None
        if not is_stopping or hub is None or not hasattr(channel, "prefetch"):
            return
        channel.is_draining = True
        deadline = monotonic() + float(channel.transport_options.get("drain_s", DRAIN_S))
        loop = hub.create_loop()
        # A wake-up each 50 ms at least: the loop itself sleeps until something happens.
        tick = hub.call_repeatedly(0.05, lambda: None)
        while monotonic() < deadline and any(not ask.is_probe for ask in channel.prefetch.asked.values()):
            next(loop)
        tick.cancel()
        client = getattr(hub, "_current_http_client", None)
        if client is not None:
            client.close()

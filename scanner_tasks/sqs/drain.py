"""At a stop, open polls are ended before the tasks are: no message is handed to a worker that no longer listens.

Celery 5.7.0 stops its event loop and then waits for the running tasks; a long poll that is still open meanwhile is
answered into a socket that nobody reads, and the message stays invisible for its whole timeout, one receive burnt. To
hang up does not help: SQS may answer the dead connection all the same. Here the loop goes on until every poll has
ended, and what they bring goes back at once, as does what waits in memory (giveback.py). That takes no time while tasks
run, which are waited for anyway; a worker without tasks waits ``drain_s`` at most. (A silent lane's poll lasts
``wait_time_seconds``: with a shorter ``drain_s`` a message that arrives just after an idle worker's end may be hidden
for its timeout.)
"""

from __future__ import annotations

from time import monotonic
from typing import Any

from celery import bootsteps
from celery.worker import state
from kombu.log import get_logger

from scanner_tasks.sqs.giveback import GiveBack

log = get_logger(__name__)

DRAIN_S = 2.0


class EndPolls(bootsteps.StartStopStep):  # type: ignore[misc]
    """Stops before the task consumer is cancelled."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def stop(self, consumer: Any) -> None:
        """Take no more, and listen until the polls have ended."""
        channel: Any = getattr(consumer.task_consumer, "channel", None)
        hub = consumer.hub
        is_stopping = state.should_stop is not None or state.should_terminate is not None
        if not is_stopping or hub is None or not hasattr(channel, "prefetch"):
            return
        channel.is_draining = True
        log.info("SQS polls are ending: %d open", len(channel.prefetch.asked))
        began = monotonic()
        idle_until = began + float(channel.transport_options.get("drain_s", DRAIN_S))
        busy_until = began + channel.longest_poll_s
        loop = hub.create_loop()
        # The loop sleeps until something happens; this makes it look at the clock.
        tick = hub.call_repeatedly(0.05, lambda: None)
        give_back = GiveBack(consumer, channel, turn=lambda: next(loop))
        give_back.begin()
        while (channel.prefetch.asked or give_back.is_busy) and state.should_terminate is None:
            if monotonic() > (busy_until if channel.held else idle_until):
                break
            next(loop)
        give_back.end()
        tick.cancel()
        client = getattr(hub, "_current_http_client", None)
        if client is not None:
            client.close()
        log.info("SQS polls ended; %d message(s) are held", channel.held)

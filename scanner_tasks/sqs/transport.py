"""The repaired transport: kombu 5.7.0's SQS transport with one class for each subject.

Options it adds to ``broker_transport_options``, all optional:

    events_queue            name of the predefined queue that carries events to Flower (events.py)
    poll_grace_s            seconds over the long poll's wait after which it is given up: 10 (polls.py)
    request_timeout_s       seconds after which any other call without answer is given up: 5 (clients.py)
    require_redrive_policy  False: consume from queues without one too, and delete what is rejected: True (redrive.py)
    visibility_cap_s        seconds for which a message's visibility is extended at most: 3600 (visibility.py)
    drain_s                 seconds that a stop waits for open polls: 2 (drain.py)
    hide_exception_text     True: events name the type of a failed task's exception, not its text: False (discreet.py)
    liveness_file           file touched while the worker is alive: none (liveness.py)
    control_prefix          names of remote control's queues and topic begin with it: none (remote_control.py)
    control_heartbeat_s     seconds between a worker's signs of life on its control queue: 120 (control_step.py)
    control_idle_s          a control queue without one for so long is reaped: 600 (reaper.py)
    liveness_deadline_s     a full worker whose oldest message is older is not alive: visibility_cap_s (liveness.py)
"""

from __future__ import annotations

from typing import Any

from scanner_tasks.sqs import upstream
from scanner_tasks.sqs.clients import Clients
from scanner_tasks.sqs.events import EventsQueue
from scanner_tasks.sqs.fair_polls import FairPolls
from scanner_tasks.sqs.remote_control import RemoteControl
from scanner_tasks.sqs.sending import Sending
from scanner_tasks.sqs.settling import Settling


class Channel(RemoteControl, EventsQueue, Sending, FairPolls, Settling, Clients):
    """One channel; each parent's docstring says what it repairs."""


class Transport(upstream.Transport):  # type: ignore[misc]
    """kombu's transport with our channel, and batches."""

    Channel = Channel
    #: The long poll is the pause.
    polling_interval = 0
    implements = upstream.Transport.implements.extend(batch_publish=True)

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        if client.transport_options.get("control_prefix"):  # Celery starts its mailbox where fanout is known
            self.implements = self.implements.extend(exchange_type=frozenset({"direct", "topic", "fanout"}))

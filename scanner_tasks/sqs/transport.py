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
    liveness_deadline_s     a full worker whose oldest message is older is not alive: visibility_cap_s (liveness.py)
"""

from __future__ import annotations

from scanner_tasks.sqs import upstream
from scanner_tasks.sqs.clients import Clients
from scanner_tasks.sqs.events import EventsQueue
from scanner_tasks.sqs.fair_polls import FairPolls
from scanner_tasks.sqs.sending import Sending
from scanner_tasks.sqs.settling import Settling


class Channel(EventsQueue, Sending, FairPolls, Settling, Clients):
    """One channel; each parent's docstring says what it repairs."""


class Transport(upstream.Transport):  # type: ignore[misc]
    """kombu's transport with our channel, and batches."""

    Channel = Channel
    #: The long poll is the pause.
    polling_interval = 0
    implements = upstream.Transport.implements.extend(batch_publish=True)

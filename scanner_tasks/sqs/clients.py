"""Names, clients and addresses of one channel's queues."""

from __future__ import annotations

import threading
from typing import Any

from botocore.client import Config
from kombu.log import get_logger

from scanner_tasks.sqs import upstream
from scanner_tasks.sqs.polls import PollingSQS, http_client

log = get_logger(__name__)

CONNECT_TIMEOUT_S = 2.0
#: What gives a predefined queue a client of its own.
OWN = frozenset({"region", "access_key_id", "secret_access_key"})
#: Seconds over its wait after which a poll without answer is given up.
POLL_GRACE_S = 10.0
#: Silence after which any other call is given up, and tried again by whoever made it.
REQUEST_TIMEOUT_S = 5.0


class Clients(upstream.Channel):  # type: ignore[misc]
    """The channel's SQS clients: bounded ones for polling, sending and chores; kombu's for the rest."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._bounded_clients: dict[tuple[str | None, int], Any] = {}
        self._bounded_lock = threading.Lock()
        super().__init__(*args, **kwargs)

    @property
    def poll_grace_s(self) -> float:
        """Option ``poll_grace_s``."""
        return float(self.transport_options.get("poll_grace_s", POLL_GRACE_S))

    def sqs(self, queue: str | None = None) -> Any:
        """The client that kombu makes for ``queue``, for whatever the bounded ones below do not do.

        Replaces kombu's: its ``_receive_message`` passes a name that is not canonical, which no predefined queue has;
        and it makes a client for each queue, a tenth of a second or more each on the event loop. Queues without a
        Region or credentials of their own share one.
        """
        name = None if queue is None else self.canonical_queue_name(queue)
        known = self.predefined_queues.get(name)
        if known is not None and not self._is_separate(known):
            name = None
        return super().sqs(name)

    def _is_separate(self, known: dict[str, Any]) -> bool:
        return bool(known.keys() & OWN or self.transport_options.get("sts_role_arn"))

    def brief_client(self, queue: str | None) -> Any:
        """For calls that hold up the event loop, a stop or a heartbeat: one retry of its own; any thread may call."""
        return self._bounded_client(queue, attempts=2)

    def sending_client(self, queue: str | None) -> Any:
        """For SendMessage and SendMessageBatch: one attempt, so that resend.py sees and logs each failure."""
        return self._bounded_client(queue, attempts=1)

    def _bounded_client(self, queue: str | None, *, attempts: int) -> Any:
        name = None if queue is None else self.canonical_queue_name(queue)
        if self.transport_options.get("sts_role_arn"):
            return Clients.sqs(self, name)  # kombu renews that client's token
        known = self.predefined_queues.get(name, {})
        if not self._is_separate(known):
            name = None
        with self._bounded_lock:
            if (name, attempts) not in self._bounded_clients:
                timeout_s = float(self.transport_options.get("request_timeout_s", REQUEST_TIMEOUT_S))
                self._bounded_clients[name, attempts] = self._new_boto_client(
                    "sqs",
                    known.get("region", self.region),
                    known.get("access_key_id", self.conninfo.userid),
                    known.get("secret_access_key", self.conninfo.password),
                    config=Config(
                        connect_timeout=min(timeout_s, CONNECT_TIMEOUT_S),
                        read_timeout=timeout_s,
                        retries={"total_max_attempts": attempts, "mode": "standard"},
                    ),
                )
            return self._bounded_clients[name, attempts]

    def asynsqs(self, queue: str | None = None) -> PollingSQS:
        """The polling client of ``queue``.

        Replaces kombu's: polls that end (polls.py), and as many at a time as there are queues; kombu's ten handles make
        the eleventh queue wait for another one's long poll (``http/curl.py``: max_clients=10).
        """
        name = None if queue is None else self.canonical_queue_name(queue)
        cache = self._predefined_queue_async_clients
        # An STS token is renewed by making the client again, as kombu does.
        if name not in cache or hasattr(self, "sts_expiration"):
            attributes = self.get_message_attributes
            cache[name] = PollingSQS(
                sqs_connection=self.sqs(name),
                region=self.predefined_queues.get(name, {}).get("region", self.region),
                grace_s=self.poll_grace_s,
                http_client=http_client(self.hub, max_clients=len(self.predefined_queues) + 10),
                message_system_attribute_names=attributes["MessageSystemAttributeNames"],
                message_attribute_names=attributes["MessageAttributeNames"],
            )
        client: PollingSQS = cache[name]
        return client

    def queue_declare(self, queue: str | None = None, passive: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """As kombu's, but a predefined queue is not asked for its size: a request for each queue and producer."""
        if queue and not passive and self.predefined_queues:
            self._new_queue(queue)
            return upstream.queue_declare_ok(queue, 0, 0)
        return super().queue_declare(queue=queue, passive=passive, **kwargs)

    def _size(self, queue: str) -> int:
        # Replaces kombu's _size: half an answer to GetQueueAttributes is a KeyError there, and the worker exits.
        try:
            return int(super()._size(queue))
        except Exception as error:  # noqa: BLE001 (the size is asked for as a courtesy)
            log.warning("size of SQS queue %s not known: %r", queue, error)
            return 0

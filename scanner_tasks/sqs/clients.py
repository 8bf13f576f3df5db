"""Names, clients and addresses of one channel's queues."""

from __future__ import annotations

import threading
from typing import Any

from botocore.client import Config
from kombu.log import get_logger

from scanner_tasks.sqs import upstream
from scanner_tasks.sqs.polls import PollingSQS, http_client

log = get_logger(__name__)

#: For calls that hold up the event loop, a stop or a heartbeat: give up within seconds.
BRIEF = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
#: What gives a predefined queue a client of its own.
OWN = frozenset({"region", "access_key_id", "secret_access_key"})
#: Seconds over its wait after which a poll without answer is given up.
POLL_GRACE_S = 10.0


class Clients(upstream.Channel):  # type: ignore[misc]
    """The channel's SQS clients: kombu's for sending, a bounded one for polling, a brief one for chores."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._brief_clients: dict[str | None, Any] = {}
        self._brief_lock = threading.Lock()
        super().__init__(*args, **kwargs)

    @property
    def poll_grace_s(self) -> float:
        """Option ``poll_grace_s``."""
        return float(self.transport_options.get("poll_grace_s", POLL_GRACE_S))

    def sqs(self, queue: str | None = None) -> Any:
        """The client for sending to ``queue``.

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
        """A client with short timeouts and one retry, safe to call from any thread."""
        name = None if queue is None else self.canonical_queue_name(queue)
        if self.transport_options.get("sts_role_arn"):
            return self.sqs(name)  # kombu renews that client's token
        known = self.predefined_queues.get(name, {})
        if not self._is_separate(known):
            name = None
        with self._brief_lock:
            if name not in self._brief_clients:
                self._brief_clients[name] = self._new_boto_client(
                    "sqs",
                    known.get("region", self.region),
                    known.get("access_key_id", self.conninfo.userid),
                    known.get("secret_access_key", self.conninfo.password),
                    config=BRIEF,
                )
            return self._brief_clients[name]

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

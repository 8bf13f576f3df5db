"""Remote control through SNS and queues of its own: active with the option ``control_prefix`` only.

kombu 5.7.0 has a fanout over SNS, but Celery gets nothing from it: the transport does not own to it
(``implements.exchange_type``), replies are routed by a table that only the asker has, and ``predefined_queues`` forbid
the queues that it needs. Here names of the mailbox bypass the predefined queues:

    <prefix><exchange>                   the topic: what is asked goes to every worker's queue
    <prefix><process>-<node>-<exchange>  a worker's queue; a new process has a new one, so it never obeys what was meant
                                         for a former one, and need not wait 60 seconds after a DeleteQueue
    <prefix><id>-reply-<exchange>        replies to one question, deleted when it is answered

A worker removes its queue when it ends; what a killed one leaves behind is the reaper's (reaper.py). Trouble with it
is logged and costs remote control, never the worker.
"""

from __future__ import annotations

import sys
import uuid
from typing import Any

from botocore.client import Config
from celery.app.control import Control
from kombu.log import get_logger
from kombu.pidbox import Mailbox

from scanner_tasks.sqs import upstream
from scanner_tasks.sqs.chores import Chore, Chores

log = get_logger(__name__)

SUFFIX = ".pidbox"
RETENTION_S = 300
MAX_NAME = 80
#: A reply is polled for with short waits, so that a question's timeout holds.
REPLY_WAIT_S = 1
#: A question to one named worker waits so long at least; it returns with the answer.
ANSWER_S = 5.0
BOUNDED = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
NEEDS = (
    "it needs sqs:CreateQueue, GetQueueAttributes, SetQueueAttributes, ReceiveMessage and DeleteMessage on the "
    "queues with the control prefix, and sns:CreateTopic and Subscribe on its topic"
)
_PROCESS = uuid.uuid4().hex[:8]


class RemoteControl(upstream.Channel):  # type: ignore[misc]
    """The channel's part of remote control."""

    brief_client: Any  # clients.py's
    _chores: Chores  # settling.py's

    @property
    def control_prefix(self) -> str:
        """Option ``control_prefix``; empty: no remote control, and nothing below does anything."""
        return str(self.transport_options.get("control_prefix") or "")

    @property
    def supports_fanout(self) -> bool:
        """With remote control only, or as kombu's option says."""
        return bool(self.control_prefix or self.transport_options.get("supports_fanout", False))

    def _is_control(self, name: str) -> bool:
        prefix = self.control_prefix
        return bool(prefix) and (name.startswith(prefix) or name.endswith(SUFFIX))

    def canonical_queue_name(self, queue_name: str) -> str:
        """As the parent's, except names of the mailbox."""
        if not self._is_control(queue_name):
            return str(super().canonical_queue_name(queue_name))
        prefix = self.control_prefix
        if queue_name.startswith(prefix):
            return queue_name
        name = self.entity_name(queue_name)
        if ".reply." in queue_name or "." not in queue_name.removesuffix(SUFFIX):
            return f"{prefix}{name}"
        room = MAX_NAME - len(prefix) - len(_PROCESS) - 1
        return f"{prefix}{_PROCESS}-{name[-room:]}"

    def sqs(self, queue: str | None = None) -> Any:
        """As the parent's; control queues share the client that belongs to no queue."""
        return super().sqs(None if queue is not None and self._is_control(queue) else queue)

    def _new_boto_client(self, service: str, *args: Any, config: Any = None, **kwargs: Any) -> Any:
        if service == "sns" and self.control_prefix:
            config = BOUNDED
        return super()._new_boto_client(service, *args, config=config, **kwargs)

    def _new_queue(self, queue: str, **kwargs: Any) -> Any:
        """The queue's URL; makes a control queue, which is no error when it exists."""
        if not self._is_control(queue):
            return super()._new_queue(queue, **kwargs)
        name = self.canonical_queue_name(queue)
        if name not in self._queue_cache:
            attributes = {"MessageRetentionPeriod": str(RETENTION_S), "VisibilityTimeout": "30"}
            made = self.brief_client(name).create_queue(QueueName=name, Attributes=attributes)
            self._queue_cache[name] = made["QueueUrl"]
        return self._queue_cache[name]

    def _resolve_queue_url(self, queue: str) -> Any:
        return self._new_queue(queue) if self._is_control(queue) else super()._resolve_queue_url(queue)

    def queue_declare(self, queue: str | None = None, passive: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """As the parent's; a worker's queue is made when it is consumed from, where a refusal can be borne."""
        if queue and self._is_workers(queue):
            return upstream.queue_declare_ok(queue, 0, 0)
        return super().queue_declare(queue=queue, passive=passive, **kwargs)

    def _is_workers(self, queue: str) -> bool:
        return self._is_control(queue) and queue.endswith(SUFFIX) and ".reply." not in queue

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        # Replaces kombu's, which looks through all subscriptions at each worker's start; that is the reaper's.
        if not self.control_prefix:
            super()._queue_bind(exchange, routing_key, pattern, queue)

    @property
    def _is_refused(self) -> bool:
        return bool(getattr(self.connection, "control_is_refused", False))

    def basic_consume(self, queue: str, *args: Any, **kwargs: Any) -> Any:
        """As the parent's; without its queue and subscription a worker goes on without remote control."""
        if self._is_workers(queue):
            try:
                self._new_queue(queue)
                exchange = self._get_exchange_for_queue(queue)
                self.fanout.subscriptions.subscribe_queue(queue_name=queue, exchange_name=exchange)
            except Exception as error:  # noqa: BLE001 (denied, unreachable, garbled)
                if not self._is_refused:
                    log.error("no remote control of this worker yet: %r (%s)", error, NEEDS)  # noqa: TRY400
                self.connection.control_is_refused = True  # control_step.py tries again
                return None
            if self._is_refused:
                log.warning("remote control of this worker works now")
            self.connection.control_is_refused = False
        return super().basic_consume(queue, *args, **kwargs)

    def _lookup(self, exchange: str, routing_key: str, default: str | None = None) -> Any:
        if self.control_prefix and exchange and exchange.startswith("reply.") and exchange.endswith(SUFFIX):
            return [f"{routing_key}.{exchange}"]  # bound in the asker's process only
        return super()._lookup(exchange, routing_key, default)

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> Any:
        if not self._is_control(queue):
            return super()._put(queue, message, **kwargs)
        # A reply, from the worker's event loop: brief, and nobody may be waiting for it any more.
        name = self.canonical_queue_name(queue)
        try:
            client = self.brief_client(name)
            body = upstream.encode_message(upstream.dumps(message))
            client.send_message(QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"], MessageBody=body)
        except Exception as error:  # noqa: BLE001
            log.warning("reply to a remote control command not sent: %r", error)
        return None

    def _receive_message(
        self, queue: str, max_number_of_messages: int = 1, wait_time_seconds: int | None = None
    ) -> dict[str, Any]:
        wait_s = REPLY_WAIT_S if self._is_control(queue) else wait_time_seconds
        received: dict[str, Any] = super()._receive_message(queue, max_number_of_messages, wait_s)
        return received

    def _delete_messages(self, queue: str, messages: list[dict[str, Any]]) -> None:
        if not (self._is_control(queue) and self.hub):
            super()._delete_messages(queue, messages)
            return
        client, url = self.brief_client(queue), self._new_queue(queue)
        for message in messages:  # not on the event loop
            self._chores.add(Chore(client=client, url=url, receipt=message["ReceiptHandle"]))

    def _delete(self, queue: str, *args: Any, **kwargs: Any) -> None:
        """A question is answered: its reply queue goes; predefined queues are nobody's to delete."""
        if not self._is_control(queue):
            super()._delete(queue, *args, **kwargs)
            return
        url = self._queue_cache.pop(self.canonical_queue_name(queue), None)
        try:
            if url:
                self.brief_client(queue).delete_queue(QueueUrl=url)
        except Exception as error:  # noqa: BLE001 (the reaper will)
            log.warning("control queue not deleted: %r", error)

    def close(self) -> None:
        """As the parent's; a worker that ends takes its queue and its subscription along."""
        left: list[Any] = []
        if not self.closed and self._fanout is not None and _is_ending():
            client, sns = self.brief_client(None), self.fanout.get_client()
            cache = self.fanout.subscriptions._subscription_arn_cache  # noqa: SLF001
            for key, arn in list(cache.items()):
                url = self._queue_cache.pop(self.canonical_queue_name(key.partition(":")[2]), None)
                left.append((sns.unsubscribe, {"SubscriptionArn": arn}))
                if url:
                    left.append((client.delete_queue, {"QueueUrl": url}))
            cache.clear()
        super().close()
        for call, arguments in left:
            try:
                call(**arguments)
            except Exception as error:  # noqa: BLE001 (the reaper will)
                log.warning("not cleared away after remote control: %r", error)


def _is_ending() -> bool:
    state: Any = sys.modules.get("celery.worker.state")  # who only sends does not load the worker
    return state is not None and (state.should_stop is not None or state.should_terminate is not None)


class OneQueueEach(Mailbox):
    """A mailbox whose every question has a reply queue of its own.

    kombu's has one for each thread, made and deleted with each question; SQS refuses a deleted name for 60 s.
    """

    _own_oid: str | None = None

    def __call__(self, connection: Any) -> Any:
        """As kombu's: the mailbox for one question."""
        bound: Any = super().__call__(connection)  # type: ignore[no-untyped-call]
        if connection.transport_options.get("control_prefix"):
            bound.__dict__.pop("reply_queue", None)
            bound._own_oid = uuid.uuid4().hex  # noqa: SLF001
        return bound

    @property
    def oid(self) -> Any:
        """Names the reply queue."""
        return self._own_oid or super().oid

    def _broadcast(self, command: str, arguments: Any = None, destination: Any = None, *args: Any, **kw: Any) -> Any:
        if self._own_oid and destination and args[:1] == (True,):
            timeout = args[1] if len(args) > 1 else None
            args = (True, max(timeout or 0, ANSWER_S), *args[2:])
        return super()._broadcast(command, arguments, destination, *args, **kw)  # type: ignore[no-untyped-call]


class SqsControl(Control):  # type: ignore[misc]
    """``app.control`` whose questions suit SQS."""

    Mailbox = OneQueueEach

"""A worker refuses to consume from a queue without a redrive policy, which would lose its failed tasks.

kombu 5.7.0 deletes a rejected message unless its queue has a RedrivePolicy: a queue made without one loses every task
that fails, silently. Here such a queue is named at the start, with what to do, and the worker ends.
"""

from __future__ import annotations

import time
from typing import Any, Final

from botocore.exceptions import ClientError
from celery import bootsteps
from celery.exceptions import WorkerShutdown
from celery.worker.state import maybe_shutdown
from kombu.log import get_logger

from scanner_tasks.sqs.backoff import pause_s

log = get_logger(__name__)

NOT_OURS: Final = frozenset({"AccessDenied", "AccessDeniedException"})
MISSING: Final = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
EXIT_STATUS = 78  # EX_CONFIG


class RequireRedrive(bootsteps.StartStopStep):  # type: ignore[misc]
    """Checks every queue that the worker is about to consume from, and learns its visibility timeout."""

    requires = ("celery.worker.consumer.connection:Connection",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        #: Seconds of each queue's visibility timeout, by URL; the heartbeat reads it.
        consumer.sqs_visibility_timeouts = {}
        super().__init__(consumer, **kwargs)

    def start(self, consumer: Any) -> None:
        """Ask SQS for the attributes of each queue; end the worker if one cannot be consumed from."""
        channel = consumer.connection.default_channel
        if not hasattr(channel, "requires_redrive"):
            return  # another broker
        wrong = []
        for name in consumer.app.amqp.queues.consume_from:
            try:
                attributes = read_attributes(channel, name)
            except ClientError as error:
                wrong.append(_explain(name, error))
                continue
            url = channel._new_queue(name)  # noqa: SLF001
            consumer.sqs_visibility_timeouts[url] = int(attributes.get("VisibilityTimeout", 0)) or None
            if channel.requires_redrive and "RedrivePolicy" not in attributes:
                wrong.append(
                    f"SQS queue {name} has no RedrivePolicy, so every failed task in it would be lost: give it a dead "
                    f"letter queue (aws sqs set-queue-attributes --queue-url {url} --attributes RedrivePolicy=…, or "
                    "redrive_policy in Terraform), or set require_redrive_policy to False in broker_transport_options."
                )
        if wrong:
            for line in wrong:
                log.critical(line)
            raise WorkerShutdown(EXIT_STATUS)


def read_attributes(channel: Any, name: str, *, attempts: int = 30) -> dict[str, str]:
    """The queue's RedrivePolicy and VisibilityTimeout; waits out an SQS that does not answer (about five minutes).

    ClientError when the queue is missing or may not be read.
    """
    for attempt in range(1, attempts + 1):
        try:
            answer = channel.brief_client(name).get_queue_attributes(
                QueueUrl=channel._new_queue(name),  # noqa: SLF001
                AttributeNames=["RedrivePolicy", "VisibilityTimeout"],
            )
            return dict(answer["Attributes"])
        except ClientError as error:
            if attempt == attempts or error.response["Error"].get("Code") in NOT_OURS | MISSING:
                raise
            why = repr(error)
        except Exception as error:
            # BotoCoreError, KeyError for half an answer, and ResponseParserError, which derives from Exception alone.
            if attempt == attempts:
                raise
            why = repr(error)
        maybe_shutdown()
        log.warning("SQS GetQueueAttributes of %s failed, will try again: %s", name, why)
        time.sleep(pause_s(attempt, longest_s=10))
    raise AssertionError(attempts)


def _explain(name: str, error: ClientError) -> str:
    code = error.response["Error"].get("Code")
    if code in NOT_OURS:
        return f"SQS queue {name} cannot be checked: allow sqs:GetQueueAttributes on it for the worker's role."
    if code in MISSING:
        return f"SQS queue {name} does not exist: check its URL in predefined_queues."
    return f"SQS queue {name} cannot be checked: {code}."

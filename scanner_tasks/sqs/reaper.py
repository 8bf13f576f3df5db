"""Clears away what remote control leaves behind: ``python -m scanner_tasks.sqs.reaper -A your.app [--idle 600]``.

A worker that ends takes its control queue along; one that is killed cannot. Living workers tag their queue with the
time every two minutes (``control_step.py``). A queue with the control prefix whose tag, or whose creation when it has
none, is older than ``--idle`` seconds belongs to nobody: it goes with its subscription. So does a subscription whose
queue is gone. Every worker with remote control does this once, at its start.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from dataclasses import dataclass
from typing import Any

from celery.app.utils import find_app
from kombu.log import get_logger

log = get_logger(__name__)

LAST_SEEN = "s3scan-last-seen"
#: Five heartbeats.
IDLE_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Reaped:
    """What was cleared away, by name and by ARN."""

    queues: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()


def reap_for(app: Any, *, idle_s: float | None = None) -> Reaped:
    """Reap for a Celery application; ValueError when it has no option ``control_prefix``."""
    with app.connection_for_write() as connection:
        channel = connection.default_channel
        prefix = getattr(channel, "control_prefix", "")
        if not prefix:
            raise ValueError("the application has no remote control (control_prefix in broker_transport_options)")
        if idle_s is None:
            idle_s = float(channel.transport_options.get("control_idle_s", IDLE_S))
        # The worker's own way to its topic: predefined_exchanges, or CreateTopic with the same attributes and tags.
        topic_arn = channel.fanout._get_or_create_topic(app.control.mailbox.exchange.name)  # noqa: SLF001
        sqs, sns = channel.brief_client(None), channel.fanout.get_client()
        return reap(sqs, sns, prefix, topic_arn=topic_arn, idle_s=idle_s, now=time.time())


def reap(sqs: Any, sns: Any, prefix: str, *, topic_arn: str, idle_s: float, now: float) -> Reaped:
    """Delete control queues that nobody has tagged for ``idle_s`` seconds, and subscriptions without a queue."""
    if not prefix:
        raise ValueError("an empty prefix is every queue's")
    queues = []
    for url in _urls(sqs, prefix):
        with contextlib.suppress(sqs.exceptions.QueueDoesNotExist):
            if now - _last_seen(sqs, url) > idle_s:
                sqs.delete_queue(QueueUrl=url)
                queues.append(url.rpartition("/")[2])
    subscriptions = []
    for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn):
        for subscription in page.get("Subscriptions", []):
            name = subscription["Endpoint"].rpartition(":")[2]
            if subscription.get("Protocol") == "sqs" and (name in queues or not _exists(sqs, name)):
                sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
                subscriptions.append(subscription["SubscriptionArn"])
    if queues or subscriptions:
        log.info("remote control: %d dead queue(s), %d subscription(s) removed", len(queues), len(subscriptions))
    return Reaped(queues=tuple(queues), subscriptions=tuple(subscriptions))


def _urls(sqs: Any, prefix: str) -> list[str]:
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix, PaginationConfig={"PageSize": 1000})
    urls = [url for page in pages for url in page.get("QueueUrls", [])]
    return [url for url in urls if url.rpartition("/")[2].startswith(prefix)]


def _last_seen(sqs: Any, url: str) -> float:
    seen = sqs.list_queue_tags(QueueUrl=url).get("Tags", {}).get(LAST_SEEN)
    if seen is not None:
        return float(seen)
    made = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["CreatedTimestamp"])
    return float(made["Attributes"]["CreatedTimestamp"])


def _exists(sqs: Any, name: str) -> bool:
    try:
        sqs.get_queue_url(QueueName=name)
    except sqs.exceptions.QueueDoesNotExist:
        return False
    return True


def main(argv: list[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m scanner_tasks.sqs.reaper", description=__doc__)
    parser.add_argument("-A", "--app", required=True, help="the Celery application, as for celery -A")
    parser.add_argument("--idle", type=float, default=None, help="seconds without a sign of life (default 600)")
    options = parser.parse_args(argv)
    try:
        reaped = reap_for(find_app(options.app), idle_s=options.idle)
    except ValueError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(f"{len(reaped.queues)} queues, {len(reaped.subscriptions)} subscriptions removed")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())

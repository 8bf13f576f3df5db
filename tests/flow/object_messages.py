"""Messages of S3's events, as S3, SNS and EventBridge send them."""

from __future__ import annotations

import itertools
import json
from typing import Any
from urllib.parse import quote_plus

from scanner_tasks.flow.object_events import EventMessage

_numbers = itertools.count(1)


def record(
    bucket: str, key: str, *, name: str = "ObjectCreated:Put", sequencer: str = "", **about: Any
) -> dict[str, Any]:
    """A record of S3's own notification."""
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-11-01T08:00:00.000Z",
        "eventName": name,
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {
                "key": quote_plus(key),
                "sequencer": sequencer or f"{next(_numbers):016X}",
                **({} if name.startswith("ObjectRemoved") else {"size": 30, "eTag": ""}),
                **about,
            },
        },
    }


def message(*records: dict[str, Any]) -> EventMessage:
    """A message of such records."""
    return text(json.dumps({"Records": records}))


def text(body: str) -> EventMessage:
    """A message with this body."""
    return EventMessage(message_id=f"m{next(_numbers)}", body=body, receive_count=1, sent_at=None)


def eventbridge(bucket: str, key: str, *, kind: str = "Object Created", **about: Any) -> EventMessage:
    """A message of EventBridge's."""
    told = {"key": key, "size": 30, "etag": "", "sequencer": f"{next(_numbers):016X}", **about}
    detail = {"version": "0", "bucket": {"name": bucket}, "object": told}
    event = {"version": "0", "source": "aws.s3", "detail-type": kind, "time": "2026-11-01T08:00:00Z", "detail": detail}
    return text(json.dumps(event))

"""The Lambda function that SQS calls with S3's events: each becomes an object of its bucket's continuous job."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from scanner_tasks import bootstrap, log
from scanner_tasks.core.errors import InvalidInput, ScannerError
from scanner_tasks.flow import object_events
from scanner_tasks.flow.object_events import EventMessage

_log = log.get_logger()


class EventsFailed(Exception):
    """What a failed call says to its caller: no internals."""


def handler(event: object, _context: object) -> dict[str, Any]:
    """Take a batch of messages; names those that are to come again, as ReportBatchItemFailures wants it.

    A call that fails or dies leaves all of them to come again: what is recorded already is no news then.
    """
    messages = _messages(event)
    try:
        taken = object_events.take_events(messages, using=bootstrap.feeder())
    except ScannerError as error:
        _log.warning("events_interrupted", exc_info=error)
        raise
    except Exception as error:  # noqa: BLE001 (a bug: logged whole, told without internals)
        _log.exception("events_failed")
        raise EventsFailed(
            f"The events were not taken ({type(error).__name__}); the function's log tells more under events_failed."
        ) from None
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in taken.failed]}


def _messages(event: object) -> list[EventMessage]:
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list) or not all(
        isinstance(one, dict) and isinstance(one.get("messageId"), str) and isinstance(one.get("body"), str)
        for one in records
    ):
        raise InvalidInput("The event is no batch of SQS messages: connect the function to the queue of S3's events.")
    return [
        EventMessage(
            message_id=one["messageId"],
            body=one["body"],
            receive_count=int(_attribute(one, "ApproximateReceiveCount") or 1),
            sent_at=_moment(_attribute(one, "SentTimestamp")),
        )
        for one in records
    ]


def _attribute(record: dict[str, Any], name: str) -> str | None:
    attributes = record.get("attributes")
    told = attributes.get(name) if isinstance(attributes, dict) else None
    return told if isinstance(told, str) and told.isdecimal() else None


def _moment(milliseconds: str | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(int(milliseconds) / 1000, UTC)

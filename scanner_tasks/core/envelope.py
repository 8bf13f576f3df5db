"""The Celery message of a batch as SQS carries it, built and read without Celery: Lambdas start fast.

What is built here equals, field by field, what ``scan_batch.apply_async(...)`` sends through kombu's SQS transport
(``tests/unit/test_envelope.py`` compares them). The differences are named there: ``delivery_tag``, ``origin`` and
``reply_to`` are random or of the sending process, so that here they are derived from the task or empty.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid5

from scanner_tasks.core import lanes
from scanner_tasks.core.errors import InvalidInput

if TYPE_CHECKING:
    from uuid import UUID

#: Every task of ours is named with this prefix; the ledger's own is the second.
TASK_PREFIX = "scanner_tasks."
SCAN_BATCH = TASK_PREFIX + "scan_batch"
#: Header that carries the SQS MessageGroupId: kombu does not hand back a received one, and a re-send must keep it.
MESSAGE_GROUP_HEADER = "message_group"
#: Stands where Celery writes ``gen<pid>@<host>``.
ORIGIN = "feed@s3scan"

_BODY_PARTS = 3  # args, kwargs, embedded signatures
_EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """What a message of ours asks for."""

    #: Task name, such as ``scanner_tasks.scan_batch``.
    task: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    task_id: str
    #: Bucket whose fair share the message counts against; None when the sender gave none.
    message_group: str | None = None
    #: Queue that the message was sent to; kombu acks by this name, so a move to another queue must rewrite it.
    lane: str | None = None


def task_id(job_id: UUID, batch_no: int, epoch: int) -> UUID:
    """The id of a batch's task: the same batch and epoch give the same id, however often they are sent.

    Examples:
        >>> from uuid import UUID
        >>> task_id(UUID(int=1), 7, 0) == task_id(UUID(int=1), 7, 0) != task_id(UUID(int=1), 7, 1)
        True
    """
    return uuid5(job_id, f"{batch_no}/{epoch}")


def scan_batch_message(*, job_id: UUID, batch_no: int, epoch: int, lane: str, bucket: str) -> str:
    """The SQS MessageBody of one batch: a pointer into the ledger, never a key.

    Send it with ``MessageGroupId = lanes.message_group(bucket)``. The same arguments give the same text.

    Examples:
        >>> from uuid import UUID
        >>> body = scan_batch_message(job_id=UUID(int=1), batch_no=7, epoch=0, lane="scan-3", bucket="logs")
        >>> envelope = read_envelope(body)
        >>> envelope.task, envelope.args, envelope.lane
        ('scanner_tasks.scan_batch', ('00000000-0000-0000-0000-000000000001', 7, 0), 'scan-3')
    """
    return task_message(
        SCAN_BATCH,
        (str(job_id), batch_no, epoch),
        task_id=task_id(job_id, batch_no, epoch),
        lane=lane,
        group=lanes.message_group(bucket),
    )


def task_message(task: str, args: tuple[Any, ...], *, task_id: UUID, lane: str, group: str) -> str:
    """The SQS MessageBody of a task of ours. The same arguments give the same text."""
    the_id = str(task_id)
    message = {
        "body": _encode(json.dumps([args, {}, _EMBED])),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": task,
            "id": the_id,
            "shadow": None,
            "eta": None,
            "expires": None,
            "group": None,
            "group_index": None,
            "retries": 0,
            "timelimit": [None, None],
            "root_id": the_id,
            "parent_id": None,
            "argsrepr": repr(args),
            "kwargsrepr": "{}",
            "origin": ORIGIN,
            "ignore_result": True,
            "replaced_task_nesting": 0,
            "stamped_headers": None,
            "stamps": {},
            MESSAGE_GROUP_HEADER: group,
        },
        "properties": {
            "correlation_id": the_id,
            "reply_to": "",
            "MessageGroupId": group,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": lane},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": the_id,  # kombu's SQS channel replaces it by the receipt handle on receipt
        },
    }
    return _encode(json.dumps(message))


def read_envelope(body: str) -> Envelope:
    """Read a message of ours, base64 or plain JSON; InvalidInput for anything else, without quoting any of it.

    Not ours are: text that is neither, JSON of another shape (an S3 event), Celery's protocol 1, another application's
    task, another serializer.
    """
    message = _mapping(_parse(body, "The message"), "The message")
    headers = _mapping(message.get("headers"), "The message's headers")
    properties = _mapping(message.get("properties"), "The message's properties")
    task, the_id = headers.get("task"), headers.get("id")
    if not isinstance(task, str) or not isinstance(the_id, str):
        msg = "The message is no Celery message of protocol 2: its headers name no task and id."
        raise InvalidInput(msg)
    if not task.startswith(TASK_PREFIX):
        msg = "The message is for a task of another application."
        raise InvalidInput(msg)
    if message.get("content-type") != "application/json":
        msg = "The message is not serialized as application/json."
        raise InvalidInput(msg)
    args, kwargs = _call(message.get("body"), is_encoded=properties.get("body_encoding") == "base64")
    group = headers.get(MESSAGE_GROUP_HEADER, properties.get("MessageGroupId"))
    delivery = properties.get("delivery_info")
    lane = delivery.get("routing_key") if isinstance(delivery, dict) else None
    return Envelope(
        task=task,
        args=args,
        kwargs=kwargs,
        task_id=the_id,
        message_group=group if isinstance(group, str) else None,
        lane=lane if isinstance(lane, str) else None,
    )


def _call(body: object, *, is_encoded: bool) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and keyword arguments out of the inner body."""
    if isinstance(body, str):
        # kombu decodes by body_encoding; guessing here would read what a worker could not.
        parts = _parse(_decode(body, "The message's body") if is_encoded else body, "The message's body")
        if isinstance(parts, list) and len(parts) == _BODY_PARTS:
            args, kwargs, _ = parts
            if isinstance(args, list) and isinstance(kwargs, dict):
                return tuple(args), kwargs
    msg = "The message's body is not the three parts of Celery's protocol 2."
    raise InvalidInput(msg)


def _mapping(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        msg = f"{what} should be a JSON object."
        raise InvalidInput(msg)
    return value


def _parse(text: str, what: str) -> object:
    if not text.lstrip().startswith(("{", "[")):
        text = _decode(text, what)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        msg = f"{what} is not JSON."
        raise InvalidInput(msg) from None


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(text: str, what: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        msg = f"{what} is neither JSON nor base64."
        raise InvalidInput(msg) from None

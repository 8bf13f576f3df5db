"""What S3 says has happened to objects, out of a queue's messages.

Three forms come: S3's own notification (``Records``), the same inside an SNS envelope, and EventBridge's. In the first
two a key is URL-encoded, with ``+`` for a space; in EventBridge's it stands as it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import unquote_plus

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.model import ObjectRef
from scanner_tasks.core.names import KEY_MAX_BYTES, check_bucket

TEST_EVENT: Final = "s3:TestEvent"
#: Digits of a sequencer at most; S3's have about 18 today.
_SEQUENCER_MAX: Final = 64
_HEX: Final = frozenset("0123456789ABCDEF")
_SIZE_END: Final = 2**63


class EventKind(StrEnum):
    """What happened to an object, as far as it matters here."""

    #: Written, copied, put together from parts; or a restored copy of it can be read now.
    CREATED = "created"
    RESTORED = "restored"
    #: Deleted, by hand or by a lifecycle rule; in a bucket with versions also hidden by a delete marker.
    DELETED = "deleted"
    #: Tags, access lists, transitions, replication: nothing that is to be scanned.
    OTHER = "other"


#: First words of S3's names, and EventBridge's own.
_KINDS: Final = {
    "ObjectCreated": EventKind.CREATED,
    "ObjectRestore:Completed": EventKind.RESTORED,
    "ObjectRemoved": EventKind.DELETED,
    "LifecycleExpiration": EventKind.DELETED,
    "Object Created": EventKind.CREATED,
    "Object Restore Completed": EventKind.RESTORED,
    "Object Deleted": EventKind.DELETED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectEvent:
    """One event of one object."""

    kind: EventKind
    #: Of a deletion without size and ETag.
    ref: ObjectRef
    #: Orders the events of one ``subject``: compare as text. "" for OTHER.
    sequencer: str

    @property
    def subject(self) -> bytes:
        """16 bytes for what the sequencer orders: the key, or one version of it; a restore has an order of its own."""
        parts = (self.ref.key, self.ref.version_id or "", "restored" if self.kind is EventKind.RESTORED else "")
        return hashlib.blake2b("\0\0".join(parts).encode(), digest_size=16).digest()


def read_events(body: str) -> tuple[ObjectEvent, ...]:
    """Every event of a message, in its order; () for the event by which S3 tests a new notification.

    All or none: one record that cannot be read makes the whole message InvalidInput, so that it is kept as it is.

    Examples:
        >>> body = '''{"Records": [{"eventName": "ObjectCreated:Put", "eventTime": "2026-11-01T00:00:00.000Z", "s3": {
        ...   "bucket": {"name": "inbox"}, "object": {"key": "a+b%2B.csv", "size": 5, "eTag": "e",
        ...   "sequencer": "0055AED6DCD90281E5"}}}]}'''
        >>> [(e.kind.value, e.ref.key, e.sequencer) for e in read_events(body)]
        [('created', 'a b+.csv', '0055AED6DCD90281E5')]
    """
    told = _json(body)
    if told.get("Type") == "Notification" and isinstance(told.get("Message"), str):  # SNS, unless delivered raw
        told = _json(told["Message"])
    if told.get("Event") == TEST_EVENT:
        return ()
    if told.get("source") == "aws.s3":
        return (_of_eventbridge(told),)
    records = told.get("Records")
    if not isinstance(records, list) or not records:
        raise InvalidInput("The message is no event of S3: neither a notification, nor SNS's, nor EventBridge's.")
    return tuple(_of_record(record) for record in records)


def newest(events: Iterable[ObjectEvent]) -> tuple[ObjectEvent, ...]:
    """Of each subject the event that happened last, in the order of keys.

    a written (sequencer 1), a deleted (3), a written (2) came in this order: it is deleted.
    """
    last: dict[bytes, ObjectEvent] = {}
    for event in events:
        known = last.get(event.subject)
        if known is None or known.sequencer < event.sequencer:
            last[event.subject] = event
    return tuple(sorted(last.values(), key=lambda event: (event.ref.key.encode(), event.ref.version_id or "")))


def _json(text: str) -> Mapping[str, Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput("The message is not JSON.") from None
    if not isinstance(told, dict):
        raise InvalidInput("The message is not a JSON object.")
    return told


def _of_record(record: Any) -> ObjectEvent:
    given = record if isinstance(record, dict) else {}
    name = given.get("eventName")
    about = given.get("s3")
    if not isinstance(name, str) or not isinstance(about, dict):
        raise InvalidInput("A record of the message has no eventName, or nothing under s3.")
    bucket, told = about.get("bucket"), about.get("object")
    if not isinstance(bucket, dict) or not isinstance(told, dict) or not isinstance(told.get("key"), str):
        raise InvalidInput("A record of the message has no s3.bucket.name or no s3.object.key.")
    try:
        key = unquote_plus(told["key"], errors="strict")
    except UnicodeDecodeError:
        raise InvalidInput("A record's s3.object.key is not URL-encoded UTF-8.") from None
    plain = name.removeprefix("s3:")
    kind = _KINDS.get(plain) or _KINDS.get(plain.partition(":")[0], EventKind.OTHER)
    return _event(
        kind,
        bucket.get("name"),
        key,
        told,
        etag=told.get("eTag"),
        version_id=told.get("versionId"),
        at=given.get("eventTime"),
    )


def _of_eventbridge(told: Mapping[str, Any]) -> ObjectEvent:
    detail = told.get("detail")
    bucket = detail.get("bucket") if isinstance(detail, dict) else None
    about = detail.get("object") if isinstance(detail, dict) else None
    if not isinstance(bucket, dict) or not isinstance(about, dict) or not isinstance(about.get("key"), str):
        raise InvalidInput("The event has no detail.bucket.name or no detail.object.key.")
    kind = _KINDS.get(str(told.get("detail-type")), EventKind.OTHER)
    return _event(
        kind,
        bucket.get("name"),
        about["key"],
        about,
        etag=about.get("etag"),
        version_id=about.get("version-id"),
        at=told.get("time"),
    )


def _event(
    kind: EventKind, bucket: Any, key: str, told: Mapping[str, Any], *, etag: Any, version_id: Any, at: Any
) -> ObjectEvent:
    if not isinstance(bucket, str):
        raise InvalidInput("The event names no bucket.")
    check_bucket(bucket)
    if (
        not key
        or len(key.encode(errors="surrogatepass")) > KEY_MAX_BYTES
        or any("\ud800" <= c <= "\udfff" for c in key)
    ):
        raise InvalidInput("The event's key is none that S3 could hold.")
    size = told.get("size", 0 if kind in {EventKind.DELETED, EventKind.OTHER} else None)
    if type(size) is not int or not 0 <= size < _SIZE_END:
        raise InvalidInput("The event tells no size of its object.")
    moment = at if isinstance(at, str) else ""
    ref = ObjectRef(
        bucket=bucket,
        key=key,
        size_bytes=size,
        etag=etag.strip('"') if isinstance(etag, str) else "",
        # "null" is the version of a key that was written without versions: its current one.
        version_id=version_id if isinstance(version_id, str) and version_id not in {"", "null"} else None,
        is_restored=kind is EventKind.RESTORED,
        modified_at=moment,
    )
    sequencer = "" if kind is EventKind.OTHER else _sequencer(told.get("sequencer"), moment)
    return ObjectEvent(kind=kind, ref=ref, sequencer=sequencer)


def _sequencer(told: Any, at: str) -> str:
    """S3's hexadecimal number without the zeros at its end, so that texts compare as S3 says: padded to one length.

    Where there is none (restores, some other stores) the event's time stands for it.

    Examples:
        >>> _sequencer("0055aed6dc900", ""), _sequencer("0055AED6DC", "") < _sequencer("0055AED6DC9", "")
        ('0055AED6DC9', True)
        >>> _sequencer(None, "2026-11-01T00:00:00.000Z")
        '20261101'
    """
    if told is None or told == "":
        digits = "".join(c for c in at if c.isdecimal())[:_SEQUENCER_MAX]
        if not digits:
            raise InvalidInput("The event tells neither a sequencer nor its time.")
        return digits.rstrip("0")
    if not isinstance(told, str) or len(told) > _SEQUENCER_MAX or not _HEX.issuperset(told.upper()):
        raise InvalidInput("The event's sequencer is no hexadecimal number.")
    return told.upper().rstrip("0")

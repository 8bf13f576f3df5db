"""In-memory S3, SQS, Step Functions and CloudWatch, with the methods of ``scanner_tasks.aws``: for your tests and ours.

They behave as the real ones where callers can tell: order of listings, ETags, visibility timeouts, redrive, names that
start once. The contract tests in ``tests/aws`` run on each fake and on the emulator alike. All are safe to share
between threads.

Examples:
    >>> bucket = FakeObjects({"inbox": {"a.csv": b"one", "b/c.csv": b"two"}})
    >>> [o.key for o in bucket.list_page("inbox", prefix="b/", start_after=None).objects]
    ['b/c.csv']
    >>> with bucket.open(bucket.head("inbox", "a.csv")) as body:
    ...     body.read(100)
    b'one'
"""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote
from uuid import uuid4

from scanner_tasks.core import lanes
from scanner_tasks.core.access import OWN, Access
from scanner_tasks.core.buckets import Bucket, Posture
from scanner_tasks.core.errors import (
    BucketNotFound,
    Denied,
    ObjectArchived,
    ObjectChanged,
    ObjectDenied,
    ObjectGone,
    Unavailable,
)
from scanner_tasks.core.listing.markers import Marker
from scanner_tasks.core.model import ObjectRef
from scanner_tasks.core.ports import EXECUTION_NOT_FOUND, Depth, OutgoingMessage, Page, ReceivedMessage, VersionPage

#: When objects of the fake were last modified.
LONG_AGO = "2026-01-02T03:04:05.000Z"
_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})


class FakeObjects:
    """Buckets of objects as dictionaries, which a test may change at any time through ``buckets``.

    Args:
        buckets: bucket → key → bytes; copied.
        storage_classes: (bucket, key) → storage class, where it is not STANDARD; archived ones cannot be read.
        denied: (bucket, key) of objects, or (bucket, None) of listings, that the role may not read.
    """

    def __init__(
        self,
        buckets: Mapping[str, Mapping[str, bytes]],
        *,
        storage_classes: Mapping[tuple[str, str], str] | None = None,
        denied: Sequence[tuple[str, str | None]] = (),
    ) -> None:
        self.buckets = {bucket: dict(objects) for bucket, objects in buckets.items()}
        self.storage_classes = dict(storage_classes or {})
        self.denied: set[tuple[str, str | None]] = set(denied)
        self._account = FakeAccount(self)
        #: (bucket, key, version id) → content, current or not; a test may add some.
        self.versions: dict[tuple[str, str, str], bytes] = {}
        #: (bucket, key, version id or None) → tags, where there are some; a test may add them.
        self.object_tags: dict[tuple[str, str, str | None], dict[str, str]] = {}
        #: (bucket, key) of objects whose tags the role may not ask for.
        self.denied_tags: set[tuple[str, str]] = set()
        #: Those of ``versions`` that are delete markers; (bucket, key) → the version that is current, where it has one.
        self.delete_markers: set[tuple[str, str, str]] = set()
        self.latest: dict[tuple[str, str], str] = {}
        #: (bucket, key) → when it was last modified, where it is not LONG_AGO; a test may add some.
        self.modified: dict[tuple[str, str], str] = {}
        #: Objects that are reached in another way than by default; a test may add some.
        self.reached: dict[Access, FakeObjects] = {}

    def through(self, access: Access) -> FakeObjects:
        """Itself, or what stands in ``reached``; raises Denied for a way that is not there."""
        if access == OWN:
            return self
        if access not in self.reached:
            raise Denied("Nothing is reached in this way.")
        return self.reached[access]

    def account(self) -> FakeAccount:
        """Its buckets, as an account shows them; the same object each time."""
        return self._account

    def check_bucket(self, bucket: str) -> None:
        """Return if the bucket can be listed; raises BucketNotFound or Denied."""
        if bucket not in self.buckets:
            raise BucketNotFound(bucket)
        if (bucket, None) in self.denied:
            raise Denied(f"Not allowed to list the bucket {bucket!r}: the role needs s3:ListBucket.")

    def list_page(self, bucket: str, *, prefix: str, start_after: str | None, max_keys: int = 1000) -> Page:
        """The objects whose keys stand behind ``start_after``, in the order of their UTF-8 bytes."""
        self.check_bucket(bucket)
        after = (start_after or "").encode()
        keys = sorted((key for key in list(self.buckets[bucket]) if key.startswith(prefix)), key=str.encode)
        keys = [key for key in keys if key.encode() > after]
        return Page(objects=tuple(self._ref(bucket, key) for key in keys[:max_keys]), is_last=len(keys) <= max_keys)

    def list_versions(self, bucket: str, *, prefix: str, after: Marker | None, max_keys: int = 1000) -> VersionPage:
        """Every version and delete marker behind the marker; a key's newest first."""
        self.check_bucket(bucket)
        listed: dict[str, list[str]] = {key: [] for key in list(self.buckets[bucket]) if key.startswith(prefix)}
        for name, key, version_id in list(self.versions):
            if name == bucket and key.startswith(prefix):
                listed.setdefault(key, []).append(version_id)
        entries: list[tuple[str, str, bool]] = []
        for key in sorted(listed, key=str.encode):
            is_plain = key in self.buckets[bucket] and (bucket, key) not in self.latest
            ids = [*(["null"] if is_plain else []), *reversed(listed[key])]
            entries += [(key, version_id, n == 0) for n, version_id in enumerate(ids)]
        first = 0
        if after is not None:  # behind that version if it is there still, else behind its key
            behind = [n for n, (key, *_) in enumerate(entries) if key.encode() <= after.key.encode()]
            exact = [n for n in behind if entries[n][:2] == (after.key, after.version_id)]
            first = (exact or behind or [-1])[-1] + 1
        page = entries[first : first + max_keys]
        return VersionPage(
            keys=tuple(key for key, *_ in page),
            objects=tuple(self._listed_version(bucket, key, version_id) for key, version_id, _ in page),
            current=tuple(is_current for *_, is_current in page),
            marker=None if first + max_keys >= len(entries) else Marker(page[-1][0], page[-1][1]),
        )

    def _listed_version(self, bucket: str, key: str, version_id: str) -> ObjectRef | None:
        if (bucket, key, version_id) in self.delete_markers:
            return None
        return self._ref(bucket, key, None if version_id == "null" else version_id)

    def put_version(self, bucket: str, key: str, version_id: str, content: bytes | None) -> None:
        """A newest version of the key; None puts a delete marker."""
        self.versions[bucket, key, version_id] = content or b""
        if content is None:
            self.delete_markers.add((bucket, key, version_id))
            self.latest.pop((bucket, key), None)
            self.buckets[bucket].pop(key, None)
        else:
            self.latest[bucket, key] = version_id
            self.buckets[bucket][key] = content

    def head(self, bucket: str, key: str, version_id: str | None = None) -> ObjectRef:
        """The object as it is now, or that version; raises ObjectGone or ObjectDenied."""
        self._check(bucket, key, version_id)
        return self._ref(bucket, key, version_id)

    def tags(self, ref: ObjectRef) -> dict[str, str]:
        """The object's tags, or that version's; raises ObjectGone or ObjectDenied."""
        if (ref.bucket, ref.key) in self.denied_tags:
            raise ObjectDenied("S3 refused to tell the object's tags: the role needs s3:GetObjectTagging here.")
        self._check(ref.bucket, ref.key, ref.version_id)
        return dict(self.object_tags.get((ref.bucket, ref.key, ref.version_id), {}))

    def open(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> FakeBody:
        """The bytes of exactly the listed object, or some of them: places from 0, both inclusive."""
        return FakeBody(self, ref, slice(first_byte, None if last_byte is None else last_byte + 1))

    def _check(self, bucket: str, key: str, version_id: str | None = None) -> None:
        if (bucket, key) in self.denied:
            raise ObjectDenied("S3 refused the read: the role needs s3:GetObject here.")
        if version_id is not None:
            if (bucket, key, version_id) not in self.versions:
                raise ObjectGone("The object was deleted after it was listed.")
        elif key not in self.buckets.get(bucket, {}):
            raise ObjectGone("The object was deleted after it was listed.")

    def _content(self, ref: ObjectRef) -> bytes:
        self._check(ref.bucket, ref.key, ref.version_id)
        now = self._ref(ref.bucket, ref.key, ref.version_id)
        if ref.etag and now.etag != ref.etag:
            raise ObjectChanged("The object was overwritten after it was listed.")
        if now.storage_class in _ARCHIVED:
            raise ObjectArchived("The object is archived: restore it before it is scanned.")
        return self._held(ref.bucket, ref.key, ref.version_id)

    def _held(self, bucket: str, key: str, version_id: str | None) -> bytes:
        return self.versions[bucket, key, version_id] if version_id else self.buckets[bucket][key]

    def _ref(self, bucket: str, key: str, version_id: str | None = None) -> ObjectRef:
        content = self._held(bucket, key, version_id)
        return ObjectRef(
            bucket=bucket,
            key=key,
            size_bytes=len(content),
            etag=hashlib.md5(content, usedforsecurity=False).hexdigest(),
            storage_class=self.storage_classes.get((bucket, key), "STANDARD"),
            modified_at=self.modified.get((bucket, key), LONG_AGO),
            version_id=version_id,
        )


class FakeAccount:
    """The buckets of FakeObjects; a test may change what they show."""

    def __init__(self, objects: FakeObjects) -> None:
        self._objects = objects
        #: Bucket → its tags / its posture, where it is not private and AES256.
        self.bucket_tags: dict[str, dict[str, str]] = {}
        self.postures: dict[str, Posture] = {}
        #: Bucket → what S3's daily metric says.
        self.object_counts: dict[str, int] = {}
        #: False: the role may not list the buckets.
        self.is_listable = True

    def buckets(self) -> tuple[Bucket, ...]:
        """Every bucket, by name; raises Denied."""
        if not self.is_listable:
            raise Denied("Not allowed to list the buckets: the role needs s3:ListAllMyBuckets.")
        return tuple(
            Bucket(name=name, region="us-east-1", created_at=LONG_AGO) for name in sorted(self._objects.buckets)
        )

    def tags(self, bucket: str) -> dict[str, str]:
        """The bucket's tags; raises BucketNotFound."""
        self._check(bucket)
        return dict(self.bucket_tags.get(bucket, {}))

    def posture(self, bucket: str) -> Posture:
        """Who may read the bucket; raises BucketNotFound."""
        self._check(bucket)
        return self.postures.get(bucket, Posture(public=False, encryption="AES256"))

    def object_count(self, bucket: str) -> int | None:
        """As a test has set it in ``object_counts``; None else."""
        return self.object_counts.get(bucket)

    def region(self, bucket: str) -> str:
        """The bucket's Region."""
        return "us-east-1" if bucket in self._objects.buckets else ""

    def _check(self, bucket: str) -> None:
        if bucket not in self._objects.buckets:
            raise BucketNotFound(bucket)


class FakeBody:
    """An object of FakeObjects being read; what is wrong with it is said by the first ``read``."""

    def __init__(self, objects: FakeObjects, ref: ObjectRef, wanted: slice = slice(None)) -> None:
        self._objects = objects
        self._ref = ref
        self._wanted = wanted
        self._stream: io.BytesIO | None = None

    @property
    def bytes_read(self) -> int:
        """Bytes handed out so far."""
        return self._stream.tell() if self._stream else 0

    def read(self, size: int, /) -> bytes:
        """The next bytes: exactly ``size`` of them except at the end; b"" after it."""
        if self._stream is None:
            self._stream = io.BytesIO(self._objects._content(self._ref)[self._wanted])  # noqa: SLF001 (one)
        return self._stream.read(size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""


@dataclass(kw_only=True)
class _StoredMessage:
    message: ReceivedMessage
    visible_at: float


class FakeQueues:
    """Queues with visibility timeouts, receive counts and redrive; a queue exists as soon as it is named.

    Args:
        clock: seconds since 1970, so that a test can let timeouts pass.
        max_receives: receives after which a message goes to the dead letter queue instead of to a receiver.
        dlq: name of the dead letter queue of all the others.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        max_receives: int = lanes.MAX_RECEIVES,
        dlq: str = lanes.DLQ,
    ) -> None:
        self._clock = clock
        self._max_receives = max_receives
        self._dlq = dlq
        self._queues: dict[str, list[_StoredMessage]] = {}
        self._lock = threading.Lock()
        self._last_number = 0
        #: Names of queues that refuse every message, as if the service were down; a test may change it.
        self.failing: set[str] = set()

    def send(self, queue: str, messages: Sequence[OutgoingMessage]) -> list[int]:
        """Send all; the indexes of those that could not be sent (all of them to a queue in ``failing``)."""
        with self._lock:
            if queue in self.failing:
                return list(range(len(messages)))
            now = self._clock()
            for message in messages:
                stored = ReceivedMessage(
                    message_id=str(uuid4()),
                    receipt="",
                    body=message.body,
                    group=message.group,
                    receive_count=0,
                    sent_at=datetime.fromtimestamp(now, UTC),
                )
                self._queues.setdefault(queue, []).append(_StoredMessage(message=stored, visible_at=now))
            return []

    def depth(self, queue: str) -> Depth:
        """How many messages stand in the queue."""
        with self._lock:
            stored, now = self._queues.get(queue, []), self._clock()
            visible = sum(s.visible_at <= now for s in stored)
            return Depth(visible=visible, in_flight=len(stored) - visible, delayed=0)

    def receive(self, queue: str, limit: int, visibility_timeout_s: int) -> list[ReceivedMessage]:
        """At most ``limit`` visible messages, oldest first; those received too often move to the dead letter queue."""
        with self._lock:
            now = self._clock()
            received: list[ReceivedMessage] = []
            for stored in list(self._queues.get(queue, [])):
                if len(received) == limit:
                    break
                if stored.visible_at > now:
                    continue
                if queue != self._dlq and stored.message.receive_count >= self._max_receives:
                    self._queues[queue].remove(stored)
                    self._queues.setdefault(self._dlq, []).append(stored)
                    continue
                stored.message = replace(
                    stored.message, receipt=self._number("receipt"), receive_count=stored.message.receive_count + 1
                )
                stored.visible_at = now + visibility_timeout_s
                received.append(stored.message)
            return received

    def delete(self, queue: str, receipts: Sequence[str]) -> None:
        """Delete what these receipts stand for; stale receipts are passed over."""
        with self._lock:
            self._queues[queue] = [s for s in self._queues.get(queue, []) if s.message.receipt not in set(receipts)]

    def bodies(self, queue: str) -> list[str]:
        """Bodies of all messages in the queue, oldest first, visible or not (only the fake can tell)."""
        with self._lock:
            return [s.message.body for s in self._queues.get(queue, [])]

    def _number(self, kind: str) -> str:
        self._last_number += 1
        return f"{kind}-{self._last_number}"


@dataclass
class FakeExecutions:
    """Executions that run until a test, or ``stop``, says otherwise."""

    #: Payload of every execution, by name, in the order of their start.
    started: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Status by ARN; a test may set it.
    statuses: dict[str, str] = field(default_factory=dict)
    #: Cause of every stop, by ARN.
    causes: dict[str, str] = field(default_factory=dict)
    #: Raised by every call while it is set.
    error: Exception | None = None

    def start(self, name: str, payload: dict[str, Any]) -> str:
        """The ARN of the execution of that name, started by this call or an earlier one."""
        self._check()
        arn = f"arn:aws:states:us-east-1:000000000000:execution:fake:{name}"
        if name not in self.started:
            self.started[name] = dict(payload)
            self.statuses[arn] = "RUNNING"
        return arn

    def stop(self, arn: str, cause: str) -> None:
        """Stop it; nothing happens when it has ended or is unknown."""
        self._check()
        if self.statuses.get(arn) == "RUNNING":
            self.statuses[arn] = "ABORTED"
            self.causes[arn] = cause

    def status(self, arn: str) -> str:
        """RUNNING, ABORTED, what a test has set, or EXECUTION_NOT_FOUND."""
        self._check()
        return self.statuses.get(arn, EXECUTION_NOT_FOUND)

    def _check(self) -> None:
        if self.error:
            raise self.error


@dataclass
class FakeMetrics:
    """Metrics as lists of what was put."""

    #: Every value, by name, oldest first.
    values: dict[str, list[float]] = field(default_factory=dict)

    def put(self, name: str, value: float, unit: str = "Count") -> None:  # noqa: ARG002 (same call as the real one)
        """Record the value."""
        self.values.setdefault(name, []).append(float(value))


@dataclass
class FakeProtection:
    """Task protection as a list of what was asked."""

    #: Minutes for each ``protect``, 0 for each ``release``, oldest first.
    asked: list[int] = field(default_factory=list)
    #: Raises Unavailable while False.
    is_reachable: bool = True

    def protect(self, minutes: int) -> None:
        """Record the minutes."""
        self._ask(minutes)

    def release(self) -> None:
        """Record a 0."""
        self._ask(0)

    def _ask(self, minutes: int) -> None:
        if not self.is_reachable:
            raise Unavailable("The ECS agent is not reachable.")
        self.asked.append(minutes)


class FakeSigner:
    """Signs tokens for a database, each another one, and keeps them."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def __call__(self, *, host: str, port: int, user: str) -> str:
        """A token of the form that RDS takes."""
        query = f"Action=connect&DBUser={quote(user)}&X-Amz-Expires=900&X-Amz-Signature={len(self.tokens):064x}"
        self.tokens.append(f"{host}:{port}/?{query}")
        return self.tokens[-1]

"""What the flow asks of S3, SQS, Step Functions and CloudWatch: the values that cross, and the shape of each adapter.

``scanner_tasks.aws`` talks to the real services, ``scanner_tasks.fakes`` keeps all in memory; one contract test
for each protocol below holds both to the same behaviour (``tests/aws``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from types import TracebackType

    from scanner_tasks.core.access import Access
    from scanner_tasks.core.buckets import Bucket, Posture
    from scanner_tasks.core.listing.markers import Marker
    from scanner_tasks.core.model import ObjectRef
    from scanner_tasks.core.selection import Versions

#: What ``Executions.status`` says of an execution that is unknown, or forgotten (AWS keeps them 90 days).
EXECUTION_NOT_FOUND = "NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Page:
    """One response of a listing, in the order of the keys' UTF-8 bytes."""

    objects: tuple[ObjectRef, ...]
    #: True when nothing stands behind it; otherwise the next page starts after the last key of this one.
    is_last: bool
    #: How often S3 asked to slow down before it gave the page.
    slow_downs: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionPage:
    """One response of a listing of versions, in the order of keys; of a key the newest first.

    Delete markers have their place and no object: a listing must get past them.
    """

    #: Of every entry, ascending; a key as often as it has versions and delete markers.
    keys: tuple[str, ...]
    #: As many: the version, None for a delete marker. The current version that S3 calls "null", as in a bucket that
    #: never had versions, has no version id.
    objects: tuple[ObjectRef | None, ...]
    #: As many: nothing newer covers it.
    current: tuple[bool, ...]
    #: Where the next page begins, amid a key's versions too; None on the last page.
    marker: Marker | None
    #: How often S3 asked to slow down before it gave the page.
    slow_downs: int = 0

    def chosen(self, versions: Versions, entries: int | None = None) -> tuple[ObjectRef, ...]:
        """The objects of the first so many entries that a job wants; all entries without a number."""
        is_wanted = (True,) * len(self.keys) if versions == "all" else tuple(not each for each in self.current)
        pairs = zip(self.objects[:entries], is_wanted[:entries], strict=True)
        return tuple(ref for ref, wanted in pairs if ref is not None and wanted)


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message to be sent: its body, exactly as SQS shall store it, and its message group."""

    body: str
    group: str


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message in our hands until its visibility timeout passes."""

    message_id: str
    #: For ``delete``; a later receive of the same message has another one.
    receipt: str
    body: str
    group: str | None
    #: Receives so far, this one included.
    receive_count: int
    #: When it was first sent (a move to the dead letter queue keeps it).
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages a queue holds; approximate on SQS."""

    visible: int
    in_flight: int
    delayed: int


class ObjectBody(Protocol):
    """An object being read from its start to its end; a context manager."""

    @property
    def bytes_read(self) -> int:
        """Bytes handed out so far."""

    def read(self, size: int, /) -> bytes:
        """The next bytes: exactly ``size`` of them except at the end; b"" after it."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class Account(Protocol):
    """The buckets that a role can see."""

    def buckets(self) -> tuple[Bucket, ...]:
        """Every bucket, by name; raises Denied or Unavailable."""

    def tags(self, bucket: str) -> dict[str, str]:
        """The bucket's tags; raises BucketNotFound, Denied or Unavailable."""

    def posture(self, bucket: str) -> Posture:
        """Who may read the bucket and how it is encrypted; raises BucketNotFound or Unavailable."""

    def object_count(self, bucket: str) -> int | None:
        """Objects as S3's daily metric counts them; None when it tells nothing. Raises Denied or Unavailable."""

    def region(self, bucket: str) -> str:
        """The bucket's Region; "" when the role may not ask."""


class Objects(Protocol):
    """S3: every key is handed through exactly, whatever its characters."""

    def through(self, access: Access) -> Objects:
        """The same, reached in this way; itself for the deployment's own. Nothing is asked yet."""

    def account(self) -> Account:
        """The account whose buckets these are; raises InvalidInput where there is none."""

    def check_bucket(self, bucket: str) -> None:
        """Return if the bucket can be listed; raises BucketNotFound, Denied or Unavailable."""

    def list_page(self, bucket: str, *, prefix: str, start_after: str | None, max_keys: int = 1000) -> Page:
        """The objects whose keys stand behind ``start_after``; raises as ``check_bucket``."""

    def list_versions(self, bucket: str, *, prefix: str, after: Marker | None, max_keys: int = 1000) -> VersionPage:
        """Every version and delete marker behind the marker; raises as ``check_bucket``."""

    def head(self, bucket: str, key: str, version_id: str | None = None) -> ObjectRef:
        """The object as it is now, or that version of it; raises an ObjectError, or Unavailable."""

    def tags(self, ref: ObjectRef) -> dict[str, str]:
        """The object's tags, or that version's; raises an ObjectError, or Unavailable without credentials."""

    def open(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> ObjectBody:
        """The bytes of exactly the listed object; reading raises an ObjectError, or Unavailable without credentials.

        With ``first_byte`` or ``last_byte`` (from 0, both inclusive) only these; those behind the end do not exist.
        """


class Queues(Protocol):
    """SQS: queues by name."""

    def send(self, queue: str, messages: Sequence[OutgoingMessage]) -> list[int]:
        """Send all; the indexes, ascending, of those that could not be sent. Raises Denied or Unavailable."""

    def depth(self, queue: str) -> Depth:
        """How many messages stand in the queue; raises Denied or Unavailable."""

    def receive(self, queue: str, limit: int, visibility_timeout_s: int) -> list[ReceivedMessage]:
        """At most ``limit`` messages, each once; raises Denied or Unavailable."""

    def delete(self, queue: str, receipts: Sequence[str]) -> None:
        """Delete what these receipts stand for; stale receipts are passed over."""


class Executions(Protocol):
    """Step Functions: executions of one state machine, by name."""

    def start(self, name: str, payload: dict[str, Any]) -> str:
        """The ARN of the execution of that name, started by this call or an earlier one."""

    def stop(self, arn: str, cause: str) -> None:
        """Stop it; nothing happens when it has ended or is unknown."""

    def status(self, arn: str) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, or EXECUTION_NOT_FOUND."""


class Metrics(Protocol):
    """CloudWatch: one number at a time."""

    def put(self, name: str, value: float, unit: str = "Count") -> None:
        """Publish the value as of now."""


class Protection(Protocol):
    """ECS: whether this task may be stopped just now."""

    def protect(self, minutes: int) -> None:
        """From now on for so many minutes; raises Unavailable."""

    def release(self) -> None:
        """No longer; raises Unavailable."""

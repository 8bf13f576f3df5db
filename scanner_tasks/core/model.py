"""The words of the project as values: jobs, objects, batches, outcomes, findings.

Everything here is frozen and built by keyword. Rows, JSON and messages are turned into these at the edges, and back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING
from uuid import uuid5

from scanner_tasks.core.access import OWN
from scanner_tasks.core.object_tags import ANY_TAGS, TagCondition
from scanner_tasks.core.selection import EVERYTHING, NOTHING_TAKEN, Selection, Taken

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from scanner_tasks.core.access import Access
    from scanner_tasks.core.bases import Base


class JobStatus(StrEnum):
    """Where a job stands. The last four end it."""

    LISTING = "listing"
    SCANNING = "scanning"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    SUCCEEDED_WITH_FAILURES = "succeeded_with_failures"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """True once nothing more will be scanned, unless a dead letter is retried."""
        return self in _FINAL_STATUSES


_FINAL_STATUSES = frozenset(
    {JobStatus.SUCCEEDED, JobStatus.SUCCEEDED_WITH_FAILURES, JobStatus.FAILED, JobStatus.CANCELLED}
)


class BatchState(IntEnum):
    """States of a batch row: planned → dispatched → claimed → done | dead (the numbers are stored)."""

    PLANNED = 0
    DISPATCHED = 1
    CLAIMED = 2
    DONE = 3
    DEAD = 4


class Outcome(IntEnum):
    """What became of an object, with its reason: the byte that the ledger stores for it.

    The tens digit groups the kinds: 0 pending, 10 scanned, 2x partial, 3x-4x skipped, 50 unchanged, 6x-7x failed.
    Numbers are stored for good: never reuse one.

    Examples:
        >>> Outcome.SKIPPED_EMPTY.kind, Outcome.SKIPPED_EMPTY.reason
        ('skipped', 'empty')
        >>> str(Outcome.FAILED_DENIED)
        'failed(denied)'
        >>> str(Outcome.SCANNED)
        'scanned'
    """

    PENDING = 0
    SCANNED = 10
    PARTIAL_BYTES = 20
    PARTIAL_TIME = 21
    PARTIAL_DEPTH = 22
    PARTIAL_RATIO = 23
    PARTIAL_CORRUPT = 24
    PARTIAL_ENCRYPTED = 25
    PARTIAL_MEMBERS = 26
    PARTIAL_ROWS = 27
    PARTIAL_PAGES = 28
    PARTIAL_UNSUPPORTED = 29
    SKIPPED_FOLDER_MARKER = 30
    SKIPPED_EMPTY = 31
    SKIPPED_EXCLUDED = 32
    SKIPPED_ARCHIVED_STORAGE_CLASS = 33
    SKIPPED_TOO_LARGE = 34
    SKIPPED_UNSUPPORTED = 35
    SKIPPED_CANCELLED = 36
    # Not chosen by the job's selection (core/selection.py): counted by reason, without a row of their own. Tags are
    # asked for by a worker: their object has its row by then.
    SKIPPED_EXCLUDED_PREFIX = 40
    SKIPPED_EXCLUDED_KEY = 41
    SKIPPED_EXCLUDED_SIZE = 42
    SKIPPED_EXCLUDED_MODIFIED = 43
    SKIPPED_EXCLUDED_STORAGE_CLASS = 44
    SKIPPED_EXCLUDED_KIND = 45
    SKIPPED_EXCLUDED_TAG = 46
    SKIPPED_NOT_SAMPLED = 47
    SKIPPED_OVER_LIMIT = 48
    UNCHANGED = 50
    FAILED_DENIED = 60
    FAILED_DELETED_SINCE_LISTING = 61
    FAILED_CHANGED_SINCE_LISTING = 62
    FAILED_ENCRYPTED = 63
    FAILED_CORRUPT = 64
    FAILED_TIMED_OUT = 65
    FAILED_CRASHED = 66
    FAILED_DEAD_LETTER = 67
    FAILED_UNAVAILABLE = 68

    @property
    def kind(self) -> str:
        """pending, scanned, partial, skipped, unchanged or failed."""
        return self.name.partition("_")[0].lower()

    @property
    def reason(self) -> str | None:
        """The reason within the kind, as the ledger's readers see it; None where the kind says it all."""
        return self.name.partition("_")[2].lower() or None

    def __str__(self) -> str:
        """``kind`` or ``kind(reason)``."""
        return f"{self.kind}({self.reason})" if self.reason else self.kind


class JobSource(StrEnum):
    """Where a job's objects come from."""

    #: Feed lists the bucket below the prefix.
    LISTING = "listing"
    #: The caller named the keys.
    KEYS = "keys"
    #: A report of S3 Inventory names them.
    INVENTORY = "inventory"
    #: Events of a watched bucket name them, as long as the job takes them.
    EVENTS = "events"

    @property
    def is_listed_by_feed(self) -> bool:
        """True when turns of Feed read the objects' names."""
        return self in {JobSource.LISTING, JobSource.INVENTORY}


class Severity(StrEnum):
    """Harm if the finding is real."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Confidence(StrEnum):
    """How likely the finding is real."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class TriageStatus(StrEnum):
    """What somebody said of a finding; open is what nobody has judged, or what has changed since."""

    OPEN = "open"
    FALSE_POSITIVE = "false_positive"
    ACCEPTED = "accepted"
    FIXED = "fixed"


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectRef:
    """One S3 object as the listing saw it.

    The key is exactly S3's: any Unicode text, never normalised (``a//b``, ``/lead``, ``x/../y``, new lines).
    """

    bucket: str
    key: str
    #: Bytes as listed.
    size_bytes: int
    #: The listed ETag with its quotes removed; reads send it as If-Match.
    etag: str
    #: None for the current version of an unversioned listing.
    version_id: str | None = None
    #: S3's name, such as STANDARD or GLACIER.
    storage_class: str = "STANDARD"
    #: Of an archived class, but restored: it can be read for some days.
    is_restored: bool = False
    #: When it was last modified, as the listing told: ISO 8601 in UTC; "" where it did not.
    modified_at: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedObject:
    """An object with the outcome that the plan gives it: PENDING is to be scanned, a SKIPPED_… is not."""

    ref: ObjectRef
    outcome: Outcome = Outcome.PENDING


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedBatch:
    """Objects of one bucket that travel together: at most 100, and at most 64 MB to be scanned.

    A batch in which nothing is PENDING is recorded as done at once and never sent.
    """

    objects: tuple[PlannedObject, ...]

    @property
    def pending(self) -> int:
        """Number of objects still to be scanned."""
        return sum(o.outcome is Outcome.PENDING for o in self.objects)

    @property
    def size_bytes(self) -> int:
        """Listed bytes of every object, scanned or not."""
        return sum(o.ref.size_bytes for o in self.objects)


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One request to scan a bucket or prefix, as its row says."""

    #: Small number that orders jobs and partitions tables; never shown to users.
    job_no: int
    job_id: UUID
    bucket: str
    prefix: str
    source: JobSource
    status: JobStatus
    #: Why the job failed or was cancelled; None otherwise.
    status_reason: str | None
    #: The lane (queue) that its bucket had when the job began.
    lane: str
    #: Generation: raised by pause and cancel, so that older messages become no-ops.
    epoch: int
    #: Number of the current Step Functions execution, named ``<job_id>-<execution_no>``; 0 before the first.
    execution_no: int
    execution_arn: str | None
    #: Last key that the listing has recorded, how many of the given keys, or an inventory's file and row; None before
    #: the first page.
    cursor: str | None
    #: Batches recorded so far; the next batch gets this number.
    next_batch_no: int
    #: Hash of the rules that the job began with.
    ruleset_hash: str
    created_at: datetime
    #: When the listing ended: totals are final from then on.
    listed_at: datetime | None
    finished_at: datetime | None
    #: How its bucket is reached.
    access: Access = OWN
    #: Which of the objects are scanned.
    selection: Selection = EVERYTHING
    #: What the listing has chosen so far; kept only for a selection with a limit.
    taken: Taken = NOTHING_TAKEN
    #: The former job that it is compared with; None when nobody asked for one.
    base: Base | None = None
    #: Address of the S3 Inventory manifest that names its objects; None for every other source.
    inventory: str | None = None
    #: Name of the schedule that began it; None when somebody did.
    schedule: str | None = None
    #: A listing follows it: flow/follow_up.py.
    is_followed: bool = False

    @property
    def followed_by(self) -> UUID | None:
        """The id of the job that follows when this one has ended well; None where none was asked for."""
        return uuid5(self.job_id, "then list") if self.is_followed else None


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectRange:
    """Some bytes of a large text, with a row of the ledger of their own: a match belongs to the range of its start."""

    #: Places in the object, from 0, both inclusive.
    first_byte: int
    last_byte: int
    #: The batch that holds the object itself.
    object_batch_no: int

    @property
    def size_bytes(self) -> int:
        """Bytes of the range, without what is read on both sides of it."""
        return self.last_byte - self.first_byte + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedBatch:
    """A batch that this worker may finish: the lease runs until renewed, the attempt number fences the completion."""

    job_no: int
    job_id: UUID
    batch_no: int
    bucket: str
    #: Fence: completion, renewal and give-back name it; a later claim has a higher one.
    attempt: int
    #: Claims that ended neither in completion nor in a give-back, this one included: 2 and more means caution.
    tries: int
    #: The outcome byte of every object of the batch, as it was claimed.
    outcomes: bytes
    #: Only the objects still pending, with their position in the batch.
    objects: tuple[tuple[int, ObjectRef], ...]
    #: The bytes of its one object that this batch stands for; None where it stands for whole objects.
    object_range: ObjectRange | None = None
    #: Of the rules that the job began with; empty where nobody asks.
    ruleset_hash: str = ""
    #: How the job's bucket is reached.
    access: Access = OWN
    #: What the tags of its objects must be.
    tags: TagCondition = ANY_TAGS
    #: Seconds from its message's sending to this claim; 0 where it was claimed before its sending was noted.
    waited_s: float = 0.0
    #: The job scans versions (``Selection.versions``), so that a key may be several objects.
    of_versions: bool = False

    def told_version(self, ref: ObjectRef) -> str | None:
        """The version that findings of the object are told apart by; None where the key alone does."""
        return ref.version_id if self.of_versions else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Location:
    """Where an occurrence begins in its object."""

    #: Line, from 1; 0 where it is not known, because the object was read in ranges.
    line: int
    #: Column in Unicode code points, from 1; 0 with the line.
    column: int
    #: Byte offset in the text as extracted (after decompression), from 0; without a line, in the object itself.
    offset: int
    #: Where within its format: ``a.zip!b/c.csv``, ``page 3``, ``Sheet1!B7``, ``$.customers[3].ssn``; "" in plain text.
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A piece of extracted text: what extraction yields and detection eats, in order.

    Segments are cut anywhere between two code points; where they are cut never changes what is found.
    """

    #: UTF-8 text.
    data: bytes
    #: Where its first byte stands.
    start: Location
    #: True when it runs on from the segment before, so that one value may span both.
    continues: bool = True
    #: ``Location.path`` of the byte at an offset in ``data``; None where it is ``start.path`` all through.
    path_at: Callable[[int], str] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurrence:
    """One place in an object where a rule found a value. Holds no value in the clear."""

    masked: str
    #: Text around it with every candidate of every rule masked.
    context: str
    location: Location
    #: ``key-id:hex`` of an HMAC over the normalised value: equal values have equal fingerprints under one key.
    fingerprint: str
    #: The parts of its score in words: pattern, validator, doubts, keyword and distance, its confidence at the end.
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of a table, or a key of JSON lines, that holds a rule's values almost wholly: at least 95 % of it."""

    #: From the header or the key, with every candidate masked; its number, from 1, in a table without a header.
    name: str
    #: Rows with something in the column.
    rows: int
    #: Rows with a value of the rule in it.
    valid: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleFindings:
    """All occurrences of one rule in one object: the exact count and the first few places."""

    rule_id: str
    severity: Severity
    confidence: Confidence
    #: Exact number of occurrences.
    count: int
    #: The first occurrences in order of position, at most the ruleset's limit.
    occurrences: tuple[Occurrence, ...]
    #: Occurrences beside the count that an allow list allows.
    allowed: int = 0
    #: Columns that hold almost nothing else, the first few.
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectResult:
    """What a scan of one object gave: its outcome, and what was found before it ended."""

    position: int
    outcome: Outcome
    findings: tuple[RuleFindings, ...] = ()
    #: Bytes read from S3.
    bytes_read: int = 0
    #: One sentence for outcomes that need one; never holds object content.
    detail: str | None = None
    #: Occurrences that allow lists allow: neither counted nor kept, also where nothing else was found.
    allowed: int = 0
    #: Of the rules of the child process that scanned it; empty where the worker itself did.
    ruleset_hash: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A finding as read back: rule x object, with where it was found."""

    finding_id: UUID
    job_id: UUID
    bucket: str
    key: str
    rule_id: str
    severity: Severity
    confidence: Confidence
    count: int
    occurrences: tuple[Occurrence, ...]
    found_at: datetime
    #: The mark on it, if that still fits what was found (core/triage.py).
    triage: TriageStatus = TriageStatus.OPEN
    #: Occurrences beside the count that an allow list allows.
    allowed: int = 0
    #: Columns of a table that hold almost nothing else, the first few.
    columns: tuple[Column, ...] = ()
    #: The job that found it, when the object is unchanged since; None when this job did.
    first_seen_job: UUID | None = None
    #: Of the object, in a job that scans versions; None for the current version that S3 calls "null".
    version_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """Sums over a job's objects and batches. listed = pending + processing + the five outcome kinds, always."""

    listed: int = 0
    processing: int = 0
    scanned: int = 0
    partial: int = 0
    skipped: int = 0
    unchanged: int = 0
    failed: int = 0
    #: Objects for each outcome with a reason, keyed ``kind(reason)`` or ``kind``.
    outcomes: dict[str, int] = field(default_factory=dict)
    #: Findings are rule x object; occurrences are places.
    findings: int = 0
    occurrences: int = 0
    #: Occurrences beside those that allow lists allow.
    allowed: int = 0
    #: Listed bytes of every object / of objects that have an outcome.
    bytes_listed: int = 0
    bytes_done: int = 0
    batches: int = 0
    #: Batches not yet done or dead.
    open_batches: int = 0
    #: None when counted live.
    refreshed_at: datetime | None = None

    @property
    def done(self) -> int:
        """Objects that have their outcome."""
        return self.scanned + self.partial + self.skipped + self.unchanged + self.failed

    @property
    def pending(self) -> int:
        """Objects that wait: neither in a worker's hands nor done."""
        return self.listed - self.processing - self.done

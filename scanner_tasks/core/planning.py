"""Which listed objects are scanned, which are skipped and why, and how they are cut into batches."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from scanner_tasks.core.model import ObjectRef, Outcome, PlannedBatch, PlannedObject
from scanner_tasks.core.refs import planned_refs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: A batch is one message, one ledger row and one transaction. 100 objects in a message cost 1/75 of the SQS requests;
#: more gain nothing, since SQS bills bytes too (docs/decisions/0002).
MAX_OBJECTS = 100
MAX_BYTES = 64 * 1024**2
#: RDS Proxy pins a session on statements over 16,384 bytes; a batch's row has to fit into one INSERT.
MAX_STATEMENT_BYTES = 14_000
#: Bytes of a row's literal beside its objects, and beside the key of one object (commas, the break between two keys).
_ROW_OVERHEAD, _OBJECT_OVERHEAD = 400, 14

#: Storage classes that a GET cannot read before a restore (S3 User Guide, "Restoring an archived object").
#: GLACIER_IR (Instant Retrieval) is read like any other.
ARCHIVED_STORAGE_CLASSES = frozenset({"GLACIER", "DEEP_ARCHIVE"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """What a job does not read."""

    #: Objects listed larger are skipped(too_large).
    object_max_bytes: int
    #: Objects listed larger are a batch of their own, as all above MAX_BYTES are: they may be split into byte ranges.
    alone_above_bytes: int = MAX_BYTES


def plan_object(ref: ObjectRef, policy: Policy) -> PlannedObject:
    """The object with PENDING, or with the reason why it is not read.

    Examples:
        >>> ice = ObjectRef(bucket="b", key="k", size_bytes=1, etag="e", storage_class="GLACIER", is_restored=True)
        >>> str(plan_object(ice, Policy(object_max_bytes=10)).outcome)
        'pending'
        >>> ref = ObjectRef(bucket="b", key="logs/", size_bytes=0, etag="e")
        >>> str(plan_object(ref, Policy(object_max_bytes=10)).outcome)
        'skipped(folder_marker)'
    """
    return PlannedObject(ref=ref, outcome=_outcome(ref, policy))


def _outcome(ref: ObjectRef, policy: Policy) -> Outcome:
    if ref.size_bytes == 0:
        return Outcome.SKIPPED_FOLDER_MARKER if ref.key.endswith("/") else Outcome.SKIPPED_EMPTY
    if ref.storage_class in ARCHIVED_STORAGE_CLASSES and not ref.is_restored:
        return Outcome.SKIPPED_ARCHIVED_STORAGE_CLASS
    if ref.size_bytes > policy.object_max_bytes:
        return Outcome.SKIPPED_TOO_LARGE
    return Outcome.PENDING


def plan_page(refs: Iterable[ObjectRef], policy: Policy) -> tuple[PlannedBatch, ...]:
    """Cut a listing, in its order, into batches that hold every object exactly once.

    A batch holds at most MAX_OBJECTS objects and MAX_BYTES to be scanned, and fits one INSERT; an object larger than
    MAX_BYTES is a batch of its own. Batches keep the listing's order, so a key's batch is found by its first key.

    Examples:
        >>> refs = [ObjectRef(bucket="b", key=str(n), size_bytes=1, etag="e") for n in range(150)]
        >>> [len(batch.objects) for batch in plan_page(refs, Policy(object_max_bytes=10))]
        [100, 50]
    """
    page = list(refs)
    return _cut_plain(page, policy) or cut_batches((plan_object(ref, policy) for ref in page), policy)


def _cut_plain(refs: list[ObjectRef], policy: Policy) -> tuple[PlannedBatch, ...] | None:
    """The same for a page as most are, in a fifth of the time; None where objects must be looked at one by one.

    As most are: every object is to be scanned, none alone, none has a version, and keys and ETags are what SQL takes as
    it is.
    """
    sizes = [ref.size_bytes for ref in refs]
    most = min(MAX_BYTES, policy.alone_above_bytes, policy.object_max_bytes)
    if not refs or min(sizes) == 0 or max(sizes) > most:
        return None
    if any(ref.version_id or ref.storage_class in ARCHIVED_STORAGE_CLASSES for ref in refs):
        return None
    keys, etags = [ref.key for ref in refs], [ref.etag for ref in refs]
    together = "".join(keys + etags)
    if not together.isascii() or any(special in together for special in "'\\\0"):
        return None
    literals = [
        len(key) + len(str(size)) + _etag_bytes(etag) + _OBJECT_OVERHEAD
        for key, size, etag in zip(keys, sizes, etags, strict=True)
    ]
    planned = planned_refs(refs)
    literal_sums, size_sums = list(accumulate(literals, initial=0)), list(accumulate(sizes, initial=0))
    batches, start = [], 0
    while start < len(refs):
        # As many as every bound allows, and one at least.
        end = min(
            start + MAX_OBJECTS,
            bisect_right(literal_sums, literal_sums[start] + MAX_STATEMENT_BYTES - _ROW_OVERHEAD) - 1,
            bisect_right(size_sums, size_sums[start] + MAX_BYTES) - 1,
        )
        end = max(end, start + 1)
        batches.append(PlannedBatch(objects=tuple(planned[start:end])))
        start = end
    return tuple(batches)


def cut_batches(objects: Iterable[PlannedObject], policy: Policy) -> tuple[PlannedBatch, ...]:
    """Objects that are planned already, cut as ``plan_page`` cuts."""
    return tuple(PlannedBatch(objects=group) for group in _cut(objects, min(MAX_BYTES, policy.alone_above_bytes)))


def _cut(objects: Iterable[PlannedObject], alone_above_bytes: int) -> Iterator[tuple[PlannedObject, ...]]:
    group: list[PlannedObject] = []
    pending_bytes = statement_bytes = 0
    was_alone = False
    for planned in objects:
        to_scan = planned.ref.size_bytes if planned.outcome is Outcome.PENDING else 0
        literal = literal_bytes(planned.ref)
        is_alone = to_scan > alone_above_bytes
        if group and (
            is_alone
            or was_alone
            or len(group) == MAX_OBJECTS
            or pending_bytes + to_scan > MAX_BYTES
            or _ROW_OVERHEAD + statement_bytes + literal > MAX_STATEMENT_BYTES
        ):
            yield tuple(group)
            group, pending_bytes, statement_bytes = [], 0, 0
        group.append(planned)
        was_alone = is_alone
        pending_bytes += to_scan
        statement_bytes += literal
    if group:
        yield tuple(group)


def literal_bytes(ref: ObjectRef) -> int:
    """At most so many bytes stand for the object in the INSERT of its batch.

    Quotes and backslashes are doubled in an SQL literal, a NUL becomes two characters of three bytes (store/text.py),
    the ETag stands as base64 of its packed form, at most its own bytes and one.
    """
    version = len(ref.version_id) + 4 if ref.version_id else 0
    return _key_bytes(ref.key) + len(str(ref.size_bytes)) + _etag_bytes(ref.etag) + version + _OBJECT_OVERHEAD


def _etag_bytes(etag: str) -> int:
    size = len(etag) if etag.isascii() else len(etag.encode())
    return (size + 1) * 4 // 3


def _key_bytes(key: str) -> int:
    if key.isascii() and "'" not in key and "\\" not in key and "\0" not in key:  # as most are
        return len(key)
    encoded = key.encode()
    doubled = encoded.count(b"'") + encoded.count(b"\\") + 5 * encoded.count(b"\0") + 4 * key.count("\ue000")
    return len(encoded) + doubled

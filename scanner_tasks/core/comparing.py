"""Two jobs side by side: findings and objects in order, and what became of each from the older job to the newer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from scanner_tasks.core.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from scanner_tasks.core.model import Finding

T = TypeVar("T")


class FindingChange(StrEnum):
    """What became of a finding. One that is as it was is none of these."""

    #: In the newer job only.
    NEW = "new"
    #: Not in the newer job, which read its object to the end, or whose listing has the object no more.
    FIXED = "fixed"
    #: In both, with another count or other values among the places kept.
    CHANGED = "changed"
    #: New in this object; the same values stood in another one, where the newer job does not find them.
    MOVED = "moved"
    #: Not in the newer job, which did not read its object to the end: nothing is known.
    UNVERIFIED = "unverified"


class ObjectChange(StrEnum):
    """What became of an object, by the two listings."""

    ADDED = "added"
    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectState:
    """An object as a job's ledger has it."""

    etag: str
    size_bytes: int
    outcome: Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedFinding:
    """A finding that is not as it was."""

    change: FindingChange
    #: The newer job's; the older one's of what is fixed or unverified.
    finding: Finding
    #: Its count in the older job; None where it was not there.
    count_before: int | None = None
    #: Where the values stood: the other object's key.
    moved_from: str | None = None
    #: What is known of its object: added, changed, deleted, or the outcome in the newer job; "" when it is the same.
    object_is: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedObject:
    """An object that is not as it was."""

    change: ObjectChange
    key: str
    version_id: str | None
    #: None where it was not, or is not, there.
    size_before: int | None
    size_now: int | None
    #: In the newer job; None when it is deleted.
    outcome: Outcome | None


def merge(newer: Iterable[T], older: Iterable[T], order: Callable[[Any], Any]) -> Iterator[tuple[T | None, T | None]]:
    """Pairs of what has the same place in both, which are in this order; None where one lacks it.

    Examples:
        >>> list(merge([1, 3], [1, 2], lambda n: n))
        [(1, 1), (None, 2), (3, None)]
    """
    ours, theirs = iter(newer), iter(older)
    now, then = next(ours, None), next(theirs, None)
    while now is not None or then is not None:
        if now is not None and then is not None and order(now) == order(then):
            yield now, then
            now, then = next(ours, None), next(theirs, None)
        elif then is None or (now is not None and order(now) < order(then)):
            yield now, None
            now = next(ours, None)
        else:
            yield None, then
            then = next(theirs, None)


def is_same_finding(now: Finding, then: Finding) -> bool:
    """True when count and values are the same; where they stand in the object does not matter.

    Values are told by their fingerprints, which a new key changes: findings of two keys are compared by count alone.
    """
    if now.count != then.count:
        return False
    mine, theirs = ({place.fingerprint for place in one.occurrences} for one in (now, then))
    keys = {print_.partition(":")[0] for print_ in mine | theirs}
    return mine == theirs or len(keys) > 1


def absence(state: ObjectState | None) -> tuple[FindingChange, str]:
    """What is known of a finding that the newer job lacks, by its object there.

    Examples:
        >>> absence(None)[0].value
        'fixed'
        >>> [str(told) for told in absence(ObjectState(etag="e", size_bytes=1, outcome=Outcome.FAILED_DENIED))]
        ['unverified', 'failed(denied)']
    """
    if state is None:
        return FindingChange.FIXED, "deleted"
    if state.outcome in {Outcome.SCANNED, Outcome.UNCHANGED}:
        return FindingChange.FIXED, ""
    return FindingChange.UNVERIFIED, str(state.outcome)


def object_change(now: ObjectState | None, then: ObjectState | None) -> ObjectChange | None:
    """What became of an object; None when ETag and size are the same.

    Examples:
        >>> state = ObjectState(etag="e", size_bytes=1, outcome=Outcome.SCANNED)
        >>> object_change(state, None).value, object_change(state, state)
        ('added', None)
    """
    if then is None:
        return ObjectChange.ADDED
    if now is None:
        return ObjectChange.DELETED
    is_same = (now.etag, now.size_bytes) == (then.etag, then.size_bytes)
    return None if is_same else ObjectChange.CHANGED

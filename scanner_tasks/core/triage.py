"""Does a mark still fit what was found? It belongs to a finding and to the values that the finding held then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.core.model import TriageStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from scanner_tasks.core.model import Occurrence


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """What somebody said of a finding, when and why."""

    finding_id: UUID
    status: TriageStatus
    marked_by: str
    reason: str
    #: Of the occurrences that were kept then.
    fingerprints: tuple[str, ...]
    #: Occurrences counted then.
    count: int
    marked_at: datetime


def fitting_status(
    status: str | None,
    fingerprints: Collection[str],
    count: int,
    *,
    found: Sequence[Occurrence],
    found_count: int,
) -> TriageStatus:
    """The status of a finding under a mark (None: it has none).

    The mark fits while every kept occurrence is of a value that the marked finding held. Where not all occurrences are
    kept, one of those that are not may be new: then a larger count is open again too.

    Examples:
        >>> from scanner_tasks.core.model import Location, Occurrence
        >>> def place(value):
        ...     at = Location(line=1, column=1, offset=0)
        ...     return Occurrence(masked="", context="", location=at, fingerprint=value)
        >>> str(fitting_status("accepted", ["k1:a", "k1:b"], 2, found=[place("k1:b")], found_count=1))
        'accepted'
        >>> str(fitting_status("accepted", ["k1:a"], 1, found=[place("k1:a"), place("k1:c")], found_count=2))
        'open'
        >>> str(fitting_status("accepted", ["k1:a"], 50, found=[place("k1:a")], found_count=51))
        'open'
    """
    if status is None or not {place.fingerprint for place in found} <= set(fingerprints):
        return TriageStatus.OPEN
    if found_count > len(found) and found_count > count:
        return TriageStatus.OPEN
    return TriageStatus(status)

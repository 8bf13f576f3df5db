"""An object in byte ranges: what becomes of the object when its ranges have ended differently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from scanner_tasks.core.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Which side of its range a segment stands on.
Side: TypeAlias = Literal["before", "own", "behind"]
#: Ranges begin at multiples of it, so that no unit of UTF-16 or UTF-32 is cut.
ALIGNED_BYTES: Final = 4
#: The kind that any range ends with is the object's, the first of these; of one kind, the reason that the table of
#: outcomes has first (denied before deleted_since_listing …): the smallest number.
PRECEDENCE: Final = ("failed", "skipped", "partial", "scanned")


def object_outcome(ranges: Iterable[Outcome]) -> Outcome:
    """The one outcome of an object whose ranges have all ended.

    Examples:
        >>> str(object_outcome([Outcome.SCANNED, Outcome.PARTIAL_TIME, Outcome.SCANNED]))
        'partial(time)'
        >>> str(object_outcome([Outcome.FAILED_DEAD_LETTER, Outcome.FAILED_CHANGED_SINCE_LISTING, Outcome.SCANNED]))
        'failed(changed_since_listing)'
    """
    return min(ranges, key=lambda outcome: (PRECEDENCE.index(outcome.kind), int(outcome)))

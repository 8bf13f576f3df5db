"""What a listing amounts to for a job: objects, bytes and requests, by outcome, kind, prefix and storage class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from scanner_tasks.core.choosing import decide, stratum_of
from scanner_tasks.core.model import ObjectRef, Outcome
from scanner_tasks.core.planning import MAX_BYTES, MAX_OBJECTS, Policy
from scanner_tasks.core.selection import NOTHING_TAKEN, Selection, is_within

#: Prefixes that are told apart; the objects of all others stand under OTHERS.
MAX_PREFIXES = 500
OTHERS = "(others)"


@dataclass(slots=True)
class Sum:
    """Objects and bytes: of all, and of those that would be scanned."""

    objects: int = 0
    size_bytes: int = 0
    scanned_objects: int = 0
    scanned_bytes: int = 0

    def add(self, size_bytes: int, *, is_scanned: bool) -> None:
        """One more object."""
        self.objects += 1
        self.size_bytes += size_bytes
        if is_scanned:
            self.scanned_objects += 1
            self.scanned_bytes += size_bytes

    def scaled(self, by: float) -> Sum:
        """So many times as much."""
        return Sum(
            objects=round(self.objects * by),
            size_bytes=round(self.size_bytes * by),
            scanned_objects=round(self.scanned_objects * by),
            scanned_bytes=round(self.scanned_bytes * by),
        )


@dataclass(slots=True)
class Workload:
    """Sums over listed objects under a selection; ``add`` them in the listing's order."""

    total: Sum = field(default_factory=Sum)
    #: By the outcome that the plan gives: "pending" is scanned, the others are why not.
    outcomes: dict[str, Sum] = field(default_factory=dict)
    kinds: dict[str, Sum] = field(default_factory=dict)
    prefixes: dict[str, Sum] = field(default_factory=dict)
    #: Of what would be scanned, by S3's name of the class.
    storage_classes: dict[str, Sum] = field(default_factory=dict)
    #: Rows of the ledger and messages.
    batches: int = 0
    ranges: int = 0
    #: Objects whose tags are asked for.
    tagged: int = 0
    #: Requests that listed it.
    pages: int = 0
    #: The selection's limit was reached, so nothing behind it was listed.
    is_full: bool = False
    _batch: tuple[int, int] = (0, 0)

    def add_page(
        self, refs: Iterable[ObjectRef], selection: Selection, policy: Policy, *, below: str, range_bytes: int
    ) -> None:
        """Add a page of the listing, as the job would choose from it."""
        self.pages += 1
        for ref in refs:
            self._add(ref, selection, policy, below=below, range_bytes=range_bytes)

    def _add(self, ref: ObjectRef, selection: Selection, policy: Policy, *, below: str, range_bytes: int) -> None:
        outcome, has_row = decide(ref, selection, policy)
        if outcome is Outcome.PENDING and not self._has_room(ref, selection):
            outcome, has_row, self.is_full = Outcome.SKIPPED_OVER_LIMIT, False, True
        is_scanned = outcome is Outcome.PENDING
        prefix, kind = stratum_of(ref.key, below=below)
        sums = [self.total, _of(self.outcomes, str(outcome)), _of(self.kinds, kind)]
        sums.append(_of(self.prefixes, prefix, most=MAX_PREFIXES))
        if is_scanned:
            sums.append(_of(self.storage_classes, ref.storage_class))
            self.tagged += bool(selection.tags)
        for one in sums:
            one.add(ref.size_bytes, is_scanned=is_scanned)
        if has_row:
            self._count_batch(ref.size_bytes if is_scanned else 0, policy)
        if is_scanned and ref.size_bytes > policy.alone_above_bytes:
            self.ranges += -(-ref.size_bytes // range_bytes)

    def _has_room(self, ref: ObjectRef, selection: Selection) -> bool:
        if self.is_full or not selection.has_limit:
            return not self.is_full
        taken = NOTHING_TAKEN.more(self.total.scanned_objects + 1, self.total.scanned_bytes + ref.size_bytes)
        return is_within(selection, taken)

    def _count_batch(self, size_bytes: int, policy: Policy) -> None:
        """Count as ``cut_batches`` cuts, but for the bytes of long keys."""
        objects, pending = self._batch
        is_alone = size_bytes > min(MAX_BYTES, policy.alone_above_bytes)
        if self.batches == 0 or objects == MAX_OBJECTS or is_alone or pending + size_bytes > MAX_BYTES:
            self.batches += 1
            objects = pending = 0
        # Behind a large object another batch begins: it is as if this one were full.
        self._batch = (MAX_OBJECTS, 0) if is_alone else (objects + 1, pending + size_bytes)

    def scaled(self, by: float) -> Workload:
        """The same mix, so many times as much."""

        def each(sums: Mapping[str, Sum]) -> dict[str, Sum]:
            return {name: one.scaled(by) for name, one in sums.items()}

        return Workload(
            total=self.total.scaled(by),
            outcomes=each(self.outcomes),
            kinds=each(self.kinds),
            prefixes=each(self.prefixes),
            storage_classes=each(self.storage_classes),
            batches=round(self.batches * by),
            ranges=round(self.ranges * by),
            tagged=round(self.tagged * by),
            pages=round(self.pages * by),
            is_full=self.is_full,
        )


def _of(sums: dict[str, Sum], name: str, *, most: int | None = None) -> Sum:
    if name not in sums and most is not None and len(sums) >= most:
        name = OTHERS
    return sums.setdefault(name, Sum())

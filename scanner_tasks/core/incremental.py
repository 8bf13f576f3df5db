"""Which planned objects are as a former job left them: they are not read again, their findings are taken over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from scanner_tasks.core.model import Outcome, PlannedBatch, PlannedObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scanner_tasks.core.model import ObjectRef

#: Outcomes of objects that may be a base: read to their ends, by the base or by a base of it under the same rules.
BASE_OUTCOMES = frozenset({Outcome.SCANNED, Outcome.UNCHANGED})


@dataclass(frozen=True, slots=True)
class KnownObject:
    """An object that the base read to its end, and where it stands in the base's ledger."""

    etag: str
    size_bytes: int
    batch_no: int
    position: int


#: Key and version → what the base knows of it.
Known: TypeAlias = "Mapping[tuple[str, str | None], KnownObject]"


@dataclass(frozen=True, slots=True)
class Run:
    """Unchanged objects that stand one behind the other in both ledgers, so that one line tells of all."""

    base_batch_no: int
    base_position: int
    #: From 0, among the batches of the page.
    batch: int
    position: int
    objects: int


def is_comparable(etag: str) -> bool:
    """False for an ETag that does not stand for each byte: none at all, or a weak one (RFC 9110, 8.8.1).

    Examples:
        >>> is_comparable("d41d8cd98f00b204e9800998ecf8427e"), is_comparable(""), is_comparable("W/1")
        (True, False, False)
    """
    return bool(etag) and not etag.startswith("W/")


def mark_unchanged(batches: Sequence[PlannedBatch], known: Known) -> tuple[tuple[PlannedBatch, ...], tuple[Run, ...]]:
    """The batches with UNCHANGED where key, version, ETag and size are as known, and where each stood in the base.

    Only what would be scanned is compared: an object that is skipped stays skipped.

    Examples:
        >>> from scanner_tasks.core.model import ObjectRef
        >>> ref = ObjectRef(bucket="b", key="k", size_bytes=1, etag="e")
        >>> batch = PlannedBatch(objects=(PlannedObject(ref=ref),))
        >>> (marked,), runs = mark_unchanged([batch], {("k", None): KnownObject("e", 1, 7, 42)})
        >>> str(marked.objects[0].outcome), runs
        ('unchanged', (Run(base_batch_no=7, base_position=42, batch=0, position=0, objects=1),))
    """
    marked, places = [], []
    for number, batch in enumerate(batches):
        objects = list(batch.objects)
        for position, planned in enumerate(objects):
            before = _same(planned, known)
            if before is not None:
                objects[position] = replace(planned, outcome=Outcome.UNCHANGED)
                places.append((before, number, position))
        marked.append(PlannedBatch(objects=tuple(objects)))
    return tuple(marked), tuple(_runs(places))


def _same(planned: PlannedObject, known: Known) -> KnownObject | None:
    ref: ObjectRef = planned.ref
    if planned.outcome is not Outcome.PENDING or not is_comparable(ref.etag):
        return None
    before = known.get((ref.key, ref.version_id))
    if before is None or (before.etag, before.size_bytes) != (ref.etag, ref.size_bytes):
        return None
    return before


def _runs(places: Iterable[tuple[KnownObject, int, int]]) -> Iterable[Run]:
    run: Run | None = None
    for before, batch, position in places:
        if run and (run.base_batch_no, run.base_position + run.objects, run.batch, run.position + run.objects) == (
            before.batch_no,
            before.position,
            batch,
            position,
        ):
            run = replace(run, objects=run.objects + 1)
            continue
        if run:
            yield run
        run = Run(before.batch_no, before.position, batch, position, 1)
    if run:
        yield run

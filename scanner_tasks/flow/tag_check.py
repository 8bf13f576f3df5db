"""An object's tags against the job's condition, asked before a byte of the object is read.

Asked once for each object of a batch, also where a child scans it or it is split into byte ranges. Who overwrites an
object replaces its tags too, so that flow/scan_object.py asks again before it reads the newer one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks import tracing
from scanner_tasks.core.errors import ObjectError
from scanner_tasks.core.model import ObjectRef, ObjectResult, Outcome

if TYPE_CHECKING:
    from scanner_tasks.core.model import ClaimedBatch
    from scanner_tasks.core.object_tags import TagCondition
    from scanner_tasks.core.ports import Objects


class TagCheck:
    """The objects of one batch; one that is a byte range was asked for before it was split.

    Args:
        batch: with the condition.
        objects: what tells tags.
    """

    def __init__(self, batch: ClaimedBatch, objects: Objects) -> None:
        self._batch = batch
        self._objects = objects
        self._told: dict[int, ObjectResult | None] = {}

    def refused(self, position: int, ref: ObjectRef) -> ObjectResult | None:
        """What became of the object, if it is not to be read: its tags do not fit, or are not told.

        Raises Unavailable.
        """
        if not self._batch.tags or self._batch.object_range:
            return None
        if position not in self._told:
            with tracing.span("tags", position=position):
                self._told[position] = refusal(position, ref, self._batch.tags, self._objects)
        return self._told[position]

    def refuses_all(self) -> bool:
        """True when the batch is one object, and that is not to be read: then nobody need look whether to split it."""
        return len(self._batch.objects) == 1 and self.refused(*self._batch.objects[0]) is not None


def refusal(position: int, ref: ObjectRef, wanted: TagCondition, objects: Objects) -> ObjectResult | None:
    """Ask for the object's tags: None when they fit. Raises Unavailable.

    Examples:
        >>> from scanner_tasks.core.object_tags import TagCondition
        >>> from scanner_tasks.fakes import FakeObjects
        >>> bucket = FakeObjects({"b": {"a": b"text"}})
        >>> ref = bucket.head("b", "a")
        >>> str(refusal(0, ref, TagCondition(include=("team=a",)), bucket).outcome)
        'skipped(excluded_tag)'
        >>> refusal(0, ref, TagCondition(exclude=("team=a",)), bucket) is None
        True
    """
    try:
        fits = wanted.fits(objects.tags(ref))
    except ObjectError as error:
        return ObjectResult(position=position, outcome=error.outcome, detail=str(error))
    return None if fits else ObjectResult(position=position, outcome=Outcome.SKIPPED_EXCLUDED_TAG)

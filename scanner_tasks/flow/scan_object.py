"""One object: read → extract → detect, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.core.errors import ObjectError, Unavailable
from scanner_tasks.core.model import ObjectRef, ObjectResult, Outcome
from scanner_tasks.extract.budget import Budget
from scanner_tasks.extract.text import extract
from scanner_tasks.log import get_logger

if TYPE_CHECKING:
    from scanner_tasks.flow.parts import Worker

log = get_logger()


def scan_object(position: int, ref: ObjectRef, *, using: Worker) -> ObjectResult:
    """Scan one object; whatever is wrong with it is its outcome, and what was found before is kept.

    Raises Unavailable only: the fault is not the object's, and the batch goes back to its lane.
    """
    settings, detection = using.settings, using.detector.begin()
    outcome, detail, bytes_read = Outcome.SCANNED, None, 0
    budget = Budget(max_bytes=settings.text_max_bytes, deadline=using.clock() + settings.object_max_s)
    try:
        with using.objects.open(ref) as body:
            try:
                for segment in extract(body.read, key=ref.key, budget=budget, clock=using.clock):
                    with using.scan_slots:
                        detection.feed(segment)
            finally:
                bytes_read = body.bytes_read
    except ObjectError as error:
        outcome, detail = error.outcome, str(error)
    except Unavailable:
        raise
    except Exception as error:
        log.exception("object_crashed", position=position)
        outcome, detail = (
            Outcome.FAILED_CRASHED,
            f"{type(error).__name__} while it was read; the worker's log says where.",
        )
    return ObjectResult(
        position=position, outcome=outcome, findings=detection.finish(), bytes_read=bytes_read, detail=detail
    )

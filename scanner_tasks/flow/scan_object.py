"""One object: read → extract → detect, and what became of it."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING

from scanner_tasks.core.errors import ObjectError, Unavailable
from scanner_tasks.core.model import ObjectRef, ObjectResult, Outcome
from scanner_tasks.extract.budget import Budget
from scanner_tasks.extract.text import RiskyContentError, extract
from scanner_tasks.log import get_logger

if TYPE_CHECKING:
    from scanner_tasks.flow.parts import Worker
    from scanner_tasks.settings import Settings

log = get_logger()


def scan_object(position: int, ref: ObjectRef, *, using: Worker, is_isolated: bool = False) -> ObjectResult:
    """Scan one object; whatever is wrong with it is its outcome, and what was found before is kept.

    Args:
        position: its place in its batch.
        ref: the object.
        using: what reads and detects.
        is_isolated: this process may die of the object.

    Raises:
        Unavailable: the fault is not the object's, and the batch goes back to its lane.
        RiskyContentError: the object must be scanned in a process of its own.
    """
    settings, detection = using.settings, using.detector.begin(ref.key)
    outcome, detail, bytes_read = Outcome.SCANNED, None, 0

    def spool() -> IO[bytes]:
        return SpooledTemporaryFile(max_size=settings.spool_memory_bytes)

    try:
        with using.objects.open(ref) as body:
            try:
                for segment in extract(
                    body.read,
                    key=ref.key,
                    budget=budget_of(settings, using.clock()),
                    clock=using.clock,
                    spool=spool,
                    is_isolated=is_isolated,
                ):
                    with using.scan_slots:
                        detection.feed(segment)
            finally:
                bytes_read = body.bytes_read
    except ObjectError as error:
        outcome, detail = error.outcome, str(error)
    except (Unavailable, RiskyContentError):
        raise
    except MemoryError:
        outcome, detail = Outcome.PARTIAL_BYTES, "It needs more memory than one object may have."
    except Exception as error:
        log.exception("object_crashed", position=position)
        outcome, detail = (
            Outcome.FAILED_CRASHED,
            f"{type(error).__name__} while it was read; the worker's log says where.",
        )
    findings = detection.finish()
    return ObjectResult(
        position=position,
        outcome=outcome,
        findings=findings,
        bytes_read=bytes_read,
        detail=detail,
        allowed=detection.allowed,
    )


def budget_of(settings: Settings, now: float) -> Budget:
    """What one object may cost that is begun now."""
    return Budget(
        max_bytes=settings.text_max_bytes,
        deadline=now + settings.object_max_s,
        max_depth=settings.depth_max,
        max_ratio=settings.ratio_max,
        ratio_free_bytes=settings.ratio_free_bytes,
        max_members=settings.members_max,
        max_rows=settings.rows_max,
        max_pages=settings.pages_max,
        spool_bytes=settings.spool_max_bytes,
        memory_bytes=settings.whole_max_bytes,
    )

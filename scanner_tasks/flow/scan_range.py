"""A large plain text shared by several workers: the first that reads it splits it, each range is scanned by itself.

Whether an object is plain text is known by its first bytes, not by its name. So its batch is sent as any other; the
worker that claims it reads the head, and plans ranges instead of scanning it. A range reads the head again, for the
encoding and the header of a table: what an object holds is not kept in the ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks import tracing
from scanner_tasks.core.errors import ObjectChanged, ObjectError, Unavailable
from scanner_tasks.core.model import ObjectRange, ObjectRef, ObjectResult, Outcome
from scanner_tasks.detect.ranges import RangeDetection, first_lines, text_before, text_behind
from scanner_tasks.detect.table import LINE_BYTES
from scanner_tasks.extract.budget import Meter
from scanner_tasks.extract.kind import HEAD_BYTES, Kind, sniff
from scanner_tasks.extract.ranges import range_text, source_bytes
from scanner_tasks.extract.structure import places_in
from scanner_tasks.flow.control import feed_again
from scanner_tasks.flow.patience import patiently
from scanner_tasks.flow.scan_object import budget_of
from scanner_tasks.log import get_logger
from scanner_tasks.store import ranges
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from scanner_tasks.core.model import ClaimedBatch
    from scanner_tasks.flow.parts import Worker

log = get_logger()

#: A header's line of four bytes a character, behind a byte order mark.
_FIRST_BYTES = 4 * (LINE_BYTES + 2)


def can_be_split(batch: ClaimedBatch, *, using: Worker) -> bool:
    """True for a batch that is one large object of plain text; looks at its first bytes then, and only then.

    An object without an ETag is read in one go: nothing would hold its ranges to one version. Raises Unavailable.
    """
    if batch.object_range or len(batch.outcomes) != 1 or not batch.objects:
        return False
    ((_, ref),) = batch.objects
    if ref.size_bytes <= using.settings.ranges_above_bytes or not ref.etag:
        return False
    try:
        return _kind_and_head(ref, using=using)[0].form == "text"
    except ObjectError:
        return False  # whatever it is, the scan meets it again and tells


def split(batch: ClaimedBatch, *, using: Worker) -> bool:
    """Plan the ranges, and have them sent; False when the claim is no longer ours."""

    def plan() -> bool:
        with transaction(using.engine) as connection:
            return ranges.split_batch(connection, batch, range_bytes=using.settings.range_bytes)

    longest_s = using.settings.outage_patience_s
    is_ours = patiently(plan, what="split", longest_s=longest_s, stopping=using.stopping)
    if is_ours:
        log.info("object_split", bytes=batch.objects[0][1].size_bytes)
        try:
            feed_again(batch.job_id, using=using)
        except Unavailable:
            log.warning("execution_not_started", exc_info=True)
    return is_ours


def scan_range(position: int, ref: ObjectRef, wanted: ObjectRange, *, using: Worker) -> ObjectResult:
    """Scan the bytes ``wanted`` of an object; as ``scan_object``, with places as byte offsets in the object.

    As much is read on both sides as decides what begins in the range. Raises Unavailable.
    """
    settings, detector = using.settings, using.detector
    detection = RangeDetection(detector, ref.key, None, is_first=False)
    outcome, detail, bytes_read = Outcome.SCANNED, None, 0
    try:
        kind, encoding, first_bytes = _text_head(ref, using=using)
        bytes_read = len(first_bytes)
        text = first_bytes[kind.mark_bytes :].decode(encoding, "replace").encode()
        detection = RangeDetection(detector, ref.key, first_lines(text), is_first=not wanted.first_byte)
        before = min(wanted.first_byte, source_bytes(text_before(detector), encoding))
        first = wanted.first_byte - before
        last = min(ref.size_bytes - 1, wanted.last_byte + source_bytes(text_behind(detector), encoding))
        with (
            tracing.stages() as stages,
            stages.timed("read", using.objects.open)(ref, first_byte=first, last_byte=last) as body,
        ):
            meter = Meter(budget_of(settings, using.clock()), using.clock)
            try:
                extracted = range_text(
                    meter.layer(stages.timed("read", body.read), 0).read,
                    kind,
                    wanted,
                    before_bytes=before,
                    is_last=last == ref.size_bytes - 1,
                    window_bytes=meter.budget.window_bytes,
                    places=places_in(first_bytes[:HEAD_BYTES], kind, ref.key),
                )
                feed_side = stages.timed("detect", detection.feed_side)
                for side, segment in stages.each("extract", extracted):
                    with using.scan_slots:
                        feed_side(side, segment)
                if body.bytes_read <= last - first:
                    raise ObjectChanged("The object is shorter than it was listed.")
            finally:
                bytes_read += body.bytes_read
    except ObjectError as error:
        outcome, detail = error.outcome, str(error)
    except Unavailable:
        raise
    except MemoryError:
        outcome, detail = Outcome.PARTIAL_BYTES, "It needs more memory than one object may have."
    except Exception as error:
        log.exception("object_crashed", position=position)
        outcome = Outcome.FAILED_CRASHED
        detail = f"{type(error).__name__} while it was read; the worker's log says where."
    findings = detection.finish()
    return ObjectResult(
        position=position,
        outcome=outcome,
        findings=findings,
        bytes_read=bytes_read,
        detail=detail,
        allowed=detection.allowed,
    )


def _text_head(ref: ObjectRef, *, using: Worker) -> tuple[Kind, str, bytes]:
    kind, head = _kind_and_head(ref, using=using)
    if kind.encoding is None:
        raise ObjectError("Its first bytes are no text any more, though its ETag has not changed.")
    return kind, kind.encoding, head


def _kind_and_head(ref: ObjectRef, *, using: Worker) -> tuple[Kind, bytes]:
    """What the object is, and its first bytes: so many that a header's line is among them."""
    with using.objects.open(ref, last_byte=_FIRST_BYTES - 1) as body:
        head = body.read(_FIRST_BYTES)
    return sniff(head[:HEAD_BYTES], ref.key), head

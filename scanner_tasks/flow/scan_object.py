"""One object: read → extract → detect, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from scanner_tasks import tracing
from scanner_tasks.core.errors import ObjectError, Unavailable
from scanner_tasks.core.model import ObjectRef, ObjectResult, Outcome
from scanner_tasks.core.object_tags import ANY_TAGS, TagCondition
from scanner_tasks.core.planning import plan_object
from scanner_tasks.extract.budget import Budget
from scanner_tasks.extract.text import RiskyContentError, extract
from scanner_tasks.flow.spool import spool_of
from scanner_tasks.flow.tag_check import refusal
from scanner_tasks.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner_tasks.flow.parts import Scanning
    from scanner_tasks.settings import Settings

log = get_logger()

OVERWRITTEN = "It was overwritten after it was listed: what was read is the newer object."


def scan_object(
    position: int,
    ref: ObjectRef,
    *,
    using: Scanning,
    tags: TagCondition = ANY_TAGS,
    is_isolated: bool = False,
    note: Callable[[int], None] | None = None,
    stop_after: int | None = None,
) -> ObjectResult:
    """Scan one object; whatever is wrong with it is its outcome, and what was found before is kept.

    One that was overwritten since it was listed is read once more, from the start, as it is now: what the first reading
    found is dropped, the bytes of both are told. A second change is its outcome.

        Listed with ETag 1, read half with 20 findings, overwritten: the second half is refused (412). Read again with
        ETag 2: 35 findings, all of one version. Overwritten again meanwhile: failed(changed_since_listing).

    Args:
        position: its place in its batch.
        ref: the object.
        using: what reads and detects.
        tags: what those of the newer object must be; the caller has asked for those of the listed one.
        is_isolated: this process may die of the object.
        note: told how many parts of its text were searched, after each.
        stop_after: leave it after so many.

    Raises:
        Unavailable: the fault is not the object's, and the batch goes back to its lane.
        RiskyContentError: the object must be scanned in a process of its own.
    """
    began = using.clock()
    with tracing.stages() as stages:
        scan_once = partial(
            _scan_once,
            position,
            began=began,
            using=using,
            stages=stages,
            is_isolated=is_isolated,
            note=note,
            stop_after=stop_after,
        )
        first = scan_once(ref)
        if first.outcome is not Outcome.FAILED_CHANGED_SINCE_LISTING or ref.version_id:
            return first
        log.info("object_changed", position=position)
        try:
            planned = plan_object(using.objects.head(ref.bucket, ref.key), using.settings.policy)
        except ObjectError as error:
            detail = str(error)
            return ObjectResult(position=position, outcome=error.outcome, bytes_read=first.bytes_read, detail=detail)
        if planned.outcome is not Outcome.PENDING:
            return ObjectResult(position=position, outcome=planned.outcome, bytes_read=first.bytes_read)
        if tags and (refused := refusal(position, planned.ref, tags, using.objects)):
            return replace(refused, bytes_read=first.bytes_read)
        second = scan_once(planned.ref)
    # Such an object is no base for a later job (store/base_jobs.py): the listed ETag is not that of what was read.
    detail = second.detail or OVERWRITTEN
    return replace(second, bytes_read=first.bytes_read + second.bytes_read, detail=detail)


def _scan_once(
    position: int,
    ref: ObjectRef,
    *,
    began: float,
    using: Scanning,
    stages: tracing.Stages,
    is_isolated: bool,
    note: Callable[[int], None] | None,
    stop_after: int | None,
) -> ObjectResult:
    """Scan it as ``ref`` says that it is; its time counts from ``began``."""
    settings, detection = using.settings, using.detector.begin(ref.key)
    feed, finish = stages.timed("detect", detection.feed), stages.timed("detect", detection.finish)
    outcome, detail, bytes_read, text_bytes = Outcome.SCANNED, None, 0, 0

    try:
        with stages.timed("read", using.objects.open)(ref) as body:
            try:
                extracted = extract(
                    stages.timed("read", body.read),
                    key=ref.key,
                    budget=budget_of(settings, began),
                    clock=using.clock,
                    spool=spool_of(settings, is_isolated=is_isolated),
                    is_isolated=is_isolated,
                )
                segments = stages.each("extract", islice(extracted, stop_after))
                for number, segment in enumerate(segments, 1):
                    text_bytes += len(segment.data)
                    with using.scan_slots:
                        feed(segment)
                    if note:
                        note(number)
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
    if outcome.kind == "partial":
        detail = f"{detail} Read: {bytes_read} of {ref.size_bytes} bytes, {text_bytes} bytes of text."
    findings = finish()
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
        window_bytes=settings.read_window_bytes,
        max_depth=settings.depth_max,
        max_ratio=settings.ratio_max,
        ratio_free_bytes=settings.ratio_free_bytes,
        max_members=settings.members_max,
        max_rows=settings.rows_max,
        max_pages=settings.pages_max,
        spool_bytes=settings.spool_max_bytes,
        memory_bytes=settings.whole_max_bytes,
    )

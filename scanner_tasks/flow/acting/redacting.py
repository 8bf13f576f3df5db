"""A redacted copy of a text, CSV or JSON object: masked where a scan of now finds values, and scanned again."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.acting import Ended, StepState, done, failed, skipped
from scanner_tasks.core.errors import ExtractError, ObjectChanged, ObjectGone
from scanner_tasks.core.masking import form_of, masked, same_form
from scanner_tasks.extract.kind import HEAD_BYTES, sniff
from scanner_tasks.extract.text import RiskyContentError, extract
from scanner_tasks.flow.acting.tagging import CHANGED
from scanner_tasks.flow.scan_object import budget_of

if TYPE_CHECKING:
    from scanner_tasks.detect.engine import Detector
    from scanner_tasks.flow.acting.hold import Hold
    from scanner_tasks.flow.parts import Actor

#: Masking one value may show another that it hid; more rounds than this mean that something cannot be masked.
_ROUNDS: Final = 5
#: One large text at a time: it is in memory several times.
_one_at_a_time: Final = threading.Lock()


def redact(hold: Hold) -> Ended:
    """Write the copy; the object itself is only read. No object but this step's own is ever written over."""
    step, actions, using = hold.step, hold.using.actions, hold.using
    bucket, key = hold.place
    target = (hold.plan.options["target_bucket"], hold.plan.options["target_prefix"] + key)
    if step.size_bytes > using.settings.whole_max_bytes:
        return skipped("too_large", f"It has over {using.settings.whole_max_bytes:,} bytes (S3SCAN_WHOLE_MAX_BYTES).")
    head = actions.head(bucket, key, version_id=step.version_id)
    if head.etag != step.etag:
        return skipped("changed", CHANGED)
    with _one_at_a_time:
        made = redacted(actions.read(bucket, key, etag=step.etag), key, using=using)
    if isinstance(made, Ended):
        return made
    data, places = made
    hold.keep(target=list(target))
    content_type = str(head.headers.get("ContentType", "binary/octet-stream"))
    try:
        etag = actions.put(*target, data, content_type=content_type, metadata=hold.mark)
    except ObjectChanged:
        there = actions.head(*target)
        if not hold.is_ours(there):
            return failed("target_exists", "An object with this key is there already; choose another prefix.")
        etag = actions.put(*target, data, content_type=content_type, metadata=hold.mark, if_match=there.etag)
    return done(f"{places:,} places masked.", target=list(target), etag=etag)


def unredact(hold: Hold) -> Ended:
    """Delete the copy, if it is still the one that was written."""
    actions, before = hold.using.actions, hold.step.before
    assert before is not None
    target: tuple[str, str] = (before["target"][0], before["target"][1])
    try:
        there = actions.head(*target)
    except ObjectGone:
        return Ended(state=StepState.UNDONE)
    if not hold.is_ours(there):
        return Ended(state=StepState.UNDO_FAILED, reason="changed", detail="Another object stands there now.")
    actions.delete(*target, if_match=there.etag)
    return Ended(state=StepState.UNDONE)


def redacted(data: bytes, key: str, *, using: Actor) -> tuple[bytes, int] | Ended:  # noqa: PLR0911 (each a reason)
    """The content without its values and how many places were masked, or why there is none."""
    kind = sniff(data[:HEAD_BYTES], key)
    if kind.form != "text" or not kind.encoding:
        return skipped("unsupported", "Only plain text, CSV and JSON are redacted.")
    try:
        text = data[kind.mark_bytes :].decode(kind.encoding)
    except ValueError:
        return skipped("unsupported", f"It is not {kind.encoding} throughout.")
    before, form, places = text, form_of(key, text), 0
    left: set[str] | None = set()
    for _ in range(_ROUNDS):
        found = using.detector.find_all(text, name=key)
        spans = {(each.start, each.end) for each in found}
        text = masked(text, spans, form)
        places += len(spans)
        made = data[: kind.mark_bytes] + text.encode(kind.encoding)
        left = found_in(made, key, using.detector, using=using)
        if left is None:
            return failed("not_proven", "The redacted text could not be scanned to its end; nothing was written.")
        if not left:
            break
    else:
        return failed(
            "not_proven", f"After masking, {', '.join(sorted(left or ()))} is still found; nothing was written."
        )
    if not places:
        return skipped("nothing_found", "A scan of now finds nothing in it.")
    if not same_form(before, text, form):
        return failed("form_broken", f"Masking would break its {form.upper()} form; nothing was written.")
    return made, places


def found_in(data: bytes, key: str, detector: Detector, *, using: Actor) -> set[str] | None:
    """Rules that a scan finds in the content, as a job would; None when it could not be read to its end."""
    detection = detector.begin(key)
    try:
        segments = extract(
            io.BytesIO(data).read,
            key=key,
            budget=budget_of(using.settings, using.clock()),
            clock=using.clock,
            is_isolated=False,
        )
        for segment in segments:
            detection.feed(segment)
        return {found.rule_id for found in detection.finish()}
    except (ExtractError, RiskyContentError):
        return None

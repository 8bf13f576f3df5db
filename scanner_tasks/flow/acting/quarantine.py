"""An object moved to a quarantine bucket: copied, the copy verified, and only then replaced or deleted.

before: {}             look at the object                        it is the scanned one, or: skipped(changed)
        copy           kept before the copy begins, so that an undo knows where one may be
        copied         kept when the copy is verified: from here on the original may go
then                   If-Match: a marker in its place, or a delete; of a bucket with versions, the version too

Killed after the marker was put, before that was told: the next attempt finds its own marker, and goes on.
Overwritten after the copy: S3 refuses the marker (412); the copy is deleted, the step is skipped(changed).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.acting import Ended, StepState, done, failed, skipped
from scanner_tasks.core.errors import ObjectChanged, ObjectDenied, ObjectGone
from scanner_tasks.flow.acting.tagging import CHANGED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner_tasks.aws.acting import Head
    from scanner_tasks.flow.acting.hold import Hold

_KEY_MAX: Final = 1024
MARKER: Final = (
    b"This object was moved to quarantine because sensitive data was found in it.\n"
    b"The one who runs s3scan can tell where it is: s3scan act log.\n"
)


def quarantine(hold: Hold) -> Ended:
    """Move it; see the module's docstring for what is kept when."""
    step = hold.step
    target = (hold.plan.options["target_bucket"], f"{hold.plan.options['target_prefix']}{hold.plan.plan_id}/{step.key}")
    if len(target[1].encode(errors="surrogatepass")) > _KEY_MAX:
        return failed("key_too_long", "Its key with the prefix has over 1,024 bytes: choose a shorter prefix.")
    if not step.before or step.before["phase"] == "copy":
        ended = _copy(hold, target)
        if ended:
            return ended
    assert hold.step.before is not None
    return _replace(hold, target, hold.step.before)


def _copy(hold: Hold, target: tuple[str, str]) -> Ended | None:
    step, actions = hold.step, hold.using.actions
    head = actions.head(*hold.place, version_id=step.version_id)
    if head.etag != step.etag:
        return skipped("changed", CHANGED)
    hold.keep(phase="copy", target=list(target), version_id=head.version_id, size_bytes=head.size_bytes)
    actions.copy(hold.place, target, head=head, version_id=head.version_id, beat=hold.beat)
    copied = actions.head(*target)
    if not actions.is_same(hold.place, target, head=head, copied=copied):
        actions.delete(*target, version_id=copied.version_id)
        return failed("not_verified", "The copy does not hold what the object holds; it is deleted again.")
    hold.keep(phase="copied", copy_etag=copied.etag, copy_version=copied.version_id)
    return None


def _replace(hold: Hold, target: tuple[str, str], before: Mapping[str, Any]) -> Ended:
    step, actions, bucket, key = hold.step, hold.using.actions, *hold.place
    copied = actions.head(*target, version_id=before["copy_version"])
    if copied.etag != before["copy_etag"]:
        return failed("not_verified", "The copy in quarantine is another object now; nothing was replaced.")
    by_marker = hold.plan.options["replace_by"] == "marker"
    now = _present(hold)
    if now is not None and not hold.is_ours(now):
        try:
            if now.etag != step.etag:
                raise ObjectChanged(CHANGED)  # noqa: TRY301 (as S3 says it below)
            if by_marker:
                actions.put(bucket, key, MARKER, content_type="text/plain", metadata=hold.mark, if_match=step.etag)
            else:
                actions.delete(bucket, key, if_match=step.etag)
        except ObjectChanged:
            actions.delete(*target, version_id=before["copy_version"])
            return skipped("changed", CHANGED)
    if before["version_id"]:
        # Behind marker or delete marker the scanned version would still be there for whoever names it.
        try:
            with suppress(ObjectGone):
                actions.delete(bucket, key, version_id=before["version_id"])
        except ObjectDenied as error:
            return failed("version_kept", f"It was replaced, but its version is still there. {error}")
    told = None if now is not None or not by_marker else "It was deleted by somebody else meanwhile; no marker."
    return done(told, target=list(target))


def unquarantine(hold: Hold) -> Ended:
    """Copy it back to where it was, verified, and delete the copy in quarantine."""
    step, actions, before = hold.step, hold.using.actions, hold.step.before
    assert before is not None
    target: tuple[str, str] = (before["target"][0], before["target"][1])
    now = _present(hold)
    is_original = now is not None and now.etag == step.etag and not hold.is_ours(now)
    try:
        copied = actions.head(*target, version_id=before.get("copy_version"))
    except ObjectGone:
        if is_original:
            return Ended(state=StepState.UNDONE)
        return Ended(state=StepState.UNDO_FAILED, reason="copy_gone", detail="The copy in quarantine is not there.")
    if not is_original:
        may_restore = now is None if hold.plan.options["replace_by"] == "delete" else now and hold.is_ours(now)
        if may_restore:
            actions.copy(target, hold.place, head=copied, version_id=copied.version_id, beat=hold.beat)
            now = actions.head(*hold.place)
        # Restored now, or by an attempt that died before it could say so.
        if now is None or not actions.is_same(target, hold.place, head=copied, copied=now):
            return Ended(
                state=StepState.UNDO_FAILED,
                reason="changed",
                detail="Another object stands in its place now; the copy stays in quarantine.",
            )
    actions.delete(*target, version_id=copied.version_id)
    return Ended(state=StepState.UNDONE)


def _present(hold: Hold) -> Head | None:
    try:
        return hold.using.actions.head(*hold.place)
    except ObjectGone:
        return None

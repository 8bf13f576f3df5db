"""Tags put on an object beside its own, and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.core.acting import Ended, StepState, done, failed, merged_tags, skipped, unmerged_tags

if TYPE_CHECKING:
    from scanner_tasks.flow.acting.hold import Hold

CHANGED = "It has changed since it was scanned: scan it again."


def tag(hold: Hold) -> Ended:
    """Add the plan's tags; the object's own stay.

    S3 takes tags without a condition. In a bucket with versions they go to exactly the scanned version. In one without,
    the ETag is looked at before and after: an object that was overwritten meanwhile loses our tags again.
    """
    step, actions, ours = hold.step, hold.using.actions, hold.plan.options["tags"]
    bucket, key = hold.place
    head = actions.head(bucket, key, version_id=step.version_id)
    if head.etag != step.etag:
        return skipped("changed", CHANGED)
    version = head.version_id
    present = actions.tags(bucket, key, version_id=version)
    wanted = merged_tags(present, ours)
    if wanted is None:
        return failed("too_many_tags", f"It has {len(present)} tags; S3 allows ten.")
    if wanted == present:
        # Its own, or an earlier attempt's, which died before it could say so.
        return done("An earlier attempt had done it.") if step.before else skipped("already", "It has these tags.")
    if not step.before:
        hold.keep(tags=present, version_id=version)
    actions.put_tags(bucket, key, wanted, version_id=version)
    if version is None and actions.head(bucket, key).etag != step.etag:
        now = actions.tags(bucket, key)
        actions.put_tags(bucket, key, unmerged_tags(now, ours, {}))
        return skipped("changed", CHANGED)
    return done(None, tags=wanted)


def untag(hold: Hold) -> Ended:
    """Take back what of the plan's tags is still there; what others changed since stays."""
    step, actions = hold.step, hold.using.actions
    bucket, key = hold.place
    assert step.before is not None
    version = step.before["version_id"]
    if actions.head(bucket, key, version_id=version).etag != step.etag:
        return Ended(state=StepState.UNDO_FAILED, reason="changed", detail="It is another object now.")
    present = actions.tags(bucket, key, version_id=version)
    wanted = unmerged_tags(present, hold.plan.options["tags"], step.before["tags"])
    if wanted != present:
        actions.put_tags(bucket, key, wanted, version_id=version)
    return Ended(state=StepState.UNDONE)

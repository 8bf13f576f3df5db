"""Public access to a bucket blocked, and the former state put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner_tasks.core.acting import Ended, StepState, done, skipped

if TYPE_CHECKING:
    from scanner_tasks.flow.acting.hold import Hold

_ALL: Final = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


def block_public(hold: Hold) -> Ended:
    """Turn on all four blocks of the bucket."""
    step, actions = hold.step, hold.using.actions
    present = actions.public_block(step.bucket)
    if present == _ALL:
        return done("An earlier attempt had done it.") if step.before else skipped("already", "All four are on.")
    if not step.before:
        hold.keep(block=present)
    actions.put_public_block(step.bucket, _ALL)
    return done(None, block=_ALL)


def unblock_public(hold: Hold) -> Ended:
    """Put back the former blocks, unless somebody changed them since."""
    step, actions = hold.step, hold.using.actions
    assert step.before is not None
    present, former = actions.public_block(step.bucket), step.before["block"]
    if present == former:
        return Ended(state=StepState.UNDONE)
    if present != _ALL:
        return Ended(state=StepState.UNDO_FAILED, reason="changed", detail="Its blocks were changed since.")
    actions.put_public_block(step.bucket, former)
    return Ended(state=StepState.UNDONE)

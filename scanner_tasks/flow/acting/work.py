"""One message of the actions' queue: its steps, each claimed, done or undone, and ended, whatever becomes of others.

A step that is delivered twice is claimed once. One whose worker died is claimed again when its lease has run out, with
the state before that was kept, and finds out from S3 how far it was. A step that S3 was not there for goes back to
where it was, and the message fails, so that SQS brings it again: three times in all before it is a dead letter.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.acting import Action, Ended, StepState, failed, skipped
from scanner_tasks.core.errors import (
    BucketNotFound,
    Conflict,
    InvalidInput,
    ObjectChanged,
    ObjectDenied,
    ObjectError,
    ObjectGone,
    Unavailable,
)
from scanner_tasks.flow.acting.blocking import block_public, unblock_public
from scanner_tasks.flow.acting.hold import LEASE_S, Hold, LostHold
from scanner_tasks.flow.acting.quarantine import quarantine, unquarantine
from scanner_tasks.flow.acting.redacting import redact, unredact
from scanner_tasks.flow.acting.tagging import tag, untag
from scanner_tasks.log import get_logger
from scanner_tasks.store import action_plans, action_steps
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from uuid import UUID

    from scanner_tasks.core.acting import Plan
    from scanner_tasks.flow.parts import Actor

log = get_logger()

DO: Final[Mapping[Action, Callable[[Hold], Ended]]] = {
    Action.TAG: tag,
    Action.QUARANTINE: quarantine,
    Action.REDACT: redact,
    Action.BLOCK_PUBLIC: block_public,
}
UNDO: Final[Mapping[Action, Callable[[Hold], Ended]]] = {
    Action.TAG: untag,
    Action.QUARANTINE: unquarantine,
    Action.REDACT: unredact,
    Action.BLOCK_PUBLIC: unblock_public,
}


def act(plan_id: UUID, step_nos: Iterable[int], *, is_undo: bool, using: Actor) -> dict[str, int]:
    """Do (or undo) these steps; how many ended how. Raises Unavailable when one must be tried again."""
    if not using.settings.actions:
        raise Conflict("Actions are off: this process is no worker of the actions' queue (S3SCAN_ACTIONS).")
    with transaction(using.engine) as connection:
        found = action_plans.find_plan(connection, plan_id)
    if found is None:
        raise InvalidInput("The message names a plan that is not there.")
    plan_no, plan = found
    ended: Counter[str] = Counter()
    for step_no in step_nos:
        state = _one(plan_no, plan, step_no, is_undo=is_undo, using=using)
        ended[state] += 1
        log.info("action_step", plan_id=plan_id, step_no=step_no, action=str(plan.action), state=state)
    if ended["again"] or ended["held"]:
        raise Unavailable(f"{ended['again']} steps must be tried again, {ended['held']} are in another worker's hands.")
    return dict(ended)


def _one(plan_no: int, plan: Plan, step_no: int, *, is_undo: bool, using: Actor) -> str:
    """One step; how it ended: a state, ``again``, ``held``, or ``not_open`` where there was nothing to do."""
    with transaction(using.engine) as connection:
        step = action_steps.claim_step(connection, plan_no, step_no, plan.bucket, is_undo=is_undo, lease_s=LEASE_S)
        if step is None:
            return "held" if action_steps.is_held(connection, plan_no, step_no) else "not_open"
    hold = Hold(plan, plan_no, step, using)
    try:
        told = _told(hold, (UNDO if is_undo else DO)[plan.action], is_undo=is_undo)
    except LostHold:
        return "held"
    except Unavailable as error:
        back = StepState.UNDO_FAILED if is_undo else StepState.PLANNED
        with transaction(using.engine) as connection:
            action_steps.release(connection, plan_no, step, state=str(back), detail=str(error))
        return "again"
    with transaction(using.engine) as connection:
        kept = action_steps.end_step(connection, plan_no, step, told)
    return str(told.state) if kept else "held"


def _told(hold: Hold, act_on: Callable[[Hold], Ended], *, is_undo: bool) -> Ended:
    """What became of it; an object's own fault is how its step ends."""
    try:
        return act_on(hold)
    except ObjectGone as error:
        told = skipped("gone", str(error))
    except ObjectChanged as error:
        told = skipped("changed", str(error))
    except ObjectDenied as error:
        told = failed("denied", str(error))
    except (ObjectError, BucketNotFound) as error:
        told = failed("refused", str(error))
    except (LostHold, Unavailable):
        raise
    except Exception as error:
        log.exception("action_crashed", plan_id=hold.plan.plan_id, step_no=hold.step.step_no)
        told = failed("crashed", f"{type(error).__name__}; the worker's log says where.")
    return Ended(state=StepState.UNDO_FAILED, reason=told.reason, detail=told.detail) if is_undo else told

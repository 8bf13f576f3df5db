"""A plan's steps are sent to the actions' queue, to be done or undone. A repeat sends what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from scanner_tasks.core import lanes
from scanner_tasks.core.acting import STEPS_OF_A_MESSAGE, Plan
from scanner_tasks.core.envelope import task_message
from scanner_tasks.core.errors import Conflict, InvalidInput, Unavailable
from scanner_tasks.core.ports import OutgoingMessage
from scanner_tasks.core.rights import Permission
from scanner_tasks.flow.acting.plan import find_plan
from scanner_tasks.store import action_steps, audit
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from scanner_tasks.flow.parts import Feeder

ACT = "scanner_tasks.act"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """What was sent."""

    plan: Plan
    steps: int
    messages: int


def run_plan(plan_id: UUID, *, who: str, is_undo: bool = False, using: Feeder) -> Sent:
    """Send every step that has still to be done (or undone); nothing is sent twice at the same time but harmlessly.

    Raises PlanNotFound; Conflict when actions are off; InvalidInput when nothing is left; Unavailable when the queue
    is not there or took only some.
    """
    if not using.settings.actions:
        raise Conflict("Actions are off in this deployment: S3SCAN_ACTIONS=true turns them on (docs/acting.md).")
    plan_no, plan = find_plan(plan_id, using=using)
    using.caller.require(Permission.ACT, plan.bucket)
    if is_undo and plan.run_at is None:
        raise InvalidInput("The plan was never run: there is nothing to undo.")
    if not is_undo and plan.undo_at is not None:
        raise InvalidInput("The plan was undone: make another one.")
    with transaction(using.engine) as connection:
        left = action_steps.steps_left(connection, plan_no, is_undo=is_undo)
        if left:
            action_steps.note_run(connection, plan_no, who=who, is_undo=is_undo)
            audit.add_entry(
                connection,
                using.caller,
                "action.undo" if is_undo else "action.run",
                bucket=plan.bucket,
                job_id=plan.job_id,
                target=f"{plan.action} {plan_id}",
            )
    if not left:
        raise InvalidInput("Nothing is left to undo." if is_undo else "Nothing is left to do: see `s3scan act log`.")
    groups = [left[n : n + STEPS_OF_A_MESSAGE] for n in range(0, len(left), STEPS_OF_A_MESSAGE)]
    messages = [
        OutgoingMessage(body=_body(plan, steps, is_undo=is_undo), group=lanes.message_group(plan.bucket))
        for steps in groups
    ]
    unsent = using.queues.send(lanes.ACTIONS, messages)
    if unsent:
        raise Unavailable(f"The queue {lanes.ACTIONS} took all but {len(unsent)} messages: run the command again.")
    return Sent(plan=plan, steps=len(left), messages=len(messages))


def _body(plan: Plan, steps: list[int], *, is_undo: bool) -> str:
    name = f"{'undo' if is_undo else 'do'}/{','.join(map(str, steps))}"
    return task_message(
        ACT,
        (str(plan.plan_id), steps, is_undo),
        task_id=uuid5(plan.plan_id, name),
        lane=lanes.ACTIONS,
        group=lanes.message_group(plan.bucket),
    )

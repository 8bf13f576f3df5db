"""A worker's hold on one step: what it knows is kept before S3 is asked, and nothing is kept once the hold is lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.acting import MARK, step_mark
from scanner_tasks.store import action_steps
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from scanner_tasks.aws.acting import Head
    from scanner_tasks.core.acting import Plan, Step
    from scanner_tasks.flow.parts import Actor

#: Between two signs of life a step asks S3 for one thing; a part of a copy is the longest.
LEASE_S: Final = 600.0


class LostHold(Exception):
    """Another worker has the step now."""


@dataclass
class Hold:
    """One step in this worker's hands."""

    plan: Plan
    plan_no: int
    step: Step
    using: Actor

    @property
    def place(self) -> tuple[str, str]:
        """Bucket and key."""
        return self.step.bucket, self.step.key

    @property
    def mark(self) -> dict[str, str]:
        """Metadata of what this step writes."""
        return {MARK: step_mark(self.plan.plan_id, self.step.step_no)}

    def is_ours(self, head: Head) -> bool:
        """True for an object that this step wrote."""
        return head.metadata.get(MARK) == self.mark[MARK]

    def keep(self, **more: Any) -> dict[str, Any]:
        """Keep these parts of the state before, beside those that are kept; raises LostHold."""
        before = {**(self.step.before or {}), **more}
        with transaction(self.using.engine) as connection:
            if not action_steps.keep_before(connection, self.plan_no, self.step, before, lease_s=LEASE_S):
                raise LostHold
        self.step = replace(self.step, before=before)
        return before

    def beat(self) -> None:
        """Say that the step is being worked on; raises LostHold."""
        with transaction(self.using.engine) as connection:
            if not action_steps.renew(connection, self.plan_no, self.step, lease_s=LEASE_S):
                raise LostHold

"""A step's life: claimed under a lease, its state before kept, ended by the attempt that holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner_tasks.store.action_plans import step_of, to_json
from scanner_tasks.store.engine import execute
from scanner_tasks.store.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sqlalchemy import Connection

    from scanner_tasks.core.acting import Ended, Step

#: From → while it is worked on. An undo takes what changed something, or may have: whatever has a state before.
_DO: Final = ("state = 'planned'", "running")
_UNDO: Final = ("state in ('done','failed','undo_failed') and before is not null", "undoing")
_DETAIL_MAX: Final = 500


def claim_step(
    connection: Connection, plan_no: int, step_no: int, bucket: str, *, is_undo: bool, lease_s: float
) -> Step | None:
    """Take a step that nobody has, or whose worker is gone; None when another has it or it has ended.

    Example: attempt 1 dies between S3's answer and its commit; its lease ends, attempt 2 gets the step with what
    ``before`` attempt 1 kept, and finds out what S3 did.
    """
    open_, working = _UNDO if is_undo else _DO
    row = execute(
        connection,
        f"""
        update action_steps set state = :working, attempt = attempt + 1, state_at = now(),
          lease_until = now() + make_interval(secs => :lease_s)
        where plan_no = :plan_no and step_no = :step_no
          and (({open_}) or (state = :working and lease_until < now()))
        returning *
        """,
        plan_no=plan_no,
        step_no=step_no,
        working=working,
        lease_s=lease_s,
    ).first()
    return step_of(row, bucket) if row else None


def is_held(connection: Connection, plan_no: int, step_no: int) -> bool:
    """True while a worker has the step."""
    return bool(
        execute(
            connection,
            """
            select 1 from action_steps where plan_no = :plan_no and step_no = :step_no
              and state in ('running','undoing') and lease_until >= now()
            """,
            plan_no=plan_no,
            step_no=step_no,
        ).first()
    )


def keep_before(connection: Connection, plan_no: int, step: Step, before: Mapping[str, Any], *, lease_s: float) -> bool:
    """Keep what undoing needs, before S3 is asked; False when the claim is another's now: then nothing may be done."""
    return _changed(
        connection,
        "before = cast(:before as jsonb), lease_until = now() + make_interval(secs => :lease_s)",
        plan_no,
        step,
        before=to_json(before),
        lease_s=lease_s,
    )


def renew(connection: Connection, plan_no: int, step: Step, *, lease_s: float) -> bool:
    """Hold the step longer; False when the claim is another's now."""
    return _changed(connection, "lease_until = now() + make_interval(secs => :lease_s)", plan_no, step, lease_s=lease_s)


def end_step(connection: Connection, plan_no: int, step: Step, ended: Ended) -> bool:
    """End the step; False when the claim is another's now."""
    return _changed(
        connection,
        "state = :state, reason = :reason, detail = :detail, after = coalesce(cast(:after as jsonb), after),"
        " lease_until = null, state_at = now()",
        plan_no,
        step,
        state=str(ended.state),
        reason=ended.reason,
        detail=plain(ended.detail)[:_DETAIL_MAX] if ended.detail else None,
        after=to_json(ended.after) if ended.after else None,
    )


def release(connection: Connection, plan_no: int, step: Step, *, state: str, detail: str) -> bool:
    """Give the step back for another try."""
    return _changed(
        connection,
        "state = :state, detail = :detail, lease_until = null, state_at = now()",
        plan_no,
        step,
        state=state,
        detail=plain(detail)[:_DETAIL_MAX],
    )


def note_run(connection: Connection, plan_no: int, *, who: str, is_undo: bool) -> None:
    """Say who sent the plan's steps last, and when."""
    what = "undo" if is_undo else "run"
    execute(
        connection,
        f"update action_plans set {what}_by = :who, {what}_at = now() where plan_no = :plan_no",
        plan_no=plan_no,
        who=plain(who),
    )


def steps_left(connection: Connection, plan_no: int, *, is_undo: bool) -> list[int]:
    """Numbers of the steps that a run, or an undo, has still to do, in order; those in a worker's hands too."""
    open_, working = _UNDO if is_undo else _DO
    rows = execute(
        connection,
        f"""
        select step_no from action_steps where plan_no = :plan_no and (({open_}) or state = :working) order by step_no
        """,
        plan_no=plan_no,
        working=working,
    )
    return [row.step_no for row in rows]


def _changed(connection: Connection, sets: str, plan_no: int, step: Step, **values: Any) -> bool:
    done = execute(
        connection,
        f"""
        update action_steps set {sets} where plan_no = :plan_no and step_no = :step_no and attempt = :attempt
          and state in ('running','undoing')
        """,
        plan_no=plan_no,
        step_no=step.step_no,
        attempt=step.attempt,
        **values,
    )
    return done.rowcount == 1

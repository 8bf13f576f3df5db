"""Plans of actions and their steps, as they are made and shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.acting import Action, Plan, Step, StepState
from scanner_tasks.store.engine import execute, insert_rows
from scanner_tasks.store.packing import unpack_etags
from scanner_tasks.store.text import from_text, plain, to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import Connection, Row

    from scanner_tasks.store.finding_query import FindingPlace


def add_plan(connection: Connection, plan: Plan) -> int:
    """Keep a plan without steps; its number."""
    row = execute(
        connection,
        """
        insert into action_plans (plan_id, job_id, bucket, action, options, filters, created_by, reason)
        values (:plan_id, :job_id, :bucket, :action, cast(:options as jsonb), cast(:filters as jsonb), :who, :reason)
        returning plan_no
        """,
        plan_id=plan.plan_id,
        job_id=plan.job_id,
        bucket=plan.bucket,
        action=str(plan.action),
        options=to_json(plan.options),
        filters=to_json(plan.filters),
        who=plain(plan.created_by),
        reason=plain(plan.reason),
    ).one()
    return int(row.plan_no)


def drop_plan(connection: Connection, plan_no: int) -> None:
    """Take back a plan that has no steps."""
    execute(connection, "delete from action_plans where plan_no = :plan_no", plan_no=plan_no)


def add_steps(connection: Connection, plan_no: int, steps: Iterable[Step]) -> None:
    """Add steps to a plan that nothing has run yet."""
    insert_rows(
        connection,
        "insert into action_steps"
        " (plan_no, step_no, object_key, etag, version_id, size_bytes, findings, state, reason, detail) values ",
        "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            (
                *(plan_no, one.step_no, to_text(one.key), plain(one.etag), one.version_id, one.size_bytes),
                *(one.findings, str(one.state), one.reason, one.detail),
            )
            for one in steps
        ),
    )


def objects_at(
    connection: Connection, places: Sequence[FindingPlace]
) -> dict[tuple[int, int, int], tuple[str, str, int, str | None]]:
    """The objects of findings as the ledger listed them: (job_no, batch_no, position) → key, ETag, size, version.

    A look by primary key for each batch.
    """
    told = {}
    for job_no, batch_no in {(place.job_no, place.batch_no) for place in places}:
        row = execute(
            connection,
            "select keys, sizes, etags, version_ids from job_batches where job_no = :job_no and batch_no = :batch_no",
            job_no=job_no,
            batch_no=batch_no,
        ).first()
        if row is None:
            continue
        etags = unpack_etags(bytes(row.etags))
        for position, key in enumerate(row.keys):
            version = row.version_ids[position] if row.version_ids else None
            told[job_no, batch_no, position] = (from_text(key), etags[position], row.sizes[position], version)
    return told


def find_plan(connection: Connection, plan_id: UUID) -> tuple[int, Plan] | None:
    """The plan and its number, its steps counted by state."""
    row = execute(connection, "select * from action_plans where plan_id = :plan_id", plan_id=plan_id).first()
    return None if row is None else (int(row.plan_no), _plan(row, _states(connection, [row.plan_no])[row.plan_no]))


def list_plans(
    connection: Connection, *, job_id: UUID | None, scope: list[str] | None = None, limit: int
) -> list[Plan]:
    """The youngest plans first, of a job or of all; ``scope`` are LIKE patterns of buckets."""
    values: dict[str, Any] = {}
    conditions = []
    if job_id is not None:
        conditions.append("job_id = :job_id")
        values["job_id"] = job_id
    if scope is not None:
        conditions.append("bucket like any(cast(:scope as text[]))")
        values["scope"] = scope
    where = f"where {' and '.join(conditions)}" if conditions else ""
    rows = execute(
        connection, f"select * from action_plans {where} order by plan_no desc limit :limit", limit=limit, **values
    ).all()
    states = _states(connection, [row.plan_no for row in rows])
    return [_plan(row, states[row.plan_no]) for row in rows]


def read_steps(
    connection: Connection, plan_no: int, bucket: str, *, after: int = -1, limit: int = 500, states: Sequence[str] = ()
) -> list[Step]:
    """Steps behind one, in order (primary key), all or those of these states."""
    only = "and state = any(:states)" if states else ""
    values = {"states": list(states)} if states else {}
    rows = execute(
        connection,
        f"""
        select * from action_steps where plan_no = :plan_no and step_no > :after {only} order by step_no limit :limit
        """,
        plan_no=plan_no,
        after=after,
        limit=limit,
        **values,
    )
    return [step_of(row, bucket) for row in rows]


def step_of(row: Row[Any], bucket: str) -> Step:
    """A row as a step."""
    return Step(
        step_no=row.step_no,
        bucket=bucket,
        key=from_text(row.object_key),
        etag=row.etag,
        version_id=row.version_id,
        size_bytes=row.size_bytes,
        findings=row.findings,
        state=StepState(row.state),
        attempt=row.attempt,
        reason=row.reason,
        detail=row.detail,
        before=row.before,
        after=row.after,
        state_at=row.state_at,
    )


def to_json(value: Mapping[str, Any]) -> str:
    """JSON that PostgreSQL holds; NUL in a text becomes U+FFFD."""
    return json.dumps(value, default=str).replace("\\u0000", "\\ufffd")


def _states(connection: Connection, plan_nos: Sequence[int]) -> dict[int, dict[str, int]]:
    told: dict[int, dict[str, int]] = {plan_no: {} for plan_no in plan_nos}
    for row in execute(
        connection,
        """
        select plan_no, state, count(*) as many from action_steps where plan_no = any(:plans) group by 1, 2 order by 2
        """,
        plans=list(plan_nos),
    ):
        told[row.plan_no][row.state] = row.many
    return told


def _plan(row: Row[Any], states: Mapping[str, int]) -> Plan:
    same = ("plan_id", "job_id", "bucket", "options", "filters", "created_by", "reason", "created_at")
    fields = {name: getattr(row, name) for name in (*same, "run_by", "run_at", "undo_by", "undo_at")}
    return Plan(action=Action(row.action), steps=states, **fields)

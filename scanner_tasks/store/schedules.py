"""Schedules and their runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from scanner_tasks.core.cron import Cron
from scanner_tasks.store.engine import execute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Row

#: Days that a run is known.
_KEPT_DAYS = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What became of one due time."""

    due_at: datetime
    #: starting, started, skipped, failed.
    state: str
    #: Why it was skipped, failed, or is not all that it should be.
    reason: str | None
    job_ids: tuple[UUID, ...]
    #: Buckets that a pattern or a tag meant and that are not scanned: ``{"bucket", "reason"}``.
    not_started: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """Jobs that begin again and again."""

    name: str
    cron: Cron
    #: What jobs begin, as it was given: buckets, prefix, bucket_tags, selection, budget, base_job, access.
    request: Mapping[str, Any]
    paused: bool
    next_at: datetime
    created_by: str
    created_at: datetime
    #: Its youngest run.
    last_run: Run | None = None


_SELECT = """
select s.*, r.due_at, r.state, r.reason, r.job_ids, r.not_started from schedules s
left join lateral (select * from schedule_runs r where r.name = s.name order by r.due_at desc limit 1) r on true
"""


def add_schedule(
    connection: Connection, name: str, *, cron: Cron, request: Mapping[str, Any], next_at: datetime, created_by: str
) -> bool:
    """Add it; False when there is one of this name."""
    added = execute(
        connection,
        """
        insert into schedules (name, cron, time_zone, request, next_at, created_by)
        values (:name, :cron, :time_zone, cast(:request as jsonb), :next_at, :created_by) on conflict do nothing
        """,
        name=name,
        cron=cron.expression,
        time_zone=cron.time_zone,
        request=json.dumps(request),
        next_at=next_at,
        created_by=created_by,
    )
    return added.rowcount == 1


def get_schedule(connection: Connection, name: str) -> Schedule | None:
    """The schedule with its youngest run; None when there is none of this name."""
    row = execute(connection, f"{_SELECT} where s.name = :name", name=name).first()
    return _schedule(row) if row else None


def list_schedules(connection: Connection) -> tuple[Schedule, ...]:
    """Every schedule with its youngest run, by name."""
    return tuple(_schedule(row) for row in execute(connection, f"{_SELECT} order by s.name"))


def list_runs(connection: Connection, name: str, *, limit: int) -> tuple[Run, ...]:
    """Its runs, the youngest first (primary key, backwards)."""
    rows = execute(
        connection,
        "select * from schedule_runs where name = :name order by due_at desc limit :limit",
        name=name,
        limit=limit,
    )
    return tuple(_run(row) for row in rows)


def remove_schedule(connection: Connection, name: str) -> bool:
    """Remove it and its runs; its jobs stay. False when there is none."""
    return execute(connection, "delete from schedules where name = :name", name=name).rowcount == 1


def set_paused(connection: Connection, name: str, *, paused: bool, next_at: datetime) -> bool:
    """Pause it, or let it go on with this next time; False when it was so already."""
    changed = execute(
        connection,
        "update schedules set paused = :paused, next_at = :next_at where name = :name and paused <> :paused",
        name=name,
        paused=paused,
        next_at=next_at,
    )
    return changed.rowcount == 1


def due_schedules(connection: Connection) -> tuple[tuple[str, datetime], ...]:
    """Names of schedules that are due, and Postgres' time."""
    rows = execute(connection, "select name, now() as at from schedules where not paused and next_at <= now()")
    return tuple((row.name, row.at) for row in rows)


def lock_schedule(connection: Connection, name: str) -> Schedule | None:
    """The schedule as it is now, held until the transaction ends; None when it is gone."""
    execute(connection, "select 1 from schedules where name = :name for update", name=name)
    return get_schedule(connection, name)


def move_next(connection: Connection, name: str, next_at: datetime) -> None:
    """Its next due time."""
    execute(connection, "update schedules set next_at = :next_at where name = :name", name=name, next_at=next_at)


def going_on(connection: Connection, name: str) -> tuple[UUID, str] | None:
    """A job that it began and that has not ended, with its status (index jobs_of_schedule)."""
    row = execute(
        connection,
        """
        select job_id, status from jobs where schedule = :name and finished_at is null and deleted_at is null
        order by job_no desc limit 1
        """,
        name=name,
    ).first()
    return (row.job_id, row.status) if row else None


def is_starting(connection: Connection, name: str) -> bool:
    """True while jobs of one of its runs are yet to begin."""
    row = execute(
        connection, "select 1 from schedule_runs where name = :name and state = 'starting' limit 1", name=name
    ).first()
    return row is not None


def add_run(connection: Connection, name: str, due_at: datetime, *, state: str, reason: str | None) -> None:
    """A run of this due time; nothing where there is one already, since clocks may differ."""
    execute(
        connection,
        "insert into schedule_runs (name, due_at, state, reason) values (:name, :due_at, :state, :reason)"
        " on conflict do nothing",
        name=name,
        due_at=due_at,
        state=state,
        reason=reason,
    )


def take_run(connection: Connection, *, lease_s: float) -> tuple[str, datetime, bool] | None:
    """A run that is to be started and that nobody works at: name, due time, whether it waits for over an hour.

    Whoever takes it has ``lease_s`` seconds; after that another may take it.
    """
    row = execute(
        connection,
        """
        update schedule_runs r set taken_at = now() + make_interval(secs => :lease_s) from (
          select name, due_at from schedule_runs where state = 'starting' and taken_at <= now()
          order by due_at limit 1 for update skip locked
        ) t where r.name = t.name and r.due_at = t.due_at
        returning r.name, r.due_at, r.due_at < now() - interval '1 hour' as is_late
        """,
        lease_s=lease_s,
    ).first()
    return (row.name, row.due_at, row.is_late) if row else None


def end_run(
    connection: Connection,
    name: str,
    due_at: datetime,
    *,
    state: str,
    reason: str | None,
    job_ids: Sequence[UUID] = (),
    not_started: Sequence[Mapping[str, str]] = (),
) -> None:
    """What became of a run; its jobs tell the schedule from now on. What was said before stands before the reason."""
    execute(
        connection,
        "update jobs set schedule = :name where job_id = any(cast(:job_ids as uuid[]))",
        name=name,
        job_ids=[str(job_id) for job_id in job_ids],
    )
    execute(
        connection,
        """
        update schedule_runs set state = :state, reason = nullif(concat_ws(' ', reason, cast(:reason as text)), ''),
          job_ids = cast(:job_ids as uuid[]), not_started = cast(:not_started as jsonb)
        where name = :name and due_at = :due_at and state = 'starting'
        """,
        name=name,
        due_at=due_at,
        state=state,
        reason=reason,
        job_ids=[str(job_id) for job_id in job_ids],
        not_started=json.dumps(list(not_started)),
    )


def forget_runs(connection: Connection) -> None:
    """Forget runs of long ago."""
    execute(
        connection, "delete from schedule_runs where due_at < now() - make_interval(days => :days)", days=_KEPT_DAYS
    )


def _run(row: Row[Any]) -> Run:
    return Run(
        due_at=row.due_at,
        state=row.state,
        reason=row.reason,
        job_ids=tuple(row.job_ids),
        not_started=tuple(row.not_started),
    )


def _schedule(row: Row[Any]) -> Schedule:
    return Schedule(
        name=row.name,
        cron=Cron(row.cron, row.time_zone),
        request=row.request,
        paused=row.paused,
        next_at=row.next_at,
        created_by=row.created_by,
        created_at=row.created_at,
        last_run=None if row.due_at is None else _run(row),
    )

"""Watched buckets, and the jobs that take their events."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from scanner_tasks.core.access import Access
from scanner_tasks.core.access import from_json as access_from_json
from scanner_tasks.core.budget import Budget
from scanner_tasks.core.model import JobStatus
from scanner_tasks.core.selection import Selection
from scanner_tasks.core.selection_rules import from_json as selection_from_json
from scanner_tasks.store.engine import execute
from scanner_tasks.store.text import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Row


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """A bucket whose events are scanned, and what became of them so far."""

    bucket: str
    #: Only keys that begin with it.
    prefix: str
    access: Access
    selection: Selection
    #: Of each of its jobs.
    budget: Budget
    #: The job that took its last event; None before the first one.
    job_no: int | None
    job_id: UUID | None
    job_status: JobStatus | None
    #: Events that gave an object to a job; came again or were overtaken by a later one; told a deletion; are none of
    #: ours (another kind, outside of the prefix).
    added: int
    repeated: int
    deleted: int
    ignored: int
    last_event_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class UnwatchedBucket:
    """A bucket that nobody watches, whose events came all the same."""

    bucket: str
    events: int
    last_event_at: datetime


_SELECT = """
select w.*, j.job_id, j.status as job_status from watches w left join jobs j on j.job_no = w.job_no
"""


def set_watch(
    connection: Connection, bucket: str, *, prefix: str, access: Access, selection: Selection, budget: Budget
) -> bool:
    """Watch the bucket, from now on in this way; False when it was watched already: its open job takes no more then."""
    row = execute(
        connection,
        """
        insert into watches (bucket, prefix, access, selection, budget)
        values (:bucket, :prefix, cast(:access as jsonb), cast(:selection as jsonb), cast(:budget as jsonb))
        on conflict (bucket) do update set prefix = excluded.prefix, access = excluded.access,
          selection = excluded.selection, budget = excluded.budget, job_no = null
        returning xmax = 0 as is_new
        """,
        bucket=bucket,
        prefix=to_text(prefix),
        access=None if access.is_default else json.dumps(access.to_json()),
        selection=None if selection.is_everything else json.dumps(selection.to_json()),
        budget=json.dumps(budget.to_json()),
    ).one()
    execute(connection, "delete from unwatched_events where bucket = :bucket", bucket=bucket)
    return bool(row.is_new)


def remove_watch(connection: Connection, bucket: str) -> bool:
    """Watch it no longer; False when nobody did."""
    return execute(connection, "delete from watches where bucket = :bucket", bucket=bucket).rowcount == 1


def get_watch(connection: Connection, bucket: str, *, lock: bool = False) -> Watch | None:
    """The bucket's watch; with ``lock`` nobody else changes it, or adds its events, until the transaction ends."""
    if lock:  # by itself: a statement that has waited sees the changed watch, but not the job that it names by now
        execute(connection, "select 1 from watches where bucket = :bucket for update", bucket=bucket)
    row = execute(connection, f"{_SELECT} where w.bucket = :bucket", bucket=bucket).first()
    return _watch(row) if row else None


def list_watches(connection: Connection) -> tuple[Watch, ...]:
    """Every watch, by bucket."""
    return tuple(_watch(row) for row in execute(connection, f"{_SELECT} order by w.bucket"))


def unwatched(connection: Connection, *, limit: int = 100) -> tuple[UnwatchedBucket, ...]:
    """Buckets that nobody watches and whose events came, the latest first."""
    rows = execute(
        connection,
        "select bucket, events, last_event_at from unwatched_events order by last_event_at desc limit :limit",
        limit=limit,
    )
    return tuple(UnwatchedBucket(**row._mapping) for row in rows)  # noqa: SLF001 (SQLAlchemy's mapping view)


def count_unwatched(connection: Connection, bucket: str, events: int) -> None:
    """Count events of a bucket that nobody watches."""
    execute(
        connection,
        """
        insert into unwatched_events (bucket, events) values (:bucket, :events)
        on conflict (bucket) do update set events = unwatched_events.events + excluded.events, last_event_at = now()
        """,
        bucket=bucket,
        events=events,
    )


def set_job(connection: Connection, bucket: str, job_no: int) -> None:
    """This job takes the bucket's events from now on."""
    execute(connection, "update watches set job_no = :job_no where bucket = :bucket", bucket=bucket, job_no=job_no)


def count_events(connection: Connection, bucket: str, counts: Mapping[str, int]) -> None:
    """Add to what became of the bucket's events: added, repeated, deleted, ignored."""
    execute(
        connection,
        """
        update watches set added = added + :added, repeated = repeated + :repeated, deleted = deleted + :deleted,
          ignored = ignored + :ignored, last_event_at = now()
        where bucket = :bucket
        """,
        bucket=bucket,
        **{name: counts.get(name, 0) for name in ("added", "repeated", "deleted", "ignored")},
    )


def takes_events(connection: Connection, job_no: int) -> bool:
    """True while the job takes events; its row is held until the transaction ends, so that nobody closes it."""
    row = execute(
        connection,
        """
        select 1 from jobs where job_no = :job_no and source = 'events' and listed_at is null
          and status in ('listing', 'paused') for update
        """,
        job_no=job_no,
    ).first()
    return row is not None


def close_job(connection: Connection, job_no: int, *, period_s: float | None = None) -> bool:
    """The job takes no more events, so that it can end; True when it took some until now.

    With ``period_s`` only if no watch names it any more, or it began in an earlier period: periods begin at multiples
    of it since 1970 in UTC, those of a day at midnight. A paused job stays paused.
    """
    row = execute(
        connection,
        """
        update jobs j set listed_at = now(), status = case when status = 'listing' then 'scanning' else status end
        where j.job_no = :job_no and j.source = 'events' and j.listed_at is null and j.status in ('listing', 'paused')
          and (cast(:period_s as double precision) is null
            or not exists (select 1 from watches w where w.job_no = j.job_no)
            or floor(extract(epoch from now()) / :period_s) > floor(extract(epoch from j.created_at) / :period_s))
        returning 1
        """,
        job_no=job_no,
        period_s=period_s,
    ).first()
    return row is not None


def _watch(row: Row[Any]) -> Watch:
    fields = {name: row._mapping[name] for name in Watch.__dataclass_fields__}  # noqa: SLF001
    fields["prefix"] = from_text(fields["prefix"])
    fields["access"] = access_from_json(fields["access"])
    fields["selection"] = selection_from_json(fields["selection"])
    fields["budget"] = Budget(**fields["budget"])
    fields["job_status"] = None if fields["job_status"] is None else JobStatus(fields["job_status"])
    return Watch(**fields)

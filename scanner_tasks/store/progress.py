"""Sums over a job: from the view that settle refreshes, or live from the deltas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scanner_tasks.core.model import Outcome, Progress
from scanner_tasks.store.engine import execute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

_FROM_VIEW = """
select job_no, listed, processing, scanned, partial, skipped, unchanged, failed, findings, occurrences, bytes_listed,
  bytes_done, batches, open_batches, outcomes, refreshed_at, coalesce(a.allowed, 0)::bigint allowed
from job_progress p
left join lateral (
  select sum(d.objects) allowed from job_deltas d where d.job_no = p.job_no and d.code = 2
) a on true
where job_no = any(:job_nos)
"""

#: The view's sums, live (index job_deltas_of_job): a job has few deltas between two compactions.
_LIVE = """
with sums as (
  select job_no, code, sum(objects) objects, sum(bytes) bytes, sum(batches) batches, sum(open_batches) open_batches,
    sum(findings) findings, sum(occurrences) occurrences
  from job_deltas where job_no = any(:job_nos) group by job_no, code
)
select job_no,
  coalesce(sum(objects) filter (where code = 0), 0)::bigint listed,
  coalesce(sum(objects) filter (where code = 1), 0)::bigint processing,
  coalesce(sum(objects) filter (where code = 10), 0)::bigint scanned,
  coalesce(sum(objects) filter (where code between 20 and 29), 0)::bigint partial,
  coalesce(sum(objects) filter (where code between 30 and 49), 0)::bigint skipped,
  coalesce(sum(objects) filter (where code = 50), 0)::bigint unchanged,
  coalesce(sum(objects) filter (where code between 60 and 79), 0)::bigint failed,
  coalesce(sum(findings), 0)::bigint findings,
  coalesce(sum(occurrences), 0)::bigint occurrences,
  coalesce(sum(objects) filter (where code = 2), 0)::bigint allowed,
  coalesce(sum(bytes) filter (where code = 0), 0)::bigint bytes_listed,
  coalesce(sum(bytes) filter (where code >= 10), 0)::bigint bytes_done,
  coalesce(sum(batches), 0)::bigint batches,
  coalesce(sum(open_batches), 0)::bigint open_batches,
  coalesce(jsonb_object_agg(code, objects) filter (where code >= 10 and objects <> 0), '{}') outcomes,
  null::timestamptz refreshed_at
from sums group by job_no
"""


def view_progress(connection: Connection, job_nos: Iterable[int]) -> dict[int, Progress]:
    """Sums as of the last refresh, by job number; a job younger than that is missing."""
    return _read(connection, _FROM_VIEW, job_nos)


def live_progress(connection: Connection, job_nos: Iterable[int]) -> dict[int, Progress]:
    """Sums as they are now, by job number; a job without deltas is missing."""
    return _read(connection, _LIVE, job_nos)


def _read(connection: Connection, query: str, job_nos: Iterable[int]) -> dict[int, Progress]:
    rows = execute(connection, query, job_nos=list(job_nos))
    return {row.job_no: _progress(dict(row._mapping)) for row in rows}  # noqa: SLF001 (SQLAlchemy's mapping view)


def _progress(row: Mapping[str, Any]) -> Progress:
    fields = {name: row[name] for name in Progress.__dataclass_fields__}
    fields["outcomes"] = {str(Outcome(int(code))): int(n) for code, n in sorted(row["outcomes"].items())}
    return Progress(**fields)


def compact_deltas(connection: Connection) -> int:
    """Sum up each job's deltas in place, in one statement; how many rows became fewer.

    A delta that is inserted meanwhile is not seen and stays for the next time; a row that another compaction took is
    skipped. Sums never change.
    """
    row = execute(
        connection,
        """
        with crowded as (
          select job_no, code from job_deltas group by job_no, code having count(*) > 1
        ), taken as (
          delete from job_deltas d using crowded c where d.job_no = c.job_no and d.code = c.code returning d.*
        ), summed as (
          insert into job_deltas (job_no, code, objects, bytes, batches, open_batches, ahead_batches, findings,
            occurrences)
          select job_no, code, sum(objects), sum(bytes), sum(batches), sum(open_batches), sum(ahead_batches),
            sum(findings), sum(occurrences)
          from taken group by job_no, code returning 1
        )
        select (select count(*) from taken) - (select count(*) from summed) as saved
        """,
    ).one()
    return int(row.saved)


def refresh_view(connection: Connection) -> None:
    """Bring job_progress up to date without locking its readers out."""
    execute(connection, "refresh materialized view concurrently job_progress")


def backlog_batches(connection: Connection) -> int:
    """Planned, dispatched and claimed batches of jobs that are neither ended nor paused: what workers have to do.

    0 while the fleet is paused.
    """
    row = execute(
        connection,
        """
        select coalesce(sum(d.open_batches), 0) as backlog from jobs j join job_deltas d using (job_no)
        where j.finished_at is null and j.status in ('listing', 'scanning') and not (select paused from fleet)
        """,
    ).one()
    return int(row.backlog)


def measure_buckets(connection: Connection, *, smoothing: float = 0.5) -> None:
    """Measure how many batches a second each active bucket completes, smoothed over the measurements."""
    execute(
        connection,
        """
        update buckets b set measured_at = now(), done_batches = m.done, batches_per_s =
          case when m.done < b.done_batches then b.batches_per_s
          else :smoothing * (m.done - b.done_batches) / greatest(extract(epoch from now() - b.measured_at), 0.1)
            + (1 - :smoothing) * b.batches_per_s end
        from (
          select j.bucket, sum(d.batches - d.open_batches) as done
          from jobs j join job_deltas d using (job_no) where j.finished_at is null group by j.bucket
        ) m
        where b.bucket = m.bucket and now() > b.measured_at
        """,
        smoothing=smoothing,
    )

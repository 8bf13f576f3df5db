"""Jobs that go: their rows are removed in bounded steps, any of which may be the last for a while.

A job is gone for its readers when ``deleted_at`` is set. Partitions that hold nothing else are dropped whole
(partitions.py); from the others its rows are deleted. The job's own row goes last: an interrupted deletion goes on with
the next step, whoever makes it. Marks on findings stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.core.errors import Conflict, JobNotFound
from scanner_tasks.store.engine import execute
from scanner_tasks.store.schema import metadata

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection

#: Rows that one transaction deletes at most.
DELETE_AT_ONCE = 5_000

#: These name a job and are not its rows: a watch goes on with another job.
_OTHERS = frozenset({"jobs", "watches"})
#: Tables with rows of jobs, each with an index that begins with job_no; a new one is among them by itself.
JOB_TABLES = tuple(t.name for t in metadata.sorted_tables if "job_no" in t.columns and t.name not in _OTHERS)


def bucket_of(connection: Connection, job_id: UUID) -> str | None:
    """The bucket of a job, also while it is being deleted; None when there is none."""
    bucket: str | None = execute(connection, "select bucket from jobs where job_id = :job_id", job_id=job_id).scalar()
    return bucket


def begin_deletion(connection: Connection, job_id: UUID) -> int:
    """Take an ended job from its readers; its number. A repeat changes nothing.

    Raises JobNotFound, or Conflict for a job that has not ended.
    """
    row = execute(
        connection, "select job_no, finished_at, status from jobs where job_id = :job_id for update", job_id=job_id
    ).first()
    if row is None:
        raise JobNotFound(job_id)
    if row.finished_at is None:
        raise Conflict(f"Job {job_id} is {row.status}: cancel it first, and delete it when it has ended.")
    execute(
        connection, "update jobs set deleted_at = coalesce(deleted_at, now()) where job_no = :job_no", job_no=row.job_no
    )
    return int(row.job_no)


def begin_expired(connection: Connection, *, days: float, limit: int = 100) -> int:
    """Begin to delete jobs that ended so many days ago, the oldest first (index jobs_finished); how many."""
    done = execute(
        connection,
        """
        update jobs set deleted_at = now() where job_no = any(array(
          select job_no from jobs where deleted_at is null and finished_at < now() - make_interval(secs => :age_s)
          order by finished_at limit :limit for update skip locked))
        """,
        age_s=days * 86_400.0,
        limit=limit,
    )
    return done.rowcount


def jobs_being_deleted(connection: Connection, *, limit: int = 1000) -> tuple[int, ...]:
    """Numbers of jobs whose rows are to be removed, in order (index jobs_deleted)."""
    rows = execute(
        connection, "select job_no from jobs where deleted_at is not null order by job_no limit :limit", limit=limit
    )
    return tuple(rows.scalars())


def delete_step(connection: Connection, job_no: int, *, tables: tuple[str, ...] = JOB_TABLES) -> int:
    """Delete at most DELETE_AT_ONCE rows of a job that is being deleted, table by table; 0 when none are left.

    The rows of a job are in one partition, so that their place in it (ctid) names them.
    """
    left = DELETE_AT_ONCE
    for table in tables:
        done = execute(
            connection,
            f"""
            delete from {table} where job_no = :job_no and ctid = any(array(
              select ctid from {table} where job_no = :job_no limit :left))
              and exists (select 1 from jobs where job_no = :job_no and deleted_at is not null)
            """,
            job_no=job_no,
            left=left,
        )
        left -= done.rowcount
        if left <= 0:
            break
    return DELETE_AT_ONCE - left


def end_deletion(connection: Connection, job_no: int) -> bool:
    """Remove the job's own row once nothing else of it is left; False while something is."""
    left = " or ".join(f"exists (select 1 from {table} where job_no = :job_no)" for table in JOB_TABLES)
    done = execute(
        connection,
        f"delete from jobs where job_no = :job_no and deleted_at is not null and not ({left})",
        job_no=job_no,
    )
    return done.rowcount == 1

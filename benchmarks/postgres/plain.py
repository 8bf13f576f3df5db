"""The plain design that ours is measured against, as most would build it: a row for each object.

Serial id, text status, three indexes, a materialized view over the rows, statements of 1,000 rows by
``execute_values``; the status of a batch's objects changes in one statement, twice, each committed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg2.extras import execute_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from scanner_tasks.core.model import ObjectRef

TABLES = """
create table plain_objects (
  id bigserial primary key,
  job_id uuid not null,
  bucket text not null,
  object_key text not null,
  size_bytes bigint not null,
  etag text not null,
  status text not null default 'queued',
  error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (job_id, object_key)
);
create index plain_objects_of_job on plain_objects (job_id, status);
create index plain_objects_of_status on plain_objects (status);
create index plain_objects_by_time on plain_objects (updated_at);
"""
VIEW = """
create materialized view plain_progress as
select job_id, count(*) as total, count(*) filter (where status = 'queued') as queued,
  count(*) filter (where status = 'processing') as processing,
  count(*) filter (where status = 'succeeded') as succeeded, count(*) filter (where status = 'failed') as failed
from plain_objects group by job_id;
create unique index plain_progress_of_job on plain_progress (job_id);
"""
_PAGE_ROWS = 1000


def register(engine: Engine, job_id: str, refs: Sequence[ObjectRef]) -> None:
    """Insert a page's objects in one transaction; objects that are there stay as they are."""
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        execute_values(
            cursor,
            "insert into plain_objects (job_id, bucket, object_key, size_bytes, etag) values %s"
            " on conflict (job_id, object_key) do nothing",
            [(job_id, ref.bucket, ref.key, ref.size_bytes, ref.etag) for ref in refs],
            page_size=_PAGE_ROWS,
        )


def complete(engine: Engine, job_id: str, keys: Sequence[str], failed: dict[str, str]) -> None:
    """Queued → processing → succeeded or failed, all keys of a batch at once, one commit for each change."""
    _update(engine, "update plain_objects set status = 'processing', updated_at = now()", job_id, list(keys))
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        _run(cursor, "update plain_objects set status = 'succeeded', updated_at = now()", job_id, list(keys))
        for key, error in failed.items():
            cursor.execute(
                "update plain_objects set status = 'failed', error = %s where job_id = %s and object_key = %s",
                (error, job_id, key),
            )


def _update(engine: Engine, head: str, job_id: str, keys: list[str]) -> None:
    with engine.begin() as connection:
        _run(connection.connection.cursor(), head, job_id, keys)


def _run(cursor: Any, head: str, job_id: str, keys: list[str]) -> None:
    cursor.execute(f"{head} where job_id = %s and object_key = any(%s)", (job_id, keys))

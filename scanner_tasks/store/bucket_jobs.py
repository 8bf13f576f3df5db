"""When buckets were last scanned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from scanner_tasks.store.engine import execute

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection


@dataclass(frozen=True, kw_only=True, slots=True)
class LastScan:
    """The youngest job on a bucket, and the youngest that ended well on all of it."""

    job_id: UUID
    status: str
    created_at: datetime
    finished_at: datetime | None
    #: When a job ended well that had no prefix and chose everything; None when none ever did.
    whole_at: datetime | None


def last_scans(connection: Connection, buckets: Sequence[str], *, endpoint_url: str | None) -> dict[str, LastScan]:
    """The last jobs on these buckets of one store, by bucket; one that was never scanned is missing.

    Walks jobs_of_bucket backwards from each bucket's youngest job.
    """
    rows = execute(
        connection,
        """
        select b.bucket, last.job_id, last.status, last.created_at, last.finished_at, whole.finished_at as whole_at
        from unnest(cast(:buckets as text[])) b (bucket)
        cross join lateral (
          select j.job_id, j.status, j.created_at, j.finished_at from jobs j
          where j.bucket = b.bucket and j.deleted_at is null
            and coalesce(j.access->>'endpoint_url', '') = :endpoint_url
          order by j.job_no desc limit 1
        ) last
        left join lateral (
          select j.finished_at from jobs j
          where j.bucket = b.bucket and j.deleted_at is null and j.prefix = '' and j.selection is null
            and j.source = 'listing' and j.status in ('succeeded', 'succeeded_with_failures')
            and coalesce(j.access->>'endpoint_url', '') = :endpoint_url
          order by j.job_no desc limit 1
        ) whole on true
        """,
        buckets=list(buckets),
        endpoint_url=endpoint_url or "",
    )
    return {
        row.bucket: LastScan(
            job_id=row.job_id,
            status=row.status,
            created_at=row.created_at,
            finished_at=row.finished_at,
            whole_at=row.whole_at,
        )
        for row in rows
    }

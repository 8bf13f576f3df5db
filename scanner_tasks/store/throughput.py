"""How much is done, over all jobs: what `s3scan ops throughput` takes differences of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.store.engine import execute

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """Objects that have their outcome, and their bytes as listed, of all jobs that are kept."""

    objects: int
    bytes: int


def done_so_far(connection: Connection) -> Done:
    """As of now, from the deltas: settle keeps them to some ten rows a job. Falls when a job is deleted."""
    row = execute(
        connection,
        """
        select coalesce(sum(objects), 0)::bigint objects, coalesce(sum(bytes), 0)::bigint bytes
        from job_deltas where code >= 10
        """,
    ).one()
    return Done(objects=row.objects, bytes=row.bytes)

"""Worker processes: each says every half minute that it lives, and who has not said so lately is not counted.

No index but the primary key, so that every beat is a HOT update; the table has a row for each process of the fleet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.store.engine import execute

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection

#: Seconds after its last beat that a worker counts as alive: two beats may fail.
ALIVE_S = 90
#: Seconds after which the row of a worker that was killed is forgotten.
KEPT_S = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class AliveWorkers:
    """The worker processes of one version that are alive."""

    version: str
    workers: int
    #: Batches that they can scan at the same time, and those that they hold.
    slots: int
    busy: int
    seen_at: datetime


def beat(connection: Connection, worker_id: UUID, *, version: str, slots: int, busy: int) -> None:
    """Say that this process lives."""
    execute(
        connection,
        """
        insert into workers (worker_id, version, slots, busy) values (:worker_id, :version, :slots, :busy)
        on conflict (worker_id) do update
          set version = excluded.version, slots = excluded.slots, busy = excluded.busy, seen_at = now()
        """,
        worker_id=worker_id,
        version=version,
        slots=slots,
        busy=busy,
    )


def leave(connection: Connection, worker_id: UUID) -> None:
    """Say that this process ends."""
    execute(connection, "delete from workers where worker_id = :worker_id", worker_id=worker_id)


def alive(connection: Connection) -> tuple[AliveWorkers, ...]:
    """Those that are alive, by version."""
    rows = execute(
        connection,
        """
        select version, count(*) as workers, sum(slots) as slots, sum(busy) as busy, max(seen_at) as seen_at
        from workers where seen_at > now() - make_interval(secs => :alive_s) group by version order by version
        """,
        alive_s=ALIVE_S,
    )
    return tuple(
        AliveWorkers(
            version=row.version, workers=row.workers, slots=int(row.slots), busy=int(row.busy), seen_at=row.seen_at
        )
        for row in rows
    )


def forget(connection: Connection) -> int:
    """Forget workers that have not been seen for ``KEPT_S``; how many."""
    return execute(
        connection, "delete from workers where seen_at < now() - make_interval(secs => :kept_s)", kept_s=KEPT_S
    ).rowcount

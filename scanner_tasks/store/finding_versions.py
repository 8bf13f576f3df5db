"""Which versions of their objects findings stand in: the ledger has it, in the batch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scanner_tasks.store.engine import execute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from scanner_tasks.core.model import Finding
    from scanner_tasks.store.finding_query import FindingPlace

#: Batches whose versions one statement reads.
_BATCHES_AT_ONCE = 500


def with_versions(
    connection: Connection, found: Sequence[tuple[FindingPlace, Finding]]
) -> tuple[tuple[FindingPlace, Finding], ...]:
    """The findings of jobs that scan versions with those of their objects."""
    wanted: dict[int, set[int]] = {}
    for place, _ in found:
        wanted.setdefault(place.job_no, set()).add(place.batch_no)
    versions: dict[tuple[int, int], Sequence[str | None]] = {}
    for job_no, batch_nos in wanted.items():
        ordered = sorted(batch_nos)
        for start in range(0, len(ordered), _BATCHES_AT_ONCE):
            rows = execute(
                connection,
                """
                select b.batch_no, b.version_ids from job_batches b join jobs j using (job_no)
                where b.job_no = :job_no and b.batch_no = any(:batch_nos) and b.version_ids is not null
                  and j.selection->>'versions' is not null
                """,
                job_no=job_no,
                batch_nos=ordered[start : start + _BATCHES_AT_ONCE],
            )
            versions |= {(job_no, row.batch_no): row.version_ids for row in rows}
    if not versions:
        return tuple(found)
    return tuple(
        (
            place,
            replace(finding, version_id=of[place.position])
            if (of := versions.get((place.job_no, place.batch_no)))
            else finding,
        )
        for place, finding in found
    )

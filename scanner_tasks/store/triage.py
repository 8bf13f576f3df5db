"""Marks on findings: the present one and every former one. They outlive the jobs whose findings they were put on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scanner_tasks.core.model import TriageStatus
from scanner_tasks.core.triage import Mark
from scanner_tasks.store.engine import execute
from scanner_tasks.store.text import plain

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection, Row

    from scanner_tasks.store.finding_query import FindingPlace


def add_mark(
    connection: Connection, place: FindingPlace, status: TriageStatus, *, marked_by: str, reason: str
) -> Mark | None:
    """Mark the finding that stands at this place, with the values that it holds now; None when it is gone.

    One statement reads the finding (primary key), keeps the mark in the history and makes it the present one. A repeat
    adds another mark.
    """
    row = execute(
        connection,
        """
        with target as (
          select f.finding_id, j.bucket, f.object_key, f.rule_id, f.count,
            array(select distinct o ->> 'fingerprint' from jsonb_array_elements(f.occurrences) o order by 1) as held
          from findings f join jobs j using (job_no)
          where f.job_no = :job_no and f.batch_no = :batch_no and f.position = :position and f.rule_id = :rule
        ), kept as (
          insert into mark_history (finding_id, status, marked_by, reason, fingerprints, count)
          select finding_id, :status, :marked_by, :reason, held, count from target
        )
        insert into finding_marks as m
          (finding_id, bucket, object_key, rule_id, status, marked_by, reason, fingerprints, count)
        select finding_id, bucket, object_key, rule_id, :status, :marked_by, :reason, held, count from target
        on conflict (finding_id) do update set status = excluded.status, marked_by = excluded.marked_by,
          reason = excluded.reason, fingerprints = excluded.fingerprints, count = excluded.count, marked_at = now()
        returning m.finding_id, m.status, m.marked_by, m.reason, m.fingerprints, m.count as marked_count, m.marked_at
        """,
        job_no=place.job_no,
        batch_no=place.batch_no,
        position=place.position,
        rule=place.rule_id,
        status=str(status),
        marked_by=plain(marked_by),
        reason=plain(reason),
    ).first()
    return _mark(row) if row else None


def read_history(
    connection: Connection, finding_id: UUID, *, limit: int = 1000, scope: list[str] | None = None
) -> tuple[Mark, ...]:
    """Every mark of the finding, the newest first (index mark_history_of_finding); at most ``limit``.

    ``scope`` are LIKE patterns: none is told of a finding in another bucket.
    """
    in_scope = (
        "and exists (select 1 from finding_marks m where m.finding_id = :finding_id"
        " and m.bucket like any(cast(:scope as text[])))"
    )
    rows = execute(
        connection,
        f"""
        select finding_id, status, marked_by, reason, fingerprints, count as marked_count, marked_at from mark_history
        where finding_id = :finding_id {"" if scope is None else in_scope} order by mark_no desc limit :limit
        """,
        finding_id=finding_id,
        limit=limit,
        **({} if scope is None else {"scope": scope}),
    )
    return tuple(_mark(row) for row in rows)


def _mark(row: Row[Any]) -> Mark:
    return Mark(
        finding_id=row.finding_id,
        status=TriageStatus(row.status),
        marked_by=row.marked_by,
        reason=row.reason,
        fingerprints=tuple(row.fingerprints),
        count=row.marked_count,
        marked_at=row.marked_at,
    )

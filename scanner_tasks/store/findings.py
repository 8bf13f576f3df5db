"""Findings read back, page by page, in the order of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.model import Column, Confidence, Finding, Location, Occurrence, Severity
from scanner_tasks.store.engine import execute
from scanner_tasks.store.evidence import unpack
from scanner_tasks.store.text import from_text, to_text

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection, Row


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingFilter:
    """What to read; None leaves a field open."""

    job_id: UUID | None = None
    bucket: str | None = None
    key: str | None = None
    rule: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingPlace:
    """A finding's place in the order: the page after it begins behind it."""

    job_no: int
    batch_no: int
    position: int
    rule_id: str


def read_findings(
    connection: Connection, wanted: FindingFilter, *, after: FindingPlace | None, limit: int
) -> tuple[tuple[FindingPlace, Finding], ...]:
    """The first ``limit`` findings behind ``after``, job by job (keyset).

    Within a job: the primary key in order, or the index findings_of_key or findings_of_rule under such a filter. A page
    costs the same at any depth.
    """
    in_job = ["f.job_no = j.job_no"]
    values: dict[str, Any] = {"limit": limit}
    jobs = ["true"]
    if wanted.job_id is not None:
        jobs.append("j.job_id = :job_id")
        values["job_id"] = wanted.job_id
    if wanted.bucket is not None:
        jobs.append("j.bucket = :bucket")
        values["bucket"] = wanted.bucket
    if wanted.key is not None:
        in_job.append("f.object_key = :key")
        values["key"] = to_text(wanted.key)
    if wanted.rule is not None:
        in_job.append("f.rule_id = :rule")
        values["rule"] = wanted.rule
    if after is not None:
        jobs.append("j.job_no >= :after_job")
        in_job.append(
            "(f.job_no, f.batch_no, f.position, f.rule_id) > (:after_job, :after_batch, :after_position, :after_rule)"
        )
        values |= {
            "after_job": after.job_no,
            "after_batch": after.batch_no,
            "after_position": after.position,
            "after_rule": after.rule_id,
        }
    rows = execute(
        connection,
        f"""
        select f.*, j.job_id, j.bucket
        from jobs j cross join lateral (
          select * from findings f where {" and ".join(in_job)}
          order by f.job_no, f.batch_no, f.position, f.rule_id limit :limit
        ) f
        where {" and ".join(jobs)}
        order by j.job_no, f.batch_no, f.position, f.rule_id limit :limit
        """,
        **values,
    )
    return tuple((_place(row), _finding(row)) for row in rows)


def find_finding(connection: Connection, finding_id: UUID, *, job_id: UUID | None) -> tuple[Finding, str] | None:
    """The finding with this id and the hash of its job's rules, of the youngest job that has it or of the given one.

    None when there is none. Index findings_of_id, one look for each partition.
    """
    row = execute(
        connection,
        f"""
        select f.*, j.job_id, j.bucket, j.ruleset_hash from findings f join jobs j using (job_no)
        where f.finding_id = :finding_id {"" if job_id is None else "and j.job_id = :job_id"}
        order by f.job_no desc limit 1
        """,
        finding_id=finding_id,
        **({} if job_id is None else {"job_id": job_id}),
    ).first()
    return (_finding(row), row.ruleset_hash) if row else None


def _place(row: Row[Any]) -> FindingPlace:
    return FindingPlace(job_no=row.job_no, batch_no=row.batch_no, position=row.position, rule_id=row.rule_id)


def _finding(row: Row[Any]) -> Finding:
    return Finding(
        finding_id=row.finding_id,
        job_id=row.job_id,
        bucket=row.bucket,
        key=from_text(row.object_key),
        rule_id=row.rule_id,
        severity=Severity(row.severity),
        confidence=Confidence(row.confidence),
        count=row._mapping["count"],  # noqa: SLF001 (a row's .count is a method)
        occurrences=tuple(_occurrence(place) for place in row.occurrences),
        found_at=row.found_at,
        allowed=row.allowed,
        columns=tuple(Column(name=name, rows=rows, valid=valid) for name, rows, valid in row.columns or ()),
    )


def _occurrence(place: dict[str, Any]) -> Occurrence:
    return Occurrence(
        masked=place["masked"],
        context=place["context"],
        fingerprint=place["fingerprint"],
        location=Location(
            line=place["line"], column=place["column"], offset=place["offset"], path=place.get("path", "")
        ),
        # Findings of earlier releases have the phrases as a list, or none.
        evidence=unpack(place["e"]) if "e" in place else tuple(place.get("evidence", ())),
    )

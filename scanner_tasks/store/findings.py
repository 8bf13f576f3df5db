"""Findings read back, page by page: job by job, in each in the order of keys and rules (finding_query.py)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.model import Column, Confidence, Finding, Location, Occurrence, Severity, TriageStatus
from scanner_tasks.core.triage import fitting_status
from scanner_tasks.store.engine import execute
from scanner_tasks.store.evidence import unpack
from scanner_tasks.store.finding_query import (
    After,
    FindingFilter,
    FindingPlace,
    buckets_of,
    fetch_statement,
    fingerprint_statement,
    marked_statement,
    probe_statement,
)
from scanner_tasks.store.finding_versions import with_versions
from scanner_tasks.store.schema import JOBS_IN_A_PARTITION
from scanner_tasks.store.text import from_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from sqlalchemy import Connection, Row

__all__ = ["FindingFilter", "FindingPage", "FindingPlace", "find_finding", "read_findings"]

#: Jobs that one statement probes for findings wanted: few at first, since the first ones often fill the page.
_PROBED = (20, 1000)
#: What one page looks at, at most: it ends early then, and the next one goes on.
_MOST_JOBS, _MOST_PROBES, _MOST_UNWANTED = 100, 20, 20_000
_MARKS_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingPage:
    """Findings with their places; ``after`` is where the next page begins, None at the end."""

    found: tuple[tuple[FindingPlace, Finding], ...]
    after: FindingPlace | None


class _Full(Exception):
    """The page ends here; the next begins behind this place."""

    def __init__(self, after: FindingPlace) -> None:
        super().__init__()
        self.after = after


def read_findings(
    connection: Connection, wanted: FindingFilter, *, after: FindingPlace | None, limit: int
) -> FindingPage:
    """At most ``limit`` findings behind ``after``.

    A page ends early, maybe empty, when it has looked at 100 jobs, at 20,000 jobs without any finding wanted, or at
    20,000 findings that are not of the triage status wanted: no page costs more, wherever it begins.
    """
    if wanted.key is not None and wanted.prefix:
        if not wanted.key.startswith(wanted.prefix):
            return FindingPage(found=(), after=None)
        wanted = replace(wanted, prefix=None)
    read = _by_fingerprint if wanted.fingerprint is not None else _by_job
    found: list[tuple[FindingPlace, Finding]] = []
    try:
        for place, finding in read(connection, wanted, after, limit):
            if len(found) == limit:
                return FindingPage(found=with_versions(connection, found), after=found[-1][0])
            found.append((place, finding))
    except _Full as full:
        return FindingPage(found=with_versions(connection, found), after=full.after)
    return FindingPage(found=with_versions(connection, found), after=None)


def _by_job(
    connection: Connection, wanted: FindingFilter, after: FindingPlace | None, limit: int
) -> Iterator[tuple[FindingPlace, Finding]]:
    in_job = _in_job_by_mark if wanted.triage not in (None, TriageStatus.OPEN) else _in_job
    for n, job in enumerate(_jobs(connection, wanted, first_no=after.job_no if after else 0)):
        if n == _MOST_JOBS:
            raise _Full(FindingPlace.before_job(job.job_no))
        is_resumed = after is not None and after.job_no == job.job_no
        yield from in_job(connection, wanted, job, after if is_resumed else None, limit)


def _jobs(connection: Connection, wanted: FindingFilter, *, first_no: int) -> Iterator[Row[Any]]:
    """Jobs from this number on that may have a finding wanted, in order (primary key, or jobs_of_bucket)."""
    of_jobs, values = buckets_of(wanted)
    where = ["job_no >= :first_no", "deleted_at is null", *of_jobs]
    if wanted.job_id is not None:
        where.append("job_id = :job_id")
        values["job_id"] = wanted.job_id
    statement = f"select job_no, job_id, bucket from jobs where {' and '.join(where)} order by job_no limit :many"
    probe, probe_values = probe_statement(wanted)
    few, many = _PROBED
    for n in range(_MOST_PROBES + 1):
        size = few if n == 0 else many
        jobs = execute(connection, statement, first_no=first_no, many=size, **values).all()
        if len(jobs) > 1:
            found = execute(connection, probe, first_job=jobs[0].job_no, last_job=jobs[-1].job_no, **probe_values)
            yield from found.all()
        else:
            yield from jobs
        if len(jobs) < size:
            return
        first_no = jobs[-1].job_no + 1
    raise _Full(FindingPlace.before_job(first_no))


def _in_job(
    connection: Connection, wanted: FindingFilter, job: Row[Any], after: FindingPlace | None, limit: int
) -> Iterator[tuple[FindingPlace, Finding]]:
    """A job's findings; of those wanted for being open the marked ones are left out as they come."""
    many, unwanted = limit + 1, 0
    while True:
        start = _with_key(connection, after)
        statement, values = fetch_statement(wanted, start, limit=many)
        rows = execute(connection, statement, job_no=job.job_no, **values).all()
        for row in rows:
            place, finding = _place(row), _finding(row, job)
            if wanted.triage in (None, finding.triage):
                yield place, finding
            else:
                unwanted += 1
            after = place
        if len(rows) < many or after is None:
            return
        if unwanted >= _MOST_UNWANTED:
            raise _Full(after)
        many = 1000


def _in_job_by_mark(
    connection: Connection, wanted: FindingFilter, job: Row[Any], after: FindingPlace | None, _limit: int
) -> Iterator[tuple[FindingPlace, Finding]]:
    """A job's findings of a status that somebody gave: the bucket's marks in their order, each with its finding."""
    start = _with_key(connection, after)
    seen = (start.key, start.rule_id, start.batch_no, start.position) if start else None
    many = _MARKS_AT_ONCE
    while True:
        statement, values = marked_statement(wanted, start)
        rows = execute(connection, statement, job_no=job.job_no, bucket=job.bucket, limit=many, **values).all()
        for row in rows:
            if row.finding_id != row.mark_finding or (
                seen and (row.mark_key, row.mark_rule, row.batch_no, row.position) <= seen
            ):
                continue
            finding = _finding(row, job)
            if finding.triage == wanted.triage:
                yield _place(row), finding
        marks = {(row.mark_key, row.mark_rule) for row in rows}
        if len(marks) < many:
            return
        last_key, last_rule = rows[-1].mark_key, rows[-1].mark_rule
        start = After(key=last_key, rule_id=last_rule, batch_no=2**31 - 1, position=2**15 - 1)
        seen = (last_key, last_rule, start.batch_no, start.position)


def _by_fingerprint(
    connection: Connection, wanted: FindingFilter, after: FindingPlace | None, limit: int
) -> Iterator[tuple[FindingPlace, Finding]]:
    """Findings with a kept occurrence of the fingerprint, partition by partition."""
    bounds = execute(
        connection,
        """
        select coalesce(min(job_no), 1) as first, coalesce(max(job_no), 0) as last from jobs
        where job_no >= :first and (cast(:job_id as uuid) is null or job_id = :job_id)
        """,
        first=after.job_no if after else 0,
        job_id=None if wanted.job_id is None else str(wanted.job_id),
    ).one()
    first, probes = bounds.first, 0
    start = _with_key(connection, after) if after is not None and after.job_no == first else None
    unwanted = 0
    while first <= bounds.last:
        if probes == _MOST_PROBES:
            raise _Full(FindingPlace.before_job(first))
        probes += 1
        last = min(bounds.last, first // JOBS_IN_A_PARTITION * JOBS_IN_A_PARTITION + JOBS_IN_A_PARTITION - 1)
        statement, values = fingerprint_statement(wanted, start)
        if start is not None:
            values["after_job"] = first
        rows = execute(
            connection,
            statement,
            fingerprint=json.dumps([wanted.fingerprint]),
            first_job=first,
            last_job=last,
            limit=limit + 1,
            **values,
        ).all()
        for row in rows:
            finding = _finding(row, row)
            if wanted.triage in (None, finding.triage):
                yield _place(row), finding
            else:
                unwanted += 1
        if len(rows) <= limit:
            first, start = last + 1, None
            continue
        if unwanted >= _MOST_UNWANTED:
            raise _Full(_place(rows[-1]))
        first, start = rows[-1].job_no, _with_key(connection, _place(rows[-1]))


def _with_key(connection: Connection, place: FindingPlace | None) -> After | None:
    """The place with its key; None for one before its job's first finding, or whose rows are gone (a deleted job's)."""
    if place is None or not place.rule_id:
        return None
    key = execute(
        connection,
        """
        select coalesce(
          (select object_key from findings
            where job_no = :job_no and batch_no = :batch_no and position = :position and rule_id = :rule),
          (select keys[:position + 1] from job_batches where job_no = :job_no and batch_no = :batch_no))
        """,
        job_no=place.job_no,
        batch_no=place.batch_no,
        position=place.position,
        rule=place.rule_id,
    ).scalar()
    if key is None:
        return None
    return After(key=key, rule_id=place.rule_id, batch_no=place.batch_no, position=place.position)


def find_finding(connection: Connection, finding_id: UUID, *, job_id: UUID | None) -> tuple[Finding, str] | None:
    """The finding with this id and the hash of its job's rules, of the youngest job that has it or of the given one.

    None when there is none. Index findings_of_id, one look for each partition.
    """
    row = execute(
        connection,
        f"""
        select f.*, j.job_id, j.bucket, j.ruleset_hash,
          m.status as mark_status, m.fingerprints as mark_fingerprints, m.count as mark_count
        from findings f join jobs j using (job_no) left join finding_marks m using (finding_id)
        where j.deleted_at is null and f.finding_id = :finding_id {"" if job_id is None else "and j.job_id = :job_id"}
        order by f.job_no desc limit 1
        """,
        finding_id=finding_id,
        **({} if job_id is None else {"job_id": job_id}),
    ).first()
    if row is None:
        return None
    ((_, finding),) = with_versions(connection, [(_place(row), _finding(row, row))])
    return finding, row.ruleset_hash


def _place(row: Row[Any]) -> FindingPlace:
    return FindingPlace(job_no=row.job_no, batch_no=row.batch_no, position=row.position, rule_id=row.rule_id)


def _finding(row: Row[Any], job: Row[Any]) -> Finding:
    occurrences = tuple(_occurrence(place) for place in row.occurrences)
    count = row._mapping["count"]  # noqa: SLF001 (a row's .count is a method)
    return Finding(
        finding_id=row.finding_id,
        job_id=job.job_id,
        bucket=job.bucket,
        key=from_text(row.object_key),
        rule_id=row.rule_id,
        severity=Severity(row.severity),
        confidence=Confidence(row.confidence),
        count=count,
        occurrences=occurrences,
        found_at=row.found_at,
        triage=fitting_status(
            row.mark_status,
            row.mark_fingerprints or (),
            row.mark_count or 0,
            found=occurrences,
            found_count=count,
        ),
        allowed=row.allowed,
        columns=tuple(Column(name=name, rows=rows, valid=valid) for name, rows, valid in row.columns or ()),
        first_seen_job=row.first_seen_job,
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

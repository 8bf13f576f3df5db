"""The API's JSON as values that a report is made of."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from scanner_tasks.core.model import (
    Column,
    Confidence,
    Finding,
    Location,
    Occurrence,
    Progress,
    Severity,
    TriageStatus,
)
from scanner_tasks.report.html.data import Unread
from scanner_tasks.report.shapes import object_name
from scanner_tasks.serve.ask import told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scanner_tasks.serve.ask import Ask

#: Entries of a page: the API's most.
_PAGE = 1000
_COUNTS = ("listed", "processing", "scanned", "partial", "skipped", "unchanged", "failed")


def progress_of(job: Mapping[str, Any]) -> Progress:
    """How far a job is, as GET /jobs/{job_id} tells it."""
    said = job["progress"]
    return Progress(
        **{name: said["objects"][name] for name in _COUNTS},
        outcomes=said["outcomes"],
        findings=job["total_findings"],
        occurrences=job["total_occurrences"],
        allowed=job["total_allowed"],
        bytes_listed=said["bytes"]["listed"],
        bytes_done=said["bytes"]["done"],
        batches=said["batches"]["total"],
        open_batches=said["batches"]["open"],
    )


def finding_of(told: Mapping[str, Any]) -> Finding:
    """One of ``results`` of GET /results."""
    first = told.get("first_seen_job")
    return Finding(
        finding_id=UUID(told["finding_id"]),
        job_id=UUID(told["job_id"]),
        bucket=told["bucket"],
        key=told["key"],
        rule_id=told["rule"],
        severity=Severity(told["severity"]),
        confidence=Confidence(told["confidence"]),
        count=told["count"],
        occurrences=tuple(_occurrence(place) for place in told["occurrences"]),
        found_at=datetime.fromisoformat(told["found_at"]),
        triage=TriageStatus(told["triage"]),
        allowed=told["allowed"],
        columns=tuple(Column(**column) for column in told["columns"]),
        first_seen_job=UUID(first) if first else None,
        version_id=told.get("version_id"),
    )


def _occurrence(told: Mapping[str, Any]) -> Occurrence:
    return Occurrence(
        masked=told["masked"],
        context=told["context"],
        location=Location(**{name: told[name] for name in ("line", "column", "offset", "path")}),
        fingerprint=told["fingerprint"],
        evidence=tuple(told["evidence"]),
    )


def findings_of(ask: Ask, job_id: UUID, *, limit: int | None = None) -> Iterator[Finding]:
    """A job's findings, every page, at most ``limit``."""
    cursor, left = None, limit
    while left is None or left > 0:
        page = _PAGE if left is None else min(_PAGE, left)
        query = {"job_id": job_id, "limit": page, **({"cursor": cursor} if cursor else {})}
        answer = told(ask, f"/results?{urlencode(query)}")
        yield from map(finding_of, answer["results"])
        left = None if left is None else left - len(answer["results"])
        cursor = answer["next_cursor"]
        if not cursor:
            return


def unread_of(ask: Ask, job_id: UUID) -> list[Unread]:
    """The first thousand objects that were not read to their ends."""
    answer = told(ask, f"/jobs/{job_id}/coverage?limit={_PAGE}")
    return [
        Unread(name=object_name(one["bucket"], one["key"]), outcome=one["outcome"], detail=one["detail"] or "")
        for one in answer["unread"]
    ]

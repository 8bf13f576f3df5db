"""Jobs and findings, read back page by page."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from scanner_tasks.core.errors import InvalidCursor, InvalidInput, JobNotFound
from scanner_tasks.core.model import Confidence, Finding, Job, Progress, Severity, TriageStatus
from scanner_tasks.core.names import KEY_MAX_BYTES
from scanner_tasks.core.progress import eta_s
from scanner_tasks.core.rights import Permission, like_patterns
from scanner_tasks.flow.control import find_job
from scanner_tasks.store import jobs as job_rows
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.findings import FindingFilter, FindingPlace, read_findings
from scanner_tasks.store.job_costs import NO_COSTS, JobCosts, read_costs
from scanner_tasks.store.progress import live_progress, view_progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from sqlalchemy import Connection

    from scanner_tasks.flow.parts import Api

W = TypeVar("W", bound=StrEnum)

#: What core/redact.py makes.
_FINGERPRINT = re.compile(r"[a-z0-9-]{1,16}:[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True, slots=True)
class JobView:
    """A job with its sums."""

    job: Job
    progress: Progress
    #: True when the sums were counted live, False when they are the view's, at most a minute old.
    real_time: bool
    eta_s: float | None
    #: Rulesets other than the job's own that workers scanned some of it with.
    other_rulesets: tuple[str, ...] = ()
    #: Its budget, its estimate, and what it did cost once it has ended.
    costs: JobCosts = NO_COSTS


@dataclass(frozen=True, kw_only=True, slots=True)
class JobPage:
    """Jobs, newest first; the cursor is None on the last page."""

    jobs: tuple[JobView, ...]
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultPage:
    """Findings, job by job, within a job by key and rule; the cursor is None on the last page."""

    findings: tuple[Finding, ...]
    next_cursor: str | None


def get_job(job_id: UUID, *, real_time: bool, using: Api) -> JobView:
    """The job and its sums; JobNotFound when there is none."""
    job = find_job(job_id, using=using)
    with transaction(using.engine) as connection:
        return _views(connection, [job], real_time=real_time)[0]


def list_jobs(*, limit: int, cursor: str | None, active: bool = False, using: Api) -> JobPage:
    """A page of jobs whose buckets the caller may read, newest first; ``active``: that have not ended.

    Raises InvalidCursor.
    """
    before = _int(_read_cursor(cursor, "jobs")[0]) if cursor else None
    scope = like_patterns(using.caller.patterns(Permission.READ))
    with transaction(using.engine) as connection:
        jobs = job_rows.list_jobs(connection, before=before, limit=limit + 1, scope=scope, active=active)
        views = _views(connection, jobs[:limit], real_time=False)
    following = _make_cursor("jobs", [jobs[limit - 1].job_no]) if len(jobs) > limit else None
    return JobPage(jobs=tuple(views), next_cursor=following)


def finding_filter(
    *,
    job_id: UUID | None = None,
    bucket: str | None = None,
    key: str | None = None,
    prefix: str | None = None,
    rule: str | None = None,
    severity: Iterable[str] = (),
    confidence: Iterable[str] = (),
    fingerprint: str | None = None,
    triage: str | None = None,
) -> FindingFilter:
    """Which findings: those that match everything given. Raises InvalidInput."""
    return FindingFilter(
        job_id=job_id,
        bucket=bucket,
        key=_short(key, "key"),
        prefix=_short(prefix, "prefix"),
        rule=_short(rule, "rule"),
        severities=one_of(Severity, severity, "severity"),
        confidences=one_of(Confidence, confidence, "confidence"),
        fingerprint=_fingerprint(fingerprint),
        triage=None if triage is None else one_of(TriageStatus, [triage], "triage")[0],
    )


def get_results(*, limit: int, cursor: str | None, using: Api, **wanted_fields: Any) -> ResultPage:
    """A page of findings that match every filter given (``finding_filter``): job by job, within one by key and rule.

    Of buckets that the caller may read, no others. A page may be shorter than ``limit``, even empty, and not be the
    last. ``fingerprint`` looks at kept occurrences alone. Raises JobNotFound, InvalidCursor or InvalidInput.
    """
    scope = like_patterns(using.caller.patterns(Permission.READ))
    wanted = replace(finding_filter(**wanted_fields), scope=None if scope is None else tuple(scope))
    query = repr(wanted)
    after = _place(_read_cursor(cursor, query)) if cursor else None
    with transaction(using.engine) as connection:
        if wanted.job_id is not None:
            job = job_rows.get_job(connection, wanted.job_id)
            if job is None or not using.caller.may(Permission.READ, job.bucket):
                raise JobNotFound(wanted.job_id)
        page = read_findings(connection, wanted, after=after, limit=limit)
    following = None
    if page.after is not None:
        last = page.after
        following = _make_cursor(query, [last.job_no, last.batch_no, last.position, last.rule_id])
    return ResultPage(findings=tuple(finding for _, finding in page.found), next_cursor=following)


def one_of(kind: type[W], words: Iterable[str], name: str) -> tuple[W, ...]:
    """The words as members of ``kind``, each once and in its order; InvalidInput tells which there are."""
    given = [words] if isinstance(words, str) else list(words)
    unknown = set(given) - {str(member) for member in kind}
    if unknown:
        raise InvalidInput(f"{name}: give {', '.join(kind)}.")
    return tuple(member for member in kind if str(member) in given)


def _short(text: str | None, name: str) -> str | None:
    """A text that S3 could hold as a key, so that no statement outgrows what the proxy multiplexes."""
    if text is not None and len(text.encode(errors="replace")) > KEY_MAX_BYTES:
        raise InvalidInput(f"{name}: it has over {KEY_MAX_BYTES:,} bytes in UTF-8.")
    return text


def _fingerprint(text: str | None) -> str | None:
    if text is not None and not _FINGERPRINT.fullmatch(text):
        raise InvalidInput("fingerprint: give it as a finding tells it, such as k1:5f0c6f5e8a1d4b7c9e2f3a6b8c0d1e2f.")
    return text


def _views(connection: Connection, jobs: Sequence[Job], *, real_time: bool) -> list[JobView]:
    """The jobs with their sums: the view's, or live ones where those are asked for or the view is too old."""
    sums = {} if real_time else view_progress(connection, [job.job_no for job in jobs])
    live_for = [job.job_no for job in jobs if real_time or _is_stale(job, sums.get(job.job_no))]
    live = live_progress(connection, live_for) if live_for else {}
    others = job_rows.other_rulesets(connection, [job.job_no for job in jobs])
    costs = read_costs(connection, [job.job_no for job in jobs])
    views = []
    for job in jobs:
        is_live = job.job_no in live_for
        progress = (live if is_live else sums).get(job.job_no, Progress())
        views.append(
            JobView(
                job=job,
                progress=progress,
                real_time=is_live,
                eta_s=_eta_s(job, progress),
                other_rulesets=others.get(job.job_no, ()),
                costs=costs.get(job.job_no, NO_COSTS),
            )
        )
    return views


def _is_stale(job: Job, progress: Progress | None) -> bool:
    """True for a job younger than the view, or one that ended after it: its sums must agree with its status."""
    if progress is None or progress.refreshed_at is None:
        return True
    return job.finished_at is not None and progress.refreshed_at < job.finished_at


def _eta_s(job: Job, progress: Progress) -> float | None:
    if job.finished_at is not None or job.status.is_final:
        return None
    elapsed_s = (datetime.now(UTC) - job.created_at).total_seconds()
    return eta_s(progress, elapsed_s=elapsed_s, total_is_final=job.listed_at is not None)


def _make_cursor(query: str, place: list[Any]) -> str:
    """Opaque: where to go on, and which query it belongs to."""
    data = json.dumps([_digest(query), *place], separators=(",", ":"))
    return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, query: str) -> list[Any]:
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        digest, *place = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise InvalidCursor from None
    if digest != _digest(query) or not place:
        raise InvalidCursor
    return list(place)


def _place(values: list[Any]) -> FindingPlace:
    try:
        job_no, batch_no, position, rule_id = values
    except ValueError:
        raise InvalidCursor from None
    if not isinstance(rule_id, str) or "\0" in rule_id:
        raise InvalidCursor
    return FindingPlace(job_no=_int(job_no), batch_no=_int(batch_no), position=_int(position), rule_id=rule_id)


def _int(value: object, *, end: int = 2**31) -> int:
    if not isinstance(value, int) or not 0 <= value < end:
        raise InvalidCursor
    return value


def _digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()[:12]

"""Judge findings: open, false positive, accepted, fixed, with who, when and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scanner_tasks.core.errors import FindingNotFound, InvalidInput
from scanner_tasks.core.model import Finding, TriageStatus
from scanner_tasks.core.rights import Permission, like_patterns
from scanner_tasks.core.triage import Mark
from scanner_tasks.flow.read_results import finding_filter, one_of
from scanner_tasks.store import audit
from scanner_tasks.store import triage as marks
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.findings import read_findings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from sqlalchemy import Connection

    from scanner_tasks.flow.parts import Api
    from scanner_tasks.store.findings import FindingFilter, FindingPlace

#: Findings that one transaction of ``mark_all`` marks.
AT_ONCE = 200
_MOST_WHO, _MOST_WHY = 200, 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Marked:
    """A finding and the mark that was put on it."""

    finding: Finding
    mark: Mark


def mark_finding(
    *,
    bucket: str,
    key: str,
    rule: str,
    status: str,
    marked_by: str,
    reason: str,
    job_id: UUID | None = None,
    using: Api,
) -> Marked:
    """Mark the finding of this rule in this object, as its newest job (or ``job_id``) found it.

    Raises FindingNotFound, or InvalidInput.
    """
    new = check_mark(status, marked_by, reason)
    using.caller.require(Permission.TRIAGE, bucket)
    wanted = finding_filter(bucket=bucket, key=key, rule=rule, job_id=job_id)
    newest: tuple[FindingPlace, Finding] | None = None
    with transaction(using.engine) as connection:
        after = None
        while True:
            page = read_findings(connection, wanted, after=after, limit=AT_ONCE)
            newest = page.found[-1] if page.found else newest
            after = page.after
            if after is None:
                break
        mark = marks.add_mark(connection, newest[0], new, marked_by=marked_by, reason=reason) if newest else None
        if newest and mark:
            _note(connection, newest[1], using=using)
    if newest is None or mark is None:
        raise FindingNotFound("of this rule in this object")
    return Marked(finding=newest[1], mark=mark)


def mark_all(
    wanted: FindingFilter, *, status: str, marked_by: str, reason: str, dry_run: bool = False, using: Api
) -> Iterator[Marked | Finding]:
    """Mark every finding that matches and that the caller may judge, page by page; lazy.

    A dry run gives the findings and marks nothing.

    Each page is a transaction. Where a finding is in several jobs, the youngest one's values are those of its mark.
    """
    new = check_mark(status, marked_by, reason)
    scope = like_patterns(using.caller.patterns(Permission.TRIAGE))
    wanted = replace(wanted, scope=None if scope is None else tuple(scope))
    after = None
    while True:
        done: list[Marked | Finding] = []
        with transaction(using.engine) as connection:
            page = read_findings(connection, wanted, after=after, limit=AT_ONCE)
            for place, finding in page.found:
                if dry_run:
                    done.append(finding)
                    continue
                mark = marks.add_mark(connection, place, new, marked_by=marked_by, reason=reason)
                if mark is not None:
                    _note(connection, finding, using=using)
                    done.append(Marked(finding=finding, mark=mark))
        yield from done
        after = page.after
        if after is None:
            return


def history(finding_id: UUID, *, using: Api) -> tuple[Mark, ...]:
    """Every mark of a finding, the newest first; none when nobody ever marked it, or the caller may not see it."""
    scope = like_patterns(using.caller.patterns(Permission.READ))
    with transaction(using.engine) as connection:
        return marks.read_history(connection, finding_id, scope=scope)


def _note(connection: Connection, finding: Finding, *, using: Api) -> None:
    audit.add_entry(
        connection,
        using.caller,
        "finding.triage",
        bucket=finding.bucket,
        job_id=finding.job_id,
        target=str(finding.finding_id),
    )


def check_mark(status: str, marked_by: str, reason: str) -> TriageStatus:
    """The status meant. Raises InvalidInput."""
    (new,) = one_of(TriageStatus, [status], "status")
    for name, text, most in (("by", marked_by, _MOST_WHO), ("reason", reason, _MOST_WHY)):
        if not text.strip() or len(text) > most:
            raise InvalidInput(f"{name}: give 1 to {most} characters.")
    return new

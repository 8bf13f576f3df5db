"""A job beside an older one: findings that are new, fixed, changed or moved, and objects added, changed or deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.core.comparing import (
    ChangedFinding,
    ChangedObject,
    FindingChange,
    absence,
    is_same_finding,
    merge,
    object_change,
)
from scanner_tasks.core.errors import Conflict, InvalidCursor, InvalidInput
from scanner_tasks.core.model import JobSource
from scanner_tasks.flow import read_results
from scanner_tasks.flow.control import find_job
from scanner_tasks.store import comparison
from scanner_tasks.store.base_jobs import INDEXED_CHARACTERS
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.findings import FindingFilter, FindingPlace, read_findings
from scanner_tasks.store.text import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any
    from uuid import UUID

    from sqlalchemy import Connection

    from scanner_tasks.core.model import Finding, Job
    from scanner_tasks.flow.parts import Api

#: Pairs of findings that one page looks at, at most; and steps through the ledgers.
_MOST_PAIRS, _MOST_STEPS = 5_000, 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A page of what differs, in the order of keys; the cursor is None on the last one."""

    job: Job
    base: Job
    findings: tuple[ChangedFinding, ...] = ()
    objects: tuple[ChangedObject, ...] = ()
    next_cursor: str | None = None

    @property
    def rules_differ(self) -> bool:
        """True when the jobs had other rules: findings may be new or gone for that alone."""
        return self.job.ruleset_hash != self.base.ruleset_hash


def compare_findings(job_id: UUID, base_id: UUID, *, limit: int, cursor: str | None, using: Api) -> Comparison:
    """A page of findings that are not as the older job ``base_id`` had them.

    Keys that only one of the jobs lists are left out. A page may be shorter than ``limit``, even empty, and not be the
    last. Raises JobNotFound, InvalidCursor, InvalidInput for jobs that have nothing to compare, or Conflict for one
    whose listing has not ended.
    """
    job, base, prefix = _pair(job_id, base_id, using=using)
    query = f"compare findings {job.job_no} {base.job_no}"
    now_at, then_at = _places(cursor, query, job, base) if cursor else (None, None)
    found: list[tuple[Finding | None, Finding | None]] = []
    with transaction(using.engine) as connection:
        ours = _findings(connection, job, prefix, now_at)
        theirs = _findings(connection, base, prefix, then_at)
        is_over = True
        for looked, (now, then) in enumerate(merge(ours, theirs, _order)):
            if looked == _MOST_PAIRS or len(found) == limit:
                is_over = False
                break
            now_at, then_at = (now[0] if now else now_at), (then[0] if then else then_at)
            pair = now[1] if now else None, then[1] if then else None
            if pair[0] is None or pair[1] is None or not is_same_finding(pair[0], pair[1]):
                found.append(pair)
        told = _judged(connection, job, base, found)
    following = None if is_over else read_results._make_cursor(query, [_told(now_at), _told(then_at)])  # noqa: SLF001
    return Comparison(job=job, base=base, findings=tuple(told), next_cursor=following)


def compare_objects(job_id: UUID, base_id: UUID, *, limit: int, cursor: str | None, using: Api) -> Comparison:
    """A page of objects that are not as the older job's listing had them: as ``compare_findings``."""
    job, base, prefix = _pair(job_id, base_id, using=using)
    query = f"compare objects {job.job_no} {base.job_no}"
    start, skip = _start(cursor, query) if cursor else (to_text(prefix)[:INDEXED_CHARACTERS], 0)
    found: list[ChangedObject] = []
    low: str | None = start
    for _ in range(_MOST_STEPS):
        if low is None or len(found) == limit:
            break
        with transaction(using.engine) as connection:
            (now, then), bound = comparison.read_window(connection, [job.job_no, base.job_no], low=low)
        changed = tuple(_changed_objects(now, then, prefix))
        behind = skip + limit - len(found)
        found += changed[skip:behind]
        if behind < len(changed):
            skip = behind
            break
        low, skip = bound, 0
    following = None if low is None else read_results._make_cursor(query, [low, skip])  # noqa: SLF001
    return Comparison(job=job, base=base, objects=tuple(found), next_cursor=following)


def _pair(job_id: UUID, base_id: UUID, *, using: Api) -> tuple[Job, Job, str]:
    job, base = find_job(job_id, using=using), find_job(base_id, using=using)
    if (job.bucket, job.access.endpoint_url) != (base.bucket, base.access.endpoint_url):
        raise InvalidInput("The jobs scanned different buckets: compare two jobs of one bucket.")
    if not (job.prefix.startswith(base.prefix) or base.prefix.startswith(job.prefix)):
        raise InvalidInput("The jobs' prefixes have no key in common: compare two that have.")
    if {job.source, base.source} != {JobSource.LISTING}:
        raise InvalidInput(
            "Jobs of named keys, of events or of an inventory have no order of keys: compare two that listed."
        )
    if job.selection != base.selection or job.selection.has_limit:
        raise InvalidInput("The jobs chose differently, or had a limit: which objects are gone cannot be told.")
    if job.selection.versions != "current":
        raise InvalidInput("The jobs scanned versions, and objects are compared by key: give jobs of current ones.")
    for one in (job, base):
        if one.listed_at is None:
            raise Conflict(f"The listing of job {one.job_id} has not ended: which objects are gone is not known yet.")
    return job, base, max(job.prefix, base.prefix, key=len)


def _findings(
    connection: Connection, job: Job, prefix: str, after: FindingPlace | None
) -> Iterator[tuple[FindingPlace, Finding]]:
    wanted = FindingFilter(job_id=job.job_id, prefix=prefix or None)
    while True:
        page = read_findings(connection, wanted, after=after, limit=500)
        yield from page.found
        after = page.after
        if after is None:
            return


def _order(each: tuple[FindingPlace, Finding]) -> tuple[str, str]:
    return to_text(each[1].key), each[1].rule_id


def _judged(
    connection: Connection, job: Job, base: Job, found: Sequence[tuple[Finding | None, Finding | None]]
) -> Iterator[ChangedFinding]:
    keys = [(now or then).key for now, then in found if now or then]  # type: ignore[union-attr]
    states = comparison.object_states(connection, job.job_no, keys)
    before = comparison.object_states(connection, base.job_no, keys)
    new = [now for now, then in found if now and then is None]
    gone = [then for now, then in found if then and now is None]
    came_from = comparison.moved(connection, new, of=job.job_no, other=base.job_no)
    went_to = comparison.moved(connection, gone, of=base.job_no, other=job.job_no)
    sources = {new[n].finding_id: key for n, key in came_from.items()}
    movers = {gone[n].finding_id for n in went_to}
    told = []
    for now, then in found:
        if now is not None:
            change = object_change(states.get(now.key), before.get(now.key))
            about: dict[str, Any] = {"finding": now, "object_is": str(change or "")}
            if then is not None:
                told.append(ChangedFinding(change=FindingChange.CHANGED, count_before=then.count, **about))
            elif now.finding_id in sources:
                source = sources[now.finding_id]
                told.append(ChangedFinding(change=FindingChange.MOVED, moved_from=source, **about))
            else:
                told.append(ChangedFinding(change=FindingChange.NEW, **about))
        elif then is not None:
            kind, object_is = absence(states.get(then.key))
            if kind is FindingChange.FIXED and then.finding_id in movers:
                continue  # told at the object that it moved to
            told.append(ChangedFinding(change=kind, finding=then, count_before=then.count, object_is=object_is))
    return iter(told)


def _changed_objects(now: comparison.Objects, then: comparison.Objects, prefix: str) -> Iterator[ChangedObject]:
    below = to_text(prefix)
    for place in sorted(now.keys() | then.keys(), key=lambda each: (each[0], each[1] or "")):
        ours, theirs = now.get(place), then.get(place)
        change = object_change(ours, theirs)
        if change is None or not place[0].startswith(below):
            continue
        yield ChangedObject(
            change=change,
            key=from_text(place[0]),
            version_id=place[1],
            size_before=theirs.size_bytes if theirs else None,
            size_now=ours.size_bytes if ours else None,
            outcome=ours.outcome if ours else None,
        )


def _told(place: FindingPlace | None) -> list[Any] | None:
    return [place.batch_no, place.position, place.rule_id] if place else None


def _places(cursor: str, query: str, job: Job, base: Job) -> tuple[FindingPlace | None, FindingPlace | None]:
    values = read_results._read_cursor(cursor, query)  # noqa: SLF001 (cursors are made alike)
    if len(values) != 2 or any(each is not None and not isinstance(each, list) for each in values):  # noqa: PLR2004
        raise InvalidCursor
    now, then = (
        None if each is None else read_results._place([one.job_no, *each])  # noqa: SLF001
        for one, each in zip((job, base), values, strict=True)
    )
    return now, then


def _start(cursor: str, query: str) -> tuple[str, int]:
    values = read_results._read_cursor(cursor, query)  # noqa: SLF001
    if len(values) != 2 or not isinstance(values[0], str) or "\0" in values[0]:  # noqa: PLR2004
        raise InvalidCursor
    return values[0], read_results._int(values[1])  # noqa: SLF001

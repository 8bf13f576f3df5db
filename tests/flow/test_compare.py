"""A job beside an older one: what is new, fixed, changed, moved, and what nobody can tell."""

from __future__ import annotations

from uuid import UUID

import pytest

from scanner_tasks.core.errors import Conflict, InvalidCursor, InvalidInput
from scanner_tasks.flow.compare import compare_findings, compare_objects
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.store import comparison

from .conftest import System

TEXT = b"nothing to find here\n"
SSN, OTHER = b"ssn: 519-72-4836\n", b"ssn: 519-72-4839\n"


def again(system: System) -> UUID:
    return system.run(start_job(system.bucket, base_job="last", using=system.feeder).job_id).job.job_id


def found(system: System, job: UUID, base: UUID, *, limit: int = 100) -> dict[str, tuple[str, str, str | None]]:
    """Key → change, what became of the object, where it moved from; over all pages."""
    told, cursor = {}, None
    while True:
        page = compare_findings(job, base, limit=limit, cursor=cursor, using=system.feeder)
        assert len(page.findings) <= limit
        told |= {one.finding.key: (one.change.value, one.object_is, one.moved_from) for one in page.findings}
        if (cursor := page.next_cursor) is None:
            return told


def objects(system: System, job: UUID, base: UUID, *, limit: int = 100) -> list[tuple[str, str]]:
    told, cursor = [], None
    while True:
        page = compare_objects(job, base, limit=limit, cursor=cursor, using=system.feeder)
        told += [(one.key, one.change.value) for one in page.objects]
        if (cursor := page.next_cursor) is None:
            return told


@pytest.fixture
def jobs(system: System, monkeypatch: pytest.MonkeyPatch) -> tuple[UUID, UUID]:
    """The newer and the older one."""
    monkeypatch.setattr(comparison, "_BATCHES", 2)
    system.put({f"same/{n:04d}": TEXT for n in range(450)} | {f"same/{n:04d}": SSN for n in range(9)})
    system.put({"cleaned": SSN, "deleted": OTHER * 2, "denied": SSN, "grows": SSN, "old place": OTHER, "\ue000": SSN})
    base = system.run(system.start()).job.job_id
    contents = system.objects.buckets[system.bucket]
    del contents["deleted"]
    del contents["old place"]
    system.put({"cleaned": TEXT, "grows": SSN + OTHER, "denied": SSN * 2, "new": SSN * 3, "new place": OTHER})
    system.objects.denied.add((system.bucket, "denied"))
    return again(system), base


def test_every_finding_that_differs_is_told_once_with_what_became_of_its_object(
    system: System, jobs: tuple[UUID, UUID]
) -> None:
    assert found(system, *jobs, limit=1) == found(system, *jobs)
    assert found(system, *jobs) == {
        "cleaned": ("fixed", "", None),
        "deleted": ("fixed", "deleted", None),
        "denied": ("unverified", "failed(denied)", None),
        "grows": ("changed", "changed", None),
        "new": ("new", "added", None),
        "new place": ("moved", "added", "old place"),
    }
    now, then = jobs
    turned = found(system, then, now)
    assert turned["new"] == ("fixed", "deleted", None)
    assert turned["old place"] == ("moved", "added", "new place")
    assert found(system, now, now) == {}


def test_objects_are_compared_by_the_two_ledgers(system: System, jobs: tuple[UUID, UUID]) -> None:
    assert objects(system, *jobs, limit=2) == objects(system, *jobs)
    assert objects(system, *jobs) == [
        ("cleaned", "changed"),
        ("deleted", "deleted"),
        ("denied", "changed"),
        ("grows", "changed"),
        ("new", "added"),
        ("new place", "added"),
        ("old place", "deleted"),
    ]
    assert objects(system, jobs[0], jobs[0]) == []


def test_only_keys_that_both_list_are_compared(system: System, jobs: tuple[UUID, UUID]) -> None:
    below = system.run(system.start("new")).job.job_id
    assert found(system, below, jobs[1]) == {
        "new": ("new", "added", None),
        "new place": ("moved", "added", "old place"),
    }
    assert objects(system, below, jobs[1]) == [("new", "added"), ("new place", "added")]


def test_jobs_that_cannot_be_compared_are_refused(system: System) -> None:
    system.put({"a/1": TEXT, "b/1": TEXT})
    base = system.run(system.start("a/")).job.job_id
    other = system.run(system.start("b/")).job.job_id
    with pytest.raises(InvalidInput, match="in common"):
        found(system, other, base)
    unlisted = system.start("a/")
    with pytest.raises(Conflict, match="not ended"):
        found(system, unlisted, base)
    with pytest.raises(InvalidCursor):
        compare_objects(base, base, limit=1, cursor="WzFd", using=system.feeder)

"""A job over versions: each is an object of its own in ledger, findings and sums, also when turns die."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.listing.markers import Marker
from scanner_tasks.core.model import JobStatus
from scanner_tasks.core.ports import VersionPage
from scanner_tasks.core.selection_rules import read_selection
from scanner_tasks.fakes import FakeObjects
from scanner_tasks.flow.acting.plan import make_plan
from scanner_tasks.flow.compare import compare_objects
from scanner_tasks.flow.estimate import estimate_scan
from scanner_tasks.flow.read_results import get_results
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.flow.watches import watch_bucket
from scanner_tasks.report.jsonl import line_of
from scanner_tasks.store.engine import execute, transaction
from scanner_tasks.store.verify import read_accounts

from .conftest import System

TEXT = b"nothing to find here\n"
SSN = b"ssn: 519-72-4836\n"


def start(system: System, *, base_job: object = None, inventory: str | None = None, **told: object) -> UUID:
    selection = read_selection(told, now=datetime.now(UTC))
    return start_job(
        system.bucket,
        selection=selection,
        base_job=base_job,  # type: ignore[arg-type]
        inventory=inventory,
        using=system.feeder,
    ).job_id


def put(system: System, history: dict[str, list[bytes | None]]) -> None:
    for key, contents in history.items():
        for n, content in enumerate(contents):
            system.objects.put_version(system.bucket, key, f"v{n}", content)


def ledger(system: System, job_id: UUID) -> Counter[tuple[str, str | None]]:
    """How often each version is in the ledger."""
    with transaction(system.engine) as connection:
        rows = execute(
            connection,
            """
            select k.key, v.version from jobs j join job_batches b using (job_no)
            cross join unnest(b.keys) with ordinality k (key, n)
            left join unnest(b.version_ids) with ordinality v (version, n) on v.n = k.n
            where j.job_id = :id
            """,
            id=job_id,
        )
        return Counter((row.key, row.version) for row in rows)


def assert_accounts_agree(system: System, job_id: UUID) -> None:
    with transaction(system.engine) as connection:
        accounts = read_accounts(connection, system.job(job_id).job.job_no)
    assert accounts.agree, accounts


def test_versions_are_objects_of_their_own_and_delete_markers_are_passed_over(system: System) -> None:
    put(system, {"a.txt": [SSN, TEXT], "back.txt": [SSN, None, SSN + SSN], "gone.txt": [SSN, None], "only": [None]})
    system.put({"plain.txt": SSN})
    views = {versions: system.run(start(system, versions=versions)) for versions in ("current", "all", "noncurrent")}
    assert {name: (view.progress.listed, view.progress.findings) for name, view in views.items()} == {
        "current": (3, 2),
        "all": (6, 5),
        "noncurrent": (3, 3),
    }
    job_id = views["all"].job.job_id
    found = get_results(job_id=job_id, limit=100, cursor=None, using=system.feeder).findings
    assert {(f.key, f.version_id, f.count) for f in found} == {
        ("a.txt", "v0", 1),
        ("back.txt", "v0", 1),
        ("back.txt", "v2", 2),
        ("gone.txt", "v0", 1),
        ("plain.txt", None, 1),
    }
    assert len({f.finding_id for f in found}) == len(found)
    told = {line_of(finding)["object"] for finding in found}
    assert f"s3://{system.bucket}/back.txt?versionId=v2" in told
    assert f"s3://{system.bucket}/plain.txt" in told
    for view in views.values():
        assert view.job.status is JobStatus.SUCCEEDED
        assert_accounts_agree(system, view.job.job_id)


def test_all_versions_of_a_bucket_without_versions_are_the_current_objects(system: System) -> None:
    system.put({f"{n}.txt": SSN for n in range(30)})
    current, every, former = (system.run(start(system, versions=v)) for v in ("current", "all", "noncurrent"))
    assert every.progress.outcomes == current.progress.outcomes == {"scanned": 30}
    assert ledger(system, every.job.job_id) == ledger(system, current.job.job_id)
    assert (former.job.status, former.progress.listed) == (JobStatus.SUCCEEDED, 0)
    ids = [
        {f.finding_id for f in get_results(job_id=one.job.job_id, limit=100, cursor=None, using=system.feeder).findings}
        for one in (current, every)
    ]
    assert ids[0] == ids[1]


class Died(BaseException):
    """The process is gone: nothing is given back."""


class Dying(FakeObjects):
    """Dies when the page of this number is asked for."""

    dies_at = 0

    def list_versions(self, bucket: str, *, prefix: str, after: Marker | None, max_keys: int = 1000) -> VersionPage:
        self.dies_at -= 1
        if self.dies_at == 0:
            raise Died
        return super().list_versions(bucket, prefix=prefix, after=after, max_keys=max_keys)


@pytest.mark.parametrize("versions", ["all", "noncurrent"])
def test_turn_that_dies_amid_the_versions_of_a_key_loses_none_and_repeats_none(
    make_system: Callable[..., System], monkeypatch: pytest.MonkeyPatch, versions: str
) -> None:
    system = make_system(list_connections=2)
    objects = Dying({system.bucket: {}})
    system.objects = objects
    system.feeder = system.make_feeder()
    history: dict[str, list[bytes | None]] = {"a": [b"", b""], "many": [b""] * 5200 + [None], "z": [b"", None, b""]}
    history |= {f"m{n:04d}": [b""] for n in range(3000)}
    put(system, history)
    job_id = start(system, versions=versions)
    monkeypatch.setattr("scanner_tasks.store.key_ranges.release_ranges", lambda *_, **__: None)
    counts = []
    for dies_at in (3, 2, 2):
        objects.dies_at = dies_at
        with pytest.raises(Died):
            system.feed(job_id)
        counts.append(sum(ledger(system, job_id).values()))
        with transaction(system.engine) as connection:
            execute(connection, "update key_ranges set lease_until = now() - interval '1 second' where not done")
    objects.dies_at = 0
    system.feed(job_id)
    wanted = Counter(
        (key, f"v{n}")
        for key, contents in history.items()
        for n, content in enumerate(contents)
        if content is not None and (versions == "all" or n < len(contents) - 1)
    )
    assert ledger(system, job_id) == wanted
    assert 0 < counts[-1] < sum(wanted.values())
    assert system.job(job_id).progress.listed == sum(wanted.values())
    assert_accounts_agree(system, job_id)


def test_base_with_the_same_versions_leaves_only_new_ones_to_be_read(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner_tasks.store.base_jobs._BATCHES_AT_ONCE", 2)  # one key has more
    put(system, {"a.txt": [SSN] * 450, "b.txt": [TEXT, TEXT], "c.txt": [SSN]})
    first = system.run(start(system, versions="all"))
    system.objects.put_version(system.bucket, "a.txt", "newer", TEXT)
    second = system.run(start(system, versions="all", base_job="last"))
    assert second.progress.outcomes == {"scanned": 1, "unchanged": 453}
    assert second.progress.findings == first.progress.findings == 451
    assert_accounts_agree(system, second.job.job_id)
    with pytest.raises(InvalidInput, match="scanned all versions, this one current"):
        start(system, base_job=first.job.job_id)
    of_current = system.job(start(system, base_job="last")).job.base
    assert of_current is not None
    assert of_current.job_id is None, "no job of current versions has ended"


def test_limits_and_samples_take_versions_one_by_one(system: System) -> None:
    put(system, {f"{n:02d}": [TEXT, TEXT, TEXT] for n in range(20)})
    limited = system.run(start(system, versions="all", limit_objects=7))
    assert limited.progress.outcomes["scanned"] == 7
    assert_accounts_agree(system, limited.job.job_id)
    drawn = system.run(start(system, versions="all", sample_percent=40))
    assert sum(drawn.progress.outcomes.values()) == 60
    assert 0 < drawn.progress.outcomes["scanned"] < 60
    assert_accounts_agree(system, drawn.job.job_id)


def test_estimate_lists_the_versions_that_the_job_would(system: System) -> None:
    put(system, {"a": [TEXT, TEXT, TEXT], "b": [TEXT, None]})
    for versions, objects in (("current", 1), ("all", 4), ("noncurrent", 3)):
        selection = read_selection({"versions": versions}, now=datetime.now(UTC))
        told = estimate_scan(system.bucket, selection=selection, using=system.feeder)
        assert (told.work.total.objects, told.is_complete) == (objects, True), versions


def test_what_is_by_key_alone_is_refused_for_versions(system: System) -> None:
    put(system, {"a.txt": [SSN, SSN]})
    jobs = [system.run(start(system, versions="all")).job.job_id for _ in range(2)]
    with pytest.raises(InvalidInput, match="compared by key"):
        compare_objects(jobs[1], jobs[0], limit=10, cursor=None, using=system.feeder)
    with pytest.raises(InvalidInput, match="current only"):
        make_plan(jobs[0], "tag", {"tags": {"a": "b"}}, filters={}, who="me", reason="test", using=system.feeder)
    with pytest.raises(InvalidInput, match="from an inventory"):
        start(system, versions="all", inventory="s3://reports/manifest.json")
    with pytest.raises(InvalidInput, match="versions: events"):
        watch_bucket(
            system.bucket, selection=read_selection({"versions": "all"}, now=datetime.now(UTC)), using=system.feeder
        )
    with pytest.raises(InvalidInput, match="versions: give current, all or noncurrent"):
        start(system, versions="old")

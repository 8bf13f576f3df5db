"""A job whose selection names tags: asked once before an object is read; what does not fit has an outcome and a row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.model import JobStatus, ObjectRef
from scanner_tasks.core.selection_rules import read_selection
from scanner_tasks.fakes import FakeBody
from scanner_tasks.flow.estimate import estimate_scan
from scanner_tasks.flow.object_events import take_events
from scanner_tasks.flow.read_coverage import get_coverage, get_unread
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.flow.watches import find_watch, watch_bucket
from scanner_tasks.store.engine import execute, transaction
from scanner_tasks.store.verify import read_accounts

from .conftest import System
from .object_messages import message, record

SSN = b"name,ssn\nJane Roe,512-44-1234\n"


class Asked:
    """What S3 is asked for, in order: ("tags" or "open", key)."""

    def __init__(self, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests: list[tuple[str, str]] = []
        tags, open_ = system.objects.tags, system.objects.open

        def note_tags(ref: ObjectRef) -> dict[str, str]:
            self.requests.append(("tags", ref.key))
            return tags(ref)

        def note_open(ref: ObjectRef, **places: int | None) -> FakeBody:
            self.requests.append(("open", ref.key))
            return open_(ref, **places)

        monkeypatch.setattr(system.objects, "tags", note_tags)
        monkeypatch.setattr(system.objects, "open", note_open)

    def of(self, key: str) -> list[str]:
        return [what for what, asked in self.requests if asked == key]


@pytest.fixture
def asked(system: System, monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(system, monkeypatch)


def tag(system: System, key: str, version_id: str | None = None, **tags: str) -> None:
    system.objects.object_tags[system.bucket, key, version_id] = tags


def start(system: System, base_job: Any = None, **told: object) -> UUID:
    selection = read_selection(told, now=datetime.now(UTC))
    return start_job(system.bucket, selection=selection, base_job=base_job, using=system.feeder).job_id


def assert_accounts_agree(system: System, job_id: UUID) -> None:
    with transaction(system.engine) as connection:
        accounts = read_accounts(connection, system.job(job_id).job.job_no)
    assert accounts.agree, accounts


def test_only_what_fits_is_read_and_every_object_has_its_outcome(system: System, asked: Asked) -> None:
    system.put(dict.fromkeys(("fits", "another", "untagged", "kept out", "denied", "deleted", "no.png"), SSN))
    system.put({"empty": b""})
    tag(system, "fits", team="a", env="prod")
    tag(system, "another", team="b")
    tag(system, "kept out", team="a", public="yes")
    tag(system, "denied", team="a")
    system.objects.denied_tags.add((system.bucket, "denied"))
    selection = {"include_tags": ["team=a"], "exclude_tags": ["public"], "exclude_extensions": ["png"]}
    before = estimate_scan(
        system.bucket, selection=read_selection(selection, now=datetime.now(UTC)), using=system.feeder
    )
    job_id = start(system, **selection)
    system.feed(job_id)
    del system.objects.buckets[system.bucket]["deleted"]
    view = system.run(job_id)
    assert view.job.status is JobStatus.SUCCEEDED_WITH_FAILURES
    assert view.progress.outcomes == {
        "scanned": 1,
        "skipped(empty)": 1,
        "skipped(excluded_tag)": 3,
        "skipped(excluded_kind)": 1,
        "failed(denied)": 1,
        "failed(deleted_since_listing)": 1,
    }
    assert (view.progress.listed, view.progress.findings) == (8, 1)
    assert_accounts_agree(system, job_id)
    # In the ledger, unlike what the listing leaves out.
    assert system.statuses(job_id)["another"] == "skipped"
    assert "no.png" not in system.statuses(job_id)
    # Asked once, before the GET; what does not fit is not read.
    assert asked.of("fits") == ["tags", "open"]
    assert [asked.of(key) for key in ("another", "untagged", "kept out", "denied", "deleted")] == [["tags"]] * 5
    assert asked.of("no.png") + asked.of("empty") == []
    unread = get_unread(job_id, outcome="failed,skipped(excluded_tag)", limit=9, cursor=None, using=system.feeder)
    told = {one.key: (str(one.outcome), one.bytes_read) for one in unread.objects}
    assert told["untagged"] == ("skipped(excluded_tag)", 0)
    assert len(told) == 5
    assert any("s3:GetObjectTagging" in (one.detail or "") for one in unread.objects)
    (bucket,) = get_coverage(job_id, using=system.feeder).buckets
    assert {str(one.outcome): one.bytes_listed for one in bucket.outcomes}["skipped(excluded_tag)"] == 3 * len(SSN)
    # Every candidate's request is in the estimates, and in what the job did cost.
    assert before.estimate.requests.tagging == 6
    assert any("at most" in remark for remark in before.remarks)
    assert view.costs.estimate["requests"]["tagging"] == view.costs.actual["requests"]["tagging"] == 6
    assert (view.costs.estimate["objects"], view.costs.actual["objects"]) == (6, 3)


def test_who_names_no_tags_pays_no_request_for_them(system: System, asked: Asked) -> None:
    system.put({"a": SSN})
    system.run(start(system, extensions=[], min_size_bytes=1))
    assert asked.of("a") == ["open"]


def test_newer_object_must_fit_too(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    system.put({"a": SSN, "b": SSN})
    tag(system, "a", team="a")
    tag(system, "b", team="a")
    job_id = start(system, include_tags=["team=a"])
    system.feed(job_id)
    tags = system.objects.tags

    def overwritten_after_that(ref: ObjectRef) -> dict[str, str]:
        told = tags(ref)
        if system.objects.buckets[system.bucket][ref.key] == SSN:
            system.put({ref.key: SSN * 2})
            if ref.key == "a":  # who overwrites an object without tags takes them from it
                tag(system, "a")
        return told

    monkeypatch.setattr(system.objects, "tags", overwritten_after_that)
    view = system.run(job_id)
    assert view.progress.outcomes == {"scanned": 1, "skipped(excluded_tag)": 1}
    assert view.progress.findings == 1
    assert_accounts_agree(system, job_id)


def test_fault_that_is_not_the_objects_gives_the_batch_back(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    system.put({"a": SSN})
    tag(system, "a", team="a")
    job_id = start(system, include_tags=["team=a"])
    system.feed(job_id)

    def refuse(ref: ObjectRef) -> dict[str, str]:
        raise Unavailable("no credentials just now")

    with monkeypatch.context() as patched:
        patched.setattr(system.objects, "tags", refuse)
        with pytest.raises(Unavailable):
            system.deliver(job_id)
    assert system.job(job_id).progress.done == 0
    with transaction(system.engine) as connection:  # as a first attempt: the child has no share in these objects
        execute(
            connection, "update job_batches set given_back = attempt where job_no = :n", n=system.job(job_id).job.job_no
        )
    assert system.run(job_id).progress.outcomes == {"scanned": 1}
    assert_accounts_agree(system, job_id)


def test_large_text_is_asked_for_once_and_before_it_is_split(
    make_system: Callable[..., System], monkeypatch: pytest.MonkeyPatch
) -> None:
    system = make_system(ranges_above_bytes=20_000, range_bytes=8192)
    asked = Asked(system, monkeypatch)
    system.put({"fits": SSN * 1000, "not": SSN * 1000})
    tag(system, "fits", team="a")
    job_id = start(system, include_tags=["team=a"])
    view = system.run(job_id)
    assert view.progress.outcomes == {"scanned": 1, "skipped(excluded_tag)": 1}
    assert asked.of("fits").count("tags") == 1
    assert asked.of("not") == ["tags"]
    assert_accounts_agree(system, job_id)


def test_base_job_spares_nothing_and_the_job_says_why(system: System) -> None:
    system.put({"a": SSN, "b": SSN})
    first = system.run(system.start())
    tag(system, "a", team="a")
    second = system.run(start(system, base_job="last", include_tags=["team=a"]))
    assert second.job.base is not None
    assert second.job.base.job_id == first.job.job_id
    assert "An ETag says nothing of tags" in (second.job.base.reason or "")
    assert second.progress.outcomes == {"scanned": 1, "skipped(excluded_tag)": 1}
    # The other way round what was read is taken over, and what was not is read.
    third = system.run(start_job(system.bucket, base_job=second.job.job_id, using=system.feeder).job_id)
    assert third.progress.outcomes == {"scanned": 1, "unchanged": 1}
    assert_accounts_agree(system, third.job.job_id)


def test_sample_estimates_what_fits_among_all_that_it_was_drawn_from(system: System) -> None:
    system.put({f"{n:03d}": SSN for n in range(200)})
    for n in range(0, 200, 2):
        tag(system, f"{n:03d}", team="a")
    view = system.run(start(system, include_tags=["team=a"], sample_percent=50))
    told = view.costs.actual["sample"]
    assert told["population_objects"] == 200
    assert told["objects_with_findings"]["low"] <= 100 <= told["objects_with_findings"]["high"]
    assert_accounts_agree(system, view.job.job_id)


def test_watch_asks_for_the_tags_of_what_events_name(system: System) -> None:
    selection = read_selection({"include_tags": ["team"]}, now=datetime.now(UTC))
    watch_bucket(system.bucket, selection=selection, using=system.feeder)
    system.put({"a": SSN, "b": SSN})
    system.objects.versions[system.bucket, "v", "v1"] = SSN
    tag(system, "a", team="a")
    tag(system, "v", "v1", team="b")
    version = record(system.bucket, "v", versionId="v1", sequencer="0A")
    take_events((message(record(system.bucket, "a"), record(system.bucket, "b"), version),), using=system.feeder)
    job_id = find_watch(system.bucket, using=system.feeder).job_id
    assert job_id is not None
    system.deliver(job_id)
    assert system.job(job_id).progress.outcomes == {"scanned": 2, "skipped(excluded_tag)": 1}
    with transaction(system.engine) as connection:
        execute(connection, "delete from watches")

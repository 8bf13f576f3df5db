"""Several buckets at once, and the account view: no bucket is passed over without a word."""

from __future__ import annotations

import itertools

import pytest

from scanner_tasks.core.access import Access
from scanner_tasks.core.buckets import MAX_BUCKETS, Posture
from scanner_tasks.core.errors import BucketNotFound, Denied, InvalidInput
from scanner_tasks.core.selection import Selection
from scanner_tasks.fakes import FakeObjects
from scanner_tasks.flow.buckets import account_view, meant_buckets, start_jobs
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.store.engine import execute, transaction

from .conftest import System

_numbers = itertools.count()


@pytest.fixture
def name(system: System) -> str:
    """Begins the names of three buckets of the system; a fourth one has another name."""
    name = f"many{next(_numbers)}"
    for bucket in (f"{name}-a", f"{name}-b", f"{name}-c", f"other-{name}"):
        system.objects.buckets[bucket] = {"k": b"text"}
    return name


def count_jobs(system: System) -> int:
    with transaction(system.engine) as connection:
        return execute(connection, "select count(*) from jobs").scalar_one()


def test_pattern_begins_a_job_on_each_bucket_that_it_means(system: System, name: str) -> None:
    started = start_jobs([f"{name}-*"], selection=Selection(limit_objects=1), using=system.feeder)
    assert [bucket for bucket, _ in started.jobs] == [f"{name}-a", f"{name}-b", f"{name}-c"]
    assert started.not_started == ()
    for bucket, job in started.jobs:
        view = system.job(job.job_id)
        assert (view.job.bucket, view.job.selection.limit_objects) == (bucket, 1)


def test_names_and_patterns_together_mean_each_bucket_once(system: System, name: str) -> None:
    meant = meant_buckets([f"other-{name}", f"{name}-b", f"{name}-?"], using=system.feeder)
    assert meant.buckets == (f"{name}-a", f"{name}-b", f"{name}-c", f"other-{name}")


def test_named_bucket_that_cannot_be_listed_refuses_all_before_any_job_begins(system: System, name: str) -> None:
    before = count_jobs(system)
    with pytest.raises(BucketNotFound, match="gone"):
        start_jobs([f"{name}-a", f"{name}-gone"], using=system.feeder)
    system.objects.denied.add((f"{name}-b", None))
    with pytest.raises(Denied, match="s3:ListBucket"):
        start_jobs([f"{name}-*", f"{name}-b"], using=system.feeder)
    assert count_jobs(system) == before


def test_bucket_that_only_a_pattern_means_and_that_is_denied_is_told(system: System, name: str) -> None:
    system.objects.denied.add((f"{name}-b", None))
    started = start_jobs([f"{name}-*"], using=system.feeder)
    assert [bucket for bucket, _ in started.jobs] == [f"{name}-a", f"{name}-c"]
    (left_out,) = started.not_started
    assert (left_out.bucket, "s3:ListBucket" in left_out.reason) == (f"{name}-b", True)


def test_nothing_that_can_be_listed_is_an_error_and_no_empty_answer(system: System, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"none of the . buckets that you may scan matches 'nothing-"):
        start_jobs(["nothing-*"], using=system.feeder)
    system.objects.denied |= {(f"{name}-{letter}", None) for letter in "abc"}
    with pytest.raises(Denied, match="None of the buckets can be scanned"):
        start_jobs([f"{name}-*"], using=system.feeder)
    system.objects.account().is_listable = False
    with pytest.raises(Denied, match="s3:ListAllMyBuckets"):
        start_jobs([f"{name}-*"], using=system.feeder)
    system.objects.denied.clear()
    assert len(start_jobs([f"{name}-a"], using=system.feeder).jobs) == 1, "a name needs no list of buckets"


def test_tags_choose_among_the_buckets_meant(system: System, name: str) -> None:
    system.objects.account().bucket_tags |= {
        f"{name}-a": {"env": "prod", "team": "x"},
        f"{name}-b": {"env": "test", "team": "x"},
    }
    tags = {"env": "prod", "team": "*"}
    assert meant_buckets([f"{name}-*"], bucket_tags=tags, using=system.feeder).buckets == (f"{name}-a",)
    with pytest.raises(InvalidInput, match="bucket_tags"):
        meant_buckets([f"{name}-*"], bucket_tags={"env": "none"}, using=system.feeder)


def test_too_many_buckets_are_refused(system: System, name: str) -> None:
    system.objects.buckets |= {f"{name}-{n:05d}": {} for n in range(MAX_BUCKETS)}
    with pytest.raises(InvalidInput, match=f"at most {MAX_BUCKETS}"):
        meant_buckets([f"{name}-*"], using=system.feeder)


@pytest.mark.parametrize("names", [[], ["UPPER-*"], ["a/*"], ["s3://x"], ["x"] * 101])
def test_names_that_can_mean_no_bucket_are_refused(system: System, names: list[str]) -> None:
    with pytest.raises(InvalidInput, match=r"^bucket"):
        meant_buckets(names, using=system.feeder)


def test_account_view_tells_who_may_read_and_when_it_was_scanned(system: System, name: str) -> None:
    a, b, c = (f"{name}-{letter}" for letter in "abc")
    system.objects.account().postures[b] = Posture(public=True, encryption="aws:kms")
    system.objects.account().postures[c] = Posture(public=None, encryption=None, unknown=("s3:GetBucketAcl",))
    system.run(start_job(a, using=system.feeder).job_id)
    part = start_job(a, "k", using=system.feeder).job_id
    system.run(part)
    chosen = start_job(b, selection=Selection(limit_objects=5), using=system.feeder).job_id
    system.run(chosen)
    views = {view.bucket.name: view for view in account_view(limit=100, using=system.feeder)}
    assert views[a].last is not None
    assert (views[a].last.job_id, views[a].last.whole_at is not None) == (part, True)
    assert views[a].last.whole_at < views[a].last.finished_at
    assert (views[b].last.job_id, views[b].last.whole_at, views[b].posture.public) == (chosen, None, True)
    assert (views[c].last, views[c].posture.public, views[c].posture.unknown) == (None, None, ("s3:GetBucketAcl",))


def test_account_view_is_paged_by_name(system: System, name: str) -> None:
    first = account_view(after=name, limit=2, using=system.feeder)
    assert [view.bucket.name for view in first] == [f"{name}-a", f"{name}-b"]
    after = account_view(after=first[-1].bucket.name, limit=1, using=system.feeder)
    assert [view.bucket.name for view in after] == [f"{name}-c"]


def test_bucket_of_another_store_with_the_same_name_was_not_scanned(system: System, name: str) -> None:
    url = "http://minio.test:9000"
    system.feeder = system.make_feeder(allowed_endpoints={url: ""})
    access = Access(endpoint_url=url)
    system.objects.reached[access] = FakeObjects({f"{name}-a": {"k": b"text"}})
    start_job(f"{name}-a", access=access, using=system.feeder)
    (there,) = account_view(access=access, limit=5, using=system.feeder)
    here = account_view(after=name, limit=1, using=system.feeder)[0]
    assert there.last is not None
    assert (here.bucket.name, here.last) == (f"{name}-a", None)

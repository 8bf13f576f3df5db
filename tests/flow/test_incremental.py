"""A job with a base: what is as the base left it is not read, and its findings stay, also when the base is deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from scanner_tasks.core.errors import Conflict, InvalidInput, JobNotFound
from scanner_tasks.core.model import Finding, JobStatus, ObjectRef
from scanner_tasks.core.planning import Policy, plan_page
from scanner_tasks.flow import retention
from scanner_tasks.flow.control import cancel_job
from scanner_tasks.flow.feed import feed
from scanner_tasks.flow.read_results import JobView, get_results
from scanner_tasks.flow.scan_objects import scan_objects
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.store import base_jobs, feeding, jobs
from scanner_tasks.store.engine import execute, transaction
from scanner_tasks.store.verify import read_accounts

from .conftest import System

TEXT = b"nothing to find here\n"
SSN = b"ssn: 519-72-4836\n"


def start(system: System, base_job: object = "last", prefix: str = "") -> UUID:
    return start_job(system.bucket, prefix, base_job=base_job, using=system.feeder).job_id  # type: ignore[arg-type]


def findings(system: System, job_id: UUID) -> tuple[Finding, ...]:
    return get_results(job_id=job_id, limit=1000, cursor=None, using=system.feeder).findings


def assert_accounts_agree(system: System, view: JobView) -> None:
    with transaction(system.engine) as connection:
        accounts = read_accounts(connection, view.job.job_no)
    assert accounts.agree, accounts


def test_unchanged_objects_are_not_read_and_keep_their_findings(system: System) -> None:
    system.put({f"a/{n:04d}.txt": SSN if n % 10 == 0 else TEXT for n in range(250)} | {"b//é": SSN, "empty": b""})
    first = system.run(system.start())
    system.put({"a/0000.txt": TEXT, "a/0001.txt": SSN, "a/0300.txt": SSN})
    del system.objects.buckets[system.bucket]["a/0010.txt"]
    second = system.run(start(system))
    assert first.progress.findings == 26
    assert second.progress.outcomes == {"scanned": 3, "skipped(empty)": 1, "unchanged": 248}
    assert second.job.base is not None
    assert (second.job.base.job_id, second.job.base.refusal) == (first.job.job_id, None)
    found = {finding.key: finding.first_seen_job for finding in findings(system, second.job.job_id)}
    fresh = {"a/0001.txt": None, "a/0300.txt": None}
    kept = {f"a/{n:04d}.txt": first.job.job_id for n in range(20, 250, 10)} | {"b//é": first.job.job_id}
    assert found == fresh | kept
    assert second.progress.findings == len(found)
    assert_accounts_agree(system, second)


def test_findings_stay_when_the_base_is_deleted_and_a_third_job_goes_on_from_the_second(system: System) -> None:
    system.put({"a": SSN, "b": TEXT})
    first = system.run(system.start()).job
    second = system.run(start(system)).job
    retention.delete_job(first.job_id, using=system.feeder)
    while retention.retire(using=system.feeder).jobs == 0:
        pass
    third = system.run(start(system))
    assert third.progress.outcomes == {"unchanged": 2}
    assert third.job.base is not None
    assert third.job.base.job_id == second.job_id
    (kept,) = findings(system, third.job.job_id)
    (before,) = findings(system, second.job_id)
    assert (kept.first_seen_job, kept.found_at, kept.occurrences) == (first.job_id, before.found_at, before.occurrences)
    assert_accounts_agree(system, third)


def test_page_recorded_twice_counts_and_copies_once(system: System) -> None:
    system.put({f"{n:04d}": SSN for n in range(30)})
    system.run(system.start())
    job_id = start(system)
    stale = system.job(job_id).job
    assert feed(job_id, execution_no=1, turn=0, using=system.feeder).listed == 30
    refs = system.objects.list_page(system.bucket, prefix="", start_after=None).objects
    with transaction(system.engine) as connection:
        again = plan_page(refs, Policy(object_max_bytes=10**9))
        assert not feeding.add_batches(connection, stale, again, cursor=refs[-1].key, is_last=True)
    view = system.run(job_id)
    assert (view.progress.listed, view.progress.unchanged, view.progress.findings) == (30, 30, 30)
    assert_accounts_agree(system, view)


def test_only_what_was_scanned_to_its_end_is_a_base(make_system: Callable[..., System]) -> None:
    system = make_system(text_max_bytes=4096)
    system.put({"long": TEXT * 1000, "denied": TEXT, "fine": TEXT, "weak": TEXT})
    system.objects.denied.add((system.bucket, "denied"))
    first = system.run(system.start())
    assert first.progress.outcomes == {"scanned": 2, "partial(bytes)": 1, "failed(denied)": 1}
    second = system.run(start(system))
    assert (second.progress.unchanged, second.progress.partial, second.progress.failed) == (2, 1, 1)


@pytest.mark.parametrize("etag", ["", 'W/"1'])
def test_objects_without_a_strong_etag_are_scanned_again(system: System, etag: str) -> None:
    system.put({"a": TEXT})
    base = system.run(system.start()).job
    job = system.job(start(system)).job
    with transaction(system.engine) as connection:
        execute(connection, "update job_batches set etags = :e where job_no = :n", n=base.job_no, e=_packed(etag))
        ref = ObjectRef(bucket=system.bucket, key="a", size_bytes=len(TEXT), etag=etag)
        (batch,), runs = base_jobs.take_over(connection, job, plan_page([ref], Policy(object_max_bytes=99)))
    assert (batch.pending, runs) == (1, ())


def _packed(etag: str) -> bytes:
    from scanner_tasks.store.packing import pack_etags  # noqa: PLC0415

    return pack_etags([etag])


def test_other_rules_scan_everything_again_and_the_job_says_so(system: System) -> None:
    system.put({"a": SSN})
    system.run(system.start())
    other = replace(system.feeder, ruleset_hash=lambda: "other")
    started = start_job(system.bucket, base_job="last", using=other)
    assert started.base is not None
    assert started.base.refusal
    view = system.run(started.job_id)
    assert view.progress.outcomes == {"scanned": 1}
    # A worker of the rollout had other rules in that job: nobody knows which objects it scanned with them.
    with transaction(system.engine) as connection:
        jobs.add_ruleset(connection, view.job.job_no, "third")
    third = start_job(system.bucket, base_job="last", using=other)
    assert third.base is not None
    assert "Workers" in str(third.base.refusal)


def test_object_overwritten_while_it_was_scanned_is_no_base(system: System) -> None:
    system.put({"a": TEXT, "b": TEXT})
    job_id = system.start()
    system.feed(job_id)
    system.put({"a": SSN})
    first = system.run(job_id)
    assert (first.progress.scanned, first.progress.findings) == (2, 1)
    system.put({"a": TEXT})  # as it was listed then
    second = system.run(start(system))
    assert (second.progress.outcomes, second.progress.findings) == ({"scanned": 1, "unchanged": 1}, 0)


def test_last_is_the_youngest_finished_job_whose_prefix_covers(system: System) -> None:
    system.put({"a/1": TEXT, "b/1": TEXT})
    assert start_job(system.bucket, base_job="last", using=system.feeder).base is not None  # nothing has finished yet
    whole = system.run(system.start()).job
    system.run(system.start("a/"))
    cancelled = system.start()
    cancel_job(cancelled, reason="no", using=system.feeder)
    started = start_job(system.bucket, "b/", base_job="last", using=system.feeder)
    assert started.base is not None
    assert started.base.job_id == whole.job_id
    assert system.run(started.job_id).progress.outcomes == {"unchanged": 1}


def test_bases_that_cannot_be_are_refused(system: System, make_system: Callable[..., System]) -> None:
    system.put({"a/1": TEXT})
    with pytest.raises(InvalidInput, match="id of a job"):
        start(system, "yesterday")
    with pytest.raises(JobNotFound):
        start(system, str(uuid4()))
    unfinished = system.start()
    with pytest.raises(Conflict, match="has ended"):
        start(system, unfinished)
    named = scan_objects(system.bucket, ["a/1"], using=system.feeder, job_id=uuid4()).job_id
    with pytest.raises(InvalidInput, match="named"):
        start(system, named)
    below = system.run(system.start("a/")).job
    with pytest.raises(InvalidInput, match="in common"):
        start(system, below.job_id, "b/")
    with pytest.raises(InvalidInput, match="another bucket"):
        start(make_system(), below.job_id)
    assert system.job(below.job_id).job.status is JobStatus.SUCCEEDED


def test_base_is_read_by_key_range_and_stretches_without_a_key_wanted_are_left_out(
    system: System, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_jobs, "_BATCHES_AT_ONCE", 3)
    long = "x" * 200  # the index holds less of it
    keys = [f"{n:05d}" for n in range(3000)] + [f"{long}{n:04d}" for n in range(700)]
    refs = [ObjectRef(bucket=system.bucket, key=key, size_bytes=3, etag="e") for key in keys]
    base = system.job(system.start()).job
    with transaction(engine) as connection:
        batches = plan_page(refs, Policy(object_max_bytes=9))
        # Parallel listings record ranges in any order.
        assert feeding.add_batches(connection, base, batches[::-1], cursor=keys[-1], is_last=True)
        execute(
            connection,
            r"update job_batches set outcomes = decode(repeat('0a', objects), 'hex'), state = 3 where job_no = :n",
            n=base.job_no,
        )
        execute(
            connection, "update jobs set status = 'succeeded', finished_at = now() where job_no = :n", n=base.job_no
        )
    job = system.job(start(system, base.job_id)).job
    wanted = [refs[n] for n in (0, 99, 100, 1999, 2999, 3000, 3350, 3699)]
    strangers = [replace(wanted[0], key=key) for key in ("00000a", "2", long + "05000", "zz")]
    page = sorted([*wanted, *strangers], key=lambda ref: ref.key)
    with transaction(engine) as connection:
        (batch,), _ = base_jobs.take_over(connection, job, plan_page(page, Policy(object_max_bytes=9)))
    unchanged = [o.ref.key for o in batch.objects if o.outcome.kind == "unchanged"]
    assert unchanged == [ref.key for ref in wanted]
    with transaction(engine) as connection:
        rows = list(base_jobs.batches_of_keys(connection, base.job_no, [refs[0].key, refs[2950].key]))
    assert len(rows) <= 4

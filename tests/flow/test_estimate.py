"""Before a scan what it would cost, after it what it did, and in between its budget."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scanner_tasks.core.budget import Budget
from scanner_tasks.core.errors import BucketNotFound, Denied, InvalidInput
from scanner_tasks.core.estimate import Deployment
from scanner_tasks.core.model import JobStatus
from scanner_tasks.core.selection import Selection
from scanner_tasks.flow.control import resume_job
from scanner_tasks.flow.estimate import estimate_scan
from scanner_tasks.flow.settle import settle
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.store import job_costs
from scanner_tasks.store.engine import execute, transaction

from .conftest import System

TEXT = b"some text\n" * 10


def test_estimate_of_a_bucket_is_what_the_job_then_lists_and_scans(system: System) -> None:
    system.put({f"in/{n:04d}.txt": TEXT for n in range(1200)} | {"in/empty": b"", "x.png": TEXT})
    selection = Selection(exclude_kinds=("image",))
    before = estimate_scan(system.bucket, selection=selection, using=system.feeder)
    assert before.is_complete
    job_id = start_job(system.bucket, selection=selection, using=system.feeder).job_id
    view = system.run(job_id)
    outcomes = {"pending" if name == "scanned" else name: number for name, number in view.progress.outcomes.items()}
    assert {name: one.objects for name, one in before.work.outcomes.items()} == outcomes
    assert before.work.total.size_bytes == view.progress.bytes_listed
    assert before.work.batches == view.progress.batches
    estimated, actual = view.costs.estimate, view.costs.actual
    assert (estimated["objects"], estimated["bytes"]) == (1200, 1200 * len(TEXT))
    assert (actual["objects"], actual["bytes"]) == (1200, 1200 * len(TEXT))
    assert estimated["dollars"] == pytest.approx(before.estimate.dollars, rel=0.05)
    assert actual["cpu_s"] > 0
    assert actual["dollars"] > 0
    assert actual["basis"]["wall_s"] >= 0
    assert view.progress.outcomes == system.job(job_id).progress.outcomes


def test_estimate_reads_no_object_and_begins_no_job(system: System) -> None:
    system.put({"a": TEXT})
    system.objects.denied.add((system.bucket, "a"))
    with transaction(system.engine) as connection:
        before = execute(connection, "select count(*) from jobs").scalar_one()
    told = estimate_scan(system.bucket, using=system.feeder).to_json()
    assert (told["objects"], told["basis"]["is_complete"]) == ({"total": 1, "scanned": 1}, True)
    with transaction(system.engine) as connection:
        assert execute(connection, "select count(*) from jobs").scalar_one() == before


def test_bucket_that_cannot_be_listed_has_no_estimate(system: System) -> None:
    with pytest.raises(BucketNotFound):
        estimate_scan("no-such-bucket", using=system.feeder)
    system.objects.denied.add((system.bucket, None))
    with pytest.raises(Denied, match="s3:ListBucket"):
        estimate_scan(system.bucket, using=system.feeder)


def test_listing_cut_short_says_so_and_is_scaled_by_what_s3_counts(system: System) -> None:
    system.put({f"{n:05d}.txt": TEXT for n in range(3500)})
    part = estimate_scan(system.bucket, most_objects=1000, using=system.feeder)
    assert (part.is_complete, part.listed, part.scaled_by, part.work.total.objects) == (False, 1000, None, 1000)
    assert any("the real figures are larger" in remark for remark in part.remarks)
    system.objects.account().object_counts[system.bucket] = 4000
    scaled = estimate_scan(system.bucket, most_objects=1000, using=system.feeder)
    assert (scaled.scaled_by, scaled.work.total.objects, scaled.listed) == (4.0, 4000, 1000)
    assert any("taken 4.0 times" in remark for remark in scaled.remarks)
    below = estimate_scan(system.bucket, "0", most_objects=1000, using=system.feeder)
    assert below.scaled_by is None, "the count is the whole bucket's"
    ticks = iter(range(100))
    timed = estimate_scan(system.bucket, most_s=2.0, clock=lambda: next(ticks), using=system.feeder)
    assert timed.listed == 2000


def test_database_without_a_price_is_asked_for(make_system: Callable[..., System]) -> None:
    system = make_system(deployment=Deployment(database="db.x9.huge"))
    with pytest.raises(InvalidInput, match=r"rds_hour_db\.x9\.huge"):
        estimate_scan(system.bucket, using=system.feeder)


@pytest.mark.parametrize("budget", [Budget(objects=5), Budget(bytes=500), Budget(dollars=0.000001)])
def test_job_pauses_itself_at_its_budget_and_goes_on_with_a_larger_one(
    make_system: Callable[..., System], budget: Budget
) -> None:
    system = make_system(window_min_batches=1)
    system.put({f"{n:04d}": TEXT for n in range(500)})
    job_id = start_job(system.bucket, budget=budget, using=system.feeder).job_id
    system.feed(job_id)
    assert system.job(job_id).costs.budget == budget
    settle(using=system.feeder)
    first = system.job(job_id)
    if budget.dollars is None:
        assert first.job.status is JobStatus.SCANNING, "nothing is read yet"
    system.deliver(job_id)
    settle(using=system.feeder)
    paused = system.job(job_id)
    assert paused.job.status is JobStatus.PAUSED
    assert str(paused.job.status_reason).startswith("budget: ")
    assert paused.progress.done < 500
    resume_job(job_id, using=system.feeder)
    system.feed(job_id)
    settle(using=system.feeder)
    assert system.job(job_id).job.status is JobStatus.PAUSED, "the same budget pauses it again"
    resume_job(job_id, budget=Budget(objects=10_000), using=system.feeder)
    view = system.run(job_id)
    assert (view.job.status, view.progress.scanned) == (JobStatus.SUCCEEDED, 500)


def test_job_that_ends_within_its_budget_is_not_paused_at_the_end(system: System) -> None:
    system.put({f"{n}": TEXT for n in range(5)})
    job_id = start_job(system.bucket, budget=Budget(objects=5), using=system.feeder).job_id
    system.feed(job_id)
    system.deliver(job_id)
    settle(using=system.feeder)
    assert system.job(job_id).job.status is JobStatus.SUCCEEDED


def test_work_of_a_lost_claim_is_not_counted(system: System) -> None:
    system.put({"a": TEXT})
    job_id = start_job(system.bucket, using=system.feeder).job_id
    system.feed(job_id)
    bodies = system.queues.bodies(system.job(job_id).job.lane)
    system.deliver(job_id)
    from .conftest import run_message  # noqa: PLC0415

    assert run_message(bodies[0], system.worker) == "not_claimable"
    with transaction(system.engine) as connection:
        work = job_costs.read_work(connection, system.job(job_id).job.job_no)
    assert work.bytes_read == len(TEXT)


def test_job_pays_for_retrieval_where_the_storage_class_charges_for_it(system: System) -> None:
    large = b"some text\n" * 100_000
    system.put({"cold": large, "warm": large, "cool": large})
    system.objects.storage_classes |= {(system.bucket, "cold"): "GLACIER_IR", (system.bucket, "cool"): "STANDARD_IA"}
    before = estimate_scan(system.bucket, using=system.feeder).estimate
    view = system.run(start_job(system.bucket, using=system.feeder).job_id)
    retrieval = len(large) / 1024**3 * (0.03 + 0.01)
    assert before.parts["s3_retrieval"] == pytest.approx(retrieval)
    for told in (view.costs.estimate, view.costs.actual):
        assert told["parts"]["s3_retrieval"] == pytest.approx(retrieval, abs=2e-9)
        assert told["parts"]["s3_get"] == pytest.approx(before.parts["s3_get"], abs=2e-9)
        assert told["dollars"] > retrieval

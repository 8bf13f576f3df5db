"""Every change of the ledger is guarded by the state it starts from: repeats change nothing and count nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from scanner_tasks.core.model import (
    Job,
    JobStatus,
    ObjectRef,
    ObjectResult,
    Outcome,
)
from scanner_tasks.core.planning import Policy, plan_page
from scanner_tasks.store import batches, feeding, jobs, progress, sweep
from scanner_tasks.store.engine import execute, transaction

from .conftest import MD5, refs
from .ledgers import assert_sums_agree, claim, live, record, results


def test_listing_is_recorded_once_however_many_turns_record_it(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job(listed=False)
    page = refs(job.bucket, 250)
    planned = plan_page(page, Policy(object_max_bytes=10**9))
    with transaction(engine) as connection:
        assert feeding.add_batches(connection, job, planned, cursor=page[-1].key, is_last=False)
    with transaction(engine) as connection:
        assert not feeding.add_batches(connection, job, planned, cursor=page[-1].key, is_last=False)
    sums = assert_sums_agree(engine, job)
    assert (sums.listed, sums.bytes_listed, sums.batches, sums.open_batches) == (250, 2500, 3, 3)


def test_objects_that_are_not_read_have_their_outcome_from_the_listing_on(
    engine: Engine, new_job: Callable[..., Job], bucket: str
) -> None:
    page = [
        ObjectRef(bucket=bucket, key="dir/", size_bytes=0, etag=MD5),
        ObjectRef(bucket=bucket, key="empty", size_bytes=0, etag=MD5),
        ObjectRef(bucket=bucket, key="cold", size_bytes=5, etag=MD5, storage_class="GLACIER"),
        ObjectRef(bucket=bucket, key="huge", size_bytes=10**10, etag=MD5),
        ObjectRef(bucket=bucket, key="text", size_bytes=5, etag=MD5),
    ]
    job = new_job(page)
    sums = assert_sums_agree(engine, job)
    assert sums.outcomes == {
        "skipped(folder_marker)": 1,
        "skipped(empty)": 1,
        "skipped(archived_storage_class)": 1,
        "skipped(too_large)": 1,
    }
    batch = claim(engine, job)
    assert batch
    assert [(position, ref.key) for position, ref in batch.objects] == [(4, "text")]


def test_batch_of_skipped_objects_alone_is_done_and_never_claimed(
    engine: Engine, new_job: Callable[..., Job], bucket: str
) -> None:
    job = new_job([ObjectRef(bucket=bucket, key="e", size_bytes=0, etag=MD5)])
    assert claim(engine, job) is None
    with transaction(engine) as connection:
        assert sweep.advance_done_from(connection, job.job_no)
        assert sweep.finish_job(connection, job.job_no) is JobStatus.SUCCEEDED


@pytest.mark.parametrize("before", ["", "logs/", "it's \\ ", "\ue000", "\0"])
def test_keys_of_a_batch_come_back_as_they_are_whatever_they_begin_with(
    engine: Engine, new_job: Callable[..., Job], bucket: str, before: str
) -> None:
    keys = [before + key for key in ("", "\0", "\0|", "|", "'", "\\", "0", "a", "e|", "\ue000", "\ue000|")]
    etags = [MD5, f"{MD5}-7", "no MD5", "'\\", "", "é"]
    objects = [
        ObjectRef(bucket=bucket, key=key, size_bytes=n + 1, etag=etag)
        for n, (key, etag) in enumerate(zip(filter(None, keys), itertools.cycle(etags), strict=False))
    ]
    batch = claim(engine, new_job(objects), 0)
    assert [ref for _, ref in batch.objects] == objects


@pytest.mark.parametrize(
    "key", ["a//b", "/lead", "x/../y", "sp ace+é.csv", "a\nb", "nul\0x", "\ue000", "it's \\ 100%", "%s"]
)
def test_keys_come_back_exactly(engine: Engine, new_job: Callable[..., Job], bucket: str, key: str) -> None:
    etag = f"{MD5}-17"
    job = new_job([ObjectRef(bucket=bucket, key=key, size_bytes=3, etag=etag)])
    batch = claim(engine, job)
    assert batch
    assert batch.objects == ((0, ObjectRef(bucket=bucket, key=key, size_bytes=3, etag=etag)),)


def test_second_delivery_finds_nothing_to_claim(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    batch = claim(engine, job)
    assert batch
    assert (batch.attempt, batch.tries) == (1, 1)
    assert claim(engine, job) is None
    assert assert_sums_agree(engine, job).processing == 100
    assert record(engine, batch, results(batch))
    assert claim(engine, job) is None
    sums = assert_sums_agree(engine, job)
    assert (sums.scanned, sums.findings, sums.occurrences, sums.open_batches) == (100, 1, 7, 2)


def test_recording_twice_counts_once_and_is_recognised_after_an_ambiguous_commit(
    engine: Engine, new_job: Callable[..., Job]
) -> None:
    job = new_job()
    batch = claim(engine, job)
    assert batch
    assert record(engine, batch, results(batch))
    assert record(engine, batch, results(batch)), "the first commit went through: the caller may acknowledge"
    assert assert_sums_agree(engine, job).findings == 1


def test_late_worker_cannot_finish_what_a_later_attempt_has_claimed(
    engine: Engine, new_job: Callable[..., Job]
) -> None:
    # Attempt 1's lease runs out, the sweep plans the batch again, attempt 2 claims it. 1 must not finish, 2 must.
    job = new_job()
    late = claim(engine, job, lease_s=0)
    with transaction(engine) as connection:
        assert sweep.return_expired(connection, job.job_no, dispatched_timeout_s=None) == 1
    second = claim(engine, job)
    assert late
    assert second
    assert (second.attempt, second.tries) == (2, 2)
    assert not record(engine, late, results(late, Outcome.FAILED_CORRUPT))
    assert assert_sums_agree(engine, job).failed == 0
    assert record(engine, second, results(second))
    assert assert_sums_agree(engine, job).scanned == 100


def test_renewal_keeps_the_lease_and_tells_what_was_taken_away(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    kept, lost = claim(engine, job, 0, lease_s=0), claim(engine, job, 1, lease_s=0)
    assert kept
    assert lost
    with transaction(engine) as connection:
        execute(connection, "update job_batches set attempt = 9 where job_no = :n and batch_no = 1", n=job.job_no)
        held = [(b.job_no, b.batch_no, b.attempt) for b in (kept, lost)]
        assert batches.renew_leases(connection, held, lease_s=60) == {held[0]}
    with transaction(engine) as connection:
        assert sweep.return_expired(connection, job.job_no, dispatched_timeout_s=None) == 1
    assert claim(engine, job, 0) is None
    assert claim(engine, job, 1)


def test_stopping_worker_records_what_it_did_and_gives_back_the_rest(
    engine: Engine, new_job: Callable[..., Job]
) -> None:
    job = new_job()
    first = claim(engine, job)
    assert first
    assert record(engine, first, results(first, first=30))
    sums = assert_sums_agree(engine, job)
    assert (sums.scanned, sums.processing, sums.open_batches) == (30, 0, 3)
    rest = claim(engine, job)
    assert rest
    assert [position for position, _ in rest.objects] == list(range(30, 100))
    assert rest.tries == 1, "a claim that was given back is no attempt"
    assert record(engine, rest, results(rest))
    assert assert_sums_agree(engine, job).scanned == 100


def test_released_batch_waits_for_its_message_and_counts_the_attempt(
    engine: Engine, new_job: Callable[..., Job]
) -> None:
    job = new_job()
    batch = claim(engine, job)
    assert batch
    with transaction(engine) as connection:
        assert batches.release_batch(connection, batch)
        assert not batches.release_batch(connection, batch)
    assert_sums_agree(engine, job)
    again = claim(engine, job)
    assert again
    assert again.tries == 2


def test_dispatch_marks_what_is_still_planned_and_moves_the_low_water_mark(
    engine: Engine, new_job: Callable[..., Job]
) -> None:
    job = new_job()
    with transaction(engine) as connection:
        view = feeding.dispatch_view(connection, job)
        assert (view.planned, view.ahead_batches, view.active_jobs) == (3, 0, 1)
        sent = feeding.planned_batches(connection, job.job_no, dispatch_from=view.dispatch_from, limit=10)
    assert sent == [0, 1, 2]
    claimed = claim(engine, job, 1)  # a fast worker claims before the mark
    assert claimed
    with transaction(engine) as connection:
        assert feeding.mark_dispatched(connection, job, sent, dispatch_from=3, dispatch_rev=view.dispatch_rev) == 2
        assert feeding.mark_dispatched(connection, job, sent, dispatch_from=3, dispatch_rev=view.dispatch_rev) == 0
        assert feeding.dispatch_view(connection, job).dispatch_from == 3
    assert_sums_agree(engine, job)


def test_batch_planned_again_during_a_dispatch_is_found_by_the_next(
    engine: Engine, new_job: Callable[..., Job]
) -> None:
    # The view is read, batches are sent; meanwhile the sweep returns batch 0: the mark must not pass over it.
    job = new_job()
    with transaction(engine) as connection:
        view = feeding.dispatch_view(connection, job)
        feeding.mark_dispatched(connection, job, [0], dispatch_from=1, dispatch_rev=view.dispatch_rev)
        view = feeding.dispatch_view(connection, job)
    assert claim(engine, job, 0, lease_s=0)
    with transaction(engine) as connection:
        assert sweep.return_expired(connection, job.job_no, dispatched_timeout_s=None) == 1
    with transaction(engine) as connection:
        feeding.mark_dispatched(connection, job, [1, 2], dispatch_from=3, dispatch_rev=view.dispatch_rev)
        view = feeding.dispatch_view(connection, job)
        assert feeding.planned_batches(connection, job.job_no, dispatch_from=view.dispatch_from, limit=9) == [0]
    assert_sums_agree(engine, job)


def test_batch_sent_long_ago_is_planned_again_only_when_its_lane_is_empty(
    engine: Engine, new_job: Callable[..., Job]
) -> None:
    job = new_job()
    with transaction(engine) as connection:
        rev = feeding.dispatch_view(connection, job).dispatch_rev
        feeding.mark_dispatched(connection, job, [0, 1], dispatch_from=2, dispatch_rev=rev)
        execute(
            connection,
            "update job_batches set state_at = now() - interval '2 hours' where job_no = :n and batch_no = 0",
            n=job.job_no,
        )
    with transaction(engine) as connection:
        assert sweep.return_expired(connection, job.job_no, dispatched_timeout_s=None) == 0
        assert sweep.return_expired(connection, job.job_no, dispatched_timeout_s=3600) == 1
    assert_sums_agree(engine, job)


def test_paused_job_can_not_be_claimed_and_resumes_exactly(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    held = claim(engine, job, 0)
    assert held
    with transaction(engine) as connection:
        rev = feeding.dispatch_view(connection, job).dispatch_rev
        feeding.mark_dispatched(connection, job, [1], dispatch_from=2, dispatch_rev=rev)
        assert jobs.change_status(connection, job.job_no, JobStatus.PAUSED, new_epoch=True) == 1
        assert sweep.return_sent(connection, job.job_no) == 2
    assert claim(engine, job, 2) is None, "the message carries the old epoch"
    assert claim(engine, job, 2, epoch=1) is None, "the job is paused"
    assert not record(engine, held, results(held))
    with transaction(engine) as connection:
        assert feeding.mark_dispatched(connection, job, [2], dispatch_from=3, dispatch_rev=rev) == 0
    assert_sums_agree(engine, job)
    with transaction(engine) as connection:
        jobs.change_status(connection, job.job_no, JobStatus.SCANNING)
    again = claim(engine, job, 0, epoch=1)
    assert again
    assert again.tries == 1


def test_cancelled_job_accounts_for_every_object_it_left(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    done, held = claim(engine, job, 0), claim(engine, job, 1)
    assert done
    assert held
    assert record(engine, done, results(done))
    with transaction(engine) as connection:
        assert jobs.change_status(connection, job.job_no, JobStatus.CANCELLED, reason="asked", new_epoch=True)
        assert not jobs.end_job(connection, job.job_no), "something is open still"
        assert sweep.close_batches(connection, job.job_no, Outcome.SKIPPED_CANCELLED) == 2
        assert sweep.close_batches(connection, job.job_no, Outcome.SKIPPED_CANCELLED) == 0
        assert jobs.end_job(connection, job.job_no)
    assert not record(engine, held, results(held))
    sums = assert_sums_agree(engine, job)
    assert (sums.scanned, sums.skipped, sums.open_batches) == (100, 150, 0)
    assert sums.bytes_done == sums.bytes_listed


def test_closing_keeps_the_outcomes_that_are_there(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    batch = claim(engine, job)
    assert batch
    assert record(engine, batch, results(batch, Outcome.PARTIAL_BYTES, first=10))
    with transaction(engine) as connection:
        assert sweep.close_batches(connection, job.job_no, Outcome.FAILED_DEAD_LETTER, batch_no=0) == 1
    sums = assert_sums_agree(engine, job)
    assert (sums.partial, sums.outcomes["failed(dead_letter)"]) == (10, 90)


def test_finished_job_says_whether_anything_failed(engine: Engine, new_job: Callable[..., Job], bucket: str) -> None:
    job = new_job(refs(bucket, 10))
    batch = claim(engine, job)
    assert batch
    with transaction(engine) as connection:
        assert not sweep.advance_done_from(connection, job.job_no)
        assert sweep.finish_job(connection, job.job_no) is None
    found = [*results(batch, first=9), ObjectResult(position=9, outcome=Outcome.FAILED_DENIED, detail="s3:GetObject")]
    assert record(engine, batch, found)
    with transaction(engine) as connection:
        assert sweep.advance_done_from(connection, job.job_no)
        assert sweep.finish_job(connection, job.job_no) is JobStatus.SUCCEEDED_WITH_FAILURES
        assert sweep.finish_job(connection, job.job_no) is None
        row = execute(
            connection, "select detail from job_objects where job_no = :n and status = 'failed'", n=job.job_no
        ).one()
    assert row.detail == "s3:GetObject"


def test_compaction_changes_no_sum(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    for batch_no in range(3):
        batch = claim(engine, job, batch_no)
        assert batch
        assert record(engine, batch, results(batch))
    before = live(engine, job)
    with transaction(engine) as connection:
        assert progress.compact_deltas(connection) > 0
        assert progress.compact_deltas(connection) == 0
    assert live(engine, job) == before
    assert_sums_agree(engine, job)


def test_unknown_job_or_batch_is_nothing_to_claim(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    assert claim(engine, job, 99) is None
    with transaction(engine) as connection:
        assert batches.claim_batch(connection, job_id=uuid4(), batch_no=0, epoch=0, lease_s=1) is None


def test_illegal_status_changes_are_refused(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    with transaction(engine) as connection:
        assert jobs.change_status(connection, job.job_no, JobStatus.CANCELLED) is not None
        assert jobs.change_status(connection, job.job_no, JobStatus.SCANNING) is None
        assert jobs.change_status(connection, job.job_no, JobStatus.PAUSED) is None


def test_one_of_two_callers_gets_the_next_execution(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    with transaction(engine) as connection:
        assert jobs.next_execution(connection, job.job_no, after=0) == 1
        assert jobs.next_execution(connection, job.job_no, after=0) is None
        assert not sweep.needs_feeding(connection, job.job_no)
        jobs.set_execution(connection, job.job_no, execution_no=1, arn=None)
        assert sweep.needs_feeding(connection, job.job_no), "a start that failed leaves the job to settle"

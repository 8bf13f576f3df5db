"""Byte ranges of one object: listed once, counted once, one outcome, each finding the sum of its ranges' parts."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.model import (
    ClaimedBatch,
    Confidence,
    Job,
    JobStatus,
    Location,
    ObjectRef,
    ObjectResult,
    Outcome,
    RuleFindings,
    Severity,
)
from scanner_tasks.store import batches, feeding, findings, jobs, ranges, reopen, sweep
from scanner_tasks.store.engine import execute, transaction
from scanner_tasks.store.range_results import record_range
from scanner_tasks.store.verify import read_accounts

from .conftest import MD5, refs
from .ledgers import FOUND, assert_sums_agree, claim, record, results

#: Four ranges of 256 bytes, and the last one of 232.
BIG, RANGE_BYTES = 1000, 256
KEPT = 3


@pytest.fixture
def job(new_job: Callable[..., Job], bucket: str) -> Job:
    """A job over one large object (batch 0); its ranges become batches 1 to 4."""
    big = ObjectRef(bucket=bucket, key="a\0big", size_bytes=BIG, etag=f"{MD5}-3", version_id="v1")
    return new_job([big], listed=True)


def split(engine: Engine, job: Job) -> None:
    batch = claim(engine, job, 0)
    assert batch
    with transaction(engine) as connection:
        assert ranges.split_batch(connection, batch, range_bytes=RANGE_BYTES)


def found(at: int, count: int = 2, confidence: Confidence = Confidence.MEDIUM, rule: str = "us.ssn") -> RuleFindings:
    place = replace(FOUND.occurrences[0], location=Location(line=0, column=0, offset=at))
    return replace(FOUND, rule_id=rule, count=count, confidence=confidence, occurrences=(place,) * min(count, KEPT))


def end(engine: Engine, batch: ClaimedBatch | None, outcome: Outcome = Outcome.SCANNED, *each: RuleFindings) -> bool:
    assert batch
    with transaction(engine) as connection:
        detail = None if outcome is Outcome.SCANNED else "said why"
        result = ObjectResult(position=0, outcome=outcome, findings=each, detail=detail)
        return record_range(connection, batch, [result], kept=KEPT)


def finish(engine: Engine, job: Job) -> JobStatus | None:
    with transaction(engine) as connection:
        sweep.advance_done_from(connection, job.job_no)
        return sweep.finish_job(connection, job.job_no)


def read(engine: Engine, job: Job) -> list[tuple[str, str, int, str, list[int]]]:
    with transaction(engine) as connection:
        rows = findings.read_findings(connection, findings.FindingFilter(job_id=job.job_id), after=None, limit=99)
    return [
        (f.key, f.rule_id, f.count, str(f.confidence), [place.location.offset for place in f.occurrences])
        for _, f in rows.found
    ]


def detail(engine: Engine, job: Job) -> str:
    with transaction(engine) as connection:
        query = "select detail from job_objects where job_no = :n and batch_no = 0"
        return str(execute(connection, query, n=job.job_no).scalar_one())


def kill(engine: Engine, job: Job, batch_no: int) -> None:
    with transaction(engine) as connection:
        assert sweep.close_batches(connection, job.job_no, Outcome.FAILED_DEAD_LETTER, batch_no=batch_no) == 1


def test_object_is_split_once_and_its_ranges_cover_it(engine: Engine, job: Job) -> None:
    batch = claim(engine, job, 0)
    assert batch
    for _ in range(2):  # the second time after an ambiguous commit
        with transaction(engine) as connection:
            assert ranges.split_batch(connection, batch, range_bytes=RANGE_BYTES)
        sums = assert_sums_agree(engine, job)
        assert (sums.listed, sums.processing, sums.batches, sums.open_batches) == (1, 1, 5, 4)
    assert claim(engine, job, 0) is None, "its message is delivered again: there is nothing to claim"
    assert not record(engine, batch, []), "and nothing to give back"
    claimed = [claim(engine, job, n) for n in range(1, 5)]
    parts = [(b.object_range.first_byte, b.object_range.last_byte) for b in claimed if b and b.object_range]
    assert parts == [(0, 255), (256, 511), (512, 767), (768, 999)]
    expected = ObjectRef(bucket=job.bucket, key="a\0big", size_bytes=BIG, etag=f"{MD5}-3", version_id="v1")
    assert {b.objects for b in claimed if b} == {((0, expected),)}
    assert_sums_agree(engine, job)


def test_late_worker_splits_nothing(engine: Engine, job: Job) -> None:
    late = claim(engine, job, 0, lease_s=0)
    with transaction(engine) as connection:
        assert sweep.return_expired(connection, job.job_no, dispatched_timeout_s=None) == 1
    second = claim(engine, job, 0)
    assert late
    assert second
    for batch, is_split in ((late, False), (second, True), (late, False)):
        with transaction(engine) as connection:
            assert ranges.split_batch(connection, batch, range_bytes=RANGE_BYTES) is is_split
    assert assert_sums_agree(engine, job).batches == 5


def test_page_that_is_recorded_beside_a_split_is_listed_again(
    engine: Engine, new_job: Callable[..., Job], bucket: str
) -> None:
    from scanner_tasks.core.planning import Policy, plan_page  # noqa: PLC0415

    job = new_job(listed=False)
    page = [ObjectRef(bucket=bucket, key="a", size_bytes=BIG, etag=MD5)]
    planned = plan_page(page, Policy(object_max_bytes=10**9))
    with transaction(engine) as connection:
        assert feeding.add_batches(connection, job, planned, cursor="a", is_last=False)
        seen = jobs.get_job(connection, job.job_id)
    assert seen
    split(engine, seen)
    with transaction(engine) as connection:
        assert not feeding.add_batches(connection, seen, planned, cursor="b", is_last=True)
        now = jobs.get_job(connection, job.job_id)
        assert now
        assert (now.cursor, now.next_batch_no) == ("a", 5)
        assert feeding.add_batches(connection, now, planned, cursor="b", is_last=True)
        view = feeding.dispatch_view(connection, now)
        planned_nos = feeding.planned_batches(connection, job.job_no, dispatch_from=view.dispatch_from, limit=9)
    assert planned_nos == [1, 2, 3, 4, 5]
    assert assert_sums_agree(engine, job).listed == 2


@pytest.mark.parametrize("order", [(1, 2, 3, 4), (4, 2, 3, 1)])
def test_last_range_to_end_sets_the_one_outcome_and_findings_add_up(
    engine: Engine, job: Job, order: tuple[int, ...]
) -> None:
    split(engine, job)
    claimed = {n: claim(engine, job, n) for n in order}
    for n in order[:3]:
        assert end(engine, claimed[n], Outcome.SCANNED, found(n * 100, confidence=Confidence(["low", "high"][n % 2])))
        sums = assert_sums_agree(engine, job)
        assert (sums.processing, sums.findings) == (1, 1), "rule and object are one finding, however many ranges"
        assert finish(engine, job) is None
    assert end(engine, claimed[order[3]], Outcome.SCANNED, found(order[3] * 100), found(7, 1, rule="payment.card"))
    assert end(engine, claimed[order[3]], Outcome.SCANNED, found(0)), "the commit went through: nothing is added"
    sums = assert_sums_agree(engine, job)
    assert (sums.scanned, sums.processing, sums.findings, sums.occurrences, sums.open_batches) == (1, 0, 2, 9, 0)
    assert sums.bytes_done == sums.bytes_listed == BIG
    assert read(engine, job) == [
        ("a\0big", "payment.card", 1, "medium", [7]),
        ("a\0big", "us.ssn", 8, "high", [100, 100, 200]),
    ]
    assert finish(engine, job) is JobStatus.SUCCEEDED


def test_severity_is_that_of_all_occurrences(engine: Engine, job: Job) -> None:
    split(engine, job)
    severities = []
    for n in range(1, 5):
        batch = claim(engine, job, n)
        assert batch
        with transaction(engine) as connection:
            result = ObjectResult(position=0, outcome=Outcome.SCANNED, findings=(found(n, 2),), allowed=n)
            at_six = lambda rule, count: Severity.CRITICAL if (rule, count >= 6) == ("us.ssn", True) else Severity.LOW  # noqa: E731
            assert record_range(connection, batch, [result], kept=KEPT, severity_at=at_six)
            severities.append(
                execute(connection, "select severity from findings where job_no = :n", n=job.job_no).scalar()
            )
    assert severities == ["high", "low", "critical", "critical"]
    assert assert_sums_agree(engine, job).allowed == 10


def test_bytes_are_done_range_by_range(engine: Engine, job: Job) -> None:
    split(engine, job)
    assert end(engine, claim(engine, job, 4))
    sums = assert_sums_agree(engine, job)
    assert (sums.done, sums.bytes_done, sums.bytes_listed) == (0, 232, BIG)


def test_worst_range_is_the_objects_outcome_and_what_the_others_found_is_kept(engine: Engine, job: Job) -> None:
    split(engine, job)
    assert end(engine, claim(engine, job, 1), Outcome.SCANNED, found(1))
    assert end(engine, claim(engine, job, 2), Outcome.PARTIAL_TIME, found(300))
    assert end(engine, claim(engine, job, 3), Outcome.FAILED_CHANGED_SINCE_LISTING)
    kill(engine, job, 4)
    sums = assert_sums_agree(engine, job)
    assert sums.outcomes == {"failed(changed_since_listing)": 1}
    assert (sums.findings, sums.occurrences, sums.bytes_done) == (1, 4, BIG)
    assert detail(engine, job) == (
        "1 of its 4 byte ranges are failed(changed_since_listing), the first of them from byte 512 on. said why"
    )
    assert finish(engine, job) is JobStatus.SUCCEEDED_WITH_FAILURES


def test_retried_range_replaces_its_own_part_only(engine: Engine, job: Job) -> None:
    split(engine, job)
    assert end(engine, claim(engine, job, 1), Outcome.SCANNED, found(1), found(3, rule="only.first"))
    assert end(engine, claim(engine, job, 2), Outcome.FAILED_CRASHED, found(300, 5, Confidence.HIGH))
    assert end(engine, claim(engine, job, 3), Outcome.FAILED_DENIED, found(600, rule="only.third"))
    assert end(engine, claim(engine, job, 4))
    assert assert_sums_agree(engine, job).outcomes == {"failed(denied)": 1}
    assert finish(engine, job) is JobStatus.SUCCEEDED_WITH_FAILURES
    with transaction(engine) as connection:
        opened, at = reopen.reopen_failed(connection, job.job_no, from_batch_no=0)
    assert (opened.batches, opened.objects, at) == (2, 1, None)
    sums = assert_sums_agree(engine, job)
    assert (sums.failed, sums.processing, sums.bytes_done, sums.open_batches) == (0, 1, 256 + 232, 2)
    assert read(engine, job) == [
        ("a\0big", "only.first", 2, "medium", [3, 3]),
        ("a\0big", "us.ssn", 2, "medium", [1, 1]),
    ]
    with transaction(engine) as connection:
        failures = execute(connection, "select count(*) from object_failures where job_no = :n", n=job.job_no)
        assert failures.scalar() == 0
        assert reopen.reopen_failed(connection, job.job_no, from_batch_no=0)[0].batches == 0
    assert claim(engine, job, 0) is None
    assert claim(engine, job, 1) is None, "it was scanned: it stays"
    assert end(engine, claim(engine, job, 2), Outcome.SCANNED, found(300, 1))
    assert finish(engine, job) is None
    assert end(engine, claim(engine, job, 3))
    assert assert_sums_agree(engine, job).scanned == 1
    assert read(engine, job)[1] == ("a\0big", "us.ssn", 3, "medium", [1, 1, 300])
    assert finish(engine, job) is JobStatus.SUCCEEDED


def test_dead_range_is_opened_by_its_letter_and_its_object_with_it(engine: Engine, job: Job) -> None:
    split(engine, job)
    for n in (1, 2, 4):
        assert end(engine, claim(engine, job, n), Outcome.SCANNED, found(n))
    kill(engine, job, 3)
    assert assert_sums_agree(engine, job).outcomes == {"failed(dead_letter)": 1}
    assert finish(engine, job) is JobStatus.SUCCEEDED_WITH_FAILURES
    for again in (1, 0):
        with transaction(engine) as connection:
            opened = reopen.reopen_dead(connection, job.job_no, 3)
        assert (opened.batches, opened.objects) == (again, again)
        assert assert_sums_agree(engine, job).processing == 1
    with transaction(engine) as connection:
        now = jobs.get_job(connection, job.job_id)
        assert now
        assert now.status is JobStatus.SCANNING
        view = feeding.dispatch_view(connection, now)
        assert feeding.planned_batches(connection, job.job_no, dispatch_from=view.dispatch_from, limit=9) == [3]
    assert end(engine, claim(engine, job, 3), Outcome.SCANNED, found(3))
    assert read(engine, job) == [("a\0big", "us.ssn", 8, "medium", [1, 1, 2])]
    assert finish(engine, job) is JobStatus.SUCCEEDED


def test_failed_range_of_an_object_that_others_still_scan_is_opened_alone(engine: Engine, job: Job) -> None:
    split(engine, job)
    held = claim(engine, job, 1)
    assert end(engine, claim(engine, job, 2), Outcome.FAILED_DENIED)
    with transaction(engine) as connection:
        opened, _ = reopen.reopen_failed(connection, job.job_no, from_batch_no=0)
    assert (opened.batches, opened.objects) == (1, 0)
    assert assert_sums_agree(engine, job).open_batches == 4
    assert end(engine, held)


def test_pause_takes_ranges_from_their_workers_and_cancel_ends_the_object(engine: Engine, job: Job) -> None:
    split(engine, job)
    assert end(engine, claim(engine, job, 1), Outcome.SCANNED, found(1))
    held = claim(engine, job, 2)
    with transaction(engine) as connection:
        assert jobs.change_status(connection, job.job_no, JobStatus.PAUSED, new_epoch=True) == 1
        assert sweep.return_sent(connection, job.job_no) == 1
    assert not end(engine, held), "it was taken away"
    assert assert_sums_agree(engine, job).findings == 1
    with transaction(engine) as connection:
        assert jobs.change_status(connection, job.job_no, JobStatus.SCANNING) == 1
    again = claim(engine, job, 2, epoch=1)
    assert again
    assert again.tries == 1
    with transaction(engine) as connection:
        jobs.change_status(connection, job.job_no, JobStatus.CANCELLED, reason="asked", new_epoch=True)
        assert sweep.close_batches(connection, job.job_no, Outcome.SKIPPED_CANCELLED) == 3
        assert sweep.close_batches(connection, job.job_no, Outcome.SKIPPED_CANCELLED) == 0
        assert jobs.end_job(connection, job.job_no)
    assert not end(engine, again)
    sums = assert_sums_agree(engine, job)
    assert (sums.outcomes, sums.findings, sums.bytes_done) == ({"skipped(cancelled)": 1}, 1, BIG)


def test_range_whose_worker_was_killed_or_stopped_is_scanned_by_another(engine: Engine, job: Job) -> None:
    split(engine, job)
    killed, stopped = claim(engine, job, 1, lease_s=0), claim(engine, job, 2)
    assert stopped
    with transaction(engine) as connection:
        assert sweep.return_expired(connection, job.job_no, dispatched_timeout_s=None) == 1
        assert record_range(connection, stopped, [], kept=KEPT)
        assert not record_range(connection, stopped, [], kept=KEPT)
    assert_sums_agree(engine, job)
    assert not end(engine, killed, Outcome.FAILED_CORRUPT, found(1))
    for n, tries in ((1, 2), (2, 1), (3, 1), (4, 1)):
        batch = claim(engine, job, n)
        assert batch
        assert batch.tries == tries
        if n == 1:
            assert not end(engine, killed, Outcome.FAILED_CORRUPT, found(1)), "another attempt has it"
        with transaction(engine) as connection:  # the infrastructure fails once
            assert batches.release_batch(connection, batch)
        assert end(engine, claim(engine, job, n), Outcome.SCANNED, found(n))
    sums = assert_sums_agree(engine, job)
    assert (sums.scanned, sums.findings, sums.occurrences) == (1, 1, 8)


def test_other_objects_of_the_job_are_opened_as_ever(engine: Engine, new_job: Callable[..., Job], bucket: str) -> None:
    big = ObjectRef(bucket=bucket, key="a", size_bytes=70_000_000, etag=MD5)
    job = new_job([big, *refs(bucket, 10)])
    batch = claim(engine, job, 0)
    assert batch
    with transaction(engine) as connection:
        assert ranges.split_batch(connection, batch, range_bytes=32_000_000)
    small = claim(engine, job, 1)
    assert small
    assert record(engine, small, results(small, Outcome.FAILED_DENIED))
    for n in (2, 3, 4):
        assert end(engine, claim(engine, job, n), Outcome.FAILED_DENIED)
    assert assert_sums_agree(engine, job).failed == 11
    with transaction(engine) as connection:
        opened, _ = reopen.reopen_failed(connection, job.job_no, from_batch_no=0)
    assert (opened.batches, opened.objects) == (4, 11)
    assert_sums_agree(engine, job)


def test_ranges_that_end_at_the_same_moment_give_the_object_one_outcome(engine: Engine, job: Job) -> None:
    split(engine, job)
    claimed = [claim(engine, job, n) for n in range(1, 5)]
    together = threading.Barrier(4)

    def end_one(n: int) -> bool:
        together.wait(10)
        return end(engine, claimed[n], Outcome.SCANNED, found(n))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(end_one, range(4)))
    sums = assert_sums_agree(engine, job)
    assert (sums.scanned, sums.occurrences, read(engine, job)[0][2]) == (1, 8, 8)


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        ("update range_findings set count = 9 where job_no = :n", "findings that are not the sum of their ranges"),
        ("delete from range_findings where job_no = :n", "findings that are not the sum of their ranges"),
        ("delete from findings where job_no = :n", "findings that are not the sum of their ranges"),
        ("update object_ranges set last_byte = 600 where job_no = :n and batch_no = 3", "ranges do not cover them"),
        (
            "update job_batches set outcomes = '\\x00', pending = 1 where job_no = :n and batch_no = 0",
            "objects without an outcome in batches that are done, and not in ranges",
        ),
    ],
)
def test_verification_finds_what_is_wrong_with_ranges(engine: Engine, job: Job, damage: str, fault: str) -> None:
    split(engine, job)
    for n in range(1, 5):
        assert end(engine, claim(engine, job, n), Outcome.SCANNED, found(n))
    assert_sums_agree(engine, job)
    with transaction(engine) as connection:
        execute(connection, damage, n=job.job_no)
        accounts = read_accounts(connection, job.job_no)
    assert not accounts.agree
    assert any(what.endswith(fault) for what in accounts.faults), accounts


def repeated(action: Callable[..., Any], *what: Any, **more: Any) -> Any:
    """As workers and settle do: of two that lock the same rows in another order Postgres ends one (40P01)."""
    while True:
        with suppress(Unavailable):
            return action(*what, **more)


class Storm:
    """Deliveries of 24 batches in any order, each of which ends somehow: three objects of seven ranges."""

    def __init__(self, engine: Engine, job: Job, seed: int) -> None:
        self.engine, self.job, self.seed = engine, job, seed

    def deliver(self, n: int) -> None:
        """Four messages."""
        dice = random.Random(f"{self.seed} {n}")
        for _ in range(4):
            batch_no, what = dice.randrange(24), dice.random()
            batch = repeated(claim, self.engine, self.job, batch_no, lease_s=dice.choice([0, 60]))
            if batch:
                repeated(self.work, batch, what, dice)
            elif what > 0.9:
                repeated(self.settle, sweep.close_batches, Outcome.FAILED_DEAD_LETTER, batch_no=batch_no)
            if what < 0.1:
                repeated(self.settle, sweep.return_expired, dispatched_timeout_s=0)

    def settle(self, action: Callable[..., int], *what: Outcome, **more: int) -> None:
        with transaction(self.engine) as connection:
            action(connection, self.job.job_no, *what, **more)

    def work(self, batch: ClaimedBatch, what: float, dice: random.Random) -> None:
        if what < 0.75:
            outcomes = [Outcome.SCANNED, Outcome.SCANNED, Outcome.PARTIAL_TIME, Outcome.FAILED_CRASHED]
            self.do(batch, dice.choice(outcomes), 1 + batch.batch_no % 2)
        elif what < 0.9 and batch.object_range:  # the worker is told to stop; behind that, it is killed
            with transaction(self.engine) as connection:
                record_range(connection, batch, [], kept=KEPT)

    def do(self, batch: ClaimedBatch, outcome: Outcome, count: int) -> None:
        if batch.object_range:
            end(self.engine, batch, outcome, found(batch.object_range.first_byte, count))
        else:
            with transaction(self.engine) as connection:
                ranges.split_batch(connection, batch, range_bytes=10_000_000)

    def do_all(self) -> None:
        """What is left is done, what failed is retried."""
        with transaction(self.engine) as connection:
            sweep.return_sent(connection, self.job.job_no)
        with transaction(self.engine) as connection:
            reopen.reopen_failed(connection, self.job.job_no, from_batch_no=0)
        for batch_no in random.Random(self.seed).sample(range(24), 24):
            if batch := claim(self.engine, self.job, batch_no):
                self.do(batch, Outcome.SCANNED, 1)


@pytest.mark.parametrize("seed", [1, 2])
def test_storm_of_deliveries_kills_ends_and_retries_counts_everything_once(
    engine: Engine, new_job: Callable[..., Job], bucket: str, seed: int
) -> None:
    job = new_job([ObjectRef(bucket=bucket, key=f"k{n}", size_bytes=70_000_000, etag=MD5) for n in range(3)])
    storm = Storm(engine, job, seed)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(storm.deliver, range(60)))
    assert_sums_agree(engine, job)
    while not finish(engine, job):
        storm.do_all()
        sums = assert_sums_agree(engine, job)
    storm.do_all()  # the job may have ended with failures
    sums = assert_sums_agree(engine, job)
    assert sums.scanned + sums.partial == 3
    assert (sums.batches, sums.open_batches, sums.bytes_done) == (24, 0, 210_000_000)
    assert sums.findings == 3
    with transaction(engine) as connection:
        query = "select sum(count) as n, count(*) as parts from range_findings where job_no = :n"
        parts = execute(connection, query, n=job.job_no).one()
    assert (parts.n, parts.parts) == (sums.occurrences, 21)

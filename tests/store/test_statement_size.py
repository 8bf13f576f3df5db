"""Every statement that the store sends fits into what RDS Proxy multiplexes, whatever keys and findings hold."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import psycopg2.extensions
import pytest
from sqlalchemy import Engine

from scanner_tasks.core.bases import Base
from scanner_tasks.core.choosing import ChosenPage
from scanner_tasks.core.incremental import Run
from scanner_tasks.core.model import (
    Column,
    Confidence,
    Job,
    JobSource,
    JobStatus,
    Location,
    ObjectRef,
    ObjectResult,
    Occurrence,
    Outcome,
    RuleFindings,
    Severity,
    TriageStatus,
)
from scanner_tasks.core.planning import Policy, plan_page
from scanner_tasks.flow.feed import SEND_AT_ONCE
from scanner_tasks.store import (
    base_jobs,
    batches,
    dead_letters,
    feeding,
    findings,
    jobs,
    key_ranges,
    partitions,
    progress,
    ranges,
    reopen,
    sweep,
    triage,
)
from scanner_tasks.store.engine import MAX_STATEMENT_BYTES, execute, make_engine, transaction
from scanner_tasks.store.range_results import record_range

MD5 = "d41d8cd98f00b204e9800998ecf8427e"
#: 1,024 bytes each, S3's most; each kind grows in another way on its way into SQL.
WORST_KEYS = {
    "quotes": "'" * 1020,
    "backslashes": "\\" * 1020,
    "both": "'\\" * 510,
    "NULs": "\0" * 1020,
    "private use": "\ue000" * 340,
    "emoji": "\U0001f600" * 255,
    "control characters": "\x01" * 1020,
    "percents": "%s%%" * 255,
}


@pytest.fixture
def sent(database_url: str) -> Iterator[list[bytes]]:
    """Every statement that is sent, as the server gets it, by connections of ``measured``."""
    statements: list[bytes] = []
    yield statements
    assert statements
    longest = max(statements, key=len)
    assert len(longest) <= MAX_STATEMENT_BYTES, (len(longest), longest[:300])


@pytest.fixture
def measured(database_url: str, sent: list[bytes]) -> Iterator[Engine]:
    class Measuring(psycopg2.extensions.cursor):
        def execute(self, query, vars=None):  # noqa: A002 (psycopg2's name)
            super().execute(query, vars)
            sent.append(self.query)

    engine = make_engine(database_url, pool_size=2)
    engine = engine.execution_options()
    from sqlalchemy import event  # noqa: PLC0415

    @event.listens_for(engine, "do_connect")
    def with_factory(_dialect, _record, _args, parameters) -> None:
        parameters["cursor_factory"] = Measuring

    yield engine
    engine.dispose()


def objects_named(kind: str, count: int) -> list[ObjectRef]:
    return [
        ObjectRef(
            bucket="b" * 63,
            key=f"{n:04d}{WORST_KEYS[kind]}",
            size_bytes=10**9 + n if n % 50 == 0 else n,
            etag=MD5,
            version_id="'" * 32 if kind == "both" else None,
        )
        for n in range(count)
    ]


def worst_findings(keep: int) -> tuple[RuleFindings, ...]:
    """Of every rule the most places, their texts of what grows most."""
    place = Occurrence(
        masked="\\'" * 32,
        context="\x01\\'\U0001f600" * 50,
        location=Location(line=10**9, column=10**9, offset=10**12),
        fingerprint="k" * 16 + ":" + "0" * 32,
    )
    return tuple(
        RuleFindings(
            rule_id=f"rule.{n}",
            severity=Severity.CRITICAL,
            confidence=Confidence.MEDIUM,
            count=10**12,
            occurrences=(place,) * keep,
            allowed=10**12,
            columns=(Column(name="\\'\U0001f600" * 50, rows=10**9, valid=10**9),) * 20,
        )
        for n in range(3)
    )


def every_way_to_ask(key: str, *, few: bool = False) -> Iterator[findings.FindingFilter]:
    """Key, prefix and rule as long as they may be, of what grows most; with and without a fingerprint."""
    ways = itertools.product([None, key], [None, key[:1000]], [None, "'" * 1024], [None, "k" * 16 + ":" + "0" * 32])
    for whole, prefix, rule, fingerprint in itertools.islice(ways, 1 if few else None):
        yield findings.FindingFilter(key=whole, prefix=prefix, rule=rule, fingerprint=fingerprint)


@pytest.fixture
def listed(measured: Engine, new_job: Callable[..., Job]) -> Callable[[str, int], Job]:
    """A job whose listing is recorded through the measured connection."""

    def make(kind: str, count: int = 120) -> Job:
        job_id, refs = uuid4(), objects_named(kind, count)
        with transaction(measured) as connection:
            jobs.lock_fleet(connection)
            jobs.add_job(
                connection,
                job_id=job_id,
                bucket=refs[0].bucket,
                prefix=refs[0].key[:1000],
                source=JobSource.LISTING,
                lane="scan-0",
                ruleset_hash="r",
            )
            job = jobs.get_job(connection, job_id)
        for n, page in enumerate((refs[: count // 2], refs[count // 2 :])):
            planned = plan_page(page, Policy(object_max_bytes=10**12))
            with transaction(measured) as connection:
                assert feeding.add_batches(connection, job, planned, cursor=page[-1].key, is_last=n == 1)
                job = jobs.get_job(connection, job_id)
        return job

    return make


@pytest.mark.parametrize("kind", WORST_KEYS)
@pytest.mark.parametrize("keep", [10, 100])
def test_listing_scan_and_results_of_the_worst_keys_fit(
    kind: str, keep: int, measured: Engine, listed: Callable[..., Job]
) -> None:
    job, found = listed(kind), worst_findings(keep)
    with transaction(measured) as connection:
        batch = batches.claim_batch(connection, job_id=job.job_id, batch_no=1, epoch=0, lease_s=60)
    assert batch
    results = [
        ObjectResult(position=position, outcome=Outcome.SCANNED, findings=found, detail="'\\" * 2000)
        for position, _ in batch.objects
    ]
    with transaction(measured) as connection:
        assert batches.record_results(connection, batch, results)
    key = batch.objects[0][1].key
    wanted = findings.FindingFilter(job_id=job.job_id, bucket=job.bucket, key=key, rule="rule.1")
    with transaction(measured) as connection:
        ((place, read),) = findings.read_findings(connection, wanted, after=None, limit=10).found
        for asked in (wanted, *every_way_to_ask(key, few=keep > 10)):
            findings.read_findings(connection, asked, after=place, limit=10)
        mark = triage.add_mark(connection, place, TriageStatus.FIXED, marked_by="'\\" * 100, reason="'\\" * 250)
        assert mark
        for asked in every_way_to_ask(key, few=keep > 10):
            for after in (None, place):
                findings.read_findings(connection, replace(asked, triage=TriageStatus.FIXED), after=after, limit=1000)
        assert triage.read_history(connection, mark.finding_id)[0] == mark
    # The key and the count are exact; of the places there are as many as fit.
    assert (read.key, read.count) == (key, 10**12)
    assert read.occurrences == found[1].occurrences[: len(read.occurrences)]
    assert len(read.occurrences) >= 5


@pytest.mark.parametrize("kind", WORST_KEYS)
def test_taking_over_from_a_base_with_the_worst_keys_fits(
    kind: str, measured: Engine, listed: Callable[..., Job]
) -> None:
    base = listed(kind)
    with transaction(measured) as connection:
        done = "update job_batches set outcomes = decode(repeat('0a', objects), 'hex') where job_no = :n"
        execute(connection, done, n=base.job_no)
    job = replace(base, base=Base(job_no=base.job_no, job_id=base.job_id))
    planned = plan_page(objects_named(kind, 120), Policy(object_max_bytes=10**12))
    with transaction(measured) as connection:
        marked, runs = base_jobs.take_over(connection, job, planned)
        unchanged = sum(planned.outcome is Outcome.UNCHANGED for batch in marked for planned in batch.objects)
        assert unchanged == sum(batch.pending for batch in planned)
        many = [Run(2**31 - 2, 999, 0, 999, 1000)] * 999 + list(runs)
        base_jobs.copy_findings(connection, job, many, first_no=2**31 - 200)


def test_hundred_objects_with_a_dozen_findings_each_fit(measured: Engine, listed: Callable[..., Job]) -> None:
    job = listed("quotes", 4)
    with transaction(measured) as connection:
        batch = batches.claim_batch(connection, job_id=job.job_id, batch_no=0, epoch=0, lease_s=60)
        renewed = [(job.job_no, n, 1) for n in range(2**31 - 101, 2**31 - 1)]
        batches.renew_leases(connection, [*renewed, (job.job_no, 0, 1)], lease_s=60)
        assert batch
        batches.record_results(connection, batch, [])
        batches.release_batch(connection, batch)
        jobs.change_status(connection, job.job_no, JobStatus.FAILED, reason="'" * 500, new_epoch=True)
        sweep.close_batches(connection, job.job_no, Outcome.FAILED_UNAVAILABLE)
        sweep.finish_job(connection, job.job_no)


def test_ranges_of_the_largest_object_with_the_worst_key_fit(measured: Engine, listed: Callable[..., Job]) -> None:
    job = listed("NULs", 4)
    with transaction(measured) as connection:
        whole = batches.claim_batch(connection, job_id=job.job_id, batch_no=0, epoch=0, lease_s=60)
        assert whole
        ((position, ref), *_) = whole.objects
        alone = replace(whole, objects=((position, replace(ref, size_bytes=5 * 2**40)),))
        assert ranges.split_batch(connection, alone, range_bytes=2**40)
        now = jobs.get_job(connection, job.job_id)
        assert now
        for keep, number in ((100, now.next_batch_no - 1), (10, now.next_batch_no - 2)):
            part = batches.claim_batch(connection, job_id=job.job_id, batch_no=number, epoch=0, lease_s=60)
            assert part
            found = ObjectResult(
                position=0, outcome=Outcome.FAILED_CRASHED, findings=worst_findings(keep), detail="'\\" * 2000
            )
            assert record_range(connection, part, [found], kept=100)
        opened, _ = reopen.reopen_failed(connection, job.job_no, from_batch_no=0)
        assert opened.batches == 2


def test_largest_round_of_dispatch_fits_at_the_highest_batch_numbers(
    measured: Engine, listed: Callable[..., Job]
) -> None:
    job = listed("quotes", 4)
    top = 2**31 - 1
    with transaction(measured) as connection:
        feeding.dispatch_view(connection, job)
        feeding.planned_batches(connection, job.job_no, dispatch_from=0, limit=SEND_AT_ONCE)
        feeding.mark_dispatched(
            connection, job, list(range(top - SEND_AT_ONCE, top)), dispatch_from=top, dispatch_rev=0
        )


@pytest.mark.parametrize("kind", WORST_KEYS)
def test_ranges_of_the_worst_keys_fit(kind: str, measured: Engine, new_job: Callable[..., Job]) -> None:
    job, owner = new_job(listed=False), uuid4()
    # A cut is as long as a key may be.
    cursor, cut, until = (key[: len(key) - 2] + f"{n:02d}" for n, key in enumerate([WORST_KEYS[kind]] * 3))
    whole = key_ranges.RangePage(number=0, cursor=cursor, until=until, is_done=False, chosen=ChosenPage(batches=()))
    with transaction(measured) as connection:
        (leased,) = key_ranges.take_ranges(connection, job, owner=owner, lease_s=60)
        recorded = key_ranges.record_pages(
            connection,
            job,
            [whole, replace(whole, number=1, cut=cut, cut_from=0)],
            places={0: leased.place},
            owner=owner,
        )
    assert recorded
    assert recorded.is_ours == (True, True)
    with transaction(measured) as connection:
        key_ranges.renew_ranges(connection, job.job_no, owner=owner, lease_s=60)
        key_ranges.release_ranges(connection, job.job_no, owner=owner)
        again = key_ranges.take_ranges(connection, job, owner=owner, lease_s=60)
    assert [(r.cursor, r.until) for r in again] == [(cursor, cut), (cursor, until)]


def test_largest_page_of_jobs_fits(measured: Engine) -> None:
    with transaction(measured) as connection:
        progress.view_progress(connection, range(2**31 - 1001, 2**31 - 1))
        progress.live_progress(connection, range(2**31 - 1001, 2**31 - 1))


def test_what_settle_sends_fits(measured: Engine, listed: Callable[..., Job]) -> None:
    job = listed("both", 8)
    with transaction(measured) as connection:
        jobs.lane_load(connection)
        sweep.return_expired(connection, job.job_no, dispatched_timeout_s=10.0)
        sweep.advance_done_from(connection, job.job_no)
        sweep.note_progress(connection, job.job_no)
        sweep.needs_feeding(connection, job.job_no)
        partitions.ensure_partitions(connection)
        progress.measure_buckets(connection)
        progress.compact_deltas(connection)
    with transaction(measured) as connection:
        progress.refresh_view(connection)
        progress.backlog_batches(connection)


def test_dead_letter_of_any_size_fits_and_is_kept_whole(measured: Engine) -> None:
    body = "'\\é\U0001f600" * 25_000  # some 250 KB, SQS's most for a long time
    letter = {
        "message_id": str(uuid4()),
        "body": body,
        "receive_count": 4,
        "sent_at": datetime.now(UTC),
        "group": "g" * 128,
        "task": "scanner_tasks." + "'" * 9000,
        "batch": None,
    }
    with transaction(measured) as connection:
        assert dead_letters.add_dead_letter(connection, **letter)
        assert not dead_letters.add_dead_letter(connection, **letter)
    with transaction(measured) as connection:
        (row,) = execute(
            connection, "select body, task from dead_letters where message_id = :id", id=letter["message_id"]
        ).all()
    assert row.body == body
    assert row.task.startswith("scanner_tasks.'")

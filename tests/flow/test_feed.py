"""Feed lists for a bounded time, keeps the window full, and may be repeated, doubled or cut off at any point."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from scanner_tasks.core.errors import Denied, Unavailable
from scanner_tasks.core.model import JobStatus
from scanner_tasks.flow.control import cancel_job, fail_job, pause_job, resume_job
from scanner_tasks.flow.feed import feed
from scanner_tasks.flow.read_results import get_results, list_jobs
from scanner_tasks.flow.settle import settle
from scanner_tasks.store.engine import execute, transaction

from .conftest import System

TEXT = b"some text\n"


def many(count: int) -> dict[str, bytes]:
    return {f"{n:06d}": TEXT for n in range(count)}


def test_two_turns_at_once_record_each_page_once(system: System) -> None:
    system.put(many(4500))
    job_id = system.start()
    with ThreadPoolExecutor(4) as pool:
        turns = [pool.submit(feed, job_id, execution_no=1, turn=0, using=system.feeder) for _ in range(4)]
        listed = sum(turn.result().listed for turn in turns)
    assert listed == 4500
    view = system.run(job_id)
    assert (view.progress.listed, view.progress.scanned) == (4500, 4500)


def test_turn_is_bounded_in_time_and_the_next_goes_on_from_the_cursor(make_system: Callable[..., System]) -> None:
    system = make_system(feed_turn_s=0.000001)
    system.put(many(2500))
    job_id = system.start()
    assert system.feed(job_id) == "more"
    view = system.run(job_id)
    assert view.progress.scanned == 2500


def test_window_bounds_what_stands_in_the_lane(make_system: Callable[..., System]) -> None:
    system = make_system(window_min_batches=5)
    system.put(many(2000))
    job_id = system.start()
    assert system.feed(job_id) == "more"
    assert len(system.queues.bodies(system.job(job_id).job.lane)) == 5
    assert system.feed(job_id) == "more"
    assert len(system.queues.bodies(system.job(job_id).job.lane)) == 5
    view = system.run(job_id)
    assert (view.job.status, view.progress.scanned) == (JobStatus.SUCCEEDED, 2000)


def test_two_jobs_on_a_bucket_share_its_window(make_system: Callable[..., System]) -> None:
    system = make_system(window_min_batches=10)
    system.put(many(2000))
    jobs = [system.start(), system.start()]
    for job_id in jobs:
        system.feed(job_id)
    assert len(system.queues.bodies(system.job(jobs[0]).job.lane)) == 10
    for job_id in jobs:
        assert system.run(job_id).progress.scanned == 2000


def test_high_water_mark_stops_the_listing_but_not_the_dispatch(make_system: Callable[..., System]) -> None:
    system = make_system(feed_high_water=20, window_min_batches=5)
    system.put(many(9000))
    job_id = system.start()
    system.feed(job_id)
    view = system.job(job_id)
    assert view.job.status is JobStatus.LISTING
    assert view.progress.listed == 3000
    assert system.run(job_id).progress.scanned == 9000


def test_next_execution_takes_over_before_the_event_limit(make_system: Callable[..., System]) -> None:
    system = make_system(feed_max_turns=2, window_min_batches=1)
    system.put(many(500))
    job_id = system.start()
    assert system.feed(job_id, turn=0) == "more"
    assert system.feed(job_id, turn=1) == "continued"
    assert list(system.executions.started) == [f"{job_id}-1", f"{job_id}-2"]
    assert system.executions.started[f"{job_id}-2"] == {"job_id": str(job_id), "execution_no": 2, "turn": 0}
    assert system.feed(job_id, execution_no=1, turn=2) == "done", "the older one ends"
    assert system.feed(job_id, execution_no=2, turn=0) == "more"


def test_settle_starts_an_execution_for_a_job_without_progress(make_system: Callable[..., System]) -> None:
    system = make_system(stalled_after_s=600.0)
    system.put(many(10))
    job_id = system.start()
    system.feed(job_id)
    assert settle(using=system.feeder).restarted == 0
    with transaction(system.engine) as connection:
        execute(
            connection, "update jobs set progressed_at = now() - interval '11 minutes' where job_id = :id", id=job_id
        )
    assert settle(using=system.feeder).restarted == 1
    assert f"{job_id}-2" in system.executions.started


def test_settle_starts_an_execution_when_the_request_died_before_it_did(system: System) -> None:
    system.put(many(10))
    job_id = system.start()
    with transaction(system.engine) as connection:  # as if the API had died after its insert
        execute(
            connection,
            "update jobs set execution_no = 0, execution_arn = null, feeding = false where job_id = :id",
            id=job_id,
        )
    assert settle(using=system.feeder).restarted == 1


def test_messages_that_could_not_be_sent_stay_planned(make_system: Callable[..., System]) -> None:
    system = make_system()
    system.put(many(300))
    job_id = system.start()
    lane = system.job(job_id).job.lane
    system.queues.failing.add(lane)
    assert system.feed(job_id) == "more"
    assert system.queues.bodies(lane) == []
    system.queues.failing.clear()
    assert system.run(job_id).progress.scanned == 300


def test_crash_between_send_and_mark_sends_twice_and_scans_once(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.put(many(300))
    job_id = system.start()

    def die(*_: object, **__: object) -> None:
        raise Unavailable("the database went away")

    with monkeypatch.context() as patch:
        patch.setattr("scanner_tasks.store.feeding.mark_dispatched", die)
        with pytest.raises(Unavailable):
            system.feed(job_id)
    system.feed(job_id)
    assert len(system.queues.bodies(system.job(job_id).job.lane)) > 3
    view = system.run(job_id)
    assert view.progress.scanned == 300


def test_bucket_denied_while_listing_is_an_error_never_an_empty_result(system: System) -> None:
    system.put(many(10))
    job_id = system.start()
    system.objects.denied.add((system.bucket, None))
    with pytest.raises(Denied):
        system.feed(job_id)
    fail_job(job_id, cause="Listing failed: denied", using=system.feeder)
    fail_job(job_id, cause="again", using=system.feeder)
    view = system.job(job_id)
    assert (view.job.status, view.job.status_reason) == (JobStatus.FAILED, "Listing failed: denied")


def test_failed_job_accounts_for_what_it_had_listed(system: System) -> None:
    system.put(many(1500))
    job_id = system.start()
    system.feed(job_id)
    fail_job(job_id, cause="told so", using=system.feeder)
    assert set(system.deliver(job_id)) == {"not_claimable"}
    view = system.job(job_id)
    assert view.progress.outcomes == {"failed(unavailable)": 1500}


def test_pause_makes_messages_no_ops_and_resume_goes_on_exactly(system: System) -> None:
    system.put(many(500))
    job_id = system.start()
    system.feed(job_id)
    pause_job(job_id, using=system.feeder)
    assert set(system.deliver(job_id)) == {"not_claimable"}
    assert system.feed(job_id) == "done"
    assert settle(using=system.feeder).restarted == 0
    resume_job(job_id, using=system.feeder)
    assert f"{job_id}-2" in system.executions.started
    view = system.run(job_id)
    assert (view.job.status, view.progress.scanned) == (JobStatus.SUCCEEDED, 500)


def test_cancel_records_what_is_left_as_skipped(system: System) -> None:
    system.put(many(500))
    job_id = system.start()
    system.feed(job_id)
    cancel_job(job_id, reason="by test", using=system.feeder)
    cancel_job(job_id, reason="again", using=system.feeder)
    view = system.job(job_id)
    assert (view.job.status, view.progress.outcomes) == (JobStatus.CANCELLED, {"skipped(cancelled)": 500})
    assert view.job.finished_at


def test_settle_finishes_a_cancellation_that_died(system: System) -> None:
    system.put(many(500))
    job_id = system.start()
    system.feed(job_id)
    with transaction(system.engine) as connection:
        execute(connection, "update jobs set status = 'cancelled', epoch = 1 where job_id = :id", id=job_id)
    settle(using=system.feeder)
    view = system.job(job_id)
    assert view.job.finished_at
    assert view.progress.outcomes == {"skipped(cancelled)": 500}


def test_backlog_is_published_and_ends_at_zero(system: System) -> None:
    system.put(many(500))
    job_id = system.start()
    system.feed(job_id)
    settle(using=system.feeder)
    system.run(job_id)
    values = system.metrics.values["BacklogBatches"]
    assert values[0] >= 5
    assert values[-1] == 0


def test_empty_bucket_is_a_job_that_succeeds_at_once(system: System) -> None:
    view = system.run(system.start())
    assert (view.job.status, view.progress.listed) == (JobStatus.SUCCEEDED, 0)


def test_results_are_paged_by_a_cursor_that_belongs_to_its_query(system: System) -> None:
    from scanner_tasks.core.errors import InvalidCursor  # noqa: PLC0415

    ssn = b"ssn: 512-44-1234, card: 4532 7153 7903 1240\n"
    system.put({f"k{n:03d}": ssn for n in range(120)})
    view = system.run(system.start())
    query = {"job_id": view.job.job_id, "bucket": None, "key": None, "rule": None, "using": system.feeder}
    seen, cursor = [], None
    while True:
        page = get_results(**query, limit=37, cursor=cursor)
        seen += [(f.key, f.rule_id) for f in page.findings]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 240
    first = get_results(**query, limit=1, cursor=None)
    for wrong in ("", "x", "!!", "W10", first.next_cursor[:-2]) if first.next_cursor else ():
        if wrong:
            with pytest.raises(InvalidCursor):
                get_results(**query, limit=1, cursor=wrong)
    with pytest.raises(InvalidCursor):
        get_results(**{**query, "rule": "us.ssn"}, limit=1, cursor=first.next_cursor)
    only = get_results(**{**query, "rule": "us.ssn", "key": "k007"}, limit=9, cursor=None)
    assert [(f.key, f.rule_id) for f in only.findings] == [("k007", "us.ssn")]
    by_bucket = get_results(**{**query, "job_id": None, "bucket": system.bucket}, limit=1000, cursor=None)
    assert len(by_bucket.findings) == 240
    absent = get_results(**{**query, "rule": "no.such"}, limit=9, cursor=None)
    assert absent.findings == ()


def test_jobs_are_paged_newest_first(system: System) -> None:
    mine = [system.start() for _ in range(5)]
    page = list_jobs(limit=3, cursor=None, using=system.feeder)
    assert [v.job.job_id for v in page.jobs] == mine[:1:-1]
    following = list_jobs(limit=2, cursor=page.next_cursor, using=system.feeder)
    assert [v.job.job_id for v in following.jobs] == mine[1::-1]

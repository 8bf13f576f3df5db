"""A schedule begins its jobs once for each due time, whoever looks, however often, and whatever dies."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from scanner_tasks.core.errors import BucketNotFound, Conflict, InvalidInput, NotAllowed, ScheduleNotFound, Unavailable
from scanner_tasks.core.rights import Caller, Grant, Role
from scanner_tasks.flow import control, schedules
from scanner_tasks.flow.parts import for_caller
from scanner_tasks.flow.schedules import add_schedule, find_schedule, list_runs, run_due, run_now
from scanner_tasks.store.engine import execute, transaction

from .conftest import System

SSN = b"name,ssn\nJane Roe,512-44-1234\n"


@pytest.fixture
def daily(system: System) -> Iterator[System]:
    system.put({"a.csv": SSN})
    add_schedule("daily", "0 3 * * *", {"buckets": [system.bucket], "base_job": "last"}, using=system.feeder)
    yield system
    with transaction(system.engine) as connection:
        execute(connection, "delete from schedules")


def make_due(system: System, *, days: int = 0, name: str = "daily") -> None:
    """As if its next due time had just passed, and so many before it."""
    with transaction(system.engine) as connection:
        execute(
            connection,
            "update schedules set next_at = date_trunc('minute', now()) - make_interval(days => :days),"
            " cron = to_char(now() at time zone 'UTC', 'MI HH24') || ' * * *' where name = :name",
            days=days,
            name=name,
        )


def tick(system: System) -> dict[str, int]:
    return run_due(using=system.feeder)


def jobs_of(system: System) -> list[str]:
    with transaction(system.engine) as connection:
        rows = execute(connection, "select job_id from jobs where bucket = :b order by job_no", b=system.bucket)
        return [str(row.job_id) for row in rows]


def test_a_due_time_begins_one_job_however_many_look(daily: System) -> None:
    assert tick(daily) == {"due": 0, "begun": 0, "errors": 0}
    make_due(daily)
    with ThreadPoolExecutor(4) as pool:
        ticks = list(pool.map(tick, [daily] * 4))
    assert (sum(t["due"] for t in ticks), sum(t["errors"] for t in ticks)) == (1, 0)
    (job_id,) = jobs_of(daily)
    (run,) = list_runs("daily", using=daily.feeder)
    assert (run.state, run.reason, [str(j) for j in run.job_ids]) == ("started", None, [job_id])
    job = daily.job(run.job_ids[0]).job
    assert job.schedule == "daily"
    assert job.base is not None
    assert find_schedule("daily", using=daily.feeder).next_at > datetime.now(UTC)
    assert tick(daily)["due"] == 0


def test_missed_times_are_one_run_and_are_told(daily: System) -> None:
    make_due(daily, days=3)
    tick(daily)
    (run,) = list_runs("daily", using=daily.feeder)
    assert (run.state, run.reason) == ("started", "3 earlier due times passed while nothing looked.")
    assert (datetime.now(UTC) - run.due_at).total_seconds() < 120, "the latest of them"
    assert len(jobs_of(daily)) == 1


def test_a_due_time_that_has_a_run_already_gets_no_other_and_holds_up_nothing(daily: System) -> None:
    make_due(daily)
    with transaction(daily.engine) as connection:
        execute(
            connection,
            "insert into schedule_runs (name, due_at, state)"
            " select name, next_at, 'failed' from schedules where name = 'daily'",
        )
    assert tick(daily)["errors"] == 0
    assert [run.state for run in list_runs("daily", using=daily.feeder)] == ["failed"]
    assert jobs_of(daily) == []
    assert find_schedule("daily", using=daily.feeder).next_at > datetime.now(UTC)


def test_a_run_is_skipped_while_the_former_one_goes_on_and_the_next_one_is_not(daily: System) -> None:
    make_due(daily)
    tick(daily)
    (first,) = list_runs("daily", using=daily.feeder)
    make_due(daily, days=-1)
    with transaction(daily.engine) as connection:  # another due time: an hour ago
        execute(connection, "update schedule_runs set due_at = due_at - interval '1 day'")
    make_due(daily)
    tick(daily)
    skipped = list_runs("daily", using=daily.feeder)[0]
    told = f"Job {first.job_ids[0]} of the former run is listing: a run begins when it has ended."
    assert (skipped.state, skipped.reason) == ("skipped", told)
    with pytest.raises(Conflict, match="is listing"):
        run_now("daily", using=daily.feeder)
    assert len(jobs_of(daily)) == 1
    daily.run(first.job_ids[0])
    by_hand = run_now("daily", using=daily.feeder)
    assert (by_hand.state, by_hand.reason) == ("started", "By hand.")
    # What the first left is unchanged: base_job last.
    assert daily.run(by_hand.job_ids[0]).progress.unchanged == 1


def test_a_tick_that_dies_half_way_is_made_up_for_and_begins_nothing_twice(
    daily: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_due(daily)
    with monkeypatch.context() as patched:
        patched.setattr(schedules.schedules, "end_run", _dies)
        with pytest.raises(KeyboardInterrupt):
            tick(daily)
    assert len(jobs_of(daily)) == 1, "begun, but not said so"
    assert tick(daily)["begun"] == 0, "somebody may be at it still"
    with transaction(daily.engine) as connection:
        execute(connection, "update schedule_runs set taken_at = now()")
    assert tick(daily)["begun"] == 1
    assert len(jobs_of(daily)) == 1
    assert daily.job(list_runs("daily", using=daily.feeder)[0].job_ids[0]).job.schedule == "daily"


def _dies(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_service_that_is_away_is_waited_for_and_a_bucket_that_is_gone_is_told(
    daily: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise Unavailable("S3 did not answer.")

    make_due(daily)
    with monkeypatch.context() as patched:
        patched.setattr(daily.objects, "check_bucket", away)
        assert tick(daily) == {"due": 1, "begun": 0, "errors": 1}
    assert list_runs("daily", using=daily.feeder)[0].state == "starting"
    with transaction(daily.engine) as connection:
        execute(connection, "update schedule_runs set taken_at = now()")
    del daily.objects.buckets[daily.bucket]
    tick(daily)
    run = list_runs("daily", using=daily.feeder)[0]
    assert (run.state, "No bucket" in (run.reason or "")) == ("failed", True)


def test_a_paused_schedule_begins_nothing_and_goes_on_with_the_next_time(daily: System) -> None:
    make_due(daily)
    schedules.pause_schedule("daily", using=daily.feeder)
    make_due(daily)
    assert tick(daily)["due"] == 0
    with pytest.raises(Conflict):
        schedules.pause_schedule("daily", using=daily.feeder)
    resumed = schedules.resume_schedule("daily", using=daily.feeder)
    assert resumed.next_at > datetime.now(UTC)
    assert schedules.schedule_to_json(resumed)["next_runs"][0] == resumed.next_at
    assert tick(daily)["due"] == 0
    schedules.remove_schedule("daily", using=daily.feeder)
    with pytest.raises(ScheduleNotFound):
        find_schedule("daily", using=daily.feeder)


def test_what_could_never_run_is_refused_now(daily: System) -> None:
    good = {"buckets": [daily.bucket]}
    for name, cron, request, error, words in (
        ("Daily", "0 3 * * *", good, InvalidInput, "name:"),
        ("daily", "0 3 * * *", good, Conflict, "already"),
        ("other", "0 3 * *", good, InvalidInput, "five fields"),
        ("other", "0 25 * * *", good, InvalidInput, "Bad hour"),
        ("other", "0 3 * * *", {"buckets": ["no-such-bucket"]}, BucketNotFound, "No bucket"),
        ("other", "0 3 * * *", {"buckets": []}, InvalidInput, "at least one"),
        ("other", "0 3 * * *", {**good, "selection": {"colour": "red"}}, InvalidInput, "selection"),
        ("other", "0 3 * * *", {**good, "base_job": "0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11"}, InvalidInput, "last"),
    ):
        with pytest.raises(error, match=words):
            add_schedule(name, cron, request, using=daily.feeder)
    with pytest.raises(InvalidInput, match="IANA"):
        add_schedule("other", "0 3 * * *", good, time_zone="Mars/Olympus", using=daily.feeder)


def test_buckets_by_pattern_need_the_right_on_all_and_others_do_not_see_them(daily: System) -> None:
    mine = Caller(name="m", grants=(Grant(role=Role.SCANNER, buckets=(daily.bucket,)),))
    using = for_caller(daily.feeder, mine)
    add_schedule("mine", "0 3 * * *", {"buckets": [daily.bucket]}, using=using)
    with pytest.raises(NotAllowed):
        add_schedule("pattern", "0 3 * * *", {"buckets": [f"{daily.bucket}*"]}, using=using)
    add_schedule("pattern", "0 3 * * *", {"buckets": [f"{daily.bucket}*"]}, using=daily.feeder)
    assert [one.name for one in schedules.list_schedules(using=using)] == ["daily", "mine"]
    with pytest.raises(ScheduleNotFound):
        run_now("pattern", using=using)
    viewer = for_caller(daily.feeder, Caller(name="v", grants=(Grant(role=Role.VIEWER),)))
    with pytest.raises(NotAllowed):
        run_now("mine", using=viewer)
    make_due(daily, name="pattern")
    tick(daily)
    assert len(list_runs("pattern", using=daily.feeder)[0].job_ids) == 1
    control.cancel_job(list_runs("pattern", using=daily.feeder)[0].job_ids[0], reason="enough", using=daily.feeder)

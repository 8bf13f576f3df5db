"""Ranges of a listing: leased, cut, recorded once whoever repeats what; batches get numbers without gaps."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from scanner_tasks.core.choosing import ChosenPage
from scanner_tasks.core.model import Job, JobStatus
from scanner_tasks.core.planning import Policy, plan_page
from scanner_tasks.store import jobs, key_ranges
from scanner_tasks.store.engine import execute, transaction
from scanner_tasks.store.key_ranges import LeasedRange, Place, RangePage, Recorded

from .conftest import refs
from .ledgers import assert_sums_agree

A, B = uuid4(), uuid4()


def take(engine: Engine, job: Job, owner: UUID = A, *, lease_s: float = 60) -> tuple[LeasedRange, ...]:
    with transaction(engine) as connection:
        return key_ranges.take_ranges(connection, job, owner=owner, lease_s=lease_s)


def page(job: Job, first: int, last: int, **changes: object) -> RangePage:
    """Of objects first … last, of the turn's range 0."""
    objects = refs(job.bucket, last + 1)[first:]
    made = RangePage(
        number=0,
        cursor=objects[-1].key if objects else None,
        until=None,
        is_done=False,
        chosen=ChosenPage(batches=plan_page(objects, Policy(object_max_bytes=10**9))),
    )
    return replace(made, **changes)


def record(
    engine: Engine, job: Job, *pages: RangePage, owner: UUID = A, places: dict[int, Place] | None = None
) -> Recorded | None:
    with transaction(engine) as connection:
        return key_ranges.record_pages(connection, job, pages, places=places or {0: Place(0, 0)}, owner=owner)


def now(engine: Engine, job: Job) -> Job:
    with transaction(engine) as connection:
        found = jobs.get_job(connection, job.job_id)
    assert found
    return found


def rows(engine: Engine, job: Job) -> list[tuple[object, ...]]:
    with transaction(engine) as connection:
        found = execute(
            connection,
            "select range_no, cursor, until, pages, done from key_ranges where job_no = :n order by range_no",
            n=job.job_no,
        )
        return [tuple(row) for row in found]


def expire(engine: Engine, job: Job) -> None:
    with transaction(engine) as connection:
        execute(
            connection, "update key_ranges set lease_until = now() - interval '1 s' where job_no = :n", n=job.job_no
        )


@pytest.fixture
def job(new_job: Callable[..., Job]) -> Job:
    return new_job(listed=False)


def test_job_without_ranges_gets_one_over_everything(engine: Engine, job: Job) -> None:
    assert take(engine, job) == (LeasedRange(place=Place(0, 0), cursor=None, until=None),)
    assert take(engine, job, B) == ()


def test_listing_that_a_former_release_began_goes_on_behind_its_cursor(engine: Engine, job: Job) -> None:
    with transaction(engine) as connection:
        execute(connection, "update jobs set cursor = 'k00099', next_batch_no = 1 where job_no = :n", n=job.job_no)
    (first,) = take(engine, job)
    assert first.cursor == "k00099"
    recorded = record(engine, job, page(job, 100, 199, is_done=True))
    assert recorded
    assert recorded.is_listed
    with transaction(engine) as connection:
        numbers = (
            execute(connection, "select batch_no from job_batches where job_no = :n", n=job.job_no).scalars().all()
        )
    assert numbers == [1]


def test_page_is_recorded_once_however_often_it_is_repeated(engine: Engine, job: Job) -> None:
    take(engine, job)
    first = record(engine, job, page(job, 0, 249))
    assert first
    assert first.is_ours == (True,)
    assert first.places == {0: Place(0, 1)}
    again = record(engine, job, page(job, 0, 249))
    assert again
    assert again.is_ours == (False,)
    assert again.places == {}
    sums = assert_sums_agree(engine, job)
    assert (sums.listed, sums.batches, now(engine, job).next_batch_no) == (250, 3, 3)


def test_dead_turns_range_is_taken_as_it_stands_and_its_late_page_counts_for_nothing(engine: Engine, job: Job) -> None:
    take(engine, job)
    assert record(engine, job, page(job, 0, 99))
    assert take(engine, job, B) == ()
    expire(engine, job)
    assert take(engine, job, B) == (LeasedRange(place=Place(0, 1), cursor="k00099", until=None),)
    assert record(engine, job, page(job, 100, 199), owner=B, places={0: Place(0, 1)})
    late = record(engine, job, page(job, 100, 199), places={0: Place(0, 1)})
    assert late
    assert late.is_ours == (False,)
    assert assert_sums_agree(engine, job).listed == 200


def test_cut_is_recorded_with_its_first_page_and_pages_of_it_may_follow_at_once(engine: Engine, job: Job) -> None:
    take(engine, job)
    recorded = record(
        engine,
        job,
        page(job, 0, 99),
        page(job, 500, 599, number=7, cut="k004", cut_from=0),
        page(job, 600, 699, number=7, is_done=True),
        page(job, 100, 199, until="k004"),
    )
    assert recorded
    assert recorded.places == {0: Place(0, 2), 7: Place(1, 2)}
    assert rows(engine, job) == [(0, "k00199", "k004", 2, False), (1, "k00699", None, 2, True)]
    assert not recorded.is_listed
    assert assert_sums_agree(engine, job).listed == 400
    ended = record(engine, job, page(job, 200, 249, until="k004", is_done=True), places=dict(recorded.places))
    assert ended
    assert ended.is_listed
    assert rows(engine, job) == []
    assert (now(engine, job).status, assert_sums_agree(engine, job).listed) == (JobStatus.SCANNING, 450)


def test_cut_of_a_range_that_is_another_turns_by_now_is_not_recorded(engine: Engine, job: Job) -> None:
    take(engine, job)
    expire(engine, job)
    take(engine, job, B)
    recorded = record(
        engine,
        job,
        page(job, 500, 599, number=1, cut="k004", cut_from=0),
        page(job, 600, 699, number=1),
    )
    assert recorded
    assert recorded.is_ours == (False, False)
    assert rows(engine, job) == [(0, None, None, 0, False)]
    assert assert_sums_agree(engine, job).listed == 0


def test_page_without_objects_moves_its_range_and_can_end_the_listing(engine: Engine, job: Job) -> None:
    take(engine, job)
    recorded = record(engine, job, page(job, 0, -1, is_done=True))
    assert recorded
    assert recorded.is_listed
    assert assert_sums_agree(engine, job).listed == 0


def test_paused_job_records_nothing_and_goes_on_where_it_stood(engine: Engine, job: Job) -> None:
    take(engine, job)
    record(engine, job, page(job, 0, 99))
    with transaction(engine) as connection:
        jobs.change_status(connection, job.job_no, JobStatus.PAUSED, new_epoch=True)
    assert record(engine, job, page(job, 100, 199), places={0: Place(0, 1)}) is None
    with transaction(engine) as connection:
        jobs.change_status(connection, job.job_no, JobStatus.LISTING)
        key_ranges.release_ranges(connection, job.job_no, owner=A)
    assert record(engine, job, page(job, 100, 199), places={0: Place(0, 1)}) is None, "of an older epoch"
    (left,) = take(engine, now(engine, job), B)
    assert left == LeasedRange(place=Place(0, 1), cursor="k00099", until=None)


def test_lease_that_is_renewed_is_kept_and_one_that_is_given_back_is_free(engine: Engine, job: Job) -> None:
    take(engine, job, lease_s=0)
    with transaction(engine) as connection:
        key_ranges.renew_ranges(connection, job.job_no, owner=A, lease_s=60)
    assert take(engine, job, B) == ()
    with transaction(engine) as connection:
        key_ranges.release_ranges(connection, job.job_no, owner=A)
    assert len(take(engine, job, B)) == 1


def test_turns_at_once_number_batches_without_gaps_and_end_the_listing_once(engine: Engine, job: Job) -> None:
    take(engine, job)
    places = {0: Place(0, 0)}
    for n in range(1, 6):  # six ranges of 100 objects each
        cut = page(job, n * 100, n * 100 + 49, number=n, cut=f"k{n * 100 - 1:05d}", cut_from=n - 1)
        recorded = record(engine, job, cut, places=places)
        assert recorded
        places = dict(recorded.places)
    owners = [uuid4() for _ in range(6)]
    with transaction(engine) as connection:
        for n, owner in enumerate(owners):
            execute(
                connection,
                "update key_ranges set owner = :owner where job_no = :job_no and range_no = :n",
                owner=owner,
                job_no=job.job_no,
                n=n,
            )

    def finish(n: int) -> bool:
        first = n * 100 + (50 if n else 0)
        place = {0: Place(n, 1 if n else 0)}
        recorded = record(engine, job, page(job, first, n * 100 + 99, is_done=True), owner=owners[n], places=place)
        assert recorded
        assert recorded.is_ours == (True,)
        return recorded.is_listed

    with ThreadPoolExecutor(6) as pool:
        ended = list(pool.map(finish, range(6)))
    assert ended.count(True) == 1
    assert assert_sums_agree(engine, job).listed == 600
    with transaction(engine) as connection:
        numbers = execute(
            connection, "select batch_no from job_batches where job_no = :n order by 1", n=job.job_no
        ).scalars()
        assert list(numbers) == list(range(now(engine, job).next_batch_no))

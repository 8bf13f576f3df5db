"""Coverage: sums of bytes that agree with the ledger, and every object that was not read to its end, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from scanner_tasks.core.model import Job, ObjectRef, ObjectResult, Outcome
from scanner_tasks.store import coverage, ranges, reopen
from scanner_tasks.store.engine import execute, transaction
from scanner_tasks.store.range_results import record_range

from .conftest import MD5
from .ledgers import assert_sums_agree, claim, live, record

#: Outcomes in turn, with the bytes read of ten.
TURNS = (
    (Outcome.SCANNED, 10),
    (Outcome.PARTIAL_BYTES, 4),
    (Outcome.FAILED_DENIED, 0),
    (Outcome.FAILED_CHANGED_SINCE_LISTING, 17),  # read twice
    (Outcome.SKIPPED_UNSUPPORTED, 10),
)


def scan(engine: Engine, job: Job, *, batches: int = 3) -> None:
    for number in range(batches):
        batch = claim(engine, job, number)
        assert batch
        found = []
        for position, _ in batch.objects:
            outcome, size = TURNS[position % len(TURNS)]
            detail = None if outcome is Outcome.SCANNED else "said why"
            found.append(ObjectResult(position=position, outcome=outcome, bytes_read=size, detail=detail))
        assert record(engine, batch, found)


def sums(engine: Engine, job: Job) -> dict[str, tuple[int, int, int]]:
    with transaction(engine) as connection:
        return {
            str(one.outcome): (one.objects, one.bytes_listed, one.bytes_read)
            for one in coverage.read_sums(connection, job.job_no)
        }


def unread(engine: Engine, job: Job, *outcomes: Outcome, limit: int = 7) -> list[coverage.UnreadObject]:
    found, after = [], (0, -1)
    while after is not None:
        with transaction(engine) as connection:
            page = coverage.read_unread(connection, job.job_no, outcomes=outcomes, after=after, limit=limit)
        assert len(page.objects) <= limit
        found += page.objects
        after = page.after
    return found


def test_sums_are_those_of_the_ledger_also_after_a_retry(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    scan(engine, job)
    assert sums(engine, job) == {
        "scanned": (50, 500, 500),
        "partial(bytes)": (50, 500, 200),
        "skipped(unsupported)": (50, 500, 500),
        "failed(denied)": (50, 500, 0),
        "failed(changed_since_listing)": (50, 500, 500),
    }
    assert {name: n for name, (n, _, _) in sums(engine, job).items()} == live(engine, job).outcomes
    with transaction(engine) as connection:
        of_view = execute(
            connection,
            """
            select sum(least(size_bytes, coalesce(bytes_read, case when status = 'scanned' then size_bytes end))) as n
            from job_objects where job_no = :job_no
            """,
            job_no=job.job_no,
        ).scalar_one()
    assert of_view == sum(read for _, _, read in sums(engine, job).values())
    with transaction(engine) as connection:
        reopen.reopen_failed(connection, job.job_no, from_batch_no=0)
    assert set(sums(engine, job)) == {"scanned", "partial(bytes)", "skipped(unsupported)"}
    assert_sums_agree(engine, job)


@pytest.mark.parametrize("look", [1, 2, 2000])
def test_pages_hold_every_object_that_was_not_read_once(
    engine: Engine, new_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch, look: int
) -> None:
    monkeypatch.setattr(coverage, "LOOK_AT_ONCE", look)
    job = new_job()
    scan(engine, job)
    wanted = [outcome for outcome, _ in TURNS[1:]]
    found = unread(engine, job, *wanted)
    assert [one.key for one in found] == [f"k{n:05d}" for n in range(250) if n % 5]
    assert {(one.outcome, one.bytes_read, one.detail) for one in found} == {
        (outcome, size, "said why") for outcome, size in TURNS[1:]
    }
    # The last page is full, and nothing stands behind it.
    assert len(unread(engine, job, Outcome.FAILED_DENIED, limit=10)) == 50
    assert unread(engine, job, Outcome.FAILED_CORRUPT) == []


def test_what_nobody_opened_was_not_read_and_what_an_older_worker_read_is_not_known(
    engine: Engine, new_job: Callable[..., Job], bucket: str
) -> None:
    empty = ObjectRef(bucket=bucket, key="empty", size_bytes=0, etag=MD5)
    archived = ObjectRef(bucket=bucket, key="ice", size_bytes=7, etag=MD5, storage_class="GLACIER")
    job = new_job([empty, archived, ObjectRef(bucket=bucket, key="old", size_bytes=9, etag=MD5)])
    batch = claim(engine, job, 0)
    assert batch
    assert record(
        engine,
        batch,
        [ObjectResult(position=2, outcome=Outcome.PARTIAL_TIME, bytes_read=3, detail="said why")],
    )
    with transaction(engine) as connection:
        execute(connection, "update object_failures set bytes_read = null where job_no = :n", n=job.job_no)
    found = unread(engine, job, Outcome.SKIPPED_EMPTY, Outcome.SKIPPED_ARCHIVED_STORAGE_CLASS, Outcome.PARTIAL_TIME)
    assert [(one.key, one.bytes_read) for one in found] == [("empty", 0), ("ice", 0), ("old", None)]
    assert sums(engine, job)["skipped(archived_storage_class)"] == (1, 7, 0)


def test_bytes_of_ranges_stand_with_the_outcome_of_each(
    engine: Engine, new_job: Callable[..., Job], bucket: str
) -> None:
    job = new_job([ObjectRef(bucket=bucket, key="big", size_bytes=1000, etag=MD5)])
    batch = claim(engine, job, 0)
    assert batch
    with transaction(engine) as connection:
        assert ranges.split_batch(connection, batch, range_bytes=256)
    for number, (outcome, size) in enumerate(
        [(Outcome.SCANNED, 300), (Outcome.PARTIAL_TIME, 100), (Outcome.SCANNED, 300), (Outcome.FAILED_DENIED, 0)], 1
    ):
        batch = claim(engine, job, number)
        assert batch
        detail = None if outcome is Outcome.SCANNED else "said why"
        with transaction(engine) as connection:
            result = ObjectResult(position=0, outcome=outcome, bytes_read=size, detail=detail)
            assert record_range(connection, batch, [result], kept=3)
    assert sums(engine, job) == {
        "scanned": (0, 512, 512),
        "partial(time)": (0, 256, 100),
        "failed(denied)": (1, 232, 0),
    }
    (found,) = unread(engine, job, Outcome.FAILED_DENIED, Outcome.PARTIAL_TIME)
    assert (found.key, found.size_bytes, found.bytes_read, str(found.outcome)) == ("big", 1000, 612, "failed(denied)")

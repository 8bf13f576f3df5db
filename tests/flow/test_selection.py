"""A job with a selection: what is not chosen is counted, gets no row, and the accounts agree all the same."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from scanner_tasks.core.model import JobStatus, Outcome
from scanner_tasks.core.selection import limit_reached
from scanner_tasks.core.selection_rules import read_selection
from scanner_tasks.flow.settle import settle
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.store import strata
from scanner_tasks.store.engine import execute, transaction
from scanner_tasks.store.verify import read_accounts

from .conftest import System

TEXT = b"some text\n"


def start(system: System, prefix: str = "", **told: object) -> UUID:
    selection = read_selection(told, now=datetime.now(UTC))
    return start_job(system.bucket, prefix, selection=selection, using=system.feeder).job_id


def assert_accounts_agree(system: System, job_id: UUID) -> None:
    with transaction(system.engine) as connection:
        accounts = read_accounts(connection, system.job(job_id).job.job_no)
    assert accounts.agree, accounts


def test_objects_not_chosen_are_counted_by_reason_and_have_no_row(system: System) -> None:
    system.put({f"in/{n}.csv": TEXT for n in range(5)} | {f"in/{n}.png": TEXT for n in range(3)})
    system.put({"tmp/x.csv": TEXT, "in/big.csv": TEXT * 9, "in/empty.csv": b""})
    job_id = start(system, exclude_prefixes=["tmp/"], extensions=["csv"], max_size_bytes=50)
    view = system.run(job_id)
    assert view.job.status is JobStatus.SUCCEEDED
    assert view.progress.outcomes == {
        "scanned": 5,
        "skipped(empty)": 1,
        "skipped(excluded_prefix)": 1,
        "skipped(excluded_size)": 1,
        "skipped(excluded_kind)": 3,
    }
    assert view.progress.listed == 11
    assert sorted(system.statuses(job_id)) == sorted([*(f"in/{n}.csv" for n in range(5)), "in/empty.csv"])
    assert_accounts_agree(system, job_id)


def test_job_that_chooses_nothing_ends_and_says_what_it_passed_over(system: System) -> None:
    system.put({f"{n}.txt": TEXT for n in range(1500)})
    job_id = start(system, include_keys=["*.csv"])
    view = system.run(job_id)
    assert (view.job.status, view.progress.listed, view.progress.batches) == (JobStatus.SUCCEEDED, 1500, 0)
    assert view.progress.outcomes == {"skipped(excluded_key)": 1500}
    assert_accounts_agree(system, job_id)


def test_limit_ends_the_listing_in_the_page_that_reaches_it(system: System) -> None:
    system.put({f"{n:05d}": TEXT for n in range(4000)})
    job_id = start(system, limit_objects=1200)
    view = system.run(job_id)
    assert view.progress.outcomes == {"scanned": 1200, "skipped(over_limit)": 800}
    assert view.job.listed_at is not None
    assert limit_reached(view.job.selection, view.job.taken, view.progress.outcomes)
    assert_accounts_agree(system, job_id)


def test_limit_that_is_not_reached_is_not_told(system: System) -> None:
    system.put({f"{n:05d}": TEXT for n in range(10)})
    view = system.run(start(system, limit_objects=1200))
    assert view.progress.outcomes == {"scanned": 10}
    assert not limit_reached(view.job.selection, view.job.taken, view.progress.outcomes)


def test_sample_scans_its_share_and_keeps_what_it_left_by_prefix_and_kind(system: System) -> None:
    system.put({f"logs/{n:04d}.txt": TEXT for n in range(1500)} | {f"tables/{n:04d}.csv": TEXT for n in range(500)})
    system.put({"empty": b""})
    job_id = start(system, sample_percent=10, sample_seed="one")
    view = system.run(job_id)
    chosen = view.progress.scanned
    assert 150 < chosen < 250
    assert view.progress.outcomes["skipped(not_sampled)"] == 2000 - chosen
    assert len(system.statuses(job_id)) <= chosen + 1
    with transaction(system.engine) as connection:
        told = strata.read_strata(connection, view.job.job_no)
    population: dict[str, int] = {}
    for stratum in told:
        if stratum.outcome in {Outcome.PENDING, Outcome.SKIPPED_NOT_SAMPLED}:
            population[f"{stratum.prefix} {stratum.kind}"] = (
                population.get(f"{stratum.prefix} {stratum.kind}", 0) + stratum.objects
            )
    assert population == {"logs/ text": 1500, "tables/ table": 500}
    assert_accounts_agree(system, job_id)
    again = system.run(start(system, sample_percent=10, sample_seed="one"))
    assert again.progress.outcomes == view.progress.outcomes


def test_strata_of_a_job_with_too_many_prefixes_are_summed_to_kinds(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strata, "MAX_STRATA", 20)
    system.put({f"{n:04d}/x.csv": TEXT for n in range(300)})
    job_id = start(system, sample_percent=50)
    system.feed(job_id)
    job_no = system.job(job_id).job.job_no
    with transaction(system.engine) as connection:
        before = strata.read_strata(connection, job_no)
    settle(using=system.feeder)
    with transaction(system.engine) as connection:
        after = strata.read_strata(connection, job_no)
        rows = execute(connection, "select count(*) from job_strata where job_no = :n", n=job_no).scalar_one()
    assert before == after
    assert {stratum.prefix for stratum in after} == {"*"}
    assert sum(stratum.objects for stratum in after) == 300
    assert rows == 2


def test_sample_tells_what_all_objects_hold(system: System) -> None:
    ssn = b"name,ssn\nJane Roe,512-44-1234\n"
    system.put({f"in/t//{n:04d}.csv": ssn for n in range(400)} | {f"in/{n:04d}.log": TEXT for n in range(400)})
    system.put({"in/odd/é.CSV.gz": b""})
    view = system.run(start(system, "in/", sample_percent=25))
    told = view.costs.actual["sample"]
    assert told["population_objects"] == 800
    assert told["sampled_objects"] == view.progress.scanned
    truth = told["objects_with_findings"]
    assert truth["low"] <= 400 <= truth["high"]
    assert truth["estimate"] == 400, "every table has one, and no text: the strata leave no doubt"


def test_strata_of_keys_are_those_of_the_database(system: System) -> None:
    from scanner_tasks.core.choosing import stratum_of  # noqa: PLC0415

    keys = [
        "a/b.csv",
        "a//b.csv.gz",
        "/lead.txt",
        "a/.env",
        "no",
        "a.b/c",
        "a/é.CSV",
        "new\nline/x.pdf",
        "a/x.tar.gz",
        "\x01/ü.J.Z",
    ]
    ssn = b"name,ssn\nJane Roe,512-44-1234\n"
    system.put(dict.fromkeys(keys, ssn))
    view = system.run(start(system, sample_percent=100))
    with transaction(system.engine) as connection:
        drawn = strata.read_drawn(connection, view.job.job_no, below="", by_kind=False)
        found = execute(
            connection, "select distinct object_key from findings where job_no = :n", n=view.job.job_no
        ).scalars()
        assert {(one.prefix, one.kind) for one in drawn} == {stratum_of(key, below="") for key in found}

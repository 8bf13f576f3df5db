"""Behind a transaction pooler, as RDS Proxy is one: the ledger's counts under duplicates, kills and lost answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from benchmarks.postgres import stress
from benchmarks.postgres.cutter import CommitCutter
from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.model import Job
from scanner_tasks.local.pooler import LocalPooler
from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.store.engine import make_engine

from .ledgers import assert_sums_agree, claim, live, record, results

needs_pooler = pytest.mark.skipif(
    not LocalPooler.is_installed(), reason="pgbouncer is not installed: it comes from the system's packages"
)


@pytest.fixture
def cut_engine(database_url: str) -> Iterator[tuple[Engine, CommitCutter]]:
    """An engine whose every commit takes effect and loses its answer."""
    port = database_url.rpartition(":")[2].partition("/")[0]
    with CommitCutter(int(port), share=1.0) as cutter:
        engine = make_engine(database_url.replace(f":{port}/", f":{cutter.port}/"), pool_size=2)
        yield engine, cutter
        engine.dispose()


def test_claim_whose_commit_lost_its_answer_counts_once_and_is_not_handed_out_twice(
    new_job: Callable[..., Job], cut_engine: tuple[Engine, CommitCutter], engine: Engine
) -> None:
    cut, cutter = cut_engine
    job = new_job()
    with pytest.raises(Unavailable):
        claim(cut, job, 0)
    assert cutter.cuts == 1
    assert live(engine, job).processing == 100
    assert claim(engine, job, 0) is None
    assert_sums_agree(engine, job)


def test_results_whose_commit_lost_its_answer_are_recorded_once(
    new_job: Callable[..., Job], cut_engine: tuple[Engine, CommitCutter], engine: Engine
) -> None:
    cut, cutter = cut_engine
    job = new_job()
    batch = claim(engine, job, 0)
    with pytest.raises(Unavailable):
        record(cut, batch, results(batch))
    assert cutter.cuts == 1
    assert record(engine, batch, results(batch)) is True
    sums = assert_sums_agree(engine, job)
    assert (sums.scanned, sums.findings) == (100, 1)


@needs_pooler
def test_counts_equal_the_truth_after_duplicates_kills_a_crash_and_lost_commits() -> None:
    report = stress.run(objects=6_000, writers=8, seed=2, servers=4, kill_each=4, cut_share=0.05)
    assert report["all equal"], json.dumps(report, indent=1, default=str)
    assert not report["bad snapshots"]
    assert report["pages recorded twice"] == 0
    # None of it depends on time: so many deliveries, batches and commits there are on any machine.
    assert report["deliveries"] >= 2 * report["messages sent"] >= 120
    assert report["sessions terminated"] >= 20
    assert report["commits without an answer"] >= 3
    assert (report["crashes"], report["pauses"], report["workers that vanished"]) == (1, 1, 2)
    assert report["batches done at a later attempt"] >= 2


@needs_pooler
def test_pooler_refuses_startup_options_as_rds_proxy_does_and_takes_our_connections(
    postgres: LocalPostgres, scratch: Path
) -> None:
    pooler = LocalPooler(scratch / "pooler", postgres, servers=2)
    pooler.start()
    try:
        with make_engine(pooler.url(), pool_size=1).connect() as connection:
            assert connection.exec_driver_sql("select 1").scalar_one() == 1
        with_options = make_engine(pooler.url() + "?options=-c%20statement_timeout%3D1000", pool_size=1)
        with pytest.raises(Exception, match="unsupported startup parameter"), with_options.connect():
            pass
    finally:
        pooler.stop()

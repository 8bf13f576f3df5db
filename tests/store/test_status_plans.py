"""A job's status is looked up by the index that it names, however many jobs and deltas there are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.store import progress
from scanner_tasks.store.engine import execute, make_engine
from tests.conftest import migrate

from .plans import Plan, plan_of, recorded

JOBS, CODES = 5_000, 4
_JOBS = """
insert into jobs (job_id, bucket, lane, ruleset_hash, status)
select md5('job ' || n)::uuid, 'bucket-' || n % 7, 'scan-0', 'r', 'scanning' from generate_series(1, :jobs) n
"""
_DELTAS = """
insert into job_deltas (job_no, code, objects)
select 1 + n % :jobs, (array[0, 1, 10, 60])[1 + n / :jobs % :codes], 100 from generate_series(0, :deltas - 1) n
"""


@pytest.fixture(scope="module", params=[100_000, pytest.param(1_000_000, marks=pytest.mark.slow)], ids=["100k", "1M"])
def deltas(request: pytest.FixtureRequest, postgres: LocalPostgres) -> Iterator[tuple[Connection, int]]:
    """So many deltas, as evenly on 5,000 jobs as no scan would leave them."""
    count, name = request.param, f"deltas_{request.param}"
    server = make_engine(postgres.url(), pool_size=1).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        execute(connection, f"create database {name}")
    migrate(postgres.url(name), "upgrade", "head")
    ours = make_engine(postgres.url(name), pool_size=1)
    with ours.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        execute(connection, _JOBS, jobs=JOBS)
        execute(connection, _DELTAS, jobs=JOBS, codes=CODES, deltas=count)
        progress.refresh_view(connection)
        connection.exec_driver_sql("vacuum analyze job_deltas")
        connection.exec_driver_sql("analyze job_progress")
        yield connection, count
    ours.dispose()
    with server.connect() as connection:
        execute(connection, f"drop database {name} with (force)")
    server.dispose()


def plan(connection: Connection, sent: list[tuple[str, object]], *, of: str) -> Plan:
    (one,) = sent
    return plan_of(connection, *one, of=of)


def test_status_from_the_view_reads_one_row_of_it(deltas: tuple[Connection, int]) -> None:
    connection, count = deltas
    with recorded(connection) as sent:
        sums = progress.view_progress(connection, [77])[77]
    assert sums.listed == 100 * count // JOBS // CODES
    told = plan(connection, sent, of="job_progress")
    assert (told.indexes, told.walked, told.rows) == ({"job_progress_of_job"}, set(), 1), told.text
    told = plan(connection, sent, of="job_deltas")
    assert (told.indexes, told.walked) == ({"job_deltas_of_job"}, set()), told.text


def test_status_in_real_time_reads_the_deltas_of_the_job_alone(deltas: tuple[Connection, int]) -> None:
    connection, count = deltas
    with recorded(connection) as sent:
        sums = progress.live_progress(connection, [77])[77]
    assert sums.listed == 100 * count // JOBS // CODES
    told = plan(connection, sent, of="job_deltas")
    assert (told.indexes, told.walked, told.rows) == ({"job_deltas_of_job"}, set(), count // JOBS), told.text

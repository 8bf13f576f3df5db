"""Postgres goes away for a while: workers wait with their messages in hand, and nothing counts twice."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine

from scanner_tasks.core.errors import StatementRefused, Unavailable
from scanner_tasks.core.model import JobStatus
from scanner_tasks.flow.patience import patiently
from scanner_tasks.flow.settle import settle
from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.store.engine import execute, insert_rows, make_engine, transaction
from tests.conftest import migrate

from .conftest import System, run_message

SSN = b"ssn: 512-44-1234\n"


@pytest.fixture
def own_postgres(scratch: Path) -> Iterator[LocalPostgres]:
    server = LocalPostgres(scratch / "outage", settings=())  # durable: it is killed
    server.start()
    migrate(server.url(), "upgrade", "head")
    yield server
    server.stop()


def test_outage_between_claim_and_record_is_sat_out(own_postgres: LocalPostgres) -> None:
    engine = make_engine(own_postgres.url(), pool_size=5)
    system = System(engine)
    system.put({f"{n:03d}": SSN for n in range(150)})
    job_id = system.start()
    system.feed(job_id)
    bodies = system.queues.bodies(system.job(job_id).job.lane)
    assert len(bodies) == 2
    half_way, go_on = threading.Event(), threading.Event()
    real_open = system.objects.open

    def open_half_way(ref: object) -> object:
        if getattr(ref, "key", "") == "120":
            half_way.set()
            go_on.wait(30)
        return real_open(ref)

    system.objects.open = open_half_way  # type: ignore[method-assign]
    with ThreadPoolExecutor(2) as pool:
        scanning = pool.submit(run_message, bodies[1], system.worker)
        assert half_way.wait(30)
        own_postgres.kill()
        waiting = pool.submit(run_message, bodies[0], system.worker)  # finds no database at its claim
        go_on.set()
        assert not scanning.done()
        own_postgres.start()
        assert {scanning.result(60), waiting.result(60)} == {"done"}
    settle(using=system.feeder)
    view = system.job(job_id)
    assert (view.job.status, view.progress.scanned, view.progress.findings) == (JobStatus.SUCCEEDED, 150, 150)
    engine.dispose()


def test_session_ended_in_the_middle_of_an_insert_is_unavailable_and_the_pool_recovers(engine: Engine) -> None:
    with pytest.raises(Unavailable), transaction(engine) as connection:  # noqa: PT012 (one transaction)
        backend = execute(connection, "select pg_backend_pid() as pid").one().pid
        with transaction(engine) as other:
            execute(other, "select pg_terminate_backend(:pid, 5000)", pid=backend)
        insert_rows(connection, "insert into buckets (bucket, lane) values ", "(%s, %s)", [("never", "scan-0")])
    with transaction(engine) as connection:
        assert execute(connection, "select count(*) as n from buckets where bucket = 'never'").one().n == 0


def test_defect_in_a_statement_is_no_outage_and_its_text_quotes_no_value(engine: Engine) -> None:
    with pytest.raises(StatementRefused, match="42P01") as raised, transaction(engine) as connection:
        execute(connection, "select * from no_such_table where key = :key", key="a secret key")
    assert "a secret key" not in "".join(traceback.format_exception(raised.value))
    with pytest.raises(StatementRefused, match="22003") as raised, transaction(engine) as connection:
        insert_rows(connection, "insert into job_deltas (job_no) values ", "(%s)", [(123456789012,)])
    assert "123456789012" not in "".join(traceback.format_exception(raised.value))


def test_patience_ends() -> None:
    tries = []

    def fail() -> None:
        tries.append(1)
        raise Unavailable("still away")

    with pytest.raises(Unavailable):
        patiently(fail, what="test", longest_s=0.5, stopping=threading.Event())
    assert len(tries) > 1
    tries.clear()
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(Unavailable):
        patiently(fail, what="test", longest_s=60, stopping=stopping)
    assert len(tries) == 1

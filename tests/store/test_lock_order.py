"""Changes of many batches of one job at a time wait for each other, and never in a circle."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection, Engine

from scanner_tasks.core.model import Job
from scanner_tasks.local.ports import wait_until
from scanner_tasks.store import batches, feeding, sweep
from scanner_tasks.store.engine import execute, transaction

from .ledgers import assert_sums_agree, claim, results


def is_waited_for(engine: Engine, connection: Connection) -> bool:
    """Whether some session waits for a lock that this one holds."""
    mine = execute(connection, "select pg_backend_pid()").scalar_one()
    with transaction(engine) as other:
        waiting = execute(
            other, "select count(*) from pg_stat_activity where :mine = any(pg_blocking_pids(pid))", mine=mine
        )
        return bool(waiting.scalar_one())


def test_sweep_waits_for_a_feed_that_marks_the_same_batches(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    with transaction(engine) as connection:
        feeding.mark_dispatched(connection, job, [0, 1, 2], dispatch_from=0, dispatch_rev=0)

    def sweep_all() -> int:
        with transaction(engine) as swept:
            return sweep.return_sent(swept, job.job_no)

    with ThreadPoolExecutor(1) as other:
        with transaction(engine) as connection:
            execute(connection, "select 1 from jobs where job_no = :job_no for update", job_no=job.job_no)
            sweeping = other.submit(sweep_all)
            wait_until(lambda: is_waited_for(engine, connection), what="the sweep's wait", timeout_s=30)
            # What a feed does next: it takes the batches. Would the sweep hold them, each waited for the other.
            execute(connection, "select 1 from job_batches where job_no = :job_no for update", job_no=job.job_no)
        assert sweeping.result(timeout=30) == 3
    assert_sums_agree(engine, job)


def test_batch_that_is_given_back_waits_for_the_job_before_it_is_touched(
    engine: Engine, new_job: Callable[..., Job]
) -> None:
    job = new_job()
    batch = claim(engine, job, 0)

    def give_back() -> bool:
        with transaction(engine) as given:
            return batches.record_results(given, batch, results(batch)[:10])

    with ThreadPoolExecutor(1) as other:
        with transaction(engine) as connection:
            execute(connection, "select 1 from jobs where job_no = :job_no for update", job_no=job.job_no)
            giving = other.submit(give_back)
            wait_until(lambda: is_waited_for(engine, connection), what="the worker's wait", timeout_s=30)
            execute(connection, "select 1 from job_batches where job_no = :job_no for update", job_no=job.job_no)
        assert giving.result(timeout=30)
    assert_sums_agree(engine, job)

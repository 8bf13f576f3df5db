"""Settled dead letters and the errors of old attempts are forgotten after their time, open ones never."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Engine

from scanner_tasks.flow.settle import settle
from scanner_tasks.store import retention
from scanner_tasks.store.engine import execute, transaction
from tests.flow.conftest import System


def fill(system: System, job_id: UUID) -> None:
    """Letters and errors of this job in every state, 100 days old and of today; batch 1 has an open letter."""
    job_no = system.job(job_id).job.job_no
    with transaction(system.engine) as connection:
        for age in (100, 0):
            for n, state in enumerate(("open", "retried", "discarded", "moot"), start=1):
                execute(
                    connection,
                    """
                    insert into dead_letters (message_id, job_no, batch_no, body, receive_count, state, state_at)
                    values (:id, :job_no, :n, 'b', 3, :state, now() - :age * interval '1 day')
                    """,
                    id=f"{job_no}-{state}-{age}",
                    job_no=job_no,
                    n=n,
                    state=state,
                    age=age,
                )
                execute(
                    connection,
                    """
                    insert into batch_errors (job_no, batch_no, attempt, error, traceback, failed_at)
                    values (:job_no, :n, :age, 'e', 't', now() - :age * interval '1 day')
                    """,
                    job_no=job_no,
                    n=n,
                    age=age,
                )


def left(system: System, job_id: UUID) -> tuple[list[str], list[tuple[int, int]]]:
    job_no = system.job(job_id).job.job_no
    with transaction(system.engine) as connection:
        letters = execute(connection, "select message_id from dead_letters where job_no = :n order by 1", n=job_no)
        errors = execute(
            connection, "select batch_no, attempt from batch_errors where job_no = :n order by 1, 2", n=job_no
        )
        return [row.message_id.partition("-")[2] for row in letters], [tuple(row) for row in errors]


def test_settle_forgets_what_is_decided_and_old(engine: Engine) -> None:
    system = System(engine)
    system.put({"a": b"x"})
    job_id = system.start()
    fill(system, job_id)
    for days in (0, 365):
        assert settle(using=system.make_feeder(dead_letter_days=days)).forgotten == 0
    assert settle(using=system.make_feeder(dead_letter_days=90)).forgotten == 6
    assert left(system, job_id) == (
        ["discarded-0", "moot-0", "open-0", "open-100", "retried-0"],
        [(1, 0), (1, 100), (2, 0), (3, 0), (4, 0)],
    )
    assert settle(using=system.make_feeder(dead_letter_days=90)).forgotten == 0


def test_each_turn_forgets_some(engine: Engine) -> None:
    system = System(engine)
    system.put({"a": b"x"})
    fill(system, system.start())
    at_once, retention.AT_ONCE = retention.AT_ONCE, 2
    try:
        counts = [settle(using=system.make_feeder(dead_letter_days=90)).forgotten for _ in range(3)]
    finally:
        retention.AT_ONCE = at_once
    assert counts == [4, 2, 0]

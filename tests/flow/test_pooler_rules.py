"""Every statement of a job's whole life is one that a transaction pooler takes, and the watch for it is awake."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from scanner_tasks.flow import control, retention, triage
from scanner_tasks.flow.read_results import get_results, list_jobs
from scanner_tasks.store import dead_letters, fleet
from scanner_tasks.store.engine import execute, insert_rows, transaction
from tests import pooler_rules

from .conftest import System

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "statement",
    [
        "set lock_timeout = '1s'",
        "  SET LOCAL search_path = x",
        "select set_config('lock_timeout', '1s', true)",
        "prepare p as select 1",
        "listen x",
        "declare c cursor for select 1",
        "create temp table t (n int)",
        "select 1 into temporary t",
        "select nextval('s')",
        "select pg_advisory_xact_lock(1)",
        "select pg_try_advisory_lock(1)",
        f"select '{'x' * 16_000}'",
    ],
    ids=lambda statement: statement[:20],
)
def test_statement_of_ours_that_pins_is_noticed(engine: Engine, statement: str) -> None:
    """As if a file of the store sent it: through SQLAlchemy, or by psycopg2 itself."""
    for how in ("execute(connection, statement)", "insert_rows(connection, statement, ' -- %s', [(1,)])"):
        code = compile(how, str(ROOT / "scanner_tasks/store/new_file.py"), "exec")
        with pytest.raises(pooler_rules.Pinned), transaction(engine) as connection:
            exec(
                code, {"execute": execute, "insert_rows": insert_rows, "connection": connection, "statement": statement}
            )


def test_whole_life_of_a_job_is_watched(system: System) -> None:
    system.put({f"k{n}": b"ssn: 512-44-1234\n" for n in range(3)})
    job_id = system.start()
    control.pause_job(job_id, using=system.feeder)
    control.resume_job(job_id, using=system.feeder)
    system.run(job_id)
    control.retry_failed(job_id, using=system.feeder)
    page = get_results(job_id=job_id, limit=1, cursor=None, using=system.feeder)
    get_results(fingerprint=page.findings[0].occurrences[0].fingerprint, limit=9, cursor=None, using=system.feeder)
    found = page.findings[0]
    triage.mark_finding(
        bucket=found.bucket, key=found.key, rule=found.rule_id, status="fixed", marked_by="me", reason="so",
        using=system.feeder,
    )  # fmt: skip
    get_results(job_id=job_id, triage="fixed", limit=9, cursor=page.next_cursor and None, using=system.feeder)
    list_jobs(limit=9, cursor=None, using=system.feeder)
    with transaction(system.engine) as connection:
        fleet.is_paused(connection)
        dead_letters.list_letters(connection, dead_letters.LetterFilter(), after=None, limit=1)
    retention.delete_job(job_id, using=system.feeder)
    retention.retire(using=system.feeder)
    sent = "\n".join(pooler_rules.seen)
    for part in (
        "insert into jobs",
        "insert into job_batches",
        "update job_batches b set state = 2",
        "insert into findings",
        "refresh materialized view",
        "insert into mark_history",
        "from finding_marks m where",
        "hits as materialized",
        "delete from findings where job_no",
    ):
        assert part in sent, part
    assert len(pooler_rules.seen) > 60

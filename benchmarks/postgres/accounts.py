"""What the ledger, the deltas and the view say of a job, beside what is true."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scanner_tasks.flow.read_results import get_job
from scanner_tasks.flow.settle import settle
from scanner_tasks.store.engine import execute, make_engine, transaction

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from scanner_tasks.flow.parts import Feeder

_NAMES = ("listed", "scanned", "partial", "skipped", "failed", "findings")


def accounts(job_id: UUID, truth: Mapping[str, int], url: str, *, using: Feeder) -> dict[str, Any]:
    """Truth, view, deltas and ledger of the job, once settled, side by side; the database is at ``url``."""
    engine = make_engine(url, pool_size=1)
    calm = replace(using, engine=engine)  # nothing between us and the server
    settle(using=calm)
    view = get_job(job_id, real_time=False, using=calm).progress
    deltas = get_job(job_id, real_time=True, using=calm)
    with transaction(engine) as connection:
        rows = execute(connection, "select status, count(*) as n from job_objects group by status").all()
        ledger: dict[str, int] = {row.status: row.n for row in rows}
        ledger["listed"] = sum(ledger.values())
        ledger["findings"] = execute(connection, "select count(*) as n from findings").scalar_one()
        batches = execute(
            connection,
            """
            select count(*) - count(distinct keys[1]) as twice,
              count(*) filter (where attempt - given_back > 1) as again
            from job_batches
            """,
        ).one()
        hot = execute(
            connection,
            """
            select coalesce(sum(n_tup_hot_upd), 0) as hot, coalesce(sum(n_tup_upd), 0) as all
            from pg_stat_user_tables where relname like 'job_batches%'
            """,
        ).one()
    engine.dispose()
    told = {
        "truth": {name: truth[name] for name in _NAMES},
        "view": {name: getattr(view, name) for name in _NAMES},
        "deltas": {name: getattr(deltas.progress, name) for name in _NAMES},
        "ledger": {name: ledger.get(name, 0) for name in _NAMES},
    }
    return told | {
        "status": str(deltas.job.status),
        "pages recorded twice": batches.twice,
        "batches done at a later attempt": batches.again,
        "all equal": len({json.dumps(account) for account in told.values()}) == 1,
        "HOT updates since the crash": f"{hot.hot} of {hot.all}",
    }

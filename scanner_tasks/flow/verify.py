"""Whether a job's sums are what its ledger says, proved by counting."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from scanner_tasks.core.errors import Unavailable
from scanner_tasks.flow.control import find_job
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.verify import Accounts, read_accounts

if TYPE_CHECKING:
    from uuid import UUID

    from scanner_tasks.flow.parts import Api

#: A refresh of the view that settle makes at the same moment ends ours: it is tried again.
_TRIES = 5


def verify_job(job_id: UUID, *, using: Api) -> Accounts:
    """Count the job's objects, findings and batches three ways, as they are at one moment. Raises JobNotFound."""
    job = find_job(job_id, using=using)
    engine = using.engine.execution_options(isolation_level="REPEATABLE READ")
    for _ in range(_TRIES - 1):
        with suppress(Unavailable), transaction(engine) as connection:
            return read_accounts(connection, job.job_no)
    with transaction(engine) as connection:
        return read_accounts(connection, job.job_no)

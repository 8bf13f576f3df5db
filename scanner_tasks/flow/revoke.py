"""A batch whose task was revoked is not scanned, and the ledger says so."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING
from uuid import UUID

from scanner_tasks.core.model import Outcome
from scanner_tasks.flow.patience import patiently
from scanner_tasks.log import get_logger
from scanner_tasks.store import jobs
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.sweep import close_batches

if TYPE_CHECKING:
    from scanner_tasks.flow.parts import Worker

log = get_logger()


def arguments_of(argsrepr: str) -> tuple[UUID, int, int] | None:
    """The batch that a scan_batch message's shown arguments name: job, number, epoch; None when they name none.

    Examples:
        >>> arguments_of("('0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11', 7, 0)")
        (UUID('0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11'), 7, 0)
        >>> arguments_of("(7,)") is None
        True
    """
    try:
        job_id, batch_no, epoch = ast.literal_eval(argsrepr)
        return UUID(job_id), int(batch_no), int(epoch)
    except (ValueError, TypeError, AttributeError, SyntaxError):
        return None


def skip_revoked(job_id: UUID, batch_no: int, epoch: int, *, using: Worker) -> bool:
    """Give the batch's open objects the outcome skipped(cancelled); True when it was open and nobody held it.

    To plan it again would send it again, with the same task id, to workers that discard it again. A repeat, a message
    of a former epoch or a batch that a worker holds changes nothing. Raises Unavailable after ``outage_patience_s``;
    the sweep has the batch sent again then, and whoever receives it comes here once more.
    """

    def skip() -> bool:
        with transaction(using.engine) as connection:
            job = jobs.get_job(connection, job_id)
            if job is None or job.epoch != epoch or job.status.is_final:
                return False
            return close_batches(connection, job.job_no, Outcome.SKIPPED_CANCELLED, batch_no=batch_no) == 1

    longest_s = using.settings.outage_patience_s
    skipped = patiently(skip, what="revoke", longest_s=longest_s, stopping=using.stopping)
    log.info("batch_revoked", job_id=job_id, batch_no=batch_no, skipped=skipped)
    return skipped

"""Messages that SQS gave up on, kept for the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.core.model import Outcome
from scanner_tasks.store.engine import execute
from scanner_tasks.store.sweep import close_batches
from scanner_tasks.store.text import plain

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection

#: Characters of a body that one statement carries: four bytes each, or one that is doubled.
_PIECE = 3_500
#: Our task names are far shorter; a stranger's may be anything.
_MAX_TASK = 200


def add_dead_letter(
    connection: Connection,
    *,
    message_id: str,
    body: str,
    receive_count: int,
    sent_at: datetime | None,
    group: str | None,
    task: str | None,
    batch: tuple[UUID, int, int] | None,
) -> bool:
    """Keep a dead message, and close the batch it carried; False when it is kept already.

    ``batch`` is (job_id, batch_no, epoch) of a scan_batch message, None for any other. The batch is dead only if it is
    of the job's current epoch and no worker holds it or has finished it; otherwise the letter is ``moot``.
    """
    place = None
    if batch is not None:
        job_id, _, epoch = batch
        place = execute(
            connection,
            "select job_no, lane, epoch = :epoch as is_current from jobs where job_id = :job_id",
            job_id=job_id,
            epoch=epoch,
        ).first()
    first, *rest = _pieces(plain(body))
    added = execute(
        connection,
        """
        insert into dead_letters (message_id, job_no, batch_no, task, lane, message_group, body, receive_count, sent_at)
        values (:message_id, :job_no, :batch_no, :task, :lane, :group, :body, :receive_count, :sent_at)
        on conflict (message_id) do nothing
        """,
        message_id=message_id,
        job_no=place.job_no if place else None,
        batch_no=batch[1] if batch and place else None,
        task=None if task is None else plain(task)[:_MAX_TASK],
        lane=place.lane if place else None,
        group=None if group is None else plain(group),
        body=first,
        receive_count=receive_count,
        sent_at=sent_at,
    )
    if added.rowcount == 0:
        return False
    for piece in rest:
        execute(
            connection,
            "update dead_letters set body = body || :piece where message_id = :message_id",
            piece=piece,
            message_id=message_id,
        )
    if batch and place:
        is_dead = place.is_current and close_batches(
            connection, place.job_no, Outcome.FAILED_DEAD_LETTER, batch_no=batch[1]
        )
        if not is_dead:
            execute(
                connection,
                "update dead_letters set state = 'moot', state_at = now() where message_id = :message_id",
                message_id=message_id,
            )
    return True


def _pieces(body: str) -> list[str]:
    """The body in pieces that fit a statement each: SQS carries up to a megabyte, RDS Proxy 16 KB."""
    return [body[start : start + _PIECE] for start in range(0, len(body), _PIECE)] or [""]

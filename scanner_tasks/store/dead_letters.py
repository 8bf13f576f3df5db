"""Messages that SQS gave up on, kept for the operator, and why the attempts at their batches failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.model import BatchState, JobStatus, Outcome
from scanner_tasks.store.engine import execute
from scanner_tasks.store.sweep import close_batches
from scanner_tasks.store.text import plain

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from scanner_tasks.core.model import ClaimedBatch

#: What letters can be grouped by, and the expression for it.
GROUPS = {
    "error": "coalesce(d.error, '')",
    "job": "coalesce(cast(j.job_id as text), '')",
    "bucket": "coalesce(j.bucket, d.message_group, '')",
    "task": "coalesce(d.task, '')",
}
LETTER_STATES = ("open", "retried", "discarded", "moot")
MAX_GROUPS = 1000


def check_group(by: str) -> str:
    """What letters can be counted by. Raises InvalidInput."""
    if by not in GROUPS:
        raise InvalidInput(f"by: one of {', '.join(GROUPS)}.")
    return by


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """A message that was received three times and never finished."""

    #: SQS's id of the message.
    message_id: str
    #: Name of the task, None for a message that is not ours.
    task: str | None
    #: The batch that it points to, and that job as it is now; None for any other message.
    job_no: int | None
    job_id: UUID | None
    batch_no: int | None
    bucket: str | None
    job_status: JobStatus | None
    job_is_listed: bool
    batch_state: BatchState | None
    lane: str | None
    message_group: str | None
    body: str
    #: Receives in its lane.
    receive_count: int
    #: Class and message of the last attempt's error; None when the worker could not tell (killed, lost).
    error: str | None
    #: open; retried; discarded; moot: its batch was not dead.
    state: str
    state_reason: str | None
    #: When it was first sent, taken from the dead letter queue, and when its state last changed.
    sent_at: datetime | None
    arrived_at: datetime
    state_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterFilter:
    """Which letters; None leaves a field open."""

    message_id: str | None = None
    #: "" for letters without an error.
    error: str | None = None
    job_id: UUID | None = None
    bucket: str | None = None
    task: str | None = None
    state: str | None = "open"
    #: LIKE patterns of the buckets whose letters the reader may see; None is every letter, also those of no bucket.
    scope: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterGroup:
    """Letters that have something in common: an error, a job, a bucket or a task ("" where they have none)."""

    name: str
    letters: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptError:
    """Why one attempt at a batch failed."""

    attempt: int
    error: str
    traceback: str
    failed_at: datetime


#: Claims that a batch may lose with their workers before its dead letters count: what kills every worker ends too.
MOST_LOST_CLAIMS = 10
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
    lane: str | None = None,
    error: str | None = None,
) -> bool:
    """Keep a dead message, and close the batch it carried; False when it is kept already.

    ``lane`` and ``error`` are those of a message without a batch, where they are known.

    ``batch`` is (job_id, batch_no, epoch) of a scan_batch message, None for any other. The batch is dead only if it is
    of the job's current epoch, no worker holds it or has finished it, and it waits for this message; otherwise the
    letter is ``moot``.

        Three workers in turn are killed over one message. Each time the lease runs out, the sweep plans the batch again
        and Feed sends another message: the first one is a dead letter, the batch is on its way, nothing has failed.
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
        insert into dead_letters (message_id, job_no, batch_no, task, lane, message_group, body, receive_count, sent_at,
          error)
        values (:message_id, :job_no, :batch_no, :task, :lane, :group, :body, :receive_count, :sent_at, coalesce((
          select error from batch_errors where job_no = :job_no and batch_no = :batch_no
          order by attempt desc limit 1), :error))
        on conflict (message_id) do nothing
        """,
        message_id=message_id,
        job_no=place.job_no if place else None,
        batch_no=batch[1] if batch and place else None,
        task=None if task is None else plain(task)[:_MAX_TASK],
        lane=place.lane if place else lane,
        error=error,
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
        is_dead = (
            place.is_current
            and _has_no_other_message(connection, place.job_no, batch[1])
            and close_batches(connection, place.job_no, Outcome.FAILED_DEAD_LETTER, batch_no=batch[1])
        )
        if not is_dead:
            execute(
                connection,
                "update dead_letters set state = 'moot', state_at = now() where message_id = :message_id",
                message_id=message_id,
            )
    return True


def _has_no_other_message(connection: Connection, job_no: int, batch_no: int) -> bool:
    """True for a batch that was never claimed, or released by a task that failed, or that took too many workers along.

    Any other was planned again by the sweep: a message of its own is on its way, or will be.
    """
    row = execute(
        connection,
        """
        select 1 from job_batches where job_no = :job_no and batch_no = :batch_no and (attempt = given_back
          or attempt - given_back >= :most or (state = 1 and lease_until is not null)) for update
        """,
        job_no=job_no,
        batch_no=batch_no,
        most=MOST_LOST_CLAIMS,
    ).first()
    return row is not None


def add_batch_error(connection: Connection, batch: ClaimedBatch, *, error: str, traceback: str) -> None:
    """Keep why this attempt failed; a repeat changes nothing."""
    execute(
        connection,
        """
        insert into batch_errors (job_no, batch_no, attempt, error, traceback)
        values (:job_no, :batch_no, :attempt, :error, :traceback) on conflict do nothing
        """,
        job_no=batch.job_no,
        batch_no=batch.batch_no,
        attempt=batch.attempt,
        error=error,
        traceback=traceback,
    )


def read_batch_errors(connection: Connection, job_no: int, batch_no: int) -> tuple[AttemptError, ...]:
    """Why attempts at the batch failed, the first one first (primary key)."""
    rows = execute(
        connection,
        """
        select attempt, error, traceback, failed_at from batch_errors
        where job_no = :job_no and batch_no = :batch_no order by attempt
        """,
        job_no=job_no,
        batch_no=batch_no,
    )
    return tuple(AttemptError(**row._mapping) for row in rows)  # noqa: SLF001 (SQLAlchemy's mapping view)


def list_letters(
    connection: Connection, wanted: LetterFilter, *, after: tuple[datetime, str] | None, limit: int
) -> tuple[DeadLetter, ...]:
    """The first ``limit`` letters behind ``after``, oldest first (keyset; open ones: index dead_letters_open)."""
    where, values = _where(wanted)
    if after is not None:
        where += " and (d.arrived_at, d.message_id) > (:after_at, :after_id)"
        values |= {"after_at": after[0], "after_id": after[1]}
    rows = execute(
        connection,
        f"""
        select d.*, j.job_id, coalesce(j.bucket, d.message_group) as bucket, j.status as job_status,
          j.listed_at is not null as job_is_listed, b.state as batch_state
        from dead_letters d left join jobs j using (job_no)
        left join job_batches b on b.job_no = d.job_no and b.batch_no = d.batch_no
        where {where} order by d.arrived_at, d.message_id limit :limit
        """,
        limit=limit,
        **values,
    )
    return tuple(_letter(row) for row in rows)


def group_letters(connection: Connection, wanted: LetterFilter, *, by: str) -> tuple[LetterGroup, ...]:
    """How many letters there are for each error, job, bucket or task, most first; the thousand largest groups."""
    where, values = _where(wanted)
    rows = execute(
        connection,
        f"""
        select {GROUPS[by]} as name, count(*) as letters, min(d.arrived_at) as first_at, max(d.arrived_at) as last_at
        from dead_letters d left join jobs j using (job_no) where {where}
        group by 1 order by 2 desc, 1 limit {MAX_GROUPS}
        """,
        **values,
    )
    return tuple(LetterGroup(**row._mapping) for row in rows)  # noqa: SLF001


def change_letter(connection: Connection, message_id: str, state: str, *, reason: str | None = None) -> bool:
    """Take an open letter to ``state``; False when it is not open (any more)."""
    changed = execute(
        connection,
        """
        update dead_letters set state = :state, state_reason = :reason, state_at = now()
        where message_id = :message_id and state = 'open'
        """,
        message_id=message_id,
        state=state,
        reason=reason,
    )
    return changed.rowcount == 1


def _where(wanted: LetterFilter) -> tuple[str, dict[str, Any]]:
    columns = {
        "message_id": "d.message_id",
        "error": GROUPS["error"],
        "job_id": "j.job_id",
        "bucket": GROUPS["bucket"],
        "task": GROUPS["task"],
        "state": "d.state",
    }
    values = {name: getattr(wanted, name) for name in columns if getattr(wanted, name) is not None}
    where = ["true", *(f"{columns[name]} = :{name}" for name in values)]
    if wanted.scope is not None:
        # Only of a bucket that the ledger knows: a stranger's message may name any group.
        where.append("j.bucket like any(cast(:scope as text[]))")
        values["scope"] = list(wanted.scope)
    return " and ".join(where), values


def _letter(row: Row[Any]) -> DeadLetter:
    fields = {name: row._mapping[name] for name in DeadLetter.__dataclass_fields__}  # noqa: SLF001
    if fields["job_status"] is not None:
        fields["job_status"] = JobStatus(fields["job_status"])
    if fields["batch_state"] is not None:
        fields["batch_state"] = BatchState(fields["batch_state"])
    return DeadLetter(**fields)


def _pieces(body: str) -> list[str]:
    """The body in pieces that fit a statement each: SQS carries up to a megabyte, RDS Proxy 16 KB."""
    return [body[start : start + _PIECE] for start in range(0, len(body), _PIECE)] or [""]

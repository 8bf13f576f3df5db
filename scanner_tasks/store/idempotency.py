"""Requests that carry an Idempotency-Key: who works on one, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from scanner_tasks.store.engine import execute
from scanner_tasks.store.retention import AT_ONCE

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Characters of an answer that one statement carries: four bytes each, or one that is doubled.
_PIECE = 3_500


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptRequest:
    """A request as it is kept."""

    request_hash: str
    #: The same for every repeat: jobs that it begins have their ids from it.
    seed: UUID
    #: Of the answer; None while there is none.
    status: int | None
    answer: str | None
    #: True when this caller has taken it and is to do it.
    is_ours: bool


def take(connection: Connection, *, caller: str, key: str, request_hash: str, seed: UUID, hold_s: float) -> KeptRequest:
    """Take the request, if nobody has it; what is kept of it.

    One statement, so that of two that come at once one gets it. Who died over it holds it for ``hold_s`` seconds at
    most: a repeat after that takes it over with the seed that it had.
    """
    execute(
        connection,
        """
        insert into idempotency_keys (caller, key, request_hash, seed, held_until)
        values (:caller, :key, '', :seed, now() - interval '1 second') on conflict do nothing
        """,
        caller=caller,
        key=key,
        seed=seed,
    )
    taken = execute(
        connection,
        """
        update idempotency_keys set request_hash = :request_hash, held_until = now() + :hold_s * interval '1 second'
        where caller = :caller and key = :key and status is null and held_until < now()
          and request_hash in ('', :request_hash)
        """,
        caller=caller,
        key=key,
        request_hash=request_hash,
        hold_s=hold_s,
    ).rowcount
    row = execute(
        connection,
        "select request_hash, seed, status, answer from idempotency_keys where caller = :caller and key = :key",
        caller=caller,
        key=key,
    ).one()
    return KeptRequest(**row._mapping, is_ours=taken == 1)  # noqa: SLF001 (SQLAlchemy's mapping view)


def keep_answer(connection: Connection, *, caller: str, key: str, status: int, answer: str) -> None:
    """Keep what was answered, piece by piece: a statement has 16 KB, an answer may have more."""
    pieces = [answer[start : start + _PIECE] for start in range(0, len(answer), _PIECE)] or [""]
    for piece in pieces:
        execute(
            connection,
            "update idempotency_keys set answer = coalesce(answer, '') || :piece where caller = :caller and key = :key",
            piece=piece,
            caller=caller,
            key=key,
        )
    execute(
        connection,
        "update idempotency_keys set status = :status where caller = :caller and key = :key",
        status=status,
        caller=caller,
        key=key,
    )


def release(connection: Connection, *, caller: str, key: str) -> None:
    """Forget a request that was refused or failed: its repeat is a new one."""
    execute(
        connection,
        "delete from idempotency_keys where caller = :caller and key = :key and status is null",
        caller=caller,
        key=key,
    )


def forget_requests(connection: Connection, *, older_than_hours: float) -> int:
    """Remove some of the requests before that (index idempotency_keys_created). How many went."""
    return execute(
        connection,
        """
        delete from idempotency_keys where (caller, key) in (
          select caller, key from idempotency_keys where created_at < now() - :hours * interval '1 hour'
          order by created_at limit :at_most)
        """,
        hours=older_than_hours,
        at_most=AT_ONCE,
    ).rowcount

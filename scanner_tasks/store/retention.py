"""What is not needed any more: dead letters that somebody has decided about, and errors of attempts long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.store.engine import execute

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Rows of one statement: locks are brief, and what is left goes with the next turn.
AT_ONCE = 1000


def forget_letters(connection: Connection, *, older_than_days: float) -> int:
    """Remove some of the letters that were retried, discarded or moot before that; open ones stay. How many went."""
    return execute(
        connection,
        """
        delete from dead_letters where message_id in (
          select message_id from dead_letters
          where state <> 'open' and state_at < now() - :days * interval '1 day' limit :at_most)
        """,
        days=older_than_days,
        at_most=AT_ONCE,
    ).rowcount


def forget_errors(connection: Connection, *, older_than_days: float) -> int:
    """Remove some of the attempts' errors before that, except those of a batch with an open letter. How many went."""
    return execute(
        connection,
        """
        delete from batch_errors where (job_no, batch_no, attempt) in (
          select job_no, batch_no, attempt from batch_errors e
          where failed_at < now() - :days * interval '1 day' and not exists (
            select 1 from dead_letters d where d.job_no = e.job_no and d.batch_no = e.batch_no and d.state = 'open')
          limit :at_most)
        """,
        days=older_than_days,
        at_most=AT_ONCE,
    ).rowcount

"""The newest event of each object, so that one that comes again or too late is known; jobs that grow by events."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from scanner_tasks.store.engine import execute
from scanner_tasks.store.feeding import insert_pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from scanner_tasks.core.choosing import ChosenPage
    from scanner_tasks.core.model import Job
    from scanner_tasks.core.object_events import ObjectEvent

#: Events that one statement names: at most 110 bytes each, of RDS Proxy's 16,384.
_EVENTS_AT_ONCE = 100
#: Days that the newest event is known: a message lives 14 days in the dead letter queue, and four before.
KEPT_DAYS = 20
#: Rows that one statement forgets at most.
_FORGET_AT_ONCE = 10_000


def note_events(connection: Connection, bucket: str, events: Sequence[ObjectEvent]) -> list[ObjectEvent]:
    """Note the events, each subject at most once among them; those that are news, in their order.

    No news is an event that was noted already, or is older than the newest one of its subject (primary key).

        Noted: a at sequencer 5. There come a at 5 (again), a at 3 (late) and b at 2: b is news, a stays at 5.
    """
    news: set[bytes] = set()
    for start in range(0, len(events), _EVENTS_AT_ONCE):
        some = events[start : start + _EVENTS_AT_ONCE]
        rows = execute(
            connection,
            """
            insert into object_events (bucket, subject, sequencer)
            select :bucket, e.subject, e.sequencer
            from unnest(cast(:subjects as uuid[]), cast(:sequencers as text[])) e (subject, sequencer)
            order by e.subject
            on conflict (bucket, subject) do update set sequencer = excluded.sequencer, seen_at = now()
              where object_events.sequencer < excluded.sequencer
            returning subject
            """,
            bucket=bucket,
            subjects=[str(UUID(bytes=event.subject)) for event in some],
            sequencers=[event.sequencer for event in some],
        )
        news |= {row.subject.bytes for row in rows}
    return [event for event in events if event.subject in news]


def add_page(connection: Connection, job: Job, page: ChosenPage) -> None:
    """Give a job that takes events these objects, as a listing does a page's; its row is held (``takes_events``)."""
    number = execute(
        connection, "select next_batch_no from jobs where job_no = :job_no", job_no=job.job_no
    ).scalar_one()
    batches = insert_pages(connection, job, [page], first_no=int(number))
    execute(
        connection,
        "update jobs set next_batch_no = next_batch_no + :batches, progressed_at = now() where job_no = :job_no",
        job_no=job.job_no,
        batches=batches,
    )


def forget_events(connection: Connection) -> int:
    """Forget events that nothing older can follow any more (index object_events_by_time); how many."""
    return execute(
        connection,
        """
        delete from object_events where (bucket, subject) in (
          select bucket, subject from object_events where seen_at < now() - make_interval(days => :days) limit :limit)
        """,
        days=KEPT_DAYS,
        limit=_FORGET_AT_ONCE,
    ).rowcount

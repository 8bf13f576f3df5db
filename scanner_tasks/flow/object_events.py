"""Events of S3 → objects of the watched bucket's open job → messages in its lane, within seconds.

Messages come at least once and in any order, and this may die anywhere. What is recorded is recorded in one
transaction, and only then are messages deleted by whoever gave them:

    received a1 a2 b1 │ noted, added to the job, counted │ sent to the lane │ deleted
                      ↑ died: all come again             ↑ died: all come again, none is news; what is planned is sent
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from scanner_tasks.aws.embedded_metrics import embedded
from scanner_tasks.core.choosing import choose_page
from scanner_tasks.core.errors import InvalidInput, ScannerError, Unavailable
from scanner_tasks.core.lanes import OBJECT_EVENTS
from scanner_tasks.core.model import JobStatus
from scanner_tasks.core.object_events import EventKind, newest, read_events
from scanner_tasks.flow import control
from scanner_tasks.flow.feed import top_up
from scanner_tasks.flow.watches import open_job
from scanner_tasks.log import get_logger
from scanner_tasks.store import dead_letters, jobs, object_events, watches
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from scanner_tasks.core.object_events import ObjectEvent
    from scanner_tasks.flow.parts import Feeder

log = get_logger()

#: Times that a job is opened for events, before they are left to come again: it is closed meanwhile once a day.
_TRIES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class EventMessage:
    """A message of the queue of S3's events, as whoever received it hands it over."""

    message_id: str
    body: str
    receive_count: int
    sent_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenEvents:
    """What became of some messages."""

    #: Messages that are to come again: what they tell could not be recorded.
    failed: tuple[str, ...] = ()
    #: Messages that cannot be read; they are dead letters now.
    unreadable: int = 0
    #: Events of all that were read; those that gave an object to a job; those of buckets that nobody watches.
    events: int = 0
    added: int = 0
    unwatched: int = 0


def take_events(messages: Sequence[EventMessage], *, using: Feeder) -> TakenEvents:
    """Record what the messages tell, each bucket by itself, and send what there is to scan.

    All but the ``failed`` ones can be deleted. A repeat adds nothing.
    """
    by_bucket: defaultdict[str, list[tuple[str, ObjectEvent]]] = defaultdict(list)
    failed: set[str] = set()
    unreadable = 0
    for message in messages:
        try:
            events = read_events(message.body)
        except InvalidInput as error:
            unreadable += 1
            if not _put_aside(message, str(error), using=using):
                failed.add(message.message_id)
            continue
        for event in events:
            by_bucket[event.ref.bucket].append((message.message_id, event))
    added = unwatched = 0
    for bucket, told in by_bucket.items():
        try:
            recorded = _record([event for _, event in told], bucket, using=using)
        except ScannerError:
            log.warning("events_not_recorded", count=len(told), exc_info=True)
            failed |= {message_id for message_id, _ in told}
            continue
        added, unwatched = added + (recorded or 0), unwatched + (len(told) if recorded is None else 0)
    taken = TakenEvents(
        failed=tuple(sorted(failed)),
        unreadable=unreadable,
        events=sum(len(told) for told in by_bucket.values()),
        added=added,
        unwatched=unwatched,
    )
    log.info(
        "events_taken",
        messages=len(messages),
        failed=len(failed),
        unreadable=unreadable,
        events=taken.events,
        added=added,
        unwatched=unwatched,
        **embedded(using.settings.metrics_namespace, {"ObjectEvents": (taken.events, "Count")}),
    )
    return taken


def _record(events: Sequence[ObjectEvent], bucket: str, *, using: Feeder) -> int | None:
    """How many events gave an object to the bucket's job; None when nobody watches the bucket."""
    for _ in range(_TRIES):
        with transaction(using.engine) as connection:
            watch = watches.get_watch(connection, bucket, lock=True)
            if watch is None:
                watches.count_unwatched(connection, bucket, len(events))
                return None
            if watch.job_no is not None and watches.takes_events(connection, watch.job_no):
                assert watch.job_id is not None
                job = jobs.get_job(connection, watch.job_id)
                assert job is not None
                within = [e for e in events if e.kind is not EventKind.OTHER and e.ref.key.startswith(watch.prefix)]
                latest = newest(within)
                news = object_events.note_events(connection, bucket, latest)
                refs = [event.ref for event in news if event.kind is not EventKind.DELETED]
                page = choose_page(refs, watch.selection, using.settings.policy, below=watch.prefix)
                object_events.add_page(connection, job, page)
                counts = {
                    "added": len(refs),
                    "deleted": len(news) - len(refs),
                    "repeated": len(within) - len(news),
                    "ignored": len(events) - len(within),
                }
                watches.count_events(connection, bucket, counts)
                break
        open_job(bucket, using=using)
    else:
        raise Unavailable("The bucket's continuous job ended again and again: its events come again.")
    _send(job.job_id, using=using)
    return len(refs)


def _send(job_id: UUID, *, using: Feeder) -> None:
    """Send what the window has room for now; for more than that an execution. Best effort: settle sees to the rest."""
    try:
        job = control.find_job(job_id, using=using)
        if job.status is not JobStatus.LISTING or control.fleet_is_paused(using=using):
            return
        if top_up(job, using=using).planned:
            control.feed_again(job_id, using=using)
    except ScannerError:
        log.warning("events_not_sent", job_id=job_id, exc_info=True)


def _put_aside(message: EventMessage, why: str, *, using: Feeder) -> bool:
    """Keep a message that cannot be read as a dead letter; False when that could not be done."""
    log.warning("event_unreadable", message_id=message.message_id, reason=why)
    try:
        with transaction(using.engine) as connection:
            dead_letters.add_dead_letter(
                connection,
                message_id=message.message_id,
                body=message.body,
                receive_count=message.receive_count,
                sent_at=message.sent_at,
                group=None,
                task=None,
                batch=None,
                lane=OBJECT_EVENTS,
                error=f"InvalidInput: {why}",
            )
    except ScannerError:
        log.warning("event_not_put_aside", message_id=message.message_id, exc_info=True)
        return False
    return True

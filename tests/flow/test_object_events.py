"""Events of S3 become objects of the bucket's continuous job: each once, whatever comes twice, late, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from scanner_tasks import bootstrap
from scanner_tasks.core.errors import BucketNotFound, InvalidInput, Unavailable, WatchNotFound
from scanner_tasks.core.lanes import OBJECT_EVENTS
from scanner_tasks.core.model import JobSource
from scanner_tasks.core.selection import Selection
from scanner_tasks.flow import control, object_events, redrive
from scanner_tasks.flow.object_events import EventMessage, TakenEvents, take_events
from scanner_tasks.flow.settle import settle
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.flow.watches import find_watch, list_watches, unwatch_bucket, watch_bucket
from scanner_tasks.store.dead_letters import LetterFilter
from scanner_tasks.store.engine import execute, transaction
from scanner_tasks.store.feeding import dispatch_view
from stepfunctions.object_events import handler
from tests.store.ledgers import assert_sums_agree

from .conftest import System
from .object_messages import eventbridge, message, record, text

SSN = b"name,ssn\nJane Roe,512-44-1234\n"


@pytest.fixture
def watched(system: System) -> Iterator[System]:
    watch_bucket(system.bucket, using=system.feeder)
    yield system
    with transaction(system.engine) as connection:
        execute(connection, "delete from watches")
        execute(connection, "delete from unwatched_events")


def take(system: System, *messages: EventMessage) -> TakenEvents:
    return take_events(messages, using=system.feeder)


def job_id_of(system: System) -> UUID:
    job_id = find_watch(system.bucket, using=system.feeder).job_id
    assert job_id is not None
    return job_id


def end_day(system: System, job_id: UUID) -> None:
    """As if the job had begun yesterday."""
    with transaction(system.engine) as connection:
        execute(connection, "update jobs set created_at = created_at - interval '1 day' where job_id = :id", id=job_id)


def test_objects_of_events_are_scanned_within_the_call_and_the_job_ends_with_its_day(watched: System) -> None:
    keys = ["a//b.csv", "with space+plus.csv", "ü/名.csv", "x/../y%20.csv"]
    watched.put(dict.fromkeys(keys, SSN))
    taken = take(
        watched, *(message(record(watched.bucket, key)) for key in keys[:2]), eventbridge(watched.bucket, keys[2])
    )
    sns = {"Type": "Notification", "Message": message(record(watched.bucket, keys[3])).body}
    taken = take(watched, text(json.dumps(sns)))
    assert (taken.added, taken.failed) == (1, ())
    job_id = job_id_of(watched)
    # Sent by the call itself: no turn of Feed, no settle.
    assert set(watched.deliver(job_id)) == {"done"}
    view = watched.job(job_id)
    assert (view.job.source, view.job.listed_at, str(view.job.status)) == (JobSource.EVENTS, None, "listing")
    assert watched.statuses(job_id) == dict.fromkeys(keys, "scanned")
    assert (view.progress.listed, view.progress.findings) == (4, 4)

    settle(using=watched.feeder)
    assert watched.job(job_id).job.finished_at is None, "its day goes on"
    end_day(watched, job_id)
    settle(using=watched.feeder)
    ended = watched.job(job_id)
    assert str(ended.job.status) == "succeeded"
    assert_sums_agree(watched.engine, ended.job)
    watched.put({"next": SSN})
    take(watched, message(record(watched.bucket, "next")))
    assert job_id_of(watched) != job_id


def test_an_event_counts_once_however_often_and_in_whatever_order_it_comes(watched: System) -> None:
    watched.put({"a": SSN, "b": SSN})
    written = [
        message(record(watched.bucket, "a", sequencer=n)) for n in ("0055AED6DC901", "0055AED6DC9", "0055AED6DC902")
    ]
    gone = message(record(watched.bucket, "b", name="ObjectRemoved:Delete", sequencer="0055AED6DC905"))
    assert take(watched, written[0], written[1]).added == 1  # one call: the older one is no news
    assert take(watched, written[1]).added == 0  # late
    assert take(watched, written[0], written[0]).added == 0  # again
    assert take(watched, written[2], gone).added == 1  # overwritten
    assert take(watched, message(record(watched.bucket, "b", sequencer="0055AED6DC904"))).added == 0  # deleted since
    watch = find_watch(watched.bucket, using=watched.feeder)
    assert (watch.added, watch.repeated, watch.deleted, watch.ignored) == (2, 5, 1, 0)
    watched.deliver(job_id_of(watched))
    assert watched.job(job_id_of(watched)).progress.listed == 2
    # Two versions of a key are two objects.
    versions = [record(watched.bucket, "v", versionId=version, sequencer="0A") for version in ("v1", "v2", "v1")]
    assert take(watched, message(*versions)).added == 2


def test_a_consumer_that_dies_after_its_commit_leaves_nothing_undone_and_nothing_twice(
    watched: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.put({"a": SSN})
    told = message(record(watched.bucket, "a"))
    with monkeypatch.context() as patched:
        patched.setattr(object_events, "top_up", _dies)
        with pytest.raises(KeyboardInterrupt):
            take(watched, told)
    assert watched.queues.bodies(watched.job(job_id_of(watched)).job.lane) == []
    assert take(watched, told).added == 0  # SQS gives it again: known, but sent now
    assert watched.deliver(job_id_of(watched)) == ["done"]
    assert watched.job(job_id_of(watched)).progress.scanned == 1


def _dies(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_what_sqs_does_not_take_is_sent_by_feed(watched: System) -> None:
    watched.put({"a": SSN})
    take(watched, message(record(watched.bucket, "a")))
    lane = watched.job(job_id_of(watched)).job.lane
    watched.deliver(job_id_of(watched))
    watched.queues.failing.add(lane)
    watched.put({"b": SSN})
    assert take(watched, message(record(watched.bucket, "b"))).failed == ()
    job = watched.job(job_id_of(watched)).job
    assert list(watched.executions.started) == [f"{job.job_id}-1"]
    watched.queues.failing.clear()
    assert watched.feed(job.job_id) == "done"  # sends, and does not wait for more events
    assert watched.deliver(job.job_id) == ["done"]
    # Ten minutes without events are no standstill.
    with transaction(watched.engine) as connection:
        execute(connection, "update jobs set progressed_at = now() - interval '1 hour' where job_id = :i", i=job.job_id)
    settle(using=watched.feeder)
    assert list(watched.executions.started) == [f"{job.job_id}-1"]


def test_a_burst_is_batches_of_a_hundred_sent_as_the_window_allows(watched: System) -> None:
    keys = [f"{n:05d}" for n in range(10_000)]
    watched.put(dict.fromkeys(keys, b""))
    burst = [
        message(*(record(watched.bucket, key) for key in keys[start : start + 10])) for start in range(0, 10_000, 10)
    ]
    with ThreadPoolExecutor(2) as pool:  # two at a time, each message twice
        halves = list(pool.map(lambda some: take(watched, *some), (burst, list(reversed(burst)))))
    assert sum(half.added for half in halves) == 10_000
    job = watched.job(job_id_of(watched))
    assert (job.progress.listed, job.progress.batches, job.progress.open_batches) == (10_000, 100, 100)
    assert len(watched.queues.bodies(job.job.lane)) >= 100
    assert_sums_agree(watched.engine, job.job)


def test_an_unreadable_message_is_a_dead_letter_at_once_and_goes_back_once_it_can_be_read(watched: System) -> None:
    bad = record(watched.bucket, "hidden-key")
    del bad["s3"]["object"]["size"]
    foreign = [text("no JSON"), text("[]"), text('{"Records": []}'), message(bad)]
    test_event = text(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": watched.bucket}))
    taken = take(watched, *foreign, test_event)
    assert (taken.unreadable, taken.failed, taken.events) == (4, (), 0)
    letters = {m.message_id: redrive.find_letter(m.message_id, using=watched.feeder) for m in foreign}
    assert {letter.lane for letter in letters.values()} == {OBJECT_EVENTS}
    assert letters[foreign[3].message_id].error == "InvalidInput: The event tells no size of its object."
    for one in foreign:
        assert "discard it" in str(
            redrive.retry_letters(LetterFilter(message_id=one.message_id), using=watched.feeder).__next__().reason
        )
    # One that SQS itself gave up on, after an outage, is S3's all the same.
    told = message(record(watched.bucket, "a"))
    watched.queues.send("scan-dlq", [redrive.OutgoingMessage(body=told.body, group="g")])
    settle(using=watched.feeder)
    (letter,) = [one for one in redrive.every_letter(LetterFilter(), using=watched.feeder) if one.body == told.body]
    assert redrive.retry_letter(letter.message_id, using=watched.feeder).result == "sent"
    assert watched.queues.bodies(OBJECT_EVENTS) == [told.body]


def test_events_that_cannot_be_recorded_come_again_and_others_do_not(
    watched: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "feeder", lambda: watched.feeder)
    mine, other = message(record(watched.bucket, "a")), message(record("nobody-watches-this", "a"))

    def fails(bucket: str, **_: object) -> None:
        raise Unavailable("Postgres is not reachable just now: try again.")

    monkeypatch.setattr(object_events, "open_job", fails)
    records = [{"messageId": m.message_id, "body": m.body, "attributes": {}} for m in (mine, other)]
    assert handler({"Records": records}, None) == {"batchItemFailures": [{"itemIdentifier": mine.message_id}]}
    assert watched.bucket not in [one.bucket for one in list_watches(using=watched.feeder).unwatched]
    monkeypatch.undo()
    with pytest.raises(InvalidInput, match="batch of SQS messages"):
        handler({"job_id": "x"}, None)


def test_events_of_a_bucket_that_nobody_watches_are_counted_and_told(watched: System) -> None:
    take(watched, message(record("foreign-bucket", "a"), record("foreign-bucket", "b")))
    told = {one.bucket: one.events for one in list_watches(using=watched.feeder).unwatched}
    assert told["foreign-bucket"] == 2


def test_a_watch_takes_its_prefix_and_selection_and_tells_what_it_left(watched: System) -> None:
    watch_bucket(watched.bucket, "in/", selection=Selection(extensions=("csv",)), using=watched.feeder)
    keys = ["in/a.csv", "in/b.log", "out/c.csv"]
    watched.put(dict.fromkeys(keys, SSN))
    tagged = record(watched.bucket, "in/a.csv", name="ObjectTagging:Put")
    restored = record(watched.bucket, "in/a.csv", name="ObjectRestore:Completed")
    take(watched, message(*(record(watched.bucket, key) for key in keys), tagged, restored))
    job_id = job_id_of(watched)
    watched.deliver(job_id)
    assert watched.job(job_id).progress.outcomes == {"scanned": 2, "skipped(excluded_kind)": 1}
    assert find_watch(watched.bucket, using=watched.feeder).ignored == 2
    # Another way of watching is another job, and the former one ends.
    watch_bucket(watched.bucket, using=watched.feeder)
    settle(using=watched.feeder)
    assert watched.job(job_id).job.finished_at is not None


def test_a_paused_job_keeps_taking_events_and_a_cancelled_one_is_followed_by_another(watched: System) -> None:
    watched.put({"a": SSN, "b": SSN})
    take(watched, message(record(watched.bucket, "a")))
    first = job_id_of(watched)
    control.pause_job(first, using=watched.feeder)
    take(watched, message(record(watched.bucket, "b")))
    assert job_id_of(watched) == first
    assert len(watched.queues.bodies(watched.job(first).job.lane)) == 1, "nothing is sent while it is paused"
    control.resume_job(first, using=watched.feeder)
    watched.feed(first)
    watched.deliver(first)
    assert watched.job(first).progress.scanned == 2
    control.cancel_job(first, reason="enough", using=watched.feeder)
    take(watched, message(record(watched.bucket, "a")))
    assert job_id_of(watched) != first


def test_a_bucket_that_is_no_longer_watched_ends_its_job(watched: System) -> None:
    watched.put({"a": SSN})
    take(watched, message(record(watched.bucket, "a")))
    job_id = job_id_of(watched)
    watched.deliver(job_id)
    unwatch_bucket(watched.bucket, using=watched.feeder)
    settle(using=watched.feeder)
    assert str(watched.job(job_id).job.status) == "succeeded"
    with pytest.raises(WatchNotFound):
        unwatch_bucket(watched.bucket, using=watched.feeder)


def test_a_bucket_that_cannot_be_listed_or_a_choice_that_events_cannot_tell_is_refused(system: System) -> None:
    with pytest.raises(BucketNotFound):
        watch_bucket("no-such-bucket", using=system.feeder)
    with pytest.raises(InvalidInput, match="storage_classes"):
        watch_bucket(system.bucket, selection=Selection(storage_classes=("STANDARD",)), using=system.feeder)


def test_an_open_job_takes_no_share_of_the_window_and_is_no_base(watched: System) -> None:
    watched.put({"a": SSN})
    take(watched, message(record(watched.bucket, "a")))
    events_job = job_id_of(watched)
    job_id = watched.start()
    with transaction(watched.engine) as connection:
        view = object_events.jobs.get_job(connection, job_id)
        assert view is not None
        assert dispatch_view(connection, view).active_jobs == 1
    with pytest.raises(InvalidInput, match="what events named"):
        start_job(watched.bucket, base_job=events_job, using=watched.feeder)

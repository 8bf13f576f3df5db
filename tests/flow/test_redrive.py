"""Dead letters are listed from the ledger, go back to their own lane, and survive whatever dies half-way."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from scanner_tasks.core import lanes
from scanner_tasks.core.envelope import read_envelope
from scanner_tasks.core.errors import Conflict, DeadLetterNotFound, Denied, InvalidInput, Unavailable
from scanner_tasks.core.model import JobStatus
from scanner_tasks.core.ports import OutgoingMessage
from scanner_tasks.flow import control, redrive
from scanner_tasks.flow.attempt_errors import error_line, traceback_text
from scanner_tasks.flow.isolation import ObjectChild
from scanner_tasks.flow.redrive import LetterFilter
from scanner_tasks.flow.settle import settle
from scanner_tasks.store import feeding
from scanner_tasks.store.engine import execute, transaction
from tests.store.ledgers import assert_sums_agree

from .conftest import System, run_message

SSN = b"name,ssn\nJane Roe,512-44-1234\n"


@pytest.fixture(autouse=True)
def _no_letters(engine: Engine) -> None:
    with transaction(engine) as connection:
        execute(connection, "delete from dead_letters")


def fail_thrice(system: System, job_id: UUID, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> None:
    """Each message of the job is received three times and fails; SQS moves it, and settle takes it over."""
    lane = system.job(job_id).job.lane

    def away(*_: object, **__: object) -> None:
        raise error or Unavailable("no credentials just now")

    with monkeypatch.context() as patch:
        patch.setattr(system.objects, "open", away)
        patch.setattr(ObjectChild, "scan", away)  # from the second attempt on, objects are read in a child
        for _ in range(4):
            for message in system.queues.receive(lane, 10, 0):
                with pytest.raises(type(error or Unavailable(""))):
                    run_message(message.body, system.worker)
    assert system.queues.depth(lane).visible == 0
    settle(using=system.feeder)


@pytest.fixture
def dead_job(system: System, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """A job of 150 objects whose two batches died, and which has ended so."""
    system.put({f"{n:04d}": SSN for n in range(150)})
    job_id = system.start()
    system.feed(job_id)
    fail_thrice(system, job_id, monkeypatch)
    view = system.job(job_id)
    assert (view.job.status, view.progress.outcomes) == (
        JobStatus.SUCCEEDED_WITH_FAILURES,
        {"failed(dead_letter)": 150},
    )
    return job_id


def letters(system: System, **wanted: object) -> list[redrive.DeadLetter]:
    return redrive.list_letters(LetterFilter(**wanted), limit=1000, using=system.feeder)


def sums(system: System, job_id: UUID):
    return assert_sums_agree(system.engine, system.job(job_id).job)


def request_letter(system: System, *, task: str = "scanner_tasks.scan_objects", lane: str = "scan-1") -> str:
    """A request to scan that SQS gave up on."""
    call = base64.b64encode(json.dumps([[system.bucket, ["secret key.csv"]], {}, {}]).encode()).decode()
    message = {
        "body": call,
        "content-type": "application/json",
        "headers": {"task": task, "id": str(uuid4())},
        "properties": {"body_encoding": "base64", "delivery_info": {"routing_key": lane}},
    }
    return base64.b64encode(json.dumps(message).encode()).decode()


def bury(system: System, body: str) -> redrive.DeadLetter:
    system.queues.send(lanes.DLQ, [OutgoingMessage(body=body, group=system.bucket)])
    settle(using=system.feeder)
    (letter,) = [found for found in letters(system) if found.body == body]
    return letter


def test_letter_shows_task_arguments_times_and_why_each_attempt_failed(system: System, dead_job: UUID) -> None:
    first, second = letters(system)
    assert {first.batch_no, second.batch_no} == {0, 1}
    details = redrive.show_letter(first.message_id, using=system.feeder)
    assert (details.letter.task, details.letter.job_id, details.letter.bucket) == (
        "scanner_tasks.scan_batch",
        dead_job,
        system.bucket,
    )
    assert details.arguments == (repr(str(dead_job)), str(first.batch_no), "0")
    assert (details.letter.receive_count, details.letter.state) == (3, "open")
    assert details.letter.sent_at is not None
    assert details.letter.sent_at <= details.letter.arrived_at
    assert details.letter.error == "Unavailable: no credentials just now"
    assert [error.attempt for error in details.errors] == [1, 2, 3]
    assert "scan_object.py" in details.errors[0].traceback
    assert "scan_batch.py" in details.errors[0].traceback


def test_error_that_is_not_ours_is_kept_without_its_message(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    from scanner_tasks.store import batches  # noqa: PLC0415

    system.put({"a": SSN})
    job_id = system.start()
    system.feed(job_id)
    (body,) = system.queues.bodies(system.job(job_id).job.lane)

    def broken(*_: object) -> bool:
        raise ValueError("512-44-1234") from KeyError("512-44-1234")

    with monkeypatch.context() as patch:
        patch.setattr(batches, "record_results", broken)
        with pytest.raises(ValueError, match="512"):
            run_message(body, system.worker)
    with transaction(system.engine) as connection:
        row = execute(
            connection, "select error, traceback from batch_errors where job_no = :n", n=system.job(job_id).job.job_no
        ).one()
    assert row.error == "ValueError"
    assert system.job(job_id).progress.processing == 0, "released: its message can be claimed when it comes again"
    assert "KeyError" in row.traceback
    assert "broken" in row.traceback
    assert "512" not in row.traceback


def test_error_that_cannot_be_kept_hides_no_other(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    from scanner_tasks.flow import attempt_errors  # noqa: PLC0415

    system.put({"a": SSN})
    job_id = system.start()
    system.feed(job_id)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(attempt_errors, "add_batch_error", broken)
    fail_thrice(system, job_id, monkeypatch)
    (letter,) = letters(system)
    assert letter.error is None


def test_error_line_groups_equal_errors_and_quotes_no_foreign_message() -> None:
    assert error_line(Denied("the role needs s3:GetObject")) == "Denied: the role needs s3:GetObject"
    foreign = RuntimeError("a value")
    foreign.response = {"Error": {"Code": "SlowDown"}}  # type: ignore[attr-defined]
    assert error_line(foreign) == "RuntimeError [SlowDown]"
    assert "a value" not in traceback_text(foreign)
    assert len(error_line(Denied("x" * 9999))) == 300


def test_retried_letter_opens_its_job_and_is_scanned_from_its_own_lane(system: System, dead_job: UUID) -> None:
    letter = letters(system)[0]
    done = redrive.retry_letter(letter.message_id, using=system.feeder)
    assert (done.result, done.reason) == ("sent", None)
    job = system.job(dead_job).job
    assert (job.status, job.finished_at) == (JobStatus.SCANNING, None)
    (message,) = system.queues.receive(job.lane, 10, 0)
    assert message.group == system.bucket
    assert read_envelope(message.body).args == (str(dead_job), letter.batch_no, job.epoch)
    settle(using=system.feeder)
    assert sums(system, dead_job).pending == 100 - 50 * letter.batch_no
    system.deliver(dead_job)
    settle(using=system.feeder)
    assert system.job(dead_job).job.status is JobStatus.SUCCEEDED_WITH_FAILURES
    (other,) = letters(system)
    redrive.retry_letter(other.message_id, using=system.feeder)
    view = system.run(dead_job)
    assert (view.job.status, view.progress.scanned, view.progress.findings) == (JobStatus.SUCCEEDED, 150, 150)
    sums(system, dead_job)


def test_retrying_twice_changes_nothing(system: System, dead_job: UUID) -> None:
    letter = letters(system)[0]
    redrive.retry_letter(letter.message_id, using=system.feeder)
    again = redrive.retry_letter(letter.message_id, using=system.feeder)
    assert again.result == "moot"
    assert len(system.queues.bodies(letter.lane or "")) == 1


def test_epoch_is_the_jobs_own_when_it_was_raised_since(system: System, dead_job: UUID) -> None:
    letter = letters(system)[0]
    with transaction(system.engine) as connection:
        execute(connection, "update jobs set epoch = 7 where job_id = :id", id=dead_job)
    redrive.retry_letter(letter.message_id, using=system.feeder)
    assert system.deliver(dead_job) == ["done"]


@pytest.mark.parametrize("step", ["send", "mark"])
def test_retry_killed_half_way_loses_nothing(
    system: System, dead_job: UUID, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    objects = 100 - 50 * (letters(system)[0].batch_no or 0)
    with monkeypatch.context() as patch:
        if step == "send":
            patch.setattr(system.queues, "send", die)
        else:
            patch.setattr(feeding, "mark_dispatched", die)
        with pytest.raises(KeyboardInterrupt):
            list(redrive.retry_letters(LetterFilter(), using=system.feeder, rate_per_s=1e6))
    assert [letter.state for letter in letters(system, state=None)] == ["retried", "open"]
    sums(system, dead_job)
    settle(using=system.feeder)  # no execution knows of the batch: settle starts the next, which sends it
    view = system.run(dead_job)
    assert view.progress.outcomes == {"scanned": objects, "failed(dead_letter)": 150 - objects}
    assert view.progress.findings == objects
    assert [r.result for r in redrive.retry_letters(LetterFilter(), using=system.feeder, rate_per_s=1e6)] == ["sent"]
    assert system.run(dead_job).progress.outcomes == {"scanned": 150}
    sums(system, dead_job)


def test_retry_killed_within_its_transaction_leaves_the_letter_open(
    system: System, dead_job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scanner_tasks.store import dead_letters  # noqa: PLC0415

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    letter = letters(system)[0]
    with monkeypatch.context() as patch:
        patch.setattr(dead_letters, "change_letter", die)
        with pytest.raises(KeyboardInterrupt):
            redrive.retry_letter(letter.message_id, using=system.feeder)
    assert len(letters(system)) == 2
    assert system.job(dead_job).job.status is JobStatus.SUCCEEDED_WITH_FAILURES
    assert sums(system, dead_job).failed == 150


@pytest.mark.parametrize("fault", ["refused", "denied"])
def test_batch_that_sqs_does_not_take_is_left_to_feed(system: System, dead_job: UUID, fault: str) -> None:
    lane = system.job(dead_job).job.lane
    letter = letters(system)[0]
    if fault == "refused":
        system.queues.failing.add(lane)
        done = redrive.retry_letter(letter.message_id, using=system.feeder)
        system.queues.failing.clear()
    else:
        with pytest.MonkeyPatch.context() as patch:

            def denied(*_: object) -> list[int]:
                raise Denied("the role needs sqs:SendMessage")

            patch.setattr(system.queues, "send", denied)
            done = redrive.retry_letter(letter.message_id, using=system.feeder)
        assert "sqs:SendMessage" in (done.reason or "")
    assert done.result == "planned"
    settle(using=system.feeder)
    assert system.run(dead_job).progress.scanned > 0


def test_all_are_retried_at_a_rate_after_a_dry_run_that_changes_nothing(system: System, dead_job: UUID) -> None:
    bury(system, "not one of ours")
    slept: list[float] = []
    dry = list(redrive.retry_letters(LetterFilter(), using=system.feeder, dry_run=True))
    assert [done.result for done in dry] == ["sent", "sent", "refused"]
    assert len(letters(system)) == 3
    assert not system.queues.bodies(system.job(dead_job).job.lane)
    real = list(redrive.retry_letters(LetterFilter(), using=system.feeder, rate_per_s=0.1, sleep=slept.append))
    assert [done.result for done in real] == ["sent", "sent", "refused"]
    assert "export or discard it" in (real[2].reason or "")
    assert len(slept) == 2
    assert 9 < slept[0] <= 10
    assert system.run(dead_job).progress.outcomes == {"scanned": 150}
    with pytest.raises(InvalidInput):
        redrive.retry_letters(LetterFilter(), using=system.feeder, rate_per_s=0)


def test_group_of_letters_is_retried_and_the_others_stay(
    make_system: Callable[..., System], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = make_system(), make_system()
    for system, error in ((one, Unavailable("no credentials")), (other, Unavailable("S3 is away"))):
        system.put({"a": SSN})
        job_id = system.start()
        system.feed(job_id)
        fail_thrice(system, job_id, monkeypatch, error)
    by_error = redrive.group_letters(LetterFilter(), by="error", using=one.feeder)
    assert {group.name: group.letters for group in by_error} == {
        "Unavailable: no credentials": 1,
        "Unavailable: S3 is away": 1,
    }
    for by, name in (("bucket", one.bucket), ("task", "scanner_tasks.scan_batch")):
        assert name in {group.name for group in redrive.group_letters(LetterFilter(), by=by, using=one.feeder)}
    wanted = LetterFilter(error="Unavailable: S3 is away")
    assert [done.result for done in redrive.retry_letters(wanted, using=one.feeder)] == ["sent"]
    (left,) = letters(one)
    assert left.bucket == one.bucket
    assert letters(one, job_id=left.job_id) == [left]
    assert letters(one, bucket=other.bucket) == []
    with pytest.raises(InvalidInput):
        redrive.group_letters(LetterFilter(), by="size", using=one.feeder)


def test_paused_jobs_letter_is_planned_and_sent_when_it_resumes(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.put({f"{n:04d}": SSN for n in range(150)})
    job_id = system.start()
    system.feed(job_id)
    (first, _) = system.queues.receive(system.job(job_id).job.lane, 10, 0)
    bury(system, first.body)
    control.pause_job(job_id, using=system.feeder)
    sent = len(system.queues.bodies(system.job(job_id).job.lane))
    (done,) = redrive.retry_letters(LetterFilter(), using=system.feeder)
    assert (done.result, len(system.queues.bodies(system.job(job_id).job.lane))) == ("planned", sent)
    sums(system, job_id)
    control.resume_job(job_id, using=system.feeder)
    assert system.run(job_id).progress.outcomes == {"scanned": 150}


def test_paused_fleets_letter_is_planned_and_sent_when_it_resumes(system: System, dead_job: UUID) -> None:
    control.pause_all(using=system.feeder)
    try:
        results = {done.result for done in redrive.retry_letters(LetterFilter(), using=system.feeder)}
    finally:
        control.resume_all(using=system.feeder)
    assert results == {"planned"}
    assert system.run(dead_job).progress.outcomes == {"scanned": 150}


def test_cancelled_jobs_letter_is_refused_and_stays(system: System) -> None:
    system.put({f"{n:04d}": SSN for n in range(150)})
    job_id = system.start()
    system.feed(job_id)
    letter = bury(system, system.queues.bodies(system.job(job_id).job.lane)[0])
    control.cancel_job(job_id, reason="asked for", using=system.feeder)
    assert redrive.forecast(letters(system)[0], using=system.feeder).result == "refused"
    with pytest.raises(Conflict, match="is cancelled"):
        redrive.retry_letter(letter.message_id, using=system.feeder)
    assert letters(system)[0].state == "open"


def test_letter_of_a_batch_that_is_not_dead_is_moot(system: System) -> None:
    system.put({"a": SSN})
    job_id = system.start()
    system.feed(job_id)
    (body,) = system.queues.bodies(system.job(job_id).job.lane)
    system.run(job_id)
    system.queues.send(lanes.DLQ, [OutgoingMessage(body=body, group=system.bucket)])
    settle(using=system.feeder)
    (letter,) = letters(system, state=None)
    assert letter.state == "moot"
    assert redrive.retry_letter(letter.message_id, using=system.feeder).result == "moot"
    assert system.job(job_id).job.status is JobStatus.SUCCEEDED


def test_failed_objects_retried_as_a_job_close_its_letters(system: System, dead_job: UUID) -> None:
    assert control.retry_failed(dead_job, using=system.feeder).objects == 150
    assert {letter.state for letter in letters(system, state=None)} == {"retried"}
    assert system.run(dead_job).progress.outcomes == {"scanned": 150}


def test_request_goes_back_to_its_lane_as_it_was(system: System) -> None:
    body = request_letter(system)
    letter = bury(system, body)
    details = redrive.show_letter(letter.message_id, using=system.feeder)
    assert details.arguments == (repr(system.bucket), "<1 keys>")
    assert "secret key" not in repr(details.arguments)
    assert redrive.retry_letter(letter.message_id, using=system.feeder).result == "sent"
    (message,) = system.queues.receive("scan-1", 10, 0)
    assert (message.body, message.group) == (body, system.bucket)
    assert redrive.find_letter(letter.message_id, using=system.feeder).state == "retried"


def test_request_whose_retry_dies_between_send_and_mark_is_still_there(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scanner_tasks.store import dead_letters  # noqa: PLC0415

    letter = bury(system, request_letter(system))

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(dead_letters, "change_letter", die)
        with pytest.raises(KeyboardInterrupt):
            redrive.retry_letter(letter.message_id, using=system.feeder)
    assert letters(system) == [letter]
    system.queues.failing.add("scan-1")
    with pytest.raises(Conflict, match="SQS did not take it"):
        redrive.retry_letter(letter.message_id, using=system.feeder)
    assert letters(system) == [letter]


@pytest.mark.parametrize("lane", ["scan-99", "scan-dlq"])
def test_request_for_a_lane_that_is_none_is_refused(system: System, lane: str) -> None:
    letter = bury(system, request_letter(system, lane=lane))
    with pytest.raises(Conflict, match="does not exist"):
        redrive.retry_letter(letter.message_id, using=system.feeder)


def test_discarded_letter_keeps_its_record_and_its_reason(system: System, dead_job: UUID) -> None:
    first, second = letters(system)
    for reason in ("", "  ", "x" * 501, "two\nlines"):
        with pytest.raises(InvalidInput, match="reason"):
            redrive.discard_letter(first.message_id, reason=reason, using=system.feeder)
    assert redrive.discard_letter(first.message_id, reason="a test object", using=system.feeder)
    assert not redrive.discard_letter(first.message_id, reason="another", using=system.feeder)
    kept = redrive.find_letter(first.message_id, using=system.feeder)
    assert (kept.state, kept.state_reason, kept.body) == ("discarded", "a test object", first.body)
    with pytest.raises(Conflict, match="It is discarded"):
        redrive.retry_letter(first.message_id, using=system.feeder)
    assert list(redrive.discard_letters(LetterFilter(), reason="x", using=system.feeder, dry_run=True)) == [
        second.message_id
    ]
    assert letters(system) == [second]
    assert list(redrive.discard_letters(LetterFilter(), reason="x", using=system.feeder)) == [second.message_id]
    assert letters(system) == []
    assert sums(system, dead_job).failed == 150


def test_letter_that_is_not_there_says_so(system: System) -> None:
    for act in (redrive.find_letter, redrive.show_letter, redrive.retry_letter):
        with pytest.raises(DeadLetterNotFound, match="No dead letter 'nope'"):
            act("nope", using=system.feeder)


def test_hundred_thousand_letters_are_listed_page_by_page_from_the_index(system: System) -> None:
    with transaction(system.engine) as connection:
        execute(
            connection,
            """
            insert into dead_letters (message_id, task, body, receive_count, error, arrived_at)
            select 'm' || n, 'scanner_tasks.scan_batch', 'b', 4, 'e' || (n % 7), now() - make_interval(secs => n % 1000)
            from generate_series(1, 100000) n
            """,
        )
        execute(connection, "analyze dead_letters")
    began = time.monotonic()
    page = letters(system)
    middle = page[-1]
    for _ in range(20):
        following = redrive.list_letters(LetterFilter(), after=middle, limit=1000, using=system.feeder)
        assert (following[0].arrived_at, following[0].message_id) > (middle.arrived_at, middle.message_id)
        middle = following[-1]
    assert time.monotonic() - began < 10
    assert len(redrive.group_letters(LetterFilter(), by="error", using=system.feeder)) == 7
    with transaction(system.engine) as connection:
        plan = execute(
            connection,
            """
            explain select * from dead_letters d where d.state = 'open'
              and (d.arrived_at, d.message_id) > (now() - interval '500 s', 'm')
            order by d.arrived_at, d.message_id limit 100
            """,
        )
        text = "\n".join(row[0] for row in plan)
    assert "dead_letters_open" in text
    assert "Sort" not in text

"""The Lambda handlers, with their flows replaced at the module border."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import SimpleNamespace
from unittest import mock
from uuid import UUID

import pytest

from scanner_tasks import log
from scanner_tasks.core.errors import BucketNotFound, Conflict, Denied, InvalidInput, JobNotFound, Unavailable

JOB_ID = UUID("0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11")
EVENT = {"job_id": str(JOB_ID), "execution_no": 2, "turn": 5}
USING = object()


@pytest.fixture
def feeding(monkeypatch):
    from stepfunctions import feed as handlers  # noqa: PLC0415 (after the flows are there)

    log.configure()
    monkeypatch.setattr(handlers.bootstrap, "feeder", lambda: USING, raising=False)
    flow = SimpleNamespace(feed=mock.Mock(), fail_job=mock.Mock())
    flow.feed.return_value = SimpleNamespace(state="more", wait_s=3, listed=1000, sent=20)
    monkeypatch.setattr(handlers.feed, "feed", flow.feed, raising=False)
    monkeypatch.setattr(handlers.control, "fail_job", flow.fail_job, raising=False)
    flow.handler = lambda event: json.loads(json.dumps(handlers.handler(event, None)))
    flow.failed = lambda event: json.loads(json.dumps(handlers.failed(event, None)))
    return flow


@pytest.fixture
def settling(monkeypatch):
    from stepfunctions import settle as handlers  # noqa: PLC0415 (after the flows are there)

    log.configure()
    monkeypatch.setattr(handlers.bootstrap, "feeder", lambda: USING, raising=False)
    flow = mock.Mock()
    monkeypatch.setattr(handlers.settle, "settle", flow, raising=False)
    return SimpleNamespace(flow=flow, handler=lambda event: handlers.handler(event, None))


def test_turn_gives_the_next_turns_event_and_what_to_do_first(feeding):
    assert feeding.handler(EVENT) == {
        "job_id": str(JOB_ID),
        "execution_no": 2,
        "turn": 6,
        "state": "more",
        "wait_s": 3,
        "listed": 1000,
        "sent": 20,
    }
    feeding.feed.assert_called_once_with(JOB_ID, execution_no=2, turn=5, using=USING)


def test_what_a_turn_gives_is_a_turns_event_again(feeding):
    assert feeding.handler(feeding.handler(EVENT))["turn"] == 7


@pytest.mark.parametrize(
    ("event", "wrong"),
    [
        (None, "job_id, execution_no, turn"),
        ([], "job_id, execution_no, turn"),
        ({}, "job_id, execution_no, turn"),
        (EVENT | {"job_id": "hidden-value"}, "wrong: job_id."),
        (EVENT | {"job_id": 7}, "wrong: job_id."),
        (EVENT | {"turn": "5"}, "wrong: turn."),
        (EVENT | {"turn": True}, "wrong: turn."),
        (EVENT | {"turn": -1}, "wrong: turn."),
        (EVENT | {"execution_no": 1.5}, "wrong: execution_no."),
        ({"Records": [{"s3": {"object": {"key": "hidden-value"}}}]}, "job_id"),
    ],
)
def test_event_that_is_no_turn_is_refused_with_what_is_wrong(feeding, event, wrong):
    with pytest.raises(InvalidInput, match=wrong) as refusal:
        feeding.handler(event)
    assert "hidden-value" not in str(refusal.value)
    assert not feeding.feed.called


@pytest.mark.parametrize(
    "error", [BucketNotFound("my-bucket"), Denied("s3:ListBucket is missing"), JobNotFound(JOB_ID), Conflict("ended")]
)
def test_error_that_another_try_cannot_cure_is_told_as_data(feeding, error):
    feeding.feed.side_effect = error

    told = feeding.handler(EVENT)

    assert told["state"] == "failed"
    feeding.failed(told)
    feeding.fail_job.assert_called_once_with(JOB_ID, cause=f"Listing failed: {error}", using=USING)


def test_error_that_another_try_may_cure_is_raised_for_the_state_machine(feeding):
    feeding.feed.side_effect = Unavailable("the database did not answer")
    with pytest.raises(Unavailable):
        feeding.handler(EVENT)


def test_bug_is_logged_and_its_message_stays_out_of_the_state_machine(feeding, capsys):
    feeding.feed.side_effect = RuntimeError("hidden-value")
    with pytest.raises(Exception, match=r"Turn 5 of execution 2 broke off \(RuntimeError\)") as raised:
        feeding.handler(EVENT)
    assert raised.value.__suppress_context__
    assert raised.value.__cause__ is None
    logged = json.loads(capsys.readouterr().err)
    assert (logged["event"], logged["job_id"]) == ("feed_failed", str(JOB_ID))
    assert "hidden-value" not in json.dumps(logged)


CAUSES = {
    "our error": ({"Error": "Denied", "Cause": '{"errorType": "Denied", "errorMessage": "no"}'}, "Listing failed: no"),
    "Lambda's own": ({"Error": "Lambda.Unknown", "Cause": "The cause could not be"}, "Listing failed: Lambda.Unknown"),
    "timeout": ({"Error": "States.Timeout"}, "Listing failed: States.Timeout"),
    "unknown answer": (None, "Listing failed: the feed function gave an answer"),
    "long": ({"Error": "E", "Cause": json.dumps({"errorMessage": "x" * 5000})}, "Listing failed: xxx"),
    "odd": ({"Error": "E", "Cause": "[1]"}, "Listing failed: E"),
}


@pytest.mark.parametrize(("error", "cause"), CAUSES.values(), ids=CAUSES.keys())
def test_job_is_marked_failed_with_one_short_sentence(feeding, error, cause):
    feeding.failed(EVENT | {"error": error})
    told = feeding.fail_job.call_args.kwargs["cause"]
    assert told.startswith(cause)
    assert len(told) <= 500
    assert feeding.fail_job.call_args.args == (JOB_ID,)


def test_job_that_is_gone_has_nothing_to_mark(feeding):
    feeding.fail_job.side_effect = JobNotFound(JOB_ID)
    assert feeding.failed(EVENT)["job_id"] == str(JOB_ID)


@pytest.mark.parametrize("event", [None, {}, {"job_id": "x"}, []])
def test_failure_without_a_job_is_refused(feeding, event):
    with pytest.raises(InvalidInput, match="names no job"):
        feeding.failed(event)


@pytest.mark.parametrize("error", [Unavailable("the database did not answer"), RuntimeError("hidden-value")])
def test_failure_to_mark_is_raised_for_another_try(feeding, error):
    feeding.fail_job.side_effect = error
    with pytest.raises(Exception, match=r"did not answer|could not be marked failed") as raised:
        feeding.failed(EVENT)
    assert "hidden-value" not in str(raised.value)


@dataclass(frozen=True)
class Report:
    swept: int
    finished: int


def test_settle_gives_its_counts_whatever_the_event(settling):
    settling.flow.return_value = Report(swept=1, finished=2)
    for event in (None, {}, {"source": "aws.events"}):
        assert settling.handler(event) == {"swept": 1, "finished": 2}
    settling.flow.assert_called_with(using=USING)


@pytest.mark.parametrize("error", [Unavailable("the database did not answer"), RuntimeError("hidden-value")])
def test_settle_that_fails_is_logged_and_raised_without_internals(settling, capsys, error):
    settling.flow.side_effect = error
    with pytest.raises(Exception, match=r"did not answer|Settle broke off") as raised:
        settling.handler({})
    assert "hidden-value" not in str(raised.value)
    assert json.loads(capsys.readouterr().err)["event"] in {"settle_interrupted", "settle_failed"}

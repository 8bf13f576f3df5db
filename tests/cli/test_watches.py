"""Watching a bucket by command, by Python and by HTTP is the same thing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from api_lambda import common, watch_shapes
from api_lambda.handler import handler
from scanner_tasks import unwatch_bucket, watches
from scanner_tasks.cli import program
from scanner_tasks.flow.object_events import take_events
from scanner_tasks.store.engine import execute, transaction
from tests.api.conftest import request
from tests.flow.conftest import System
from tests.flow.object_messages import message, record

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_it(*arguments: str) -> SimpleNamespace:
        capsys.readouterr()
        status = program.run(arguments)
        said = capsys.readouterr()
        return SimpleNamespace(status=status, out=said.out, err=said.err)

    return run_it


@pytest.fixture(autouse=True)
def _no_watch_is_left(system: System) -> Iterator[None]:
    """Neither of another file's tests, which share the database, nor of these."""
    forget_watches(system)
    yield
    forget_watches(system)


def forget_watches(system: System) -> None:
    with transaction(system.engine) as connection:
        execute(connection, "delete from watches")
        execute(connection, "delete from unwatched_events")


def http(method: str, path: str, body: object = None) -> SimpleNamespace:
    answer = handler(request(method, path, body=None if body is None else json.dumps(body)), None)
    return SimpleNamespace(status=answer["statusCode"], json=json.loads(answer["body"]))


def test_watches_are_added_listed_and_removed(system: System, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common.bootstrap, "api", lambda: system.feeder)
    assert "No bucket is watched" in run("watches", "list").out
    done = run("watches", "add", system.bucket, "in/", "--extensions", "csv", "--budget-objects", "9")
    assert (done.status, "scan-object-events" in done.out) == (0, True)
    told = [message(record(system.bucket, "in/a.csv")), message(record("some-other-bucket", "a"))]
    take_events(told, using=system.feeder)

    shown = json.loads(run("watches", "list", "--json").out)
    assert shown == http("GET", "/watches").json
    (watch,) = shown["watches"]
    assert watch == http("GET", f"/watches/{system.bucket}").json
    assert set(watch) == set(watch_shapes.Watch.model_fields)
    assert (watch["selection"], watch["budget"], watch["events"]["added"]) == (
        {"extensions": ["csv"]},
        {"objects": 9},
        1,
    )
    assert [one["bucket"] for one in shown["unwatched"]] == ["some-other-bucket"]
    assert "some-other-bucket: 1 events came, but it is not watched." in run("watches", "list").out
    assert "events of S3" in run("jobs", "show", watch["job_id"]).out

    assert run("watches", "remove", system.bucket).status == 0
    assert run("watches", "remove", system.bucket).status == 1
    assert http("DELETE", f"/watches/{system.bucket}").status == 404
    made = http("POST", "/watches", {"bucket": system.bucket, "selection": {"extensions": ["csv"]}})
    assert (made.status, made.json["job_id"]) == (200, None)
    assert [one.bucket for one in watches().watches] == [system.bucket]
    unwatch_bucket(system.bucket)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"bucket": "s3://x"}, 400, "bare name"),
        ({"bucket": "no-such-bucket"}, 404, "No bucket"),
        ({"bucket": "no-such-bucket", "selection": {"limit_objects": 3}}, 400, "limit_objects"),
        ({"bucket": "no-such-bucket", "inventory": "x"}, 400, "field"),
    ],
)
def test_a_watch_that_cannot_be_is_refused(
    system: System, monkeypatch: pytest.MonkeyPatch, body: object, status: int, words: str
) -> None:
    monkeypatch.setattr(common.bootstrap, "api", lambda: system.feeder)
    refused = http("POST", "/watches", body)
    assert (refused.status, words in refused.json["detail"]) == (status, True)

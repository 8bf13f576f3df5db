"""A schedule by command, by Python and by HTTP is the same thing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from api_lambda import common, schedule_shapes
from api_lambda.handler import handler
from scanner_tasks import add_schedule, schedules
from scanner_tasks.cli import program
from scanner_tasks.store.engine import execute, transaction
from tests.api.conftest import request
from tests.flow.conftest import System

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
def _no_schedule_is_left(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(common.bootstrap, "api", lambda: system.feeder)
    forget_schedules(system)  # of another file's tests, which share the database
    yield
    forget_schedules(system)


def forget_schedules(system: System) -> None:
    with transaction(system.engine) as connection:
        execute(connection, "delete from schedules")


def http(method: str, path: str, body: object = None) -> SimpleNamespace:
    answer = handler(request(method, path, body=None if body is None else json.dumps(body)), None)
    return SimpleNamespace(status=answer["statusCode"], json=json.loads(answer["body"]))


def test_schedules_are_added_shown_run_and_removed(system: System, run: Run) -> None:
    assert "no schedules" in run("schedules", "list").out
    options = ("--base-job", "last", "--time-zone", "Europe/Berlin", "--modified-after", "30d", "--budget-dollars", "5")
    done = run("schedules", "add", "weekly", "0 3 * * mon", system.bucket, *options)
    assert (done.status, "is due next at" in done.out) == (0, True)

    shown = json.loads(run("schedules", "show", "weekly", "--json").out)
    assert shown == http("GET", "/schedules/weekly").json
    assert set(shown) == set(schedule_shapes.ScheduleWithRuns.model_fields)
    assert (shown["cron"], shown["selection"], shown["budget"]) == (
        "0 3 * * MON",
        {"modified_after": "30d"},
        {"dollars": 5},
    )
    assert len(shown["next_runs"]) == 3
    (listed,) = [json.loads(line) for line in run("schedules", "list", "--json").out.splitlines()]
    assert http("GET", "/schedules").json == {"schedules": [listed]}

    begun = run("schedules", "run-now", "weekly")
    (job_id,) = begun.out.split()
    assert http("POST", "/schedules/weekly/run-now").status == 409
    assert http("GET", f"/jobs/{job_id}").json["schedule"] == "weekly"
    assert "weekly" in run("jobs", "show", job_id, "--live").out
    assert job_id in run("schedules", "show", "weekly").out
    assert http("POST", "/schedules/weekly/pause").json["next_runs"] == []
    assert run("schedules", "pause", "weekly").status == 1
    assert "paused" in run("schedules", "list").out
    assert run("schedules", "resume", "weekly").status == 0
    assert run("schedules", "remove", "weekly").out == "weekly is removed.\n"
    assert run("schedules", "remove", "weekly").status == 1

    add_schedule("by-python", "5 4 * * *", [system.bucket])
    assert [one.name for one in schedules()] == ["by-python"]
    assert http("DELETE", "/schedules/by-python").json["name"] == "by-python"


def test_a_request_that_is_wrong_says_what_to_change(system: System) -> None:
    body = {"name": "nightly", "cron": "0 3 * * *", "buckets": [system.bucket]}
    for change, status, words in (
        ({"cron": "daily"}, 400, "five fields"),
        ({"time_zone": "Mars"}, 400, "IANA"),
        ({"name": "Nightly!"}, 400, "a-z"),
        ({"buckets": ["no-such-bucket"]}, 404, "No bucket"),
        ({"selection": {"min_size_bytes": "x"}}, 400, "min_size_bytes"),
    ):
        refused = http("POST", "/schedules", {**body, **change})
        assert (refused.status, words in refused.json["detail"]) == (status, True), refused.json
    assert http("POST", "/schedules", body).status == 200
    assert http("POST", "/schedules", body).status == 409

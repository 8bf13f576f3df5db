"""The state machine: valid for AWS, and executed as it stands with small functions in place of ours."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from statelint.config import Config
from statelint.linter import Linter

from scanner_tasks.local.emulator import ACCOUNT, REGION, Emulator
from scanner_tasks.local.ports import wait_until
from scanner_tasks.settings import Settings
from tests.conftest import unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

ASL = Path(__file__).parents[2] / "stepfunctions" / "state_machine.asl.json"

#: Stands in for our functions: a plan says what each call gives, a folder keeps what each call was given.
STUB = """
import json, os, pathlib

def _call(name, event):
    folder = pathlib.Path(os.environ["SCRATCH"]) / event["job_id"]
    calls = sorted(folder.glob(name + "-*.json"))
    (folder / f"{name}-{len(calls):03}.json").write_text(json.dumps(event))
    plan = json.loads((folder / "plan.json").read_text())
    return plan[min(len(calls), len(plan) - 1)]

def feed(event, context):
    step = _call("feed", event)
    if "raise" in step:
        raise RuntimeError(step["raise"])
    return {**event, "turn": event["turn"] + 1, "wait_s": 1, "listed": 0, "sent": 0, **step}

def failed(event, context):
    _call("failed", event)
    return {"ignored": True}
"""


def rendered() -> str:
    """The definition with the functions' ARNs in place of the placeholders."""
    text = ASL.read_text()
    for placeholder, name in (("${FeedFunctionArn}", "asl-feed"), ("${FailedFunctionArn}", "asl-failed")):
        assert text.count(placeholder) == 1
        text = text.replace(placeholder, f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
    return text


def problems(definition: dict[str, Any]) -> list[str]:
    return [str(problem) for problem in Linter.validate(json.dumps(definition), Config())]


def test_definition_is_valid_for_aws():
    assert problems(json.loads(rendered())) == []


@pytest.mark.parametrize(("state", "field"), [("Feed", "Type"), ("Feed", "Next"), ("WhatNow", "Choices")])
def test_the_validator_sees_a_broken_definition(state, field):
    broken = json.loads(rendered())
    del broken["States"][state][field]
    assert problems(broken)


def test_every_task_is_retried_and_every_failure_of_feed_is_caught():
    states = json.loads(rendered())["States"]
    for name, state in states.items():
        if state["Type"] == "Task":
            assert state["Resource"].startswith("arn:aws:lambda:"), name
            assert "States.TaskFailed" in [error for retry in state["Retry"] for error in retry["ErrorEquals"]]
    assert [catch["ErrorEquals"] for catch in states["Feed"]["Catch"]] == [["States.ALL"]]


def test_turn_ends_before_its_task_times_out():
    timeout_s = json.loads(rendered())["States"]["Feed"]["TimeoutSeconds"]
    assert Settings.model_fields["feed_turn_s"].default + 30 < timeout_s


def test_execution_is_handed_over_well_before_the_event_limit():
    # AWS writes 5 events for a task, 2 for a choice, 2 for a wait, and 3 for each retry.
    events = (5 + 2 + 2) * Settings.model_fields["feed_max_turns"].default
    assert events < 25_000 * 0.8


class Machine:
    """The deployed state machine and its stubs."""

    def __init__(self, emulator: Emulator, scratch: Path) -> None:
        options = {
            "endpoint_url": emulator.endpoint_url,
            "region_name": REGION,
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
        self.scratch = scratch
        self.sfn = boto3.client("stepfunctions", **options)
        functions = boto3.client("lambda", **options)
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("stub.py", STUB)
        for name in ("feed", "failed"):
            functions.create_function(
                FunctionName=f"asl-{name}",
                Runtime="python3.11",
                Handler=f"stub.{name}",
                Role=f"arn:aws:iam::{ACCOUNT}:role/stub",
                Code={"ZipFile": code.getvalue()},
                Timeout=30,
                Environment={"Variables": {"SCRATCH": str(scratch)}},
            )
        self.arn = self.sfn.create_state_machine(
            name="asl", definition=rendered(), roleArn=f"arn:aws:iam::{ACCOUNT}:role/stub"
        )["stateMachineArn"]
        functions.close()

    def run(self, *plan: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """Execute with that plan to its end: the execution as described, and the job's id."""
        job_id = str(uuid4())
        folder = self.scratch / job_id
        folder.mkdir(parents=True)
        (folder / "plan.json").write_text(json.dumps(plan))
        arn = self.sfn.start_execution(
            stateMachineArn=self.arn,
            name=f"{job_id}-1",
            input=json.dumps({"job_id": job_id, "execution_no": 1, "turn": 0}),
        )["executionArn"]

        def ended() -> bool:
            return self.sfn.describe_execution(executionArn=arn)["status"] != "RUNNING"

        wait_until(ended, what="the execution", timeout_s=60)
        return self.sfn.describe_execution(executionArn=arn), job_id

    def calls(self, name: str, job_id: str) -> list[dict[str, Any]]:
        """What that function was given, call by call."""
        return [json.loads(path.read_text()) for path in sorted((self.scratch / job_id).glob(f"{name}-*.json"))]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """On an emulator of its own, whose waits and retries take no time."""
    folder = tmp_path_factory.mktemp("sfn")
    try:
        server = Emulator(folder / "emulator", lambda_env={"SFN_WAIT_SCALE": "0"})
        server.start()
    except (RuntimeError, TimeoutError) as error:
        unavailable("the AWS emulator", error)
    made = Machine(server, folder / "calls")
    yield made
    made.sfn.close()
    server.stop()


MORE, DONE, CONTINUED = {"state": "more"}, {"state": "done"}, {"state": "continued"}


def test_turns_follow_each_other_until_all_is_sent_and_carry_only_ids_and_the_turn(machine):
    execution, job_id = machine.run(MORE, MORE | {"wait_s": 0}, MORE, DONE)

    assert execution["status"] == "SUCCEEDED"
    assert machine.calls("feed", job_id) == [{"job_id": job_id, "execution_no": 1, "turn": n} for n in range(4)]
    assert machine.calls("failed", job_id) == []


def test_execution_ends_when_the_next_one_has_taken_over(machine):
    execution, job_id = machine.run(MORE, CONTINUED)

    assert execution["status"] == "SUCCEEDED"
    assert len(machine.calls("feed", job_id)) == 2


def test_failing_turn_is_repeated_and_the_listing_goes_on(machine):
    execution, job_id = machine.run(MORE, {"raise": "no connection"}, {"raise": "no connection"}, MORE, DONE)

    assert execution["status"] == "SUCCEEDED"
    assert [call["turn"] for call in machine.calls("feed", job_id)] == [0, 1, 1, 1, 2]


def test_turn_that_keeps_failing_marks_the_job_failed_with_the_cause(machine):
    execution, job_id = machine.run({"raise": "no connection"})

    assert (execution["status"], execution.get("error")) == ("FAILED", "JobFailed")
    assert len(machine.calls("feed", job_id)) == 6  # and 5 retries
    (told,) = machine.calls("failed", job_id)
    assert told["job_id"] == job_id
    assert set(told["error"]) == {"Error", "Cause"}
    from stepfunctions.feed import reason_of  # noqa: PLC0415 (after the flows are there)

    assert reason_of(told["error"]) == "Listing failed: no connection"


def test_turn_that_tells_a_fatal_error_is_not_repeated(machine):
    error = {"Error": "BucketNotFound", "Cause": '{"errorMessage": "No bucket"}'}
    execution, job_id = machine.run({"state": "failed", "error": error})

    assert execution["status"] == "FAILED"
    assert len(machine.calls("feed", job_id)) == 1
    (told,) = machine.calls("failed", job_id)
    assert (told["job_id"], told["error"]) == (job_id, error)


def test_answer_that_nobody_knows_fails_the_job_instead_of_ending_it_silently(machine):
    execution, job_id = machine.run({"state": "sideways"})

    assert execution["status"] == "FAILED"
    assert len(machine.calls("failed", job_id)) == 1

"""Queues, functions and state machine stand in the emulator as they do in AWS."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from scanner_tasks.core import lanes
from scanner_tasks.local import deploy
from scanner_tasks.local.emulator import Emulator
from scanner_tasks.local.ports import wait_until
from scanner_tasks.local.ticker import MAX_FAILURES, SettleFailed, Ticker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Stands for our functions: tells what it can see, or fails when asked.
STUB = """
import os
def handler(event, context):
    import pydantic, sqlalchemy  # libraries of the application
    if event.get("fail"):
        raise ValueError("asked to fail")
    return {"lane": os.environ["S3SCAN_TEST"], "region": os.environ["AWS_REGION"], "turn": event.get("turn", 0) + 1}
def failed(event, context):
    return {"caught": event["Error"]}
"""
DEFINITION = {
    "StartAt": "Feed",
    "States": {
        "Feed": {
            "Type": "Task",
            "Resource": "${FeedFunctionArn}",
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
            "End": True,
        },
        "Failed": {"Type": "Task", "Resource": "${FailedFunctionArn}", "End": True},
    },
}
FUNCTIONS = (
    deploy.Function(name=deploy.FEED.name, handler="stub.handler", timeout_s=30),
    deploy.Function(name=deploy.FAILED.name, handler="stub.failed", timeout_s=30),
)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory, emulator: Emulator) -> Iterator[Emulator]:
    """An emulator of this file's own: others have queues of the same names."""
    server = Emulator(tmp_path_factory.mktemp("emulator"), python=emulator.python).start()
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("stub.py", STUB)
    deploy.create_queues(deploy.client("sqs", server.endpoint_url), lanes.lane_names(2))
    deploy.create_functions(
        deploy.client("lambda", server.endpoint_url), code.getvalue(), {"S3SCAN_TEST": "yes"}, FUNCTIONS
    )
    deploy.create_state_machine(deploy.client("stepfunctions", server.endpoint_url), json.dumps(DEFINITION))
    yield server
    server.stop()


def queue(aws: Emulator, name: str) -> dict[str, str]:
    sqs = deploy.client("sqs", aws.endpoint_url)
    url = deploy.queue_url_prefix(aws.endpoint_url) + name
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def execute(aws: Emulator, name: str, payload: dict[str, Any]) -> dict[str, Any]:
    states = deploy.client("stepfunctions", aws.endpoint_url)
    arn = states.start_execution(stateMachineArn=deploy.state_machine_arn(), name=name, input=json.dumps(payload))[
        "executionArn"
    ]
    wait_until(
        lambda: states.describe_execution(executionArn=arn)["status"] != "RUNNING", what="execution", timeout_s=30
    )
    return states.describe_execution(executionArn=arn)


def test_each_lane_ends_in_the_dead_letter_queue_after_three_receives(aws: Emulator) -> None:
    for name in lanes.lane_names(2):
        attributes = queue(aws, name)
        policy = json.loads(attributes["RedrivePolicy"])
        assert policy["deadLetterTargetArn"].endswith(f":{lanes.DLQ}")
        assert int(policy["maxReceiveCount"]) == lanes.MAX_RECEIVES == 3
        assert int(attributes["VisibilityTimeout"]) == lanes.VISIBILITY_TIMEOUT_S
        assert int(attributes["ReceiveMessageWaitTimeSeconds"]) == lanes.LONG_POLL_S


def test_dead_letters_are_kept_longer_than_their_lane_keeps_them(aws: Emulator) -> None:
    kept = {name: int(queue(aws, name)["MessageRetentionPeriod"]) for name in ("scan-0", lanes.DLQ, lanes.EVENTS)}
    assert kept == {"scan-0": 4 * 24 * 3600, lanes.DLQ: 14 * 24 * 3600, lanes.EVENTS: 300}


def test_functions_see_their_settings_and_the_applications_libraries(aws: Emulator) -> None:
    answer = deploy.client("lambda", aws.endpoint_url).invoke(FunctionName=deploy.FEED.name, Payload=b"{}")
    assert "FunctionError" not in answer
    assert json.load(answer["Payload"]) == {"lane": "yes", "region": "us-east-1", "turn": 1}


def test_the_state_machine_runs_the_feed_function(aws: Emulator) -> None:
    done = execute(aws, "feeds", {"turn": 4})
    assert (done["status"], json.loads(done["output"])["turn"]) == ("SUCCEEDED", 5)


def test_a_feed_that_fails_reaches_the_failed_function(aws: Emulator) -> None:
    done = execute(aws, "fails", {"fail": True})
    assert done["status"] == "SUCCEEDED"
    assert "caught" in json.loads(done["output"])


def test_no_placeholder_is_left_in_the_definition() -> None:
    assert "${" not in deploy.state_machine_definition(json.dumps(DEFINITION))


def test_the_code_holds_our_packages_and_no_caches(tmp_path: Path) -> None:
    for name in ("p/__init__.py", "p/rules/r.toml", "p/__pycache__/x.pyc", "q/other.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    with zipfile.ZipFile(io.BytesIO(deploy.code_zip(tmp_path, ["p"]))) as archive:
        assert archive.namelist() == ["p/__init__.py", "p/rules/r.toml"]


def test_the_ticker_calls_again_and_again(aws: Emulator) -> None:
    ticker = Ticker(aws.endpoint_url, every_s=0.01, functions=(deploy.FEED.name,)).start()
    wait_until(lambda: ticker.calls >= 3, what="three calls", timeout_s=30)
    ticker.check()
    ticker.stop()


def test_a_function_that_always_fails_is_told_by_its_own_words(aws: Emulator) -> None:
    ticker = Ticker(aws.endpoint_url, every_s=0.01, functions=(deploy.FAILED.name,)).start()
    wait_until(lambda: ticker.calls >= MAX_FAILURES, what="the failures", timeout_s=30)
    ticker.stop()
    with pytest.raises(SettleFailed, match=r"times in a row.*(?s:.*)Error"):
        ticker.check()

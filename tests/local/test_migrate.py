"""`make migrate` against answers of ECS, in the form that botocore knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from scanner_tasks.local import migrate
from scanner_tasks.local.migrate import MigrationFailed

OUTPUTS = {
    "secrets": {"database": "arn:database"},
    "cluster_name": "s3scan",
    "migration": {
        "tasks": ["s3scan-create-owner", "s3scan-migrate"],
        "subnets": ["subnet-1"],
        "security_groups": ["sg-app", "sg-migration"],
        "log_group": "/s3scan/workers",
    },
}
PLACE = {"subnets": ["subnet-1"], "securityGroups": ["sg-app", "sg-migration"], "assignPublicIp": "DISABLED"}


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    monkeypatch.setattr(migrate, "POLL_S", 0.0)
    ecs = boto3.client("ecs", region_name="us-east-1", aws_access_key_id="made-up", aws_secret_access_key="made-up")
    with Stubber(ecs) as stub:
        yield stub


def task_runs(stub: Stubber, task: str, *statuses: str, exit_code: int = 0) -> None:
    """ECS starts it, and tells these statuses of it, one at each look."""
    asked = {
        "cluster": "s3scan",
        "taskDefinition": task,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": PLACE},
    }
    stub.add_response("run_task", {"tasks": [{"taskArn": f"arn:{task}"}]}, asked)
    for status in statuses:
        told = {"lastStatus": status, "containers": [{"exitCode": exit_code}], "stoppedReason": "Essential container"}
        stub.add_response("describe_tasks", {"tasks": [told]}, {"cluster": "s3scan", "tasks": [f"arn:{task}"]})


def services_are(stub: Stubber, **states: str) -> None:
    """The cluster's services, each with the state of its newest deployment."""
    stub.add_response("list_services", {"serviceArns": [f"arn:{name}" for name in states]}, {"cluster": "s3scan"})
    told = [
        {"serviceName": name, "deployments": [{"status": "PRIMARY", "rolloutState": state}]}
        for name, state in states.items()
    ]
    asked = {"cluster": "s3scan", "services": [f"arn:{name}" for name in states]}
    stub.add_response("describe_services", {"services": told}, asked)


def run(stub: Stubber, *, filled: int = 0) -> list[str]:
    said: list[str] = []
    given: list[Any] = []

    def fill(pairs: Any) -> int:
        given.extend(pairs)
        return filled

    migrate.migrate(OUTPUTS, stub.client, fill=fill, say=said.append)
    assert given == ["database=arn:database"]
    stub.assert_no_pending_responses()
    return said


def test_the_user_is_made_before_the_schema_and_each_task_is_awaited(stub: Stubber) -> None:
    task_runs(stub, "s3scan-create-owner", "PENDING", "RUNNING", "STOPPED")
    task_runs(stub, "s3scan-migrate", "STOPPED")
    services_are(stub, worker="COMPLETED", flower="IN_PROGRESS")
    assert run(stub) == ["s3scan-create-owner: done", "s3scan-migrate: done"]


def test_services_that_ecs_gave_up_before_there_was_an_image_are_deployed_again(stub: Stubber) -> None:
    task_runs(stub, "s3scan-create-owner", "STOPPED")
    task_runs(stub, "s3scan-migrate", "STOPPED")
    services_are(stub, worker="FAILED", flower="COMPLETED")
    stub.add_response("update_service", {}, {"cluster": "s3scan", "service": "worker", "forceNewDeployment": True})
    assert run(stub)[-1] == "worker: ECS had given it up; deployed again"


def test_a_task_that_fails_ends_it_and_names_its_log(stub: Stubber) -> None:
    task_runs(stub, "s3scan-create-owner", "STOPPED", exit_code=1)
    with pytest.raises(MigrationFailed, match=r"s3scan-create-owner ended with status 1 .*/s3scan/workers"):
        run(stub)


def test_a_task_that_does_not_start_says_why(stub: Stubber) -> None:
    stub.add_response("run_task", {"tasks": [], "failures": [{"reason": "Capacity is unavailable"}]})
    with pytest.raises(MigrationFailed, match="Capacity is unavailable"):
        run(stub)


def test_a_task_that_does_not_end_is_not_awaited_for_ever(stub: Stubber) -> None:
    task_runs(stub, "s3scan-migrate", "PENDING")
    where = {**OUTPUTS["migration"], "cluster": "s3scan"}
    with pytest.raises(MigrationFailed, match="is PENDING after"):
        migrate.run_task(stub.client, "s3scan-migrate", where, patience_s=-1.0)


def test_empty_secrets_end_it_before_any_task(stub: Stubber) -> None:
    with pytest.raises(MigrationFailed, match="secrets"):
        run(stub, filled=1)

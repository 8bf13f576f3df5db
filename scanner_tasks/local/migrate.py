"""After a deployment: values for its secrets, the database's user, the schema: ``make migrate``.

``python -m scanner_tasks.local.migrate`` reads Terraform's outputs, fills the secrets that are empty, and runs the
one-off tasks ``create-owner`` and ``migrate`` on Fargate, one after the other, each to its end. Services that ECS has
given up are deployed again: after the first ``make deploy`` there was neither image nor secret for them. A repeat
changes none of what is done. The exit status is 1 when a part fails; the task's own log tells why.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from scanner_tasks.cli import program

ROOT = Path(__file__).resolve().parents[2]
#: A task's image is pulled and its migration run in less.
PATIENCE_S = 900.0
POLL_S = 5.0


class MigrationFailed(RuntimeError):
    """A one-off task did not do its work; the message says which, and where to read more."""


def read_outputs(folder: Path = ROOT / "terraform") -> dict[str, Any]:
    """Terraform's outputs; MigrationFailed where there are none."""
    try:
        done = subprocess.run(
            ["terraform", f"-chdir={folder}", "output", "-json"],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise MigrationFailed("Terraform is not installed here.") from None
    outputs = {name: output["value"] for name, output in json.loads(done.stdout or "{}").items()}
    if done.returncode or "migration" not in outputs:
        raise MigrationFailed(f"{folder} has no deployment: run `make deploy` first.")
    return outputs


def run_task(ecs: Any, task: str, where: Mapping[str, Any], *, patience_s: float = PATIENCE_S) -> None:
    """Run one task to its end; MigrationFailed when it does not start, does not end, or fails.

    Args:
        ecs: boto3 ``ecs`` client.
        task: family of its definition.
        where: cluster, subnets, security_groups, log_group.
        patience_s: seconds from its start to its end.
    """
    answer = ecs.run_task(
        cluster=where["cluster"],
        taskDefinition=task,
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": list(where["subnets"]),
                "securityGroups": list(where["security_groups"]),
                "assignPublicIp": "DISABLED",
            }
        },
    )
    if not answer.get("tasks"):
        reasons = ", ".join(failure.get("reason", "?") for failure in answer.get("failures", ()))
        raise MigrationFailed(f"{task} did not start: {reasons}")
    arn = answer["tasks"][0]["taskArn"]
    end = time.monotonic() + patience_s
    while True:
        (state,) = ecs.describe_tasks(cluster=where["cluster"], tasks=[arn])["tasks"]
        if state["lastStatus"] == "STOPPED":
            break
        if time.monotonic() > end:
            raise MigrationFailed(f"{task} is {state['lastStatus']} after {patience_s:.0f} s: {arn}")
        time.sleep(POLL_S)
    status = state["containers"][0].get("exitCode")
    if status != 0:
        why = state.get("stoppedReason", "no reason given")
        raise MigrationFailed(f"{task} ended with status {status} ({why}); its log is in {where['log_group']}.")


def start_again(ecs: Any, cluster: str) -> list[str]:
    """Deploy anew the services of the cluster whose newest deployment ECS's circuit breaker has ended; their names."""
    arns = ecs.list_services(cluster=cluster)["serviceArns"]
    if not arns:
        return []
    services = ecs.describe_services(cluster=cluster, services=arns)["services"]
    given_up = [
        service["serviceName"]
        for service in services
        if any(d["status"] == "PRIMARY" and d.get("rolloutState") == "FAILED" for d in service["deployments"])
    ]
    for name in given_up:
        ecs.update_service(cluster=cluster, service=name, forceNewDeployment=True)
    return given_up


def migrate(
    outputs: Mapping[str, Any], ecs: Any, *, fill: Callable[[Sequence[str]], int], say: Callable[[str], None]
) -> None:
    """Secrets, each one-off task in its order, the services that ECS had given up meanwhile. Raises MigrationFailed."""
    if fill([f"{kind}={arn}" for kind, arn in outputs["secrets"].items()]):
        raise MigrationFailed("The secrets could not be filled.")
    where = {**outputs["migration"], "cluster": outputs["cluster_name"]}
    for task in outputs["migration"]["tasks"]:
        run_task(ecs, task, where)
        say(f"{task}: done")
    for service in start_again(ecs, outputs["cluster_name"]):
        say(f"{service}: ECS had given it up; deployed again")


def main() -> int:
    """The command."""
    try:
        migrate(
            read_outputs(),
            boto3.client("ecs"),
            fill=lambda given: program.run(["ops", "fill-secrets", *given]),
            say=lambda line: print(line, flush=True),
        )
    except (MigrationFailed, BotoCoreError, ClientError) as error:
        print(f"migrate: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

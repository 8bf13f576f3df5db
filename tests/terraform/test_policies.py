"""Least privilege as it is written: no wildcard action, no open resource without a reason, no secret in a variable."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.terraform.conftest import TERRAFORM, Applied

#: Actions that AWS knows no resources for, by the statement that holds them.
WITHOUT_RESOURCES = {"Trace", "NetworkDescribe", "NetworkNotForCode", "Registry", "Metrics", "Logs", "Sessions"}
SOURCES = sorted(TERRAFORM.rglob("*.tf"))


def statements(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from policy["Statement"]


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def test_no_policy_names_an_action_by_a_wildcard(applied: Applied) -> None:
    policies = applied.policies()
    assert len(policies) >= 12
    wild = [
        (at, s["Sid"])
        for at, policy in policies.items()
        for s in statements(policy)
        if any("*" in a for a in listed(s["Action"]))
    ]
    assert wild == []


def test_every_statement_names_its_resources(applied: Applied) -> None:
    open_ones = {
        statement["Sid"]
        for policy in applied.policies().values()
        for statement in statements(policy)
        if "*" in listed(statement["Resource"])
    }
    assert open_ones <= WITHOUT_RESOURCES


@pytest.mark.parametrize(
    ("role", "denied"),
    [
        (
            "module.ecs.aws_iam_role_policy.worker",
            {"s3:PutObject", "s3:DeleteObject", "sqs:CreateQueue", "cloudwatch:PutMetricData"},
        ),
        (
            "module.api.module.api.aws_iam_role_policy.this",
            {"sqs:ReceiveMessage", "sqs:DeleteMessage", "cloudwatch:PutMetricData", "s3:GetObjectTagging"},
        ),
        (
            "module.step_functions.module.feed.aws_iam_role_policy.this",
            {"s3:GetObject", "sqs:ReceiveMessage", "states:StopExecution"},
        ),
        (
            "module.step_functions.module.failed.aws_iam_role_policy.this",
            {"s3:ListBucket", "s3:GetObject", "sqs:SendMessage"},
        ),
        (
            "module.refresh_lambda.module.settle.aws_iam_role_policy.this",
            {"s3:ListBucket", "s3:GetObject", "sqs:SendMessage"},
        ),
        (
            "module.refresh_lambda.module.schedules.aws_iam_role_policy.this",
            {"s3:GetObject", "sqs:SendMessage", "sqs:ReceiveMessage", "cloudwatch:PutMetricData"},
        ),
        (
            "module.object_events.module.object_events.aws_iam_role_policy.this",
            {"s3:ListBucket", "s3:GetObject", "states:StopExecution"},
        ),
        (
            "module.api.module.detect[0].aws_iam_role_policy.this",
            {"s3:GetObject", "rds-db:connect", "states:StartExecution"},
        ),
    ],
)
def test_a_role_lacks_what_its_code_has_no_use_for(applied: Applied, role: str, denied: set[str]) -> None:
    allowed = {a for s in statements(applied.policies()[role]) if s["Effect"] == "Allow" for a in listed(s["Action"])}
    assert allowed
    assert allowed & denied == set()


def test_a_worker_may_ask_for_tags_of_exactly_what_it_reads(applied: Applied) -> None:
    worker = {s["Sid"]: s for s in statements(applied.policies()["module.ecs.aws_iam_role_policy.worker"])}
    assert set(listed(worker["ObjectTags"]["Action"])) == {"s3:GetObjectTagging", "s3:GetObjectVersionTagging"}
    assert worker["ObjectTags"]["Resource"] == worker["Objects"]["Resource"]


def test_settle_publishes_in_its_own_namespace_only(applied: Applied) -> None:
    policy = applied.policies()["module.refresh_lambda.module.settle.aws_iam_role_policy.this"]
    (metrics,) = [statement for statement in statements(policy) if statement["Sid"] == "Metrics"]
    assert metrics["Condition"] == {"StringEquals": {"cloudwatch:namespace": "S3Scan"}}


def test_nobody_may_write_to_a_bucket_that_is_scanned(applied: Applied) -> None:
    writers = [
        at
        for at, policy in applied.policies().items()
        for statement in statements(policy)
        if any(action.startswith(("s3:Put", "s3:Delete")) for action in listed(statement["Action"]))
    ]
    assert writers == ["module.flower[0].aws_iam_role_policy.this"]  # its own history


def test_no_role_of_ours_may_make_or_delete_queues(applied: Applied) -> None:
    text = json.dumps(applied.policies())
    assert re.findall(r"sqs:(?:CreateQueue|DeleteQueue|SetQueueAttributes|PurgeQueue)", text) == []


def test_secrets_are_no_variables(applied: Applied) -> None:
    for function in applied.of("aws_lambda_function"):
        names = function["environment"][0]["variables"]
        assert [name for name in names if re.search(r"PASSWORD|SECRET|FINGERPRINT_KEY$", name)] == []
    for definition in applied.of("aws_ecs_task_definition"):
        for container in json.loads(definition["container_definitions"]):
            assert [
                pair["name"] for pair in container["environment"] if re.search(r"PASSWORD|SECRET|KEY$", pair["name"])
            ] == []
            assert all(":secretsmanager:" in secret["valueFrom"] for secret in container["secrets"])
    assert applied.of("aws_secretsmanager_secret_version") == []  # values never pass Terraform's state


def test_every_route_is_signed(applied: Applied) -> None:
    routes = applied.of("aws_apigatewayv2_route")
    assert {route["route_key"] for route in routes} == {"$default", "POST /detect"}
    assert {route["authorization_type"] for route in routes} == {"AWS_IAM"}


def test_nothing_lets_the_world_in(applied: Applied) -> None:
    assert [
        rule
        for rule in applied.of("aws_vpc_security_group_ingress_rule")
        if rule.get("cidr_ipv4") or rule.get("cidr_ipv6")
    ] == []
    assert [rule for rule in applied.of("aws_vpc_security_group_egress_rule") if rule.get("cidr_ipv4")] == []  # no NAT
    assert applied.of("aws_nat_gateway") == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(TERRAFORM)))
def test_every_variable_and_output_is_typed_and_described(path: Any) -> None:
    for kind, name, body in re.findall(
        r'^(variable|output) "(\w+)" \{\n(.*?)^\}', path.read_text(), re.MULTILINE | re.DOTALL
    ):
        assert "  description " in body, name
        if kind == "variable":
            assert re.search(r"^  type +=", body, re.MULTILINE), name


def test_every_module_and_example_has_a_readme() -> None:
    folders = [p for parent in ("modules", "examples") for p in sorted((TERRAFORM / parent).iterdir()) if p.is_dir()]
    assert [str(p.relative_to(TERRAFORM)) for p in [TERRAFORM, *folders] if not (p / "README.md").exists()] == []

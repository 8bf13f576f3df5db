"""What Terraform makes has the names, times and numbers that the Python code goes by."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import celeryconfig
from scanner_tasks import settings
from scanner_tasks.core import lanes
from scanner_tasks.core.estimate import Deployment
from scanner_tasks.local import deploy, package
from scanner_tasks.settings import Settings
from tests.terraform.conftest import ROOT, Applied

OURS = settings.Settings()


def environment(function: Mapping[str, Any]) -> dict[str, str]:
    return dict(function["environment"][0]["variables"])


def container(applied: Applied, family: str) -> dict[str, Any]:
    (definition,) = json.loads(applied.one("aws_ecs_task_definition", family=family)["container_definitions"])
    return dict(definition)


def variables(definition: Mapping[str, Any]) -> dict[str, str]:
    return {pair["name"]: pair["value"] for pair in definition["environment"]}


def test_queues_are_those_of_lanes_and_of_celery(applied: Applied) -> None:
    queues = {queue["name"] for queue in applied.of("aws_sqs_queue")}
    assert queues == {*lanes.lane_names(), lanes.DLQ, lanes.EVENTS, lanes.OBJECT_EVENTS}
    assert queues - {lanes.OBJECT_EVENTS} == set(celeryconfig.broker_transport_options["predefined_queues"])


def test_every_lane_hides_waits_keeps_and_redrives_as_promised(applied: Applied) -> None:
    for name in lanes.lane_names():
        lane = applied.one("aws_sqs_queue", name=name)
        assert lane["visibility_timeout_seconds"] == lanes.VISIBILITY_TIMEOUT_S == OURS.visibility_timeout_s
        assert lane["receive_wait_time_seconds"] == lanes.LONG_POLL_S
        assert lane["message_retention_seconds"] == lanes.LANE_RETENTION_S
        assert json.loads(lane["redrive_policy"])["maxReceiveCount"] == lanes.MAX_RECEIVES


def test_dead_letters_are_kept_longer_than_lanes_keep_messages(applied: Applied) -> None:
    dead = applied.one("aws_sqs_queue", name=lanes.DLQ)
    assert dead["message_retention_seconds"] == lanes.DLQ_RETENTION_S > lanes.LANE_RETENTION_S
    allowed = json.loads(applied.of("aws_sqs_queue_redrive_allow_policy")[0]["redrive_allow_policy"])
    assert allowed["redrivePermission"] == "byQueue"
    assert len(allowed["sourceQueueArns"]) == len(lanes.lane_names()) + 1


def test_events_queue_is_short_lived(applied: Applied) -> None:
    events = applied.one("aws_sqs_queue", name=lanes.EVENTS)
    assert events["message_retention_seconds"] == lanes.EVENTS_RETENTION_S
    assert events["visibility_timeout_seconds"] == lanes.EVENTS_VISIBILITY_S


def test_events_of_s3_are_hidden_kept_and_given_up_as_promised(applied: Applied) -> None:
    queue = applied.one("aws_sqs_queue", name=lanes.OBJECT_EVENTS)
    assert queue["visibility_timeout_seconds"] == lanes.OBJECT_EVENTS_VISIBILITY_S > deploy.OBJECT_EVENTS.timeout_s
    assert queue["message_retention_seconds"] == lanes.OBJECT_EVENTS_RETENTION_S < lanes.DLQ_RETENTION_S
    assert json.loads(queue["redrive_policy"])["maxReceiveCount"] == lanes.OBJECT_EVENTS_MAX_RECEIVES
    (mapping,) = applied.of("aws_lambda_event_source_mapping")
    assert (mapping["batch_size"], mapping["maximum_batching_window_in_seconds"]) == (
        deploy.EVENTS_AT_ONCE,
        deploy.EVENTS_GATHERED_S,
    )
    assert mapping["function_response_types"] == ["ReportBatchItemFailures"]
    assert mapping["enabled"] is False, "no bucket is watched"


def test_functions_are_those_of_the_local_stack(applied: Applied) -> None:
    functions = {function["function_name"]: function for function in applied.of("aws_lambda_function")}
    for local in deploy.FUNCTIONS:
        assert functions[local.name]["handler"] == local.handler
        assert functions[local.name]["timeout"] == local.timeout_s
    assert functions["s3scan-api"]["handler"] == "api_lambda.handler.handler"
    assert functions["s3scan-detect"]["handler"] == "api_lambda.detect_handler.handler"
    handlers = {handler for made in package.PACKAGES for handler in made.handlers}
    assert {function["handler"].rpartition(".")[0] for function in functions.values()} == handlers


def test_a_turn_ends_before_its_function_and_the_state_machine_waits_as_long(applied: Applied) -> None:
    feed = applied.one("aws_lambda_function", function_name=deploy.FEED.name)
    machine = applied.of("aws_sfn_state_machine")[0]
    assert machine["name"] == deploy.STATE_MACHINE
    definition = json.loads(machine["definition"])
    assert definition["States"]["Feed"]["TimeoutSeconds"] == feed["timeout"]
    assert feed["timeout"] > OURS.feed_turn_s + 30
    assert "${" not in machine["definition"]


def test_settle_runs_each_minute(applied: Applied) -> None:
    assert applied.of("aws_cloudwatch_event_rule")[0]["schedule_expression"] == "rate(1 minute)"


def test_leases_end_before_messages_come_back(applied: Applied) -> None:
    given = variables(container(applied, "s3scan-worker"))
    assert float(given.get("S3SCAN_LEASE_S", OURS.lease_s)) < float(given["S3SCAN_VISIBILITY_TIMEOUT_S"])


def test_every_variable_is_a_setting(applied: Applied) -> None:
    known = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", settings.table())) | {"S3SCAN_OWNER", "S3SCAN_OWNER_PASSWORD"}
    known |= {"TMPDIR", "HOME", "PGPASSWORD"}  # libraries' own
    given = {name for function in applied.of("aws_lambda_function") for name in environment(function)}
    for family in ("s3scan-worker", "s3scan-migrate", "s3scan-create-owner", "s3scan-flower"):
        definition = container(applied, family)
        given |= set(variables(definition)) | {secret["name"] for secret in definition["secrets"]}
    assert {name for name in given if not name.startswith("FLOWER_")} <= known


def test_settings_can_be_read_as_they_are_given(applied: Applied, monkeypatch: Any) -> None:
    for name, value in variables(container(applied, "s3scan-worker")).items():
        monkeypatch.setenv(name, value)
    read = settings.Settings()
    assert read.lane_count == len(lanes.lane_names())
    assert read.database_iam
    assert read.stop_timeout_s == 120
    assert read.rules == ()


def test_workers_stop_as_long_as_ecs_lets_them_and_are_watched(applied: Applied) -> None:
    worker = container(applied, "s3scan-worker")
    given = variables(worker)
    assert worker["stopTimeout"] == float(given["S3SCAN_STOP_TIMEOUT_S"]) == OURS.stop_timeout_s
    assert int(given["MAX_WORKERS"]) == OURS.max_workers
    assert worker["healthCheck"]["command"] == ["CMD", "s3scan", "worker", "health"]
    assert given["S3SCAN_LIVENESS_FILE"]


def test_containers_are_not_root_and_write_to_one_folder(applied: Applied) -> None:
    for family in ("s3scan-worker", "s3scan-migrate", "s3scan-create-owner", "s3scan-flower"):
        definition = container(applied, family)
        assert definition["user"] == "10001:10001"
        assert definition["readonlyRootFilesystem"] is True
        assert [mount["containerPath"] for mount in definition["mountPoints"]] == ["/scratch"]


def test_the_proxy_closes_no_connection_that_the_pool_would_still_use(applied: Applied) -> None:
    assert applied.of("aws_db_proxy")[0]["idle_client_timeout"] > OURS.database_pool_recycle_s
    assert applied.of("aws_db_proxy")[0]["require_tls"] is True
    assert applied.of("aws_db_proxy")[0]["auth"][0]["iam_auth"] == "REQUIRED"


def test_scaling_follows_the_metric_that_settle_publishes(applied: Applied) -> None:
    (policy,) = applied.of("aws_appautoscaling_policy")
    (tracking,) = policy["target_tracking_scaling_policy_configuration"]
    (specification,) = tracking["customized_metric_specification"]
    metrics = {metric["id"]: metric for metric in specification["metrics"]}
    (backlog,) = metrics["backlog"]["metric_stat"][0]["metric"]
    assert (backlog["namespace"], backlog["metric_name"]) == (OURS.metrics_namespace, "BacklogBatches")
    assert '"BacklogBatches"' in (ROOT / "scanner_tasks" / "flow" / "settle.py").read_text()
    assert tracking["scale_in_cooldown"] == 300
    assert tracking["target_value"] == 100


def test_fargate_protection_and_dimensions_of_the_target(applied: Applied) -> None:
    (target,) = applied.of("aws_appautoscaling_target")
    assert (target["min_capacity"], target["max_capacity"]) == (1, 5)
    assert target["resource_id"] == "service/s3scan/worker"


def test_estimates_know_what_stands_there(applied: Applied) -> None:
    told = environment(applied.one("aws_lambda_function", function_name="s3scan-api"))["S3SCAN_DEPLOYMENT"]
    assert Settings.model_validate({"deployment": json.loads(told)}).deployment == Deployment()
    assert len(applied.of("aws_secretsmanager_secret")) + 1 == Deployment().secrets  # and the one that RDS makes
    interface = [e for e in applied.of("aws_vpc_endpoint") if e["vpc_endpoint_type"] == "Interface"]
    assert len(interface) == Deployment().interface_endpoints


def test_presets_are_those_of_the_promise() -> None:
    presets = json.loads((ROOT / "terraform" / "presets.json").read_text())
    told = {
        name: (preset["max_tasks"], preset["instance_class"], preset["multi_az"]) for name, preset in presets.items()
    }
    assert told == {
        "small": (5, "db.t3.medium", False),
        "medium": (20, "db.t3.large", False),
        "large": (50, "db.r6g.large", True),
        "huge": (100, "db.r6g.xlarge", True),
    }

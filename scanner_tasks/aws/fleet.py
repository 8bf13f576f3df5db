"""The workers as ECS counts them, and the backlog as CloudWatch has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from scanner_tasks.aws.faults import AWS_ERRORS, service_error
from scanner_tasks.core.errors import NotFound

#: Settle publishes each minute; older than this it tells nothing about now.
_RECENT = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tasks:
    """Workers of a service."""

    wanted: int
    starting: int
    running: int


class Fleet:
    """What an operator sees of autoscaling.

    Args:
        ecs: boto3 ``ecs`` client.
        cloudwatch: boto3 ``cloudwatch`` client.
        namespace: CloudWatch namespace of BacklogBatches.
    """

    def __init__(self, ecs: Any, cloudwatch: Any, *, namespace: str) -> None:
        self._ecs = ecs
        self._cloudwatch = cloudwatch
        self._namespace = namespace

    def tasks(self, cluster: str, service: str) -> Tasks:
        """The service's tasks now. Raises NotFound, Denied or Unavailable."""
        try:
            found = self._ecs.describe_services(cluster=cluster, services=[service])["services"]
        except AWS_ERRORS as error:
            raise service_error(error, doing="look at the ECS service", permission="ecs:DescribeServices") from error
        if not found:
            raise NotFound(f"There is no ECS service {service} in the cluster {cluster}: name them as Terraform did.")
        return Tasks(
            wanted=found[0]["desiredCount"], starting=found[0]["pendingCount"], running=found[0]["runningCount"]
        )

    def backlog(self) -> int | None:
        """BacklogBatches as settle published it last; None when it did not lately. Raises Denied or Unavailable."""
        now = datetime.now(UTC)
        try:
            points = self._cloudwatch.get_metric_statistics(
                Namespace=self._namespace,
                MetricName="BacklogBatches",
                StartTime=now - _RECENT,
                EndTime=now + timedelta(minutes=1),
                Period=60,
                Statistics=["Maximum"],
            )["Datapoints"]
        except AWS_ERRORS as error:
            permission = "cloudwatch:GetMetricStatistics"
            raise service_error(error, doing="read a metric", permission=permission) from error
        return int(max(points, key=lambda point: point["Timestamp"])["Maximum"]) if points else None

"""CloudWatch: the numbers that autoscaling and alarms follow."""

from __future__ import annotations

from typing import Any

from scanner_tasks.aws.faults import AWS_ERRORS, service_error


class Metrics:
    """Metrics of one namespace.

    Args:
        client: boto3 ``cloudwatch`` client.
        namespace: CloudWatch namespace.
    """

    def __init__(self, client: Any, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    def put(self, name: str, value: float, unit: str = "Count") -> None:
        """Publish the value as of now; raises Denied or Unavailable."""
        try:
            self._client.put_metric_data(
                Namespace=self._namespace, MetricData=[{"MetricName": name, "Value": float(value), "Unit": unit}]
            )
        except AWS_ERRORS as error:
            raise service_error(error, doing="publish a metric", permission="cloudwatch:PutMetricData") from error

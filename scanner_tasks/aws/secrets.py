"""Secrets Manager: values that Terraform's state must not hold are put in from here."""

from __future__ import annotations

from typing import Any

from scanner_tasks.aws.faults import AWS_ERRORS, error_code, service_error


class Secrets:
    """Secrets by name or ARN.

    Args:
        client: boto3 ``secretsmanager`` client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def has_value(self, secret: str) -> bool:
        """Whether it has one. Raises Denied or Unavailable, also for a secret that does not exist."""
        try:
            return bool(self._client.get_secret_value(SecretId=secret).get("SecretString"))
        except AWS_ERRORS as error:
            if error_code(error) == "ResourceNotFoundException" and self._exists(secret):
                return False
            raise service_error(error, doing="look at a secret", permission="secretsmanager:GetSecretValue") from None

    def _exists(self, secret: str) -> bool:
        """AWS answers a secret without a value as it does one that is not there."""
        try:
            self._client.describe_secret(SecretId=secret)
        except AWS_ERRORS as error:
            if error_code(error) == "ResourceNotFoundException":
                return False
            raise service_error(error, doing="look at a secret", permission="secretsmanager:DescribeSecret") from error
        return True

    def put(self, secret: str, value: str) -> None:
        """Make this its value; the former one is kept as the previous version. Raises Denied or Unavailable."""
        try:
            self._client.put_secret_value(SecretId=secret, SecretString=value)
        except AWS_ERRORS as error:
            # Not chained: botocore's error could quote what was sent.
            raise service_error(error, doing="fill a secret", permission="secretsmanager:PutSecretValue") from None

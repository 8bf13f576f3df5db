"""Step Functions: the executions that list and feed a job."""

from __future__ import annotations

import json
from typing import Any

from scanner_tasks.aws.faults import AWS_ERRORS, error_code, service_error
from scanner_tasks.core.ports import EXECUTION_NOT_FOUND

__all__ = ["EXECUTION_NOT_FOUND", "Executions"]

#: Step Functions takes causes up to this length.
_CAUSE_CHARS = 32_768


class Executions:
    """Executions of one state machine, by name.

    Args:
        client: boto3 ``stepfunctions`` client.
        state_machine_arn: ARN of a standard state machine (express ones have no names).
    """

    def __init__(self, client: Any, state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def start(self, name: str, payload: dict[str, Any]) -> str:
        """The ARN of the execution of that name, started by this call or an earlier one.

        A repeat starts nothing, whatever its payload and whether the first still runs: AWS answers a repeat with the
        same input by the running execution, and any other by ExecutionAlreadyExists (for 90 days after its end); both
        mean that this name has done, or is doing, its work. Raises Denied or Unavailable.
        """
        try:
            answer = self._client.start_execution(
                stateMachineArn=self._state_machine_arn, name=name, input=json.dumps(payload)
            )
        except AWS_ERRORS as error:
            if error_code(error) == "ExecutionAlreadyExists":
                return self.arn(name)
            raise service_error(error, doing="start the state machine", permission="states:StartExecution") from error
        return str(answer["executionArn"])

    def stop(self, arn: str, cause: str) -> None:
        """Stop it; nothing happens when it has ended or is unknown. Raises Denied or Unavailable."""
        try:
            self._client.stop_execution(executionArn=arn, cause=cause[:_CAUSE_CHARS])
        except AWS_ERRORS as error:
            if error_code(error) != "ExecutionDoesNotExist":
                raise service_error(error, doing="stop an execution", permission="states:StopExecution") from error

    def status(self, arn: str) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, PENDING_REDRIVE, or EXECUTION_NOT_FOUND.

        Raises Denied or Unavailable.
        """
        try:
            return str(self._client.describe_execution(executionArn=arn)["status"])
        except AWS_ERRORS as error:
            if error_code(error) == "ExecutionDoesNotExist":
                return EXECUTION_NOT_FOUND
            raise service_error(error, doing="look at an execution", permission="states:DescribeExecution") from error

    def arn(self, name: str) -> str:
        """The ARN that an execution of this name has."""
        # arn:aws:states:REGION:ACCOUNT:stateMachine:NAME, perhaps with :VERSION or :ALIAS behind it
        parts = self._state_machine_arn.split(":")
        return ":".join([*parts[:5], "execution", parts[6], name])

"""Executions on the emulator and FakeExecutions keep the same promises; metrics too."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from scanner_tasks.aws.executions import EXECUTION_NOT_FOUND, Executions
from scanner_tasks.aws.metrics import Metrics
from scanner_tasks.core.errors import Unavailable
from scanner_tasks.fakes import FakeExecutions, FakeMetrics

WAITING = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}
ROLE = "arn:aws:iam::000000000000:role/listing"


class ExecutionsContract:
    def test_a_name_starts_once_whatever_the_payload(self):
        arn = self.executions.start("job-1", {"turn": 0})
        assert arn.endswith(":job-1")
        assert self.executions.start("job-1", {"turn": 0}) == arn
        assert self.executions.start("job-1", {"turn": 1}) == arn
        assert self.payload("job-1", arn) == {"turn": 0}
        assert self.executions.start("job-2", {"turn": 0}) != arn
        assert self.executions.status(arn) == "RUNNING"

    def test_a_stopped_execution_is_aborted_and_its_name_stays_taken(self):
        arn = self.executions.start("job-3", {})
        self.executions.stop(arn, "paused by an operator")
        assert self.executions.status(arn) == "ABORTED"
        self.executions.stop(arn, "again")
        assert self.executions.start("job-3", {}) == arn
        assert self.executions.status(arn) == "ABORTED"

    def test_an_unknown_execution_has_a_status_of_its_own_and_is_stopped_already(self):
        arn = self.executions.start("job-4", {}) + "-other"
        assert self.executions.status(arn) == EXECUTION_NOT_FOUND
        self.executions.stop(arn, "not there")


class TestExecutions(ExecutionsContract):
    @pytest.fixture(autouse=True)
    def _machine(self, client, unique):
        self.client = client("stepfunctions")
        machine = self.client.create_state_machine(name=unique, definition=json.dumps(WAITING), roleArn=ROLE)
        self.arn = machine["stateMachineArn"]
        self.executions = Executions(self.client, self.arn)
        yield
        for one in self.client.list_executions(stateMachineArn=self.arn)["executions"]:
            self.client.stop_execution(executionArn=one["executionArn"])

    def payload(self, _name, arn):
        return json.loads(self.client.describe_execution(executionArn=arn)["input"])

    def test_a_missing_state_machine_is_unavailable(self):
        with pytest.raises(Unavailable, match="StateMachineDoesNotExist"):
            Executions(self.client, self.arn + "-other").start("job-5", {})

    def test_the_arn_of_a_name_is_known_without_asking(self):
        assert self.executions.start("job-6", {}) == self.executions.arn("job-6")
        assert Executions(self.client, self.arn + ":LIVE").arn("job-6") == self.executions.arn("job-6")


class TestFakeExecutions(ExecutionsContract):
    @pytest.fixture(autouse=True)
    def _machine(self):
        self.executions = FakeExecutions()

    def payload(self, name, _arn):
        return self.executions.started[name]

    def test_every_call_raises_the_error_that_a_test_sets(self):
        self.executions.error = Unavailable("down")
        with pytest.raises(Unavailable):
            self.executions.start("job-7", {})
        assert self.executions.started == {}


def test_a_metric_is_published_with_its_unit(client, unique):
    cloudwatch = client("cloudwatch")
    Metrics(cloudwatch, unique).put("BacklogBatches", 7)
    now = datetime.now(UTC)
    answer = cloudwatch.get_metric_statistics(
        Namespace=unique, MetricName="BacklogBatches", StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1), Period=60, Statistics=["Maximum"], Unit="Count",
    )  # fmt: skip
    assert [point["Maximum"] for point in answer["Datapoints"]] == [7.0]


def test_the_fake_keeps_every_value_of_a_metric():
    metrics = FakeMetrics()
    metrics.put("BacklogBatches", 7)
    metrics.put("BacklogBatches", 0)
    assert metrics.values == {"BacklogBatches": [7.0, 0.0]}

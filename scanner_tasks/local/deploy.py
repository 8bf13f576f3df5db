"""Puts the pipeline into the emulated AWS as Terraform does in the real one: queues, functions, state machine."""

from __future__ import annotations

import io
import json
import sysconfig
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from scanner_tasks.core import lanes
from scanner_tasks.local.emulator import ACCOUNT, CREDENTIALS, REGION, REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

STATE_MACHINE = "s3scan-listing"
DEFINITION = REPOSITORY / "stepfunctions" / "state_machine.asl.json"
#: Our code, as it goes into a function's zip file.
PACKAGES = ("scanner_tasks", "stepfunctions", "api_lambda")
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/s3scan"


@dataclass(frozen=True, kw_only=True)
class Function:
    """One Lambda function of the pipeline."""

    name: str
    handler: str
    timeout_s: int

    @property
    def arn(self) -> str:
        """Its ARN in the emulator's account."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.name}"


FEED = Function(name="s3scan-feed", handler="stepfunctions.feed.handler", timeout_s=300)
FAILED = Function(name="s3scan-failed", handler="stepfunctions.feed.failed", timeout_s=60)
SETTLE = Function(name="s3scan-settle", handler="stepfunctions.settle.handler", timeout_s=60)
OBJECT_EVENTS = Function(name="s3scan-object-events", handler="stepfunctions.object_events.handler", timeout_s=60)
SCHEDULES = Function(name="s3scan-schedules", handler="stepfunctions.schedules.handler", timeout_s=120)
FUNCTIONS = (FEED, FAILED, SETTLE, OBJECT_EVENTS, SCHEDULES)
#: What SQS hands to the function of S3's events at once, and how long it gathers them.
EVENTS_AT_ONCE, EVENTS_GATHERED_S = 1000, 1


def client(service: str, endpoint_url: str) -> Any:
    """A boto3 client of the emulator, for use from many threads."""
    return boto3.client(
        service,
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        # Loopback only: a proxy of the machine's must not see it.
        config=Config(max_pool_connections=50, read_timeout=330, retries={"mode": "standard"}, proxies={}),
    )


def state_machine_arn() -> str:
    """ARN of the listing state machine, known before it exists: the functions' settings name it."""
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{STATE_MACHINE}"


def queue_url_prefix(endpoint_url: str) -> str:
    """What the names of the queues follow in their URLs."""
    return f"{endpoint_url}/{ACCOUNT}/"


def create_queues(sqs: Any, lane_names: Sequence[str]) -> None:
    """The dead letter queue, each lane with its redrive policy, the queue of S3's events, and that of Flower's."""
    dlq = sqs.create_queue(
        QueueName=lanes.DLQ,
        Attributes=_texts(
            MessageRetentionPeriod=lanes.DLQ_RETENTION_S,
            VisibilityTimeout=lanes.VISIBILITY_TIMEOUT_S,
        ),
    )["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    # Without this policy a failed task's message is deleted.
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": lanes.MAX_RECEIVES})
    for name in lane_names:
        sqs.create_queue(
            QueueName=name,
            Attributes=_texts(
                MessageRetentionPeriod=lanes.LANE_RETENTION_S,
                VisibilityTimeout=lanes.VISIBILITY_TIMEOUT_S,
                ReceiveMessageWaitTimeSeconds=lanes.LONG_POLL_S,
                RedrivePolicy=redrive,
            ),
        )
    sqs.create_queue(
        QueueName=lanes.OBJECT_EVENTS,
        Attributes=_texts(
            MessageRetentionPeriod=lanes.OBJECT_EVENTS_RETENTION_S,
            VisibilityTimeout=lanes.OBJECT_EVENTS_VISIBILITY_S,
            ReceiveMessageWaitTimeSeconds=lanes.LONG_POLL_S,
            RedrivePolicy=json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": lanes.OBJECT_EVENTS_MAX_RECEIVES}),
        ),
    )
    sqs.create_queue(
        QueueName=lanes.EVENTS,
        Attributes=_texts(
            MessageRetentionPeriod=lanes.EVENTS_RETENTION_S,
            VisibilityTimeout=lanes.EVENTS_VISIBILITY_S,
            ReceiveMessageWaitTimeSeconds=lanes.LONG_POLL_S,
        ),
    )


def code_zip(root: Path = REPOSITORY, packages: Sequence[str] = PACKAGES) -> bytes:
    """Our packages, tests and caches left out, as a function's code."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for package in packages:
            for path in sorted((root / package).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    archive.write(path, path.relative_to(root))
    return buffer.getvalue()


def create_functions(
    lambda_: Any, code: bytes, env: Mapping[str, str], functions: Sequence[Function] = FUNCTIONS
) -> None:
    """The functions with their settings. Libraries come from this process's environment instead of a layer."""
    variables = {**env, "PYTHONPATH": sysconfig.get_path("purelib")}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        variables.pop(name, None)  # Lambda sets them and refuses to have them set

    def create(function: Function) -> None:
        lambda_.create_function(
            FunctionName=function.name,
            Runtime="python3.11",
            Role=ROLE_ARN,
            Handler=function.handler,
            Code={"ZipFile": code},
            Timeout=function.timeout_s,
            MemorySize=512,
            Environment={"Variables": variables},
        )

    with ThreadPoolExecutor(len(functions)) as pool:
        list(pool.map(create, functions))


def connect_object_events(lambda_: Any) -> None:
    """Let SQS call the function of S3's events with what comes to their queue."""
    lambda_.create_event_source_mapping(
        EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{lanes.OBJECT_EVENTS}",
        FunctionName=OBJECT_EVENTS.name,
        BatchSize=EVENTS_AT_ONCE,
        MaximumBatchingWindowInSeconds=EVENTS_GATHERED_S,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )


def state_machine_definition(text: str) -> str:
    """The definition with the functions' ARNs in the places that Terraform fills."""
    return text.replace("${FeedFunctionArn}", FEED.arn).replace("${FailedFunctionArn}", FAILED.arn)


def create_state_machine(states: Any, definition: str) -> str:
    """The listing state machine; its ARN."""
    created = states.create_state_machine(
        name=STATE_MACHINE, definition=state_machine_definition(definition), roleArn=ROLE_ARN, type="STANDARD"
    )
    return str(created["stateMachineArn"])


def deploy(endpoint_url: str, env: Mapping[str, str], lane_names: Sequence[str] = lanes.lane_names()) -> None:
    """Everything, into an emulator that is empty. ``env`` holds the settings of the functions."""
    create_queues(client("sqs", endpoint_url), lane_names)
    create_functions(client("lambda", endpoint_url), code_zip(), env)
    connect_object_events(client("lambda", endpoint_url))
    arn = create_state_machine(client("stepfunctions", endpoint_url), DEFINITION.read_text())
    if arn != state_machine_arn():
        msg = f"the emulator named the state machine {arn}, expected {state_machine_arn()}"
        raise RuntimeError(msg)


def _texts(**attributes: object) -> dict[str, str]:
    return {name: str(value) for name, value in attributes.items()}

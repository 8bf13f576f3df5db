"""The real thing, as far as a laptop has it: apply, a whole scan by signed requests, forbidden calls, destroy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scanner_tasks.core import lanes
from scanner_tasks.local.api_client import ApiError
from scanner_tasks.local.integration import run
from scanner_tasks.local.ports import wait_until
from tests.terraform.applied import (
    EXTERNAL_ID,
    MEMBER_BUCKET,
    MEMBER_OTHER_BUCKET,
    MEMBER_ROLE,
    ROLE_ELSEWHERE,
    AppliedStack,
    assume,
    foreign_queue,
)
from tests.terraform.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

DENIED_BY_LINE_BREAK = (
    "demo-customers: 1 objects are failed(denied), 0 should be",
    "demo-customers: 119 objects are scanned, 120 should be",
)
Call = Callable[[AppliedStack, dict[str, str]], Any]


@pytest.fixture(scope="module")
def stack(scratch: Path) -> Iterator[AppliedStack]:
    """IAM is enforced from the first request on."""
    if shutil.which("terraform") is None:
        pytest.skip("SKIPPED: Terraform is not installed; nothing was applied.")
    folder = scratch / "applied"
    folder.mkdir()
    folder.chmod(0o755)
    with AppliedStack(folder, auth=True) as made:
        print(f"\n{made.made} resources in the state, {made.times}")  # noqa: T201 (figures for the report, shown by -s)
        yield made
        made.destroy()
        assert made.terraform.run("state", "list").stdout.split() == []
        print(f"\n{made.times}")  # noqa: T201 (figures for the report, shown by -s)


@pytest.fixture(scope="module")
def caller(stack: AppliedStack) -> dict[str, str]:
    """Who holds the output api_invoke_policy."""
    return stack.user_with("caller", json.loads(stack.outputs["api_invoke_policy"]))


@pytest.fixture(scope="module")
def worker(stack: AppliedStack) -> dict[str, str]:
    """The workers' own role."""
    return stack.as_role("s3scan-worker")


def test_a_whole_scan_passes_with_the_policies_as_they_are_written(
    stack: AppliedStack, caller: dict[str, str], worker: dict[str, str], tmp_path: Path
) -> None:
    stack.start_workers(worker)
    stop = threading.Event()

    def clock() -> None:
        while not stop.wait(2.0):
            stack.settle()

    ticking = threading.Thread(target=clock, daemon=True)
    ticking.start()
    try:
        report = run(stack.api(caller), stack.client("s3"), stack.bucket, folder=tmp_path, say=print)
    except ApiError as error:
        raise AssertionError(f"{error}\n{stack.log_tails()}") from error
    finally:
        stop.set()
        ticking.join(30)
    print(report)  # noqa: T201 (figures for the report, shown by -s)
    # The emulator's * in an ARN does not match a line break: it denies the worker this one key, and the scan tells so.
    of_the_emulator = [line for line in report.differences if repr("new\nline.txt") in line]
    of_the_emulator += [line for line in report.differences if line in DENIED_BY_LINE_BREAK]
    assert sorted(set(report.differences) - set(of_the_emulator)) == []
    assert report.findings > 1000


def test_a_member_accounts_bucket_is_scanned_through_its_role(
    stack: AppliedStack, caller: dict[str, str], worker: dict[str, str]
) -> None:
    if not stack.workers:
        stack.start_workers(worker)
    api = stack.api(caller)
    job_id = api.start_scan(MEMBER_BUCKET, access={"role_arn": MEMBER_ROLE, "external_id": EXTERNAL_ID})

    def has_ended() -> bool:
        stack.settle()
        return api.job(job_id).is_final

    wait_until(has_ended, what="the member's job", timeout_s=180)
    assert [(found.key, found.rule) for found in api.results(job_id)] == [("people.csv", "us.ssn")]
    with pytest.raises(ApiError, match=r"403.*AssumeRole|403.*role"):
        api.start_scan(MEMBER_BUCKET, access={"role_arn": MEMBER_ROLE, "external_id": "another-external-id"})
    with pytest.raises(ApiError, match=r"40[34]"):  # the role may read one of the account's buckets
        api.start_scan(MEMBER_OTHER_BUCKET, access={"role_arn": MEMBER_ROLE, "external_id": EXTERNAL_ID})


#: Who, what it gives as external id, whether the member account lets it in.
MEMBERS = [
    ("worker", EXTERNAL_ID, True),
    ("feed", EXTERNAL_ID, True),
    ("api", EXTERNAL_ID, True),
    ("worker", "another-external-id", False),
    ("worker", "", False),
    ("settle", EXTERNAL_ID, False),
    ("flower", EXTERNAL_ID, False),
]


@pytest.mark.parametrize(("role", "external_id", "is_let_in"), MEMBERS)
def test_a_member_account_lets_in_named_roles_that_give_its_external_id(
    stack: AppliedStack, users: Any, role: str, external_id: str, is_let_in: bool
) -> None:
    sts, more = stack.client("sts", users(role)), {"ExternalId": external_id} if external_id else {}
    if is_let_in:
        reader = stack.client("s3", assume(sts, MEMBER_ROLE, **more))
        assert reader.get_object(Bucket=MEMBER_BUCKET, Key="people.csv")["ContentLength"] > 0
        tries: list[tuple[str, Callable[[], Any]]] = [
            ("read a bucket that its role does not name", lambda: reader.list_objects_v2(Bucket=MEMBER_OTHER_BUCKET)),
            ("write to the member's bucket", lambda: reader.put_object(Bucket=MEMBER_BUCKET, Key="x", Body=b"")),
        ]
    else:
        tries = [(f"be the member's role with external id {external_id!r}", lambda: assume(sts, MEMBER_ROLE, **more))]
    for what, call in tries:
        with pytest.raises(ClientError) as caught:
            call()
        code = caught.value.response["Error"]["Code"]
        TOLD.append(f"| {role}, member account | {what} | {code} |")
        assert code in DENIED


def test_the_commands_for_after_a_deployment_work(stack: AppliedStack, tmp_path: Path) -> None:
    def run_it(*command: str) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "DATABASE_URL": stack.database_url,
            "S3SCAN_QUEUE_URL_PREFIX": stack.outputs["queue_url_prefix"],
            "S3SCAN_FINGERPRINT_KEY": "made-up-for-this-test-only",
            "NO_PROXY": "*",
            **stack.emulator.env,
        }
        done = subprocess.run(
            [sys.executable, "-m", *command], capture_output=True, text=True, check=False, env=environment, cwd=ROOT
        )
        print(f"$ {' '.join(command)}\n{done.stdout}")  # noqa: T201 (for the report, shown by -s)
        assert done.returncode == 0, done.stderr
        return done.stdout

    stack.settle()
    assert "200 of 200 objects" in run_it(
        "scanner_tasks.local.dataset", "--bucket", stack.bucket, "--objects", "200", "--bytes", "2000"
    )
    queues = json.loads(run_it("scanner_tasks.cli", "ops", "watch-queues", "--times", "1", "--json"))["queues"]
    assert set(queues) >= {*lanes.lane_names(), lanes.DLQ, lanes.EVENTS}
    scaling = json.loads(run_it("scanner_tasks.cli", "ops", "watch-scaling", "--times", "1", "--json"))
    assert scaling["wanted"] == 1  # what Terraform asked for; the emulator starts no task
    assert scaling["backlog_batches"] == 0
    rates = run_it("scanner_tasks.cli", "ops", "throughput", "--times", "2", "--every", "0.2", "--json")
    assert json.loads(rates.splitlines()[-1])["objects"] > 300


def test_an_unsigned_request_is_refused(stack: AppliedStack) -> None:
    with pytest.raises(ApiError, match="403"):
        stack.api(None).start_scan(stack.bucket)


def test_a_reader_may_read_and_not_start(stack: AppliedStack) -> None:
    reader = stack.user_with("reader", json.loads(stack.outputs["api_read_policy"]))
    with pytest.raises(ApiError, match="404"):  # may ask, and is told that there is no such job
        list(stack.api(reader).results("0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11"))
    with pytest.raises(ApiError, match="403"):
        stack.api(reader).start_scan(stack.bucket)


def test_a_bucket_that_is_not_named_is_refused_by_name(stack: AppliedStack, caller: dict[str, str]) -> None:
    with pytest.raises(ApiError, match="s3:ListBucket"):
        stack.api(caller).start_scan(stack.other_bucket)


#: Role, what it tries, the call.
FORBIDDEN: list[tuple[str, str, Call]] = [
    ("worker", "read another bucket", lambda s, c: s.client("s3", c).get_object(Bucket=s.other_bucket, Key="k")),
    ("worker", "list another bucket", lambda s, c: s.client("s3", c).list_objects_v2(Bucket=s.other_bucket)),
    ("worker", "write an object", lambda s, c: s.client("s3", c).put_object(Bucket=s.bucket, Key="k", Body=b"")),
    ("worker", "delete an object", lambda s, c: s.client("s3", c).delete_object(Bucket=s.bucket, Key="k")),
    ("worker", "make a queue", lambda s, c: s.client("sqs", c).create_queue(QueueName="scan-ctl-x")),
    (
        "worker",
        "send to a foreign queue",
        lambda s, c: s.client("sqs", c).send_message(QueueUrl=s.foreign, MessageBody="x"),
    ),
    (
        "worker",
        "send to a lane",
        lambda s, c: s.client("sqs", c).send_message(QueueUrl=s.queue("scan-0"), MessageBody="x"),
    ),
    ("worker", "take dead letters", lambda s, c: s.client("sqs", c).receive_message(QueueUrl=s.queue("scan-dlq"))),
    ("worker", "purge a lane", lambda s, c: s.client("sqs", c).purge_queue(QueueUrl=s.queue("scan-0"))),
    (
        "worker",
        "take a role elsewhere",
        lambda s, c: s.client("sts", c).assume_role(RoleArn=ROLE_ELSEWHERE, RoleSessionName="scan"),
    ),
    (
        "worker",
        "read the database's secret",
        lambda s, c: s.client("secretsmanager", c).get_secret_value(SecretId="s3scan/database"),
    ),
    ("worker", "call a function", lambda s, c: s.client("lambda", c).invoke(FunctionName="s3scan-settle")),
    (
        "worker",
        "publish a metric",
        lambda s, c: s.client("cloudwatch", c).put_metric_data(
            Namespace="S3Scan", MetricData=[{"MetricName": "x", "Value": 1}]
        ),
    ),
    ("api", "take from a lane", lambda s, c: s.client("sqs", c).receive_message(QueueUrl=s.queue("scan-0"))),
    ("api", "write an object", lambda s, c: s.client("s3", c).put_object(Bucket=s.bucket, Key="k", Body=b"")),
    (
        "api",
        "change its own policy",
        lambda s, c: s.client("iam", c).put_role_policy(RoleName="s3scan-api", PolicyName="only", PolicyDocument="{}"),
    ),
    ("feed", "read an object", lambda s, c: s.client("s3", c).get_object(Bucket=s.bucket, Key="k")),
    ("feed", "stop an execution", lambda s, c: s.client("stepfunctions", c).stop_execution(executionArn=s.execution)),
    (
        "feed",
        "send to the dead letters",
        lambda s, c: s.client("sqs", c).send_message(QueueUrl=s.queue("scan-dlq"), MessageBody="x"),
    ),
    ("failed", "list a bucket", lambda s, c: s.client("s3", c).list_objects_v2(Bucket=s.bucket)),
    ("settle", "list a bucket", lambda s, c: s.client("s3", c).list_objects_v2(Bucket=s.bucket)),
    (
        "settle",
        "send to a lane",
        lambda s, c: s.client("sqs", c).send_message(QueueUrl=s.queue("scan-0"), MessageBody="x"),
    ),
    (
        "detect",
        "start a listing",
        lambda s, c: s.client("stepfunctions", c).start_execution(stateMachineArn=s.outputs["state_machine_arn"]),
    ),
    ("flower", "read an object that is scanned", lambda s, c: s.client("s3", c).get_object(Bucket=s.bucket, Key="k")),
    ("flower", "take from a lane", lambda s, c: s.client("sqs", c).receive_message(QueueUrl=s.queue("scan-0"))),
    ("migration", "anything at all", lambda s, c: s.client("s3", c).list_objects_v2(Bucket=s.bucket)),
]
TOLD: list[str] = []
DENIED = {"AccessDenied", "AccessDeniedException", "AccessDenied.Exception", "AuthorizationError", "403"}


@pytest.fixture(scope="module")
def users(stack: AppliedStack) -> Iterator[Callable[[str], dict[str, str]]]:
    """Each role's credentials; at the end the table of what was denied is printed."""
    stack.foreign = foreign_queue(stack)  # type: ignore[attr-defined]
    stack.queue = lambda name: stack.outputs["queue_url_prefix"] + name  # type: ignore[attr-defined]
    stack.execution = stack.outputs["state_machine_arn"].replace(":stateMachine:", ":execution:") + ":x"  # type: ignore[attr-defined]
    stack.client("s3").put_object(Bucket=stack.bucket, Key="k", Body=b"harmless")
    stack.client("s3").put_object(Bucket=stack.other_bucket, Key="k", Body=b"harmless")
    made: dict[str, dict[str, str]] = {}

    def user(role: str) -> dict[str, str]:
        return made.setdefault(role, stack.as_role(f"s3scan-{role}"))

    yield user
    print("\n| role | tries to | answer |\n|---|---|---|")  # noqa: T201 (the table for the report, shown by -s)
    for line in TOLD:
        print(line)  # noqa: T201
    stack.client("sqs").delete_queue(QueueUrl=stack.foreign)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("role", "what", "call"), FORBIDDEN, ids=[f"{role}: {what}" for role, what, _ in FORBIDDEN])
def test_forbidden_calls_are_denied(stack: AppliedStack, users: Any, role: str, what: str, call: Call) -> None:
    with pytest.raises(ClientError) as caught:
        call(stack, users(role))
    code = caught.value.response["Error"]["Code"]
    TOLD.append(f"| {role} | {what} | {code} |")
    assert code in DENIED, (what, str(caught.value))


@pytest.mark.parametrize(
    ("role", "call"),
    [
        ("worker", lambda s, c: s.client("s3", c).get_object(Bucket=s.bucket, Key="k")),
        ("worker", lambda s, c: s.client("sqs", c).receive_message(QueueUrl=s.queue("scan-0"), WaitTimeSeconds=0)),
        ("feed", lambda s, c: s.client("s3", c).list_objects_v2(Bucket=s.bucket)),
        (
            "settle",
            lambda s, c: s.client("cloudwatch", c).put_metric_data(
                Namespace="S3Scan", MetricData=[{"MetricName": "x", "Value": 1}]
            ),
        ),
    ],
    ids=["worker reads", "worker takes", "feed lists", "settle publishes"],
)
def test_the_same_users_may_do_their_work(stack: AppliedStack, users: Any, role: str, call: Call) -> None:
    call(stack, users(role))

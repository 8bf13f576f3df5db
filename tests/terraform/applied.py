"""The configuration applied to the emulator, with workers and PostgreSQL as processes of this machine."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import psycopg2
from botocore.config import Config

from scanner_tasks.local import commands, package
from scanner_tasks.local.api_client import Api
from scanner_tasks.local.child import Child
from scanner_tasks.local.emulator import ACCOUNT, REGION, Emulator
from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.local.signing import signer
from tests.conftest import migrate
from tests.terraform.conftest import ROOT, Terraform, copy_of

PYTHON = f"{os.sys.version_info.major}.{os.sys.version_info.minor}"  # the emulator runs functions with its own
#: Lambda's variables are given short times: a test's jobs are small.
SETTINGS = {"S3SCAN_FEED_TURN_S": "20", "S3SCAN_FEED_WAIT_S": "1"}


class AppliedStack:
    """Emulator (with IAM enforced when ``auth``), database, applied configuration, workers; a context manager.

    Workers are the deployment's own role, callers IAM users that hold the policies of its outputs. Another account of
    the emulator is a member, with the role that ``modules/member_role`` makes there.
    """

    def __init__(self, folder: Path, *, auth: bool) -> None:
        self.folder = folder
        self.times: dict[str, float] = {}
        self.bucket, self.other_bucket = "my-bucket", "other-bucket"
        self.emulator = Emulator(folder / "emulator", lambda_env={"AUTH": "true"} if auth else {})
        self.postgres = LocalPostgres(folder / "postgres")
        self.workers: list[Child] = []
        self.outputs: dict[str, Any] = {}
        self.terraform = Terraform(copy_of(ROOT / "terraform" / "examples" / "emulator", folder), folder / "data")
        self._variables: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            worker.stop()
        self.emulator.stop()
        self.postgres.stop()

    def _start(self) -> None:
        (self.folder / "postgres").mkdir(exist_ok=True)
        self.emulator.start()
        self.postgres.start()
        with_database = psycopg2.connect(self.postgres.url().replace("+psycopg2", ""))
        with_database.autocommit = True
        with with_database.cursor() as cursor:
            cursor.execute("CREATE DATABASE s3scan")
        with_database.close()
        self.database_url = self.postgres.url("s3scan")
        migrate(self.database_url, "upgrade", "head")
        self._timed("package", self._package)
        self.terraform.init()
        self._variables = {
            "TF_VAR_endpoint_url": self.emulator.endpoint_url,
            "TF_VAR_database_url": self.database_url,
            "TF_VAR_package_dir": str(self.folder / "dist"),
            "TF_VAR_lambda_runtime": f"python{PYTHON}",
            "TF_VAR_buckets": json.dumps([self.bucket]),
            "TF_VAR_settings": json.dumps(SETTINGS),
            "TF_VAR_member_role_arns": json.dumps([MEMBER_ROLE]),
        }
        self.apply()
        s3 = self.client("s3")
        for bucket in (self.bucket, self.other_bucket):
            s3.create_bucket(Bucket=bucket)
        self._apply_member()

    def _apply_member(self) -> None:
        """In the member account: two buckets, and the role for one of them."""
        folder = self.terraform.folder.parent / "member"
        folder.mkdir()
        config = MEMBER.replace("ENDPOINT", self.emulator.endpoint_url)
        (folder / "main.tf").write_text(config.replace("ROLES", json.dumps(self.outputs["scanner_role_arns"])))
        shutil.copy(self.terraform.folder / "versions.tf", folder)
        self.member = Terraform(folder, self.folder / "data-member")
        self.member.init()
        done = self.member.run("apply", "-input=false", "-no-color", "-auto-approve")
        assert done.returncode == 0, done.stderr
        s3 = self.client("s3", MEMBER_CREDENTIALS)
        for bucket in (MEMBER_BUCKET, MEMBER_OTHER_BUCKET):
            s3.create_bucket(Bucket=bucket)
            s3.put_object(Bucket=bucket, Key="people.csv", Body=b"name,ssn\nJane Roe,512-44-1234\n")

    def _package(self) -> None:
        ready = os.environ.get("S3SCAN_TEST_PACKAGES")  # made before, to save their making
        if ready:
            shutil.copytree(ready, self.folder / "dist")
            return
        for made in package.PACKAGES:
            package.build(made, self.folder / "dist", python=PYTHON, arch="x86_64")

    def _timed(self, name: str, work: Any) -> Any:
        began = time.monotonic()
        result = work()
        self.times[name] = round(time.monotonic() - began, 1)
        return result

    def apply(self) -> None:
        """Everything that the emulator has."""
        options = ("-input=false", "-no-color", "-auto-approve", "-parallelism=20")
        done = self._timed("apply", lambda: self.terraform.run("apply", *options, **self._variables))
        assert done.returncode == 0, done.stderr
        self.outputs = json.loads(self.terraform.run("output", "-json").stdout)["s3scan"]["value"]
        self.made = len(self.terraform.run("state", "list").stdout.split())

    def destroy(self) -> None:
        """Without a refresh: the emulator does not tell a rule's prefix list, and the provider trips over that."""
        options = ("-input=false", "-no-color", "-auto-approve", "-parallelism=20", "-refresh=false")
        s3 = self.client("s3")
        for bucket in (self.bucket, self.other_bucket):
            for found in s3.list_objects_v2(Bucket=bucket).get("Contents", ()):
                s3.delete_object(Bucket=bucket, Key=found["Key"])
            s3.delete_bucket(Bucket=bucket)
        done = self._timed("destroy", lambda: self.terraform.run("destroy", *options, **self._variables))
        assert done.returncode == 0, done.stderr

    def client(self, service: str, credentials: dict[str, str] | None = None) -> Any:
        """A boto3 client of the emulator: as the account itself, or with a user's credentials."""
        return self.session(credentials).client(
            service,
            endpoint_url=self.emulator.endpoint_url,
            config=Config(proxies={}, retries={"total_max_attempts": 1}, read_timeout=60),
        )

    def session(self, credentials: dict[str, str] | None = None) -> boto3.Session:
        given = credentials or {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        return boto3.Session(
            aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=given.get("AWS_SESSION_TOKEN"),
            region_name=REGION,
        )

    def as_role(self, role: str) -> dict[str, str]:
        """Credentials of a role of the deployment. The account itself is let in for once."""
        statement = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        }
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.client("iam").update_assume_role_policy(RoleName=role, PolicyDocument=trust)
        return assume(self.client("sts"), f"arn:aws:iam::{ACCOUNT}:role/{role}")

    def user_with(self, name: str, policy: dict[str, Any]) -> dict[str, str]:
        """Credentials of a new user that holds this policy and nothing else."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def api(self, credentials: dict[str, str] | None) -> Api:
        """The API behind the API Gateway; unsigned without credentials."""
        sign = signer(REGION, session=self.session(credentials)) if credentials else None
        connect_to = self.emulator.endpoint_url.removeprefix("http://")
        return Api(self.outputs["api_url"], sign=sign, connect_to=connect_to)

    def start_workers(self, credentials: dict[str, str], count: int = 2) -> None:
        """Celery workers as Fargate would run them: with the variables of the task definition."""
        ecs = self.client("ecs")
        task = ecs.describe_task_definition(taskDefinition="s3scan-worker")["taskDefinition"]
        given = {pair["name"]: pair["value"] for pair in task["containerDefinitions"][0]["environment"]}
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        for number in range(count):
            scratch = self.folder / f"scratch-{number}"
            scratch.mkdir()
            here = {
                "HOME": str(scratch),
                "TMPDIR": str(scratch),
                "S3SCAN_SPOOL_DIRECTORY": str(scratch),
                "S3SCAN_LIVENESS_FILE": str(scratch / "worker.alive"),
                "S3SCAN_FINGERPRINT_KEY": "made-up-for-this-test-only",
                "NO_PROXY": "*",
                "no_proxy": "*",
            }
            worker = Child(
                name=f"worker-{number}",
                argv=commands.worker(f"worker-{number}"),
                env={**kept, **given, **credentials, **here},
                log=self.folder / f"worker-{number}.log",
                cwd=ROOT,
                grace_s=2.0,
            )
            self.workers.append(worker.start())

    def settle(self) -> None:
        """What EventBridge does each minute (the emulator does, too; a test does not wait for it)."""
        answer = self.client("lambda").invoke(FunctionName="s3scan-settle", Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read().decode()

    def log_tails(self) -> str:
        """What the workers said last."""
        return "\n".join(worker.log_tail(30) for worker in self.workers)


def assume(sts: Any, role_arn: str, **more: str) -> dict[str, str]:
    """Credentials of a role, as a process takes them."""
    given = sts.assume_role(RoleArn=role_arn, RoleSessionName="scan", **more)["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def foreign_queue(stack: AppliedStack) -> str:
    """URL of a queue that is none of ours."""
    return str(stack.client("sqs").create_queue(QueueName="foreign")["QueueUrl"])


#: Another account; the emulator takes its number for the key of its root.
MEMBER_ACCOUNT = "444455556666"
MEMBER_CREDENTIALS = {"AWS_ACCESS_KEY_ID": MEMBER_ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test"}
MEMBER_ROLE = f"arn:aws:iam::{MEMBER_ACCOUNT}:role/s3scan"
MEMBER_BUCKET, MEMBER_OTHER_BUCKET = "member-bucket", "member-private"
EXTERNAL_ID = "made-up-external-id"
#: A role that no configuration names, of an account that is no member.
ROLE_ELSEWHERE = "arn:aws:iam::777788889999:role/s3scan"
MEMBER = f"""
provider "aws" {{
  region                      = "{REGION}"
  access_key                  = "{MEMBER_ACCOUNT}"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true

  endpoints {{
    iam = "ENDPOINT"
    sts = "ENDPOINT"
  }}
}}

module "reader" {{
  source = "../../modules/member_role"

  scanner_role_arns = ROLES
  external_id       = "{EXTERNAL_ID}"
  buckets           = ["{MEMBER_BUCKET}"]
}}
"""

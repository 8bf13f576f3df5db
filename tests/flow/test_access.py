"""Jobs that reach their buckets in a way of their own, from the request to the findings, on both backends.

The ledger is a real Postgres; S3 is the emulator with its STS, or FakeS3, which checks signatures and who pays.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import boto3
import pytest

from scanner_tasks.aws.sources import Backend, Sources
from scanner_tasks.core.access import Access
from scanner_tasks.core.errors import Denied
from scanner_tasks.core.model import JobStatus
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.local.emulator import CREDENTIALS, REGION, Emulator
from scanner_tasks.store.engine import execute, transaction
from tests.aws.fake_s3 import FakeS3

from .conftest import System

CONTENTS = {"a//b.csv": b"name,ssn\nJane Roe,512-44-1234\n", "x/../y": b"ssn: 512-44-1234\n", "clean": b"nothing\n"}


@pytest.fixture(params=["lean", "boto3"])
def reaching(
    request: pytest.FixtureRequest, make_system: Callable[..., System], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., System]]:
    """A function that makes a system which reads S3 at an endpoint by a backend."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    backend: Backend = request.param
    made = []

    def reaching(endpoint_url: str, **settings: object) -> System:
        system = make_system(**settings)
        reader = Sources(backend=backend, region=REGION, aws_endpoint_url=endpoint_url).own()
        made.append(reader)
        system.objects = reader
        system.feeder, system.worker = system.make_feeder(), system.make_worker()
        return system

    yield reaching
    for reader in made:
        reader.close()


@pytest.fixture
def fake_s3() -> Iterator[FakeS3]:
    server = FakeS3(region=REGION)
    yield server
    server.stop()


def scanned(system: System, bucket: str, access: Access) -> UUID:
    view = system.run(start_job(bucket, access=access, using=system.feeder).job_id)
    assert view.job.status is JobStatus.SUCCEEDED
    assert (view.progress.scanned, view.progress.findings) == (3, 2)
    return view.job.job_id


def test_a_role_of_another_account(emulator: Emulator, reaching: Callable[..., System]) -> None:
    bucket = f"theirs-{uuid4().hex[:8]}"
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    s3, iam = (session.client(name, endpoint_url=emulator.endpoint_url) for name in ("s3", "iam"))
    s3.create_bucket(Bucket=bucket)
    for key, content in CONTENTS.items():
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    role = iam.create_role(RoleName=bucket, AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
    s3.close()
    iam.close()
    system = reaching(emulator.endpoint_url, allowed_roles=["arn:aws:iam::*:role/theirs-*"])
    access = Access(role_arn=role["Role"]["Arn"], external_id="ours")
    job_id = scanned(system, bucket, access)
    assert system.job(job_id).job.access == access
    reached = system.objects.through(access)
    assert reached._requests._credentials.access_key != "test"
    reached.close()


@pytest.mark.parametrize(
    ("access", "says"),
    [
        (Access(role_arn="arn:aws:iam::111122223333:role/theirs"), "S3SCAN_ALLOWED_ROLES"),
        (Access(endpoint_url="http://127.0.0.1:9"), "S3SCAN_ALLOWED_ENDPOINTS"),
    ],
)
def test_a_worker_asks_its_own_lists_before_it_assumes_a_role_or_opens_an_endpoint(
    fake_s3: FakeS3, reaching: Callable[..., System], access: Access, says: str
) -> None:
    fake_s3.bucket("theirs", CONTENTS)
    system = reaching(fake_s3.endpoint_url, allowed_roles=["*"], allowed_endpoints={"http://127.0.0.1:9": ""})
    job_id = start_job("theirs", using=system.feeder).job_id
    system.feed(job_id)
    with transaction(system.engine) as connection:  # somebody writes to the ledger
        told = json.dumps(access.to_json())
        execute(connection, "update jobs set access = cast(:told as jsonb) where job_id = :id", told=told, id=job_id)
    strict = Sources(backend="lean", region=REGION, aws_endpoint_url=fake_s3.endpoint_url, roles=[]).own()
    worker = replace(system.worker, objects=strict)
    asked = len(fake_s3.requests)
    system.deliver(job_id, worker=worker)
    assert len(fake_s3.requests) == asked, "nothing was sent, to nobody"
    assert system.job(job_id).progress.outcomes == {"failed(denied)": 3}
    with transaction(system.engine) as connection:
        query = "select distinct detail from job_objects where job_id = :id"
        assert says in execute(connection, query, id=job_id).scalar_one()
    with pytest.raises(Denied, match=says):
        strict.through(access).check_bucket("theirs")
    strict.close()


def test_a_bucket_whose_requester_pays(fake_s3: FakeS3, reaching: Callable[..., System]) -> None:
    fake_s3.bucket("paid", CONTENTS, requester_pays=True)
    system = reaching(fake_s3.endpoint_url)
    with pytest.raises(Denied, match="s3:ListBucket"):
        start_job("paid", using=system.feeder)
    access = Access(requester_pays=True)
    scanned(system, "paid", access)
    system.objects.through(access).close()


def test_a_public_bucket_without_a_signature(
    fake_s3: FakeS3, reaching: Callable[..., System], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_s3.bucket("public", CONTENTS, is_public=True)
    system = reaching(fake_s3.endpoint_url)
    access = Access(anonymous=True)
    scanned(system, "public", access)
    assert not any("authorization" in request.headers for request in fake_s3.requests)
    system.objects.through(access).close()


def test_another_endpoint_with_the_credentials_that_the_operator_gave_it(
    fake_s3: FakeS3, reaching: Callable[..., System], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_s3.bucket("theirs", CONTENTS)
    fake_s3.keys = {"minio-user": ("made up for this test", None)}
    (tmp_path / "credentials").write_text(
        "[minio]\naws_access_key_id = minio-user\naws_secret_access_key = made up for this test\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    system = reaching("http://127.0.0.1:9", allowed_endpoints={fake_s3.endpoint_url: "minio"})
    sources = Sources(
        backend="lean",
        region=REGION,
        aws_endpoint_url="http://127.0.0.1:9",
        profiles=system.settings.allowed_endpoints,
    )
    system.objects = sources.own()
    system.feeder, system.worker = system.make_feeder(), system.make_worker()
    access = Access(endpoint_url=fake_s3.endpoint_url, region="auto")
    fake_s3.buckets["theirs"].region = "auto"
    scanned(system, "theirs", access)
    system.objects.through(access).close()

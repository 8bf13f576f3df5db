"""What operators run after a deployment: secrets, the database's user, a look at queues, fleet and speed."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest

from scanner_tasks import bootstrap, settings
from scanner_tasks.aws.fleet import Fleet
from scanner_tasks.cli import program
from scanner_tasks.core import lanes
from scanner_tasks.core.errors import NotFound
from scanner_tasks.local import dataset, sbom
from scanner_tasks.local.deploy import client, create_queues, queue_url_prefix
from scanner_tasks.local.emulator import Emulator
from scanner_tasks.local.postgres import LocalPostgres
from tests.flow.conftest import System

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_it(*arguments: str) -> SimpleNamespace:
        capsys.readouterr()
        status = program.run(arguments)
        said = capsys.readouterr()
        return SimpleNamespace(
            status=status,
            out=said.out,
            err=said.err,
            json=[json.loads(x) for x in said.out.splitlines() if x[:1] == "{"],
        )

    return run_it


@pytest.fixture
def aws(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The emulator as this process's AWS."""
    for name, value in emulator.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("S3SCAN_QUEUE_URL_PREFIX", queue_url_prefix(emulator.endpoint_url))
    settings.load.cache_clear()
    bootstrap.feeder.cache_clear()
    yield emulator
    settings.load.cache_clear()
    bootstrap.feeder.cache_clear()


def test_secrets_get_values_once_and_others_when_renewed(aws: Emulator, run: Run) -> None:
    service = client("secretsmanager", aws.endpoint_url)
    kinds = ("database", "fingerprint", "flower")
    arns = {kind: service.create_secret(Name=f"fill/{kind}")["ARN"] for kind in kinds}
    given = [f"{kind}={arn}" for kind, arn in arns.items()]

    def values() -> dict[str, str]:
        return {kind: service.get_secret_value(SecretId=arn)["SecretString"] for kind, arn in arns.items()}

    first = run("ops", "fill-secrets", *given, "--json")
    assert first.json == [{"filled": dict.fromkeys(kinds, True)}]
    filled = values()
    assert json.loads(filled["database"]).keys() == {"username", "password"}
    assert filled["flower"].startswith("s3scan:")
    assert len(filled["fingerprint"]) >= 32
    assert not [value for value in filled.values() if value in first.out]

    assert run("ops", "fill-secrets", *given, "--json").json == [{"filled": dict.fromkeys(kinds, False)}]
    assert values() == filled

    assert run("ops", "fill-secrets", "--renew", given[2]).out == "flower: has a new value.\n"
    assert values()["flower"] != filled["flower"]


@pytest.mark.parametrize("given", ["password=arn", "database", "database="])
def test_a_secret_of_no_known_kind_is_refused(run: Run, given: str) -> None:
    refused = run("ops", "fill-secrets", given)
    assert (refused.status, refused.out) == (2, "")
    assert "KIND=SECRET" in refused.err


def test_the_owner_is_made_owns_the_schema_and_signs_in_with_its_password(
    postgres: LocalPostgres, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = psycopg2.connect(postgres.url().replace("+psycopg2", ""))
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute("create database owned")
        cursor.execute("create role admin_of_test login createrole createdb")
        cursor.execute("alter database owned owner to admin_of_test")
    monkeypatch.setenv("DATABASE_URL", postgres.url("owned").replace("postgres@", "admin_of_test@"))
    settings.load.cache_clear()
    monkeypatch.setenv("S3SCAN_OWNER", "owner_of_test")
    try:
        for password, is_new in (("made-up-one", True), ("made-up-two", False)):
            monkeypatch.setenv("S3SCAN_OWNER_PASSWORD", password)
            assert run("db", "create-owner", "--json").json == [{"owner": "owner_of_test", "is_new": is_new}]
        with admin.cursor() as cursor:
            cursor.execute(
                "select rolsuper, rolcreaterole, rolcreatedb, rolcanlogin, rolpassword from pg_authid "
                "where rolname = 'owner_of_test'"
            )
            *rights, verifier = cursor.fetchone()
            assert rights == [False, False, False, True]
            assert verifier.startswith("SCRAM-SHA-256$")
            cursor.execute("select pg_get_userbyid(datdba) from pg_database where datname = 'owned'")
            assert cursor.fetchone() == ("owner_of_test",)
        theirs = psycopg2.connect(postgres.url("owned").replace("+psycopg2", "").replace("postgres@", "owner_of_test@"))
        with theirs.cursor() as cursor:
            cursor.execute("create table of_mine (a int)")
        theirs.close()
        monkeypatch.delenv("S3SCAN_OWNER_PASSWORD")
        assert "S3SCAN_OWNER_PASSWORD" in run("db", "create-owner").err
    finally:
        settings.load.cache_clear()
        admin.close()


def test_queues_are_watched(aws: Emulator, run: Run) -> None:
    create_queues(client("sqs", aws.endpoint_url), lanes.lane_names())
    url = queue_url_prefix(aws.endpoint_url) + "scan-1"
    before = run("ops", "watch-queues", "--times", "1", "--json").json[0]["queues"]["scan-1"]["visible"]
    client("sqs", aws.endpoint_url).send_message(QueueUrl=url, MessageBody="x")
    (look,) = run("ops", "watch-queues", "--times", "1", "--json").json
    assert set(look["queues"]) == {*lanes.lane_names(), lanes.DLQ, lanes.OBJECT_EVENTS, lanes.EVENTS}
    assert look["queues"]["scan-1"]["visible"] == before + 1
    assert "scan-dlq" in run("ops", "watch-queues", "--times", "1").out
    client("sqs", aws.endpoint_url).purge_queue(QueueUrl=url)


def test_the_fleet_is_watched(aws: Emulator, run: Run) -> None:
    ecs = client("ecs", aws.endpoint_url)
    ecs.create_cluster(clusterName="watched")
    ecs.register_task_definition(family="watched", containerDefinitions=[{"name": "w", "image": "w", "memory": 128}])
    ecs.create_service(cluster="watched", serviceName="worker", taskDefinition="watched", desiredCount=0)
    client("cloudwatch", aws.endpoint_url).put_metric_data(
        Namespace="S3Scan", MetricData=[{"MetricName": "BacklogBatches", "Value": 7}]
    )
    (look,) = run("ops", "watch-scaling", "--cluster", "watched", "--times", "1", "--json").json
    assert (look["wanted"], look["running"], look["backlog_batches"]) == (0, 0, 7)
    assert look["batches_per_task"] is None
    missing = run("ops", "watch-scaling", "--cluster", "watched", "--service", "none", "--times", "1")
    assert missing.status == 1
    assert "no ECS service none" in missing.err


def test_a_service_that_is_not_there_is_told_by_name() -> None:
    nobody: Any = SimpleNamespace(describe_services=lambda **_: {"services": []})
    with pytest.raises(NotFound, match="worker"):
        Fleet(nobody, None, namespace="S3Scan").tasks("s3scan", "worker")


def test_speed_is_what_was_done_between_two_looks(system: System, run: Run) -> None:
    system.put({f"{n}.txt": b"harmless" for n in range(20)})
    job_id = system.start()
    system.run(job_id)
    (look,) = run("ops", "throughput", "--every", "0.1", "--times", "2", "--json").json
    assert look["objects"] >= 20
    assert look["objects_per_s"] == 0  # nothing happened meanwhile


def test_a_data_set_is_uploaded(aws: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    s3 = client("s3", aws.endpoint_url)
    s3.create_bucket(Bucket="data-set")
    assert dataset.main(["--bucket", "data-set", "--objects", "25", "--bytes", "500"]) == 0
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket="data-set")["Contents"]]
    assert len(keys) == 25
    assert "s3scan-dataset/24/00000024.csv" in keys
    assert dataset.main(["--bucket", "no-such-bucket", "--objects", "1"]) == 1
    assert "NoSuchBucket" in capsys.readouterr().err


def test_the_bill_of_materials_names_libraries_and_packages(tmp_path: Any) -> None:
    status = tmp_path / "status"
    status.write_text(
        "Package: libfoo\nStatus: install ok installed\nVersion: 1.2-3\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
    )
    components = {component["name"]: component for component in sbom.bill(status)["components"]}
    assert components["libfoo"]["purl"] == "pkg:deb/debian/libfoo@1.2-3"
    assert "gone" not in components
    assert components["celery"]["version"] == "5.7.0"
    assert components["celery"]["licenses"]

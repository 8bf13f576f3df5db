"""The image built for real where buildah and mmdebstrap are installed, and a worker started in it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import boto3
import pyarrow as pa
import pytest
from pyarrow import parquet

from scanner_tasks.local.api_client import Api
from scanner_tasks.local.ports import wait_until
from scanner_tasks.local.stack import Stack
from tests.terraform.conftest import ROOT
from tests.terraform.container import Image, locked

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def image(scratch: Path) -> Iterator[Image]:
    folder = scratch / "image"
    folder.mkdir()
    made, began = Image(folder), time.monotonic()
    made.build()
    size, packed = made.sizes()
    print(  # noqa: T201 (figures for the report, shown by -s)
        f"\nimage built in {time.monotonic() - began:.0f} s: {size / 1e6:.0f} MB, {packed / 1e6:.0f} MB packed"
    )
    yield made
    made.remove()


class InImage(Stack):
    """The local stack, with one worker in the container, and the migrations by the container as well."""

    image: Image

    def _spawn(self, name: str, argv: list[str], more: dict[str, str] | None = None) -> None:
        if name == "worker-1":
            super()._spawn(name, self.image.command(*self.image.config["Cmd"]), self.image.environment)
        elif name == "API":
            super()._spawn(name, argv, more)

    def _run(self, name: str, argv: list[str]) -> None:
        del argv
        super()._run(name, ["env", *self._pairs(), *self.image.command("s3scan", "db", "upgrade")])

    def _pairs(self) -> Sequence[str]:
        return [f"{name}={value}" for name, value in self.image.environment.items()]


def test_it_is_nobody_who_can_write_nowhere_but_to_scratch(image: Image) -> None:
    assert image.config["User"] == "10001:10001"
    assert image.run("id", "-u").stdout.strip() == "10001"
    for place in ("/app/x", "/opt/venv/x", "/etc/x", "/tmp/x"):
        refused = image.run("touch", place)
        assert refused.returncode
        assert "Read-only file system" in refused.stderr
    assert image.run("touch", "/scratch/x").returncode == 0


def test_nothing_in_it_builds_or_installs(image: Image) -> None:
    for tool in ("gcc", "cc", "make", "pip", "pip3", "git", "curl"):
        assert image.run("sh", "-c", f"command -v {tool}").returncode, tool
    assert image.run("python", "-m", "pip", "--version").returncode


def test_its_bill_of_materials_names_every_library_and_package(image: Image) -> None:
    bill = json.loads(image.run("cat", "/app/sbom.cdx.json").stdout)
    purls = {part["purl"] for part in bill["components"]}
    libraries = {part["name"]: part for part in bill["components"] if part["purl"].startswith("pkg:pypi/")}
    for name, version in locked(ROOT / "requirements" / "image.txt").items():
        if name in libraries:  # some are for another Python or system only
            assert libraries[name]["version"] == version
    assert {"celery", "pyarrow", "hyperscan", "opentelemetry-sdk", "flower"} <= set(libraries)
    assert any(purl.startswith("pkg:deb/debian/libc6@") for purl in purls)
    untold = [name for name, part in libraries.items() if not part.get("licenses")]
    print(f"\n{len(purls)} components; without a licence in their metadata: {untold}")  # noqa: T201 (for the report)


def test_a_worker_in_it_scans_and_is_healthy_and_ends_when_told(image: Image, scratch: Path) -> None:
    InImage.image = image
    folder = scratch / "in-image"
    with InImage(folder, say=print) as stack:
        s3 = boto3.client(
            "s3",
            endpoint_url=stack.emulator.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        s3.create_bucket(Bucket="my-bucket")
        table = folder / "people.parquet"
        parquet.write_table(pa.table({"ssn": ["512-44-1234"] * 3}), table)
        s3.put_object(Bucket="my-bucket", Key="people.parquet", Body=table.read_bytes())
        s3.put_object(Bucket="my-bucket", Key="people.csv", Body=b"name,ssn\nJane Roe,512-44-1234\n")
        api = Api(stack.api_url)
        (worker,) = [child for child in stack._children if child.name == "worker-1"]
        job_id = api.start_scan("my-bucket")

        def has_ended() -> bool:
            stack.check()
            return api.job(job_id).is_final

        wait_until(has_ended, what="the job", timeout_s=300)
        found = sorted((one.key, one.rule, one.count) for one in api.results(job_id))
        assert found == [("people.csv", "us.ssn", 1), ("people.parquet", "us.ssn", 3)], worker.log_tail(40)
        health = image.config["Healthcheck"]["Test"]
        assert health == ["CMD", "s3scan", "worker", "health"]
        user = image.config["User"].partition(":")[0]
        inside = ["nsenter", "--target", str(worker.pid), "--mount", "--root", f"--setuid={user}", f"--setgid={user}"]
        told = subprocess.run(
            [*inside, *health[1:]], capture_output=True, text=True, env=image.environment, check=False
        )
        assert told.returncode == 0, told.stderr
        assert image.run(*health[1:]).returncode == 1  # another container, without a worker
        os.kill(worker.pid, signal.SIGTERM)  # STOPSIGNAL
        wait_until(lambda: worker.exit_status is not None, what="the worker's end", timeout_s=60)
        assert worker.exit_status == 0, worker.log_tail(30)

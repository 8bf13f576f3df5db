"""`s3scan scan s3://…`: the user's own credentials, another endpoint, public buckets; what S3 refuses is said."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from scanner_tasks.cli import program
from scanner_tasks.core.identity import finding_id
from scanner_tasks.local.emulator import CREDENTIALS, REGION
from scanner_tasks.settings import load
from tests.aws.conftest import clean_environment
from tests.aws.fake_s3 import FakeS3

from .conftest import SSN


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    clean_environment(monkeypatch)
    load.cache_clear()
    server = FakeS3(region=REGION)
    yield server
    server.stop()
    load.cache_clear()


def scan(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, object]], str]:
    capsys.readouterr()
    status = program.run(["scan", *arguments, "--json", "--processes", "2"])
    said = capsys.readouterr()
    return status, [json.loads(line) for line in said.out.splitlines()], said.err


def test_prefix_is_scanned_with_the_users_credentials(s3: FakeS3, capsys: pytest.CaptureFixture[str]) -> None:
    bucket = s3.bucket("bucket")
    for key in ("exports//a.csv", "exports/../b.csv", "exports/é\n.csv", "other.csv"):
        bucket.put(key, SSN)
    bucket.put("exports/old.csv", SSN, storage_class="GLACIER")
    status, found, said = scan(capsys, "s3://bucket/exports/", "--endpoint-url", s3.endpoint_url)
    assert status == 0, said
    assert {str(line["object"]) for line in found} == {
        "s3://bucket/exports//a.csv",
        "s3://bucket/exports/../b.csv",
        "s3://bucket/exports/é\n.csv",
    }
    ids = {place["id"] for line in found for place in line["occurrences"]}  # type: ignore[attr-defined]
    assert f"{finding_id('bucket', 'exports//a.csv', 'us.ssn')}/1" in ids
    assert "4 listed = 3 scanned + 1 skipped" in said
    assert "skipped(archived_storage_class)" in said


def test_public_bucket_is_read_without_credentials(
    s3: FakeS3, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    s3.bucket("public", is_public=True).put("a.csv", SSN)
    status, found, said = scan(capsys, "s3://public", "--endpoint-url", s3.endpoint_url, "--anonymous")
    assert (status, len(found)) == (0, 1), said


def test_bucket_that_is_not_there_is_incomplete_coverage(s3: FakeS3, capsys: pytest.CaptureFixture[str]) -> None:
    status, found, said = scan(capsys, "s3://nowhere", "--endpoint-url", s3.endpoint_url)
    assert (status, found) == (3, [])
    assert "No bucket 'nowhere'" in said

"""What docs/python.md and docs/api.md show, done as they show it against the running pipeline."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import unavailable

from .conftest import PATIENCE_S, Pipeline

DOCS = Path(__file__).parents[2] / "docs"
#: Its role and bucket are somebody else's: what is allowed is a setting of the API.
THEIRS = "their-bucket"
#: Statuses that an example may get because of the state that a job or a letter happens to be in.
STATE = {404, 409}


@pytest.fixture(scope="module")
def my_bucket(pipeline: Pipeline) -> Iterator[str]:
    """The buckets of the documents' examples."""
    for bucket in ("my-bucket", "prod-a"):
        pipeline.s3.create_bucket(Bucket=bucket)
    tags = [{"Key": "team", "Value": "payments"}]
    pipeline.s3.put_bucket_tagging(Bucket="prod-a", Tagging={"TagSet": tags})
    for key in ("exports/a.csv", "exports//odd name.csv", "a//b, c.csv"):
        pipeline.s3.put_object(Bucket="my-bucket", Key=key, Body=b"name,ssn\nAda,536-22-8726\nBob,219-09-1234\n")
    yield "my-bucket"
    for key in ("exports/a.csv", "exports//odd name.csv", "a//b, c.csv"):
        pipeline.s3.delete_object(Bucket="my-bucket", Key=key)
    for bucket in ("my-bucket", "prod-a"):
        pipeline.s3.delete_bucket(Bucket=bucket)


def test_blocks_of_the_python_document_run_one_after_the_other(pipeline: Pipeline, my_bucket: str) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", (DOCS / "python.md").read_text(), re.MULTILINE | re.DOTALL)
    running = [block for block in blocks if block.startswith("# with a running stack")]
    assert len(running) > 5
    printed = pipeline.run_python("\n".join(running))
    assert f"{my_bucket}: " not in printed
    assert "exports/a.csv 2 ***-**-8726" in printed
    assert "2 objects" in printed  # the two that scan_objects named


def curl_blocks(document: Path) -> list[str]:
    blocks = re.findall(r"^```(?:sh|bash)\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)
    return [block for block in blocks if "curl " in block and "$API" in block and THEIRS not in block]


def test_requests_of_the_api_document_are_understood(pipeline: Pipeline, my_bucket: str, tmp_path: Path) -> None:
    if not (curl := shutil.which("curl")) or not (bash := shutil.which("bash")):
        unavailable("curl and bash", FileNotFoundError("curl"))
    first, second = (pipeline.api.start_scan(my_bucket) for _ in range(2))
    for job in (first, second):
        assert pipeline.ended(job).status == "succeeded"
    finding = json.loads(subprocess.check_output([curl, "-sS", f"{pipeline.api_url}/results?job_id={second}"]))
    log = tmp_path / "statuses"
    environment = os.environ | {
        "API": pipeline.api_url,
        "JOB": second,
        "BASE": first,
        "FINDING": finding["results"][0]["finding_id"],
        "LETTER": "5fea7756-0ea4-451a-a703-a558b933e274",
        "NEXT": "",
        "LOG": str(log),
        "CURL": curl,
    }
    told = []
    blocks = curl_blocks(DOCS / "api.md")
    assert len(blocks) > 10
    for block in blocks:
        shell = 'curl() { "$CURL" -w "%{stderr}%{http_code}\\n" "$@" 2>>"$LOG"; }\n' + block.replace(
            "&cursor=$NEXT", ""
        )
        subprocess.run([bash, "-c", shell], env=environment, check=True, capture_output=True, timeout=PATIENCE_S)
        statuses = [int(line) for line in log.read_text().split() if line.isdigit()]
        log.unlink()
        assert statuses, block
        told += [(block, status) for status in statuses if not 200 <= status < 300 and status not in STATE]
    assert told == []

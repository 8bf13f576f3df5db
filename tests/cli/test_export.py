"""`s3scan export`: a job's findings in every form, with the ids that the ledger gave them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from uuid import UUID

import pytest

from scanner_tasks import job
from scanner_tasks.cli import program
from tests.flow.conftest import System

SSN = b"name,ssn\nJane Roe,512-44-1234\n"


@pytest.fixture
def job_id(system: System) -> UUID:
    system.put({"a//b.csv": SSN, "=cmd.csv": SSN, "broken.zip": b"PK\x03\x04" + b"\xff" * 60})
    job_id = system.start()
    system.run(job_id)
    return job_id


def export(job_id: UUID, form: str, tmp_path: Path, *more: str) -> bytes:
    out = tmp_path / "out"
    assert program.run(["export", str(job_id), "--format", form, "-o", str(out), *more]) == 0
    return out.read_bytes()


def test_every_form_has_the_same_ids(system: System, job_id: UUID, tmp_path: Path) -> None:
    ids = [str(finding.finding_id) for finding in job(job_id).results()]
    assert len(ids) == 2
    lines = [json.loads(line) for line in export(job_id, "jsonl", tmp_path).splitlines()]
    assert [line["occurrences"][0]["id"].partition("/")[0] for line in lines] == ids
    rows = csv.DictReader(io.StringIO(export(job_id, "csv", tmp_path).decode(), newline=""))
    assert [row["finding_id"] for row in rows] == ids
    (run,) = json.loads(export(job_id, "sarif", tmp_path))["runs"]
    assert [result["guid"] for result in run["results"]] == ids
    assert [
        each["message"]["text"].partition(": ")[0] for each in run["invocations"][0]["toolExecutionNotifications"]
    ] == [f"s3://{system.bucket}/broken.zip"]
    events = [json.loads(line) for line in export(job_id, "ocsf", tmp_path).splitlines()]
    assert [event["finding_info"]["uid"] for event in events] == ids
    (findings,) = map(json.loads, export(job_id, "asff", tmp_path, "--account", "111122223333").splitlines())
    assert [each["Id"] for each in findings] == ids
    (entries,) = map(json.loads, export(job_id, "eventbridge", tmp_path).splitlines())
    assert [json.loads(each["Detail"])["finding_id"] for each in entries] == ids
    assert "2 high" in json.loads(export(job_id, "slack", tmp_path))["text"]
    assert export(job_id, "parquet", tmp_path)[:4] == b"PAR1"


def test_what_is_wrong_is_one_line(system: System, job_id: UUID, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--format", "word"], ["--format", "asff"], ["--send"]):
        capsys.readouterr()
        assert program.run(["export", str(job_id), *arguments]) == 2
        assert capsys.readouterr().err.count("\n") == 1

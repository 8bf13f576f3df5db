"""Each export says the same of a finding, within its standard's rules and its service's limits."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import validate_parameters

from scanner_tasks.aws.export import import_findings, put_events
from scanner_tasks.core.model import Severity
from scanner_tasks.report.asff import MOST_BYTES, asff_batches
from scanner_tasks.report.batches import batches, size_of
from scanner_tasks.report.csv_rows import rows
from scanner_tasks.report.events import entry_batches
from scanner_tasks.report.jsonl import lines
from scanner_tasks.report.ocsf import CLASS_UID, ocsf
from scanner_tasks.report.parquet import parquet
from scanner_tasks.report.sarif import sarif, text
from scanner_tasks.report.shapes import object_name
from scanner_tasks.report.slack import slack

from .samples import HOSTILE, about, everything, finding, place
from .schemas import OCSF, SARIF

NOW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
IDS = [str(each.finding_id) for each in everything()]


def validate(document: object, schema: dict[str, object]) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is a development requirement")
    jsonschema.Draft202012Validator(schema).validate(document)


def model(service: str, operation: str) -> object:
    """Botocore's own model of a request."""
    return ServiceModel(Loader().load_service_model(service, "service-2")).operation_model(operation).input_shape


def asff() -> list[list[dict[str, object]]]:
    return list(asff_batches(everything(), about, account="111122223333", region="eu-west-1", now=NOW))


def test_sarif_is_what_the_standard_asks_for() -> None:
    told = sarif(
        everything(), about, not_scanned=[("s3://logs/x.zip", "failed(corrupt)", "It is cut.")], is_complete=False
    )
    validate(json.loads(text(told)), SARIF)
    (run,) = told["runs"]
    assert [result["guid"] for result in run["results"]] == IDS
    assert all(run["tool"]["driver"]["rules"][each["ruleIndex"]]["id"] == each["ruleId"] for each in run["results"])
    assert run["invocations"][0]["executionSuccessful"] is False
    assert {run["results"][n]["level"] for n in range(len(IDS))} == {"note", "warning", "error"}


def test_schema_refuses_what_the_standard_does() -> None:
    told = sarif([finding()], about)
    told["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is a development requirement")
    with pytest.raises(jsonschema.ValidationError):
        validate(told, SARIF)


def test_sarif_passes_the_validator_of_the_standards_own_people(tmp_path: Path) -> None:
    """Microsoft's Sarif.Multitool (npm @microsoft/sarif-multitool) has the official schema in it; no requirement."""
    tool = os.environ.get("SARIF_MULTITOOL")
    if not tool:
        pytest.skip("SARIF_MULTITOOL does not name a Sarif.Multitool")
    plain = [each for each in everything() if "\u2028" not in each.key]  # which .NET takes for no URI, escaped or not
    (tmp_path / "ours.sarif").write_text(text(sarif(plain, about, not_scanned=[("a", "failed(denied)", "No.")])))
    done = subprocess.run(
        [tool, "validate", "ours.sarif", "-o", "log.sarif"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
    )
    assert "Analysis completed successfully" in done.stdout
    assert " error " not in done.stdout + done.stderr


@pytest.mark.parametrize("version", ["1.5.0", "1.8.0"])
def test_ocsf_fits_the_published_schema(version: str) -> None:
    """The schema files of ocsf.io, as the package ocsf-json-schema carries them."""
    published = pytest.importorskip("ocsf_json_schema", reason="ocsf-json-schema is a development requirement")
    schemas = published.OcsfJsonSchemaEmbedded(published.get_ocsf_schema(version))
    schema = schemas.get_class_schema(class_name=schemas.lookup_class_name_from_uid(CLASS_UID), profiles=[])
    for each in everything():
        validate(ocsf(each, about), schema)
    jsonschema = pytest.importorskip("jsonschema")
    for wrong in ({"severity_id": 77}, {"no_such_attribute": 1}, {"databucket": {"name": "b", "type_id": 55}}):
        with pytest.raises(jsonschema.ValidationError):
            validate(ocsf(finding(), about) | wrong, schema)


def test_ocsf_is_a_data_security_finding() -> None:
    for each in everything():
        event = ocsf(each, about)
        validate(event, OCSF)
        assert event["finding_info"]["uid"] == str(each.finding_id)


def test_asff_is_what_security_hub_takes() -> None:
    request = model("securityhub", "BatchImportFindings")
    sent = asff()
    for findings in sent:
        validate_parameters({"Findings": findings}, request)
        assert len(findings) <= 100
        assert all(size_of(each) <= MOST_BYTES for each in findings)
    flat = [each for findings in sent for each in findings]
    assert [each["Id"] for each in flat] == IDS
    assert all(len(str(each["Title"])) <= 256 and len(str(each["Description"])) <= 1024 for each in flat)
    assert all(len(resource["Id"]) <= 512 for each in flat for resource in each["Resources"])  # type: ignore[attr-defined]
    many = asff_batches((finding(f"{n}") for n in range(250)), about, account="1" * 12, region="us-east-1", now=NOW)
    assert [len(findings) for findings in many] == [100, 100, 50]


def test_finding_with_very_many_long_places_stays_below_the_limit() -> None:
    places = tuple(place(n, path="p" * 4000) for n in range(100))
    ((told,),) = asff_batches([finding(places=places)], about, account="1" * 12, region="us-east-1", now=NOW)
    assert size_of(told) <= MOST_BYTES


def test_events_are_what_eventbridge_takes() -> None:
    request = model("events", "PutEvents")
    sent = list(entry_batches(everything(), about))
    for entries in sent:
        validate_parameters({"Entries": [{**each, "Time": NOW} for each in entries]}, request)
        assert len(entries) <= 10
        assert size_of(entries) <= 262_144
    assert [json.loads(each["Detail"])["finding_id"] for entries in sent for each in entries] == IDS


def test_types_are_macies() -> None:
    kinds = {
        json.loads(e["Detail"])["rule"]: json.loads(e["Detail"])["type"]
        for b in entry_batches(everything(), about)
        for e in b
    }
    assert kinds == {
        "us.ssn": "SensitiveData:S3Object/Personal",
        "payment.card": "SensitiveData:S3Object/Financial",
        "aws.access_key_id": "SensitiveData:S3Object/Credentials",
        "acme.badge": "SensitiveData:S3Object/CustomIdentifier",
    }


def test_csv_runs_no_formula_and_reads_back() -> None:
    read = list(csv.DictReader(io.StringIO("".join(rows(everything(), about)), newline="")))
    assert [row["finding_id"] for row in read] == IDS
    assert not any(
        value.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")) for row in read for value in row.values()
    )
    assert {row["key"].removeprefix("'") for row in read} >= set(HOSTILE)


def test_jsonl_is_a_line_each() -> None:
    told = list(lines(everything()))
    assert all(line.count("\n") == 1 and line.endswith("\n") for line in told)
    assert [json.loads(line)["object"] for line in told] == [object_name(f.bucket, f.key) for f in everything()]
    assert json.loads(told[0])["occurrences"][0]["id"] == f"{IDS[0]}/1"


def test_parquet_reads_back() -> None:
    pq = pytest.importorskip("pyarrow.parquet", reason="the extra columnar is not installed")
    table = pq.read_table(io.BytesIO(parquet(everything(), about)))
    assert table.column("finding_id").to_pylist() == IDS
    assert table.column("key").to_pylist() == [each.key for each in everything()]
    assert table.column("occurrences").to_pylist()[0][0]["masked"] == "***-**-1234"


def test_parquet_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(Exception, match=r"s3scan\[columnar\]"):
        parquet([], about)


def test_slack_has_counts_and_no_markup_of_others() -> None:
    told = slack(everything(), about, title="Job <!channel>", coverage="9 listed = 9 scanned")
    flat = json.dumps(told, ensure_ascii=False)
    assert "<!channel>" not in flat
    assert "</script>" not in flat
    assert len(told["blocks"]) <= 50
    assert all(len(block["text"]["text"]) <= 3000 for block in told["blocks"])
    assert "1 critical" in told["text"]
    assert slack([], about, title="t", coverage="c")["text"] == "t: no findings"
    assert "1234" not in flat


def test_no_batch_is_larger_than_it_may_be() -> None:
    documents = [{"n": "x" * size} for size in (10, 5000, 90_000, 10, 10)]
    assert [len(batch) for batch in batches(documents, most=2, most_bytes=20_000)] == [2, 1, 2]


class FakeClient:
    def batch_import_findings(self, Findings: list[dict[str, str]]) -> dict[str, object]:  # noqa: N803 (as AWS has it)
        failed = [{"Id": Findings[0]["Id"], "ErrorCode": "InvalidInput"}]
        return {"SuccessCount": len(Findings) - 1, "FailedCount": 1, "FailedFindings": failed}

    def put_events(self, Entries: list[dict[str, str]]) -> dict[str, object]:  # noqa: N803 (as AWS has it)
        return {"Entries": [{"EventId": "1"}, *({"ErrorCode": "ThrottlingException"} for _ in Entries[1:])]}


def test_what_a_service_refuses_is_told() -> None:
    sent, refused = import_findings(FakeClient(), asff())
    assert (sent, refused) == (len(IDS) - 1, [f"{IDS[0]}: InvalidInput"])
    sent, refused = put_events(FakeClient(), entry_batches([finding(f"{n}") for n in range(3)], about))
    assert (sent, refused) == (1, ["ThrottlingException"] * 2)


def test_severities_are_all_told() -> None:
    assert {each.severity for each in everything()} == set(Severity)

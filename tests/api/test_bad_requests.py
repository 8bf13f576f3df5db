"""Bad input gets a 4xx that says what to change; a fault of ours gets a 5xx that tells nothing."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace

import pytest

from scanner_tasks import log
from scanner_tasks.core.errors import (
    BucketNotFound,
    Conflict,
    Denied,
    InvalidCursor,
    InvalidInput,
    JobNotFound,
    RuleError,
    Unavailable,
)
from tests.api.conftest import JOB_ID, answer, event, request

ENDPOINTS = {
    "start_job": event("scan"),
    "get_job": event("job"),
    "list_jobs": event("jobs"),
    "get_results": event("results"),
}


def refused(got, status: int, *words: str) -> None:
    """The answer is a whole problem of that status, and its detail says the words."""
    assert got.status == status, got.text
    assert got.headers["content-type"] == "application/problem+json"
    assert set(got.json) == {"type", "title", "status", "detail"}
    assert got.json["status"] == status
    assert got.json["type"].startswith("urn:s3scan:problem:")
    assert got.json["title"]
    assert got.headers["cache-control"] == "no-store"
    for word in words:
        assert word in got.json["detail"]
    for leak in ("Traceback", "hidden-value", "pydantic", 'File "'):
        assert leak not in got.text


def untouched(flows: SimpleNamespace) -> None:
    assert not any(flow.called for flow in vars(flows).values())


def scan_of(**fields: object) -> str:
    return json.dumps({"bucket": "my-bucket"} | fields)


BAD_BODIES = {
    "nothing": (None, "body: it is missing"),
    "empty": ("", "body: it is missing"),
    "not JSON": ("{hidden-value", "not JSON"),
    "deeply nested": ("[" * 100_000, "not JSON"),
    "null": ("null", "body: it is missing"),
    "a list": ("[]", "JSON object"),
    "a list of a good one": ('[{"bucket": "my-bucket"}]', "JSON object"),
    "a string": ('"hidden-value"', "JSON object"),
    "a number": ("1", "JSON object"),
    "no bucket": ("{}", "bucket: it is missing"),
    "bucket null": (scan_of(bucket=None), "bucket: give one string"),
    "bucket a number": (scan_of(bucket=7), "bucket: give one string"),
    "bucket a list": (scan_of(bucket=["my-bucket"]), "bucket: give one string"),
    "bucket empty": (scan_of(bucket=""), "bucket: it is empty"),
    "bucket short": (scan_of(bucket="ab"), "3 to 63"),
    "bucket long": (scan_of(bucket="a" * 64), "3 to 63"),
    "bucket upper case": (scan_of(bucket="My-Bucket"), "a-z, 0-9"),
    "bucket a URL": (scan_of(bucket="s3://my-bucket"), "without s3://"),
    "bucket an address": (scan_of(bucket="10.0.0.1"), "IPv4"),
    "bucket with two dots": (scan_of(bucket="a..b"), "two dots"),
    "prefix a number": (scan_of(prefix=7), "prefix: give one string"),
    "prefix null": (scan_of(prefix=None), "prefix: give one string"),
    "prefix long": (scan_of(prefix="a" * 1025), "1,024"),
    "prefix long in bytes": (scan_of(prefix="é" * 513), "1,026 bytes"),
    "prefix with NUL": (scan_of(prefix="a\0"), "U+0000"),
    "prefix half a pair": ('{"bucket": "my-bucket", "prefix": "\\ud800"}', "surrogate"),
    "unknown field": (scan_of(**{"hidden-value": 1}), "no such field"),
}


@pytest.mark.parametrize(("body", "words"), BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_bad_scan_request_is_a_400_that_says_what_to_change(flows, body, words):
    refused(answer(request("POST", "/scan", body=body)), 400, words)
    untouched(flows)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx", ""]
)
def test_another_content_type_is_a_415(flows, content_type):
    refused(
        answer(request("POST", "/scan", body="bucket=my-bucket", content_type=content_type)), 415, "application/json"
    )
    untouched(flows)


@pytest.mark.parametrize("content_type", ["multipart/form-data", "text/plain"])
def test_empty_body_of_another_content_type_is_missing(flows, content_type):
    refused(answer(request("POST", "/scan", content_type=content_type)), 400, "body: it is missing")


@pytest.mark.parametrize("body", [base64.b64encode(b'{"bucket": "\xff"}').decode(), "é", "a"])
def test_bytes_that_are_not_utf8_are_a_400(flows, body):
    made = request("POST", "/scan", body=body)
    made["isBase64Encoded"] = True
    refused(answer(made), 400, "UTF-8")
    untouched(flows)


BAD_QUERIES = {
    "job id": ("/jobs/hidden-value", "", "job_id: give a UUID"),
    "job id too short": ("/jobs/0b0e7f1c-8f0c-4d5e-9a53", "", "job_id: give a UUID"),
    "real_time": (f"/jobs/{JOB_ID}", "real_time=hidden-value", "real_time: give true or false"),
    "real_time empty": (f"/jobs/{JOB_ID}", "real_time=", "real_time: give true or false"),
    "misspelt real_time": (f"/jobs/{JOB_ID}", "realtime=true", "takes real_time"),
    "jobs limit 0": ("/jobs", "limit=0", "limit: give 1 or more"),
    "jobs limit 1001": ("/jobs", "limit=1001", "limit: give 1000 or less"),
    "results limit 0": ("/results", "limit=0", "limit: give 1 or more"),
    "results limit negative": ("/results", "limit=-1", "limit: give 1 or more"),
    "results limit 1001": ("/results", "limit=1001", "limit: give 1000 or less"),
    "results limit words": ("/results", "limit=hidden-value", "limit: give a whole number"),
    "results limit enormous": ("/results", "limit=" + "9" * 5000, "limit: "),
    "results limit fraction": ("/results", "limit=1.5", "limit: give a whole number"),
    "results limit empty": ("/results", "limit=", "limit: give a whole number"),
    "results limit twice": ("/results", "limit=1&limit=2", "limit: give one whole number"),
    "results job id": ("/results", "job_id=hidden-value", "job_id: give a UUID"),
    "results job id twice": ("/results", f"job_id={JOB_ID}&job_id={JOB_ID}", "job_id: give"),
    "results bucket empty": ("/results", "bucket=", "bucket: it is empty"),
    "results bucket malformed": ("/results", "bucket=UPPER", "bucket: "),
    "results key long": ("/results", "key=" + "a" * 1025, "key: it has 1,025 bytes"),
    "results key with NUL": ("/results", "key=%00", "U+0000"),
    "results rule with NUL": ("/results", "rule=%00", "rule: "),
    "results rule long": ("/results", "rule=" + "a" * 201, "rule: give at most 200"),
    "results cursor with NUL": ("/results", "cursor=%00", "cursor: "),
    "results cursor long": ("/results", "cursor=" + "a" * 5000, "cursor: give at most 4096"),
    "results misspelt filter": ("/results", "bukcet=my-bucket", "takes job_id, bucket, key, prefix, rule, severity"),
    "results triage": ("/results", "triage=closed", "triage: "),
    "results prefix long": ("/results", "prefix=" + "a" * 1025, "prefix: it has 1,025 bytes"),
    "two at once": ("/results", "limit=0&job_id=1", "limit: give 1 or more"),
}


@pytest.mark.parametrize(("path", "query", "words"), BAD_QUERIES.values(), ids=BAD_QUERIES.keys())
def test_bad_query_is_a_400_that_says_what_to_change(flows, path, query, words):
    refused(answer(request("GET", path, query, content_type=None)), 400, words)
    untouched(flows)


@pytest.mark.parametrize("path", ["/", "/nowhere", "/jobs/", f"/jobs/{JOB_ID}/more", "/scan/", "//scan", "/docs"])
def test_unknown_path_is_a_404_that_names_the_known_ones(flows, path):
    refused(answer(request("GET", path)), 404, "POST /scan")
    untouched(flows)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/scan", "POST"),
        ("PUT", f"/jobs/{JOB_ID}", "GET, DELETE"),
        ("POST", "/jobs", "GET"),
        ("PUT", "/results", "GET"),
        ("POST", "/openapi.json", "GET"),
    ],
)
def test_wrong_method_is_a_405_that_names_the_right_one(flows, method, path, allowed):
    got = answer(request(method, path, body="{}"))
    refused(got, 405, *allowed.split(", "))
    assert got.headers["allow"] == allowed
    untouched(flows)


TREE = {
    "bad cursor": (InvalidCursor(), 400, "without `cursor`"),
    "invalid": (InvalidInput("rule: no such rule"), 400, "no such rule"),
    "no job": (JobNotFound(JOB_ID), 404, "GET /jobs"),
    "no bucket": (BucketNotFound("my-bucket"), 404, "name and Region"),
    "denied": (Denied("s3:ListBucket is missing"), 403, "s3:ListBucket"),
    "conflict": (Conflict("the job has ended"), 409, "has ended"),
}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(("error", "status", "words"), TREE.values(), ids=TREE.keys())
def test_error_tree_decides_the_status(flows, endpoint, error, status, words):
    getattr(flows, endpoint).side_effect = error
    refused(answer(ENDPOINTS[endpoint]), status, words)


def test_problem_type_names_the_error(flows):
    flows.start_job.side_effect = BucketNotFound("my-bucket")
    assert answer(event("scan")).json["type"] == "urn:s3scan:problem:bucket_not_found"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_unavailable_service_is_a_503_with_a_time_to_try_again(flows, endpoint):
    getattr(flows, endpoint).side_effect = Unavailable("the database did not answer")
    got = answer(ENDPOINTS[endpoint])
    refused(got, 503, "did not answer")
    assert int(got.headers["retry-after"]) > 0


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "error", [RuntimeError("hidden-value"), KeyError("hidden-value"), RuleError("hidden-value"), RecursionError()]
)
def test_anything_else_is_a_500_that_tells_nothing_and_is_logged(flows, capsys, endpoint, error):
    getattr(flows, endpoint).side_effect = error
    log.configure()

    refused(answer(ENDPOINTS[endpoint]), 500, "its log")

    logged = json.loads(capsys.readouterr().err)
    assert (logged["event"], logged["level"]) == ("api_failed", "error")
    assert logged["request_id"] == "r-1"
    assert logged["errors"][0]["frames"]


def test_wrong_setting_of_the_deployment_is_not_the_clients_mistake(flows, monkeypatch):
    def wrong():
        raise InvalidInput("Settings are wrong: hidden-value")

    monkeypatch.setattr("scanner_tasks.bootstrap.api", wrong)
    refused(answer(event("job")), 500)


def test_answer_of_the_wrong_shape_is_a_500(flows, job_view):
    flows.get_job.return_value = job_view(bucket=["hidden-value"])
    refused(answer(event("job")), 500)


def test_event_that_is_no_http_request_is_a_401(flows):
    refused(answer({"Records": [{"s3": "hidden-value"}]}), 401)

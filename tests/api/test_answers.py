"""What each endpoint answers, from recorded events."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest

from api_lambda.permissions import NEEDS
from scanner_tasks.core.access import OWN
from scanner_tasks.core.budget import UNLIMITED
from scanner_tasks.core.model import JobStatus
from scanner_tasks.core.selection import EVERYTHING
from tests.api.conftest import JOB_ID, USING, answer, event, request

AS_USUAL = {
    "access": OWN,
    "selection": EVERYTHING,
    "budget": UNLIMITED,
    "base_job": None,
    "inventory": None,
    "then_list": False,
    "job_id": None,
    "using": USING,
}


def started() -> SimpleNamespace:
    return SimpleNamespace(job_id=JOB_ID, status=JobStatus.LISTING, execution_arn="arn:x", base=None)


def test_scan_starts_a_job_and_answers_202_at_once(flows):
    flows.start_job.return_value = started()

    got = answer(event("scan"))

    flows.start_job.assert_called_once_with("my-bucket", "exports/2026/", **AS_USUAL)
    assert (got.status, got.headers["content-type"]) == (202, "application/json")
    assert got.json == {
        "job_id": str(JOB_ID),
        "status": "listing",
        "bucket": "my-bucket",
        "prefix": "exports/2026/",
        "execution_arn": "arn:x",
        "base_job": None,
    }


def test_scan_reads_a_base64_body_and_any_spelling_of_the_content_type(flows):
    flows.start_job.return_value = started()
    assert answer(event("scan_base64")).status == 202
    flows.start_job.assert_called_once_with("my-bucket", "é//", **AS_USUAL)


@pytest.mark.parametrize("content_type", [None, "application/json", "application/json; charset=utf-8"])
def test_scan_without_prefix_scans_the_whole_bucket(flows, content_type):
    flows.start_job.return_value = started()
    made = request("POST", "/scan", body='{"bucket": "my-bucket"}', content_type=content_type)
    assert answer(made).status == 202
    flows.start_job.assert_called_once_with("my-bucket", "", **AS_USUAL)


JOB = {
    "job_id": str(JOB_ID),
    "bucket": "my-bucket",
    "prefix": "exports/",
    "source": "listing",
    "status": "scanning",
    "status_reason": None,
    "lane": "scan-3",
    "access": {"role_arn": None, "endpoint_url": None, "region": None, "requester_pays": False, "anonymous": False},
    "selection": {},
    "base_job": None,
    "inventory": None,
    "followed_by": None,
    "schedule": None,
    "limit_reached": False,
    "budget": {},
    "estimate": None,
    "actual": None,
    "execution_arn": "arn:aws:states:us-east-1:000000000000:execution:listing:x-1",
    "created_at": "2026-03-10T05:16:23Z",
    "listed_at": "2026-03-10T05:17:00Z",
    "finished_at": None,
    "incomplete": False,
    "total_findings": 3,
    "total_occurrences": 40,
    "total_allowed": 0,
    "ruleset_hash": "ab",
    "other_ruleset_hashes": [],
    "progress": {
        "percent": 25.0,
        "total_is_final": True,
        "objects": {
            "listed": 8,
            "pending": 4,
            "processing": 2,
            "done": 2,
            "scanned": 1,
            "partial": 0,
            "skipped": 1,
            "unchanged": 0,
            "failed": 0,
        },
        "outcomes": {"scanned": 1, "skipped(empty)": 1},
        "bytes": {"listed": 800, "done": 100},
        "batches": {"total": 4, "open": 3},
        "eta_s": 12.5,
        "real_time": False,
        "refreshed_at": "2026-03-10T05:18:00Z",
    },
}


def test_job_shows_every_field_of_the_contract(flows, job_view):
    flows.get_job.return_value = job_view()

    got = answer(event("job"))

    flows.get_job.assert_called_once_with(JOB_ID, real_time=False, using=USING)
    assert (got.status, got.json) == (200, JOB)
    assert got.headers["cache-control"] == "no-store"


def test_job_is_counted_live_on_request(flows, job_view):
    flows.get_job.return_value = job_view()
    assert answer(event("job_real_time")).status == 200
    flows.get_job.assert_called_once_with(JOB_ID, real_time=True, using=USING)


def test_totals_are_not_final_while_the_listing_goes_on(flows, job_view):
    flows.get_job.return_value = job_view(listed_at=None, status=JobStatus.LISTING)
    assert answer(event("job")).json["progress"]["total_is_final"] is False


def test_times_are_told_in_utc_whatever_the_database_session_uses(flows, job_view):
    local = datetime(2026, 3, 10, 7, 16, 23, tzinfo=timezone(timedelta(hours=2)))
    flows.get_job.return_value = job_view(created_at=local)
    assert answer(event("job")).json["created_at"] == "2026-03-10T05:16:23Z"


def test_jobs_are_paged_by_cursor(flows, job_view):
    flows.list_jobs.return_value = SimpleNamespace(jobs=(job_view(), job_view()), next_cursor="next")

    got = answer(event("jobs"))

    flows.list_jobs.assert_called_once_with(limit=2, cursor="eyJhIjoxfQ", active=False, using=USING)
    assert got.json == {"jobs": [JOB, JOB], "next_cursor": "next"}


def test_results_pass_every_filter_with_the_key_exactly_as_it_is(flows, finding):
    flows.get_results.return_value = SimpleNamespace(findings=(finding(),), next_cursor=None)

    got = answer(event("results"))

    flows.get_results.assert_called_once_with(
        job_id=JOB_ID,
        bucket="my-bucket",
        key="a//b,,c é.csv",
        prefix=None,
        rule="us.ssn",
        severity=(),
        confidence=(),
        fingerprint=None,
        triage=None,
        limit=5,
        cursor=None,
        using=USING,
    )
    assert got.status == 200
    assert got.json == {
        "results": [
            {
                "finding_id": "00000000-0000-0000-0000-000000000005",
                "job_id": str(JOB_ID),
                "bucket": "my-bucket",
                "key": "a//b,,c é.csv",
                "rule": "us.ssn",
                "severity": "high",
                "confidence": "medium",
                "count": 41,
                "allowed": 0,
                "columns": [],
                "occurrences": [
                    {
                        "masked": "***-**-6789",
                        "context": "ssn: ***-**-6789",
                        "line": 2,
                        "column": 6,
                        "offset": 17,
                        "path": "",
                        "fingerprint": "k1:" + "0" * 32,
                        "evidence": [],
                    }
                ],
                "found_at": "2026-03-10T05:18:00.250000Z",
                "triage": "open",
                "first_seen_job": None,
                "version_id": None,
            }
        ],
        "next_cursor": None,
    }


def test_results_without_filters_have_the_default_limit(flows):
    flows.get_results.return_value = SimpleNamespace(findings=(), next_cursor=None)
    assert answer(request("GET", "/results")).json == {"results": [], "next_cursor": None}
    assert flows.get_results.call_args.kwargs["limit"] == 100


def test_results_take_several_severities_and_confidences(flows):
    flows.get_results.return_value = SimpleNamespace(findings=(), next_cursor=None)
    query = "severity=high,critical,low&confidence=medium&prefix=a%2F%2F&triage=accepted&fingerprint=k1:0"
    assert answer(request("GET", "/results", query)).status == 200
    asked = flows.get_results.call_args.kwargs
    assert (asked["severity"], asked["confidence"]) == (("high", "critical", "low"), ("medium",))
    assert (asked["prefix"], asked["triage"], asked["fingerprint"]) == ("a//", "accepted", "k1:0")


def test_page_too_large_for_lambda_is_cut_shorter_instead_of_failing(flows, finding):
    wide = finding(places=10, context="数" * 200)
    flows.get_results.side_effect = lambda *, limit, **_: SimpleNamespace(findings=(wide,) * limit, next_cursor="n")

    got = answer(request("GET", "/results", "limit=1000"))

    assert got.status == 200
    assert len(got.json["results"]) < 1000
    assert len(got.text.encode()) < 6_000_000
    assert got.json["next_cursor"] == "n"


def test_openapi_describes_every_endpoint_with_its_problems(flows):
    document = answer(event("openapi")).json

    assert document["openapi"].startswith("3.1")
    operations = {(path, method): op for path, item in document["paths"].items() for method, op in item.items()}
    served = {(path, method.lower()) for method, path in NEEDS} - {("/openapi.json", "get")}
    assert set(operations) == served
    for place, operation in operations.items():
        assert operation["summary"]
        assert operation["description"]
        good = min(operation["responses"])
        problems = [status for status in operation["responses"] if status >= "400"]
        assert good == ("202" if place in {("/scans", "post"), ("/jobs/{job_id}", "delete")} else "200")
        assert {"400", "401", "403", "500", "503"} <= set(problems)
        assert all("application/problem+json" in operation["responses"][status]["content"] for status in problems)
    assert {"200", "202"} <= set(operations["/scan", "post"]["responses"]), "a dry run, a job"
    assert "404" in operations["/jobs/{job_id}", "get"]["responses"]
    assert "415" in operations["/scan", "post"]["responses"]
    assert not {"HTTPValidationError", "ValidationError", "ResponseValidationError"} & set(
        document["components"]["schemas"]
    )
    request_schema = document["components"]["schemas"]["ScanRequest"]
    assert request_schema["required"] == ["bucket"]
    assert request_schema["properties"]["bucket"]["examples"] == ["my-bucket"]


def test_api_starts_without_celery():
    code = (
        "import sys\n"
        "from tests.api.conftest import _importable_api\n"
        "_importable_api.__wrapped__()\n"
        "import api_lambda.handler\n"
        "print({'celery', 'kombu', 're2', 'hyperscan'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert (done.stderr, done.stdout.strip()) == ("", "set()")

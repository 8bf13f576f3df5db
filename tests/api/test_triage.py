"""Findings are judged through the API, on a real Postgres."""

from __future__ import annotations

import json

from tests.api.conftest import Answer, answer, request

from .test_real_database import Service, get, refused, scanned, service

__all__ = ["scanned", "service"]


def judge(service: Service, **changes: object) -> Answer:
    body = {
        "bucket": service.bucket,
        "key": "a//b,1.txt",
        "rule": "us.ssn",
        "status": "accepted",
        "by": "ada",
        "reason": "a test",
    }
    return answer(request("POST", "/triage", body=json.dumps(body | changes)))


def test_finding_is_judged_filtered_and_its_history_told(service: Service, scanned: str) -> None:
    marked = judge(service)
    assert marked.status == 200
    (finding,) = get("/results", job_id=scanned, triage="accepted").json["results"]
    assert (finding["key"], finding["rule"], finding["triage"]) == ("a//b,1.txt", "us.ssn", "accepted")
    assert marked.json["finding_id"] == finding["finding_id"]
    assert marked.json["fingerprints"] == [finding["occurrences"][0]["fingerprint"]]
    assert len(get("/results", job_id=scanned, triage="open").json["results"]) == 9
    assert judge(service, status="open", by="eve", reason="it is real", job_id=scanned).status == 200
    assert get("/results", job_id=scanned, triage="accepted").json["results"] == []
    history = get(f"/triage/{finding['finding_id']}").json["marks"]
    assert [(mark["status"], mark["by"], mark["reason"]) for mark in history] == [
        ("open", "eve", "it is real"),
        ("accepted", "ada", "a test"),
    ]


def test_every_filter_reaches_the_ledger(service: Service, scanned: str) -> None:
    def count(**query: object) -> int:
        return len(get("/results", bucket=service.bucket, **query).json["results"])

    assert count() == 10
    assert (count(prefix="a//b,"), count(prefix="a//b,3"), count(prefix="a/b")) == (10, 2, 0)
    assert count(severity="critical,high,medium,low", confidence="low,medium,high") == 10
    (finding,) = get("/results", job_id=scanned, key="a//b,2.txt", rule="us.ssn").json["results"]
    assert count(severity=finding["severity"], rule="us.ssn") == 5
    assert count(fingerprint=finding["occurrences"][0]["fingerprint"]) == 5
    refused(get("/results", severity="hidden"), 400, "severity: give low, medium, high, critical")
    refused(get("/results", fingerprint="123-45-6789"), 400, "fingerprint: give it as a finding tells it")


def test_judging_what_is_not_there_or_without_a_reason_is_refused(service: Service, scanned: str) -> None:
    refused(judge(service, rule="no.such"), 404, "No finding of this rule")
    refused(judge(service, key="a//b"), 404, "No finding of this rule")
    refused(judge(service, reason=""), 400, "reason: ")
    refused(judge(service, reason="  "), 400, "reason: ")
    refused(judge(service, status="closed"), 400, "status: ")
    refused(get("/triage/x"), 400, "finding_id: give a UUID")

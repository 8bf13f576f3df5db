"""Explanations and detection over HTTP, and the function that detects."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from scanner_tasks import bootstrap, settings
from tests.api.conftest import answer, request
from tests.api.test_real_database import service

__all__ = ["service"]


@pytest.fixture(autouse=True)
def _plain_settings(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("S3SCAN_FINGERPRINT_KEY", "a key of the tests only")
    settings.load.cache_clear()
    bootstrap.text_detector.cache_clear()
    yield
    settings.load.cache_clear()
    bootstrap.text_detector.cache_clear()


def detect(**body: object):
    return answer(request("POST", "/detect", body=json.dumps(body)))


def test_a_text_is_answered_with_code_points_lines_and_masks() -> None:
    got = detect(text="é\n😀 ssn: 536-22-8726", explain=True)
    assert (got.status, got.headers["cache-control"]) == (200, "no-store")
    assert got.json == {
        "findings": [
            {
                "rule": "us.ssn",
                "start": 9,
                "end": 20,
                "line": 2,
                "column": 8,
                "confidence": "high",
                "masked": "***-**-8726",
                "evidence": ["pattern", "validator us_ssn", "keyword ssn, 2 before", "confidence high"],
            }
        ],
        "total": 1,
    }


def test_options_are_those_of_the_command() -> None:
    text = "".join(f"ssn 536-22-{n}, " for n in range(1000, 1005)) + "ssn 078-05-1120"
    assert detect(text=text).json["total"] == 5
    some = detect(text=text, limit=2, include_test_values=True).json
    assert (len(some["findings"]), some["total"], some["findings"][0]["evidence"]) == (2, 6, [])
    assert detect(text="x 536-22-8726", threshold="high").json["total"] == 0


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "text: it is missing; add it."),
        ({"text": 7}, "text: give one string."),
        ({"text": "x" * 1_000_001}, "text: give at most 1000000 characters."),
        ({"text": "x", "limit": 0}, "limit: give 1 or more."),
        ({"text": "x", "rules": []}, "body: no such field; remove it or correct its name."),
        ({"text": "x", "threshold": "sure"}, "threshold: give low, medium, high."),
    ],
)
def test_a_wrong_request_says_what_to_change(body, detail) -> None:
    got = detect(**body)
    assert (got.status, got.json["detail"]) == (400, detail)


def test_a_wrong_method_or_parameter_is_told() -> None:
    assert answer(request("GET", "/detect")).headers["allow"] == "POST"
    assert answer(request("POST", "/detect", "x=1", body='{"text": "x"}')).status == 400
    assert answer(request("POST", "/detect", body="x", content_type="text/plain")).status == 415


def test_the_rules_of_the_settings_are_those_of_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack = tmp_path / "o.toml"
    pack.write_text('[[override]]\nrules = ["us.ssn"]\nenabled = false\n')
    monkeypatch.setenv("S3SCAN_RULES", str(pack))
    assert detect(text="ssn: 536-22-8726").json["total"] == 0
    pack.write_text("x")
    settings.load.cache_clear()
    bootstrap.text_detector.cache_clear()
    got = detect(text="ssn: 536-22-8726")
    assert (got.status, "Traceback" in got.text) == (500, False)


def test_the_function_of_its_own_is_the_same_handler_made_ready() -> None:
    code = (
        "from api_lambda import detect_handler, handler\n"
        "from scanner_tasks import bootstrap\n"
        "print(detect_handler.handler is handler.handler, bootstrap.text_detector.cache_info().currsize)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert (done.stdout.strip(), done.stderr) == ("True 1", "")


def test_the_function_starts_with_a_wrong_pack_too_and_answers_with_a_problem() -> None:
    code = (
        "import json\n"
        "from api_lambda.detect_handler import handler\n"
        "from tests.api.conftest import request\n"
        "print(json.dumps(handler(request('POST', '/detect', body='{\"text\": \"x\"}'), None)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env={"S3SCAN_RULES": "/nowhere/ours.toml", "PATH": ""},
    )
    got = json.loads(done.stdout.splitlines()[-1])
    assert (got["statusCode"], got["headers"]["Content-Type"]) == (500, "application/problem+json")
    assert "nowhere" not in got["body"]


def test_a_finding_is_explained(service) -> None:
    job_id = service.scan().json["job_id"]
    service.feed(job_id)
    service.work(job_id)
    finding = answer(request("GET", "/results", f"job_id={job_id}&rule=us.ssn&limit=1")).json["results"][0]
    path = f"/findings/{finding['finding_id']}/explain"
    told = answer(request("GET", path, f"job_id={job_id}&occurrence=1"))
    assert told.status == 200
    assert (told.json["rule"], told.json["occurrence"], told.json["confidence"]) == ("us.ssn", 1, "high")
    assert told.json["masked"] == "***-**-1234"
    keyword = next(part for part in told.json["parts"] if part["kind"] == "keyword")
    assert (keyword["name"], keyword["distance"]) == ("ssn", 2)
    assert "219-09" not in told.text
    assert answer(request("GET", path, "occurrence=2")).status == 400
    assert answer(request("GET", path, "occurence=1")).status == 400
    assert answer(request("GET", f"/findings/{UUID(int=1)}/explain")).json["type"].endswith("finding_not_found")
    assert answer(request("POST", path)).headers["allow"] == "GET"

"""What a job read and what it did not: the same in Python, by the command line and over HTTP."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

import scanner_tasks
from scanner_tasks.cli import program
from scanner_tasks.core.errors import InvalidInput
from tests.api.conftest import Answer, answer, request
from tests.flow.conftest import System

SSN = b"name,ssn\nJane Roe,512-44-1234\n"


@pytest.fixture
def job_id(system: System) -> str:
    system.put({f"{n:03d}": SSN for n in range(120)} | {"none": b"", "esc\x1b[2J\nape": SSN, "bad.zip": b"PK\x03\x04"})
    system.objects.denied.add((system.bucket, "esc\x1b[2J\nape"))
    made = system.start()
    system.feed(made)
    system.deliver(made)
    return str(made)


def get(job_id: str, query: str = "") -> Answer:
    return answer(request("GET", f"/jobs/{job_id}/coverage", query))


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    status = program.run(["jobs", "coverage", *arguments])
    return status, capsys.readouterr().out


def test_three_ways_say_the_same_and_the_sums_agree(
    system: System, job_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = get(job_id).json
    status, out = printed(capsys, job_id, "--json")
    said = json.loads(out)
    assert (status, said.pop("has_more")) == (3, False)
    assert said == {name: value for name, value in told.items() if name != "next_cursor"}
    (bucket,) = told["buckets"]
    job = scanner_tasks.job(job_id)
    assert bucket["objects_listed"] == job.progress.listed == 123
    assert {one["outcome"]: one["objects"] for one in bucket["outcomes"]} == job.progress.outcomes
    assert sum(one["objects"] for one in bucket["outcomes"]) + bucket["objects_open"] == bucket["objects_listed"]
    assert sum(one["bytes_listed"] for one in bucket["outcomes"]) == bucket["bytes_listed"] == 121 * len(SSN) + 4
    assert bucket["bytes_read"] == 120 * len(SSN) + 4
    assert [(one["key"], one["outcome"], one["bytes_read"], one["size_bytes"]) for one in told["unread"]] == [
        ("bad.zip", "failed(corrupt)", 4, 4),
        ("esc\x1b[2J\nape", "failed(denied)", 0, len(SSN)),
        ("none", "skipped(empty)", 0, 0),
    ]
    assert [one.key for one in job.unread("failed")] == ["bad.zip", "esc\x1b[2J\nape"]
    status, out = printed(capsys, job_id)
    assert status == 3
    assert "\x1b" not in out
    assert f"{bucket['bytes_read']:,} of {bucket['bytes_listed']:,} bytes read" in out
    assert "s3:GetObject" in out


def test_pages_and_outcomes_narrow_it(job_id: str) -> None:
    first = get(job_id, "limit=1").json
    second = get(job_id, f"limit=1&cursor={first['next_cursor']}").json
    third = get(job_id, f"limit=1&cursor={second['next_cursor']}").json
    assert [page["unread"][0]["key"] for page in (first, second, third)] == ["bad.zip", "esc\x1b[2J\nape", "none"]
    assert get(job_id, f"cursor={third['next_cursor']}").json["unread"] == [] if third["next_cursor"] else True
    named = get(job_id, f"outcome={quote('failed(denied),skipped')}").json["unread"]
    assert [one["outcome"] for one in named] == ["failed(denied)", "skipped(empty)"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("outcome=scanned", "give partial, skipped, failed"),
        ("outcome=partial%28nonsense%29", "partial(nonsense)"),
        ("cursor=x", "does not belong to this query"),
        ("prefix=a", "unknown parameter"),
    ],
)
def test_what_is_wrong_is_said(job_id: str, query: str, words: str) -> None:
    got = get(job_id, query)
    assert got.status == 400
    assert words in got.json["detail"]


def test_no_such_outcome_and_no_such_job(job_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidInput, match="partial"):
        list(scanner_tasks.job(job_id).unread("gone"))
    assert get("0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11").status == 404
    assert program.run(["jobs", "coverage", "0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11"]) not in {0, 3}
    assert "Traceback" not in capsys.readouterr().err

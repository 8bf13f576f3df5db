"""Findings filtered and judged from the command line."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from tests.flow.conftest import System

from .test_commands import SSN, Run, job_id, run

__all__ = ["job_id", "run"]


@pytest.fixture
def found(system: System, job_id: UUID) -> UUID:
    system.run(job_id)
    return job_id


def test_results_take_every_filter(found: UUID, system: System, run: Run) -> None:
    def keys(*options: str) -> list[str]:
        answer = run("results", "--bucket", system.bucket, "--limit", "0", "--json", *options)
        assert answer.status == 0, answer.err
        return [finding["key"] for finding in answer.json]

    assert keys("--prefix", "14", "--rule", "us.ssn") == [f"14{n}" for n in range(10)]
    assert len(keys("--severity", "high", "--severity", "low")) == 151
    assert keys("--severity", "low") == []
    assert len(keys("--confidence", "high", "--confidence", "medium")) == 151
    shown = run("results", "--key", "007", "--job", found, "--json").json[0]
    assert len(keys("--fingerprint", shown["occurrences"][0]["fingerprint"])) == 151
    assert keys("--fingerprint", "k1:" + "0" * 32) == []


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        (("results", "--severity", "bad"), "severity: give low, medium, high, critical."),
        (("results", "--confidence", "hi"), "confidence: give low, medium, high."),
        (("results", "--triage", "closed"), "triage: give open, false_positive, accepted, fixed."),
        (("results", "--fingerprint", "512-44-1234"), "fingerprint: give it as a finding tells it"),
        (("results", "--prefix", "a" * 1025), "prefix: it has over 1,024 bytes"),
        (("triage", "mark", "fixed", "--reason", "r"), "Give at least one filter"),
        (("triage", "mark", "fixed", "--reason", " ", "--rule", "r"), "reason: give 1 to 500 characters."),
        (("triage", "mark", "gone", "--reason", "r", "--rule", "r"), "status: give open"),
        (("triage", "history", "x"), "FINDING_ID: give the finding_id"),
    ],
)
def test_wrong_filter_or_mark_is_one_line_that_says_what_to_give(
    system: System, run: Run, options: tuple[str, ...], advice: str
) -> None:
    answer = run(*options)
    assert (answer.status, answer.out) == (2, "")
    assert advice in answer.err
    assert "\n" not in answer.err


def test_marks_are_put_on_what_matches_shown_and_taken_back(found: UUID, system: System, run: Run) -> None:
    ours = ("--bucket", system.bucket, "--prefix", "00")
    said = run("triage", "mark", "false_positive", "--reason", "made up", "--dry-run", *ours)
    assert said.out.endswith("10 findings would be false_positive now.\n")
    assert run("results", "--triage", "false_positive", *ours).out == "No findings match.\n"

    said = run("triage", "mark", "false_positive", "--by", "ada", "--reason", "made up", "--json", *ours)
    assert [(mark["status"], mark["by"], mark["reason"]) for mark in said.json] == [
        ("false_positive", "ada", "made up")
    ] * 10
    marked = run("results", "--triage", "false_positive", "--bucket", system.bucket, "--json").json
    assert [finding["key"] for finding in marked] == [f"00{n}" for n in range(10)]
    assert len(run("results", "--triage", "open", "--bucket", system.bucket, "--limit", "0", "--json").json) == 141

    # Another job finds the same: the marks hold. Then another value stands in one of the objects.
    system.run(system.start())
    assert len(run("results", "--triage", "false_positive", "--bucket", system.bucket, "--json").json) == 20
    system.put({"000": SSN.replace(b"512-44-1234", b"512-44-1235")})
    third = system.run(system.start()).job.job_id
    assert run("results", "--job", third, "--key", "000", "--json").json[0]["triage"] == "open"

    taken_back = run("triage", "mark", "open", "--by", "eve", "--reason", "it is real", "--key", "001", *ours[:2])
    assert taken_back.out.endswith("2 findings are open now.\n") or taken_back.out.endswith(
        "3 findings are open now.\n"
    )
    told = run("triage", "history", marked[1]["finding_id"])
    assert "it is real" in told.out.splitlines()[1]
    assert "made up" in told.out.splitlines()[-1]
    assert run("triage", "history", uuid4()).out == "Nobody has judged it.\n"

"""The demo's verdict: nothing that differs from the truth passes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from scanner_tasks.core.model import Outcome
from scanner_tasks.local.api_client import FoundRule, JobState
from scanner_tasks.local.sample import SampleObject
from scanner_tasks.local.verdict import sum_differences, truth_differences

TRUTH = [
    SampleObject(bucket="b", key="a//b", path=Path("1"), size_bytes=5, outcome=Outcome.SCANNED, findings={"us.ssn": 2}),
    SampleObject(bucket="b", key="empty", path=Path("2"), size_bytes=0, outcome=Outcome.SKIPPED_EMPTY),
]
FOUND = [FoundRule(bucket="b", key="a//b", rule="us.ssn", count=2)]
STATE = JobState(
    job_id="j",
    bucket="b",
    status="succeeded",
    status_reason=None,
    findings=1,
    occurrences=2,
    objects={"listed": 2, "done": 2, "scanned": 1, "skipped": 1},
    outcomes={"scanned": 1, "skipped(empty)": 1, "failed(denied)": 0},
    bytes_listed=5,
    bytes_done=5,
    total_is_final=True,
    eta_s=None,
)
OUTCOMES = {"b": STATE.outcomes}


def test_results_that_equal_the_truth_have_no_differences() -> None:
    assert sum_differences(STATE, FOUND) == []
    assert truth_differences(TRUTH, FOUND, OUTCOMES) == []


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([], "us.ssn found 0 times, put there 2 times"),
        ([dataclasses.replace(FOUND[0], count=3)], "us.ssn found 3 times, put there 2 times"),
        ([*FOUND, dataclasses.replace(FOUND[0], rule="contact.email")], "contact.email found 2 times, put there 0"),
        ([dataclasses.replace(FOUND[0], key="a/b")], "'a/b': us.ssn found 2 times, put there 0 times"),
        ([*FOUND, *FOUND], "us.ssn found 4 times"),
    ],
)
def test_each_object_and_rule_that_differs_is_told(found: list[FoundRule], told: str) -> None:
    assert any(told in line for line in truth_differences(TRUTH, found, OUTCOMES))


def test_an_outcome_that_differs_is_told() -> None:
    lines = truth_differences(TRUTH, FOUND, {"b": {"scanned": 2}})
    assert lines == [
        "b: 2 objects are scanned, 1 should be",
        "b: 0 objects are skipped(empty), 1 should be",
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"outcomes": {"scanned": 1}}, "the sum of the outcomes is 1, objects listed 2"),
        ({"objects": {"listed": 2, "done": 1, "scanned": 1, "skipped": 1}}, "objects done is 1"),
        ({"objects": {"listed": 2, "done": 2, "scanned": 2}}, "objects scanned are 2, by their reasons 1"),
        ({"findings": 2}, "total_findings is 2, GET /results lists 1"),
        ({"occurrences": 3}, "total_occurrences is 3, GET /results sums up to 2"),
        ({"bytes_done": 4}, "bytes done are 4, bytes listed 5"),
        ({"status": "failed", "status_reason": "no such role"}, "the job ended failed: no such role"),
    ],
)
def test_each_sum_that_does_not_agree_is_told(change: dict[str, object], told: str) -> None:
    assert any(told in line for line in sum_differences(dataclasses.replace(STATE, **change), FOUND))

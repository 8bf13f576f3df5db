"""What the demo prints where nobody can redraw a line."""

from __future__ import annotations

import dataclasses
import io
import time

from rich.console import Console

from scanner_tasks.local.api_client import FoundRule, JobState
from scanner_tasks.local.screen import Screen

STATE = JobState(
    job_id="j",
    bucket="demo-logs",
    status="scanning",
    status_reason=None,
    findings=1,
    occurrences=2,
    objects={"listed": 2, "done": 1},
    outcomes={"scanned": 1},
    bytes_listed=5000,
    bytes_done=2500,
    total_is_final=False,
    eta_s=3.2,
)


def screen() -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    return Screen(time.time(), Console(file=out, soft_wrap=True, highlight=False)), out


def test_progress_is_a_line_now_and_then_and_one_at_the_end() -> None:
    shown, out = screen()
    with shown.progress() as live:
        live.show([STATE])
        live.show([dataclasses.replace(STATE, objects={"listed": 2, "done": 2})])
        live.show([dataclasses.replace(STATE, objects={"listed": 2, "done": 2}, status="succeeded")])
    lines = out.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("demo-logs scanning 1/2+ objects, 2.5 kB, 1 findings, ETA 3 s")
    assert "demo-logs succeeded 2/2+ objects" in lines[1]


def test_findings_stand_beside_the_truth_and_a_difference_is_marked() -> None:
    shown, out = screen()
    found = [FoundRule(bucket="b", key="k", rule="us.ssn", count=2, example="***-**-1234")]
    shown.findings(found, {("us.ssn", "b"): 2, ("contact.email", "b"): 1})
    text = out.getvalue()
    assert "***-**-1234" in text
    assert [line for line in text.splitlines() if "contact.email" in line and "1 differs!" in line]
    assert [line for line in text.splitlines() if "us.ssn" in line and "differs" not in line]


def test_outcomes_end_with_their_sum_and_what_was_listed() -> None:
    shown, out = screen()
    shown.outcomes([STATE])
    rows = [line.split("│")[1:3] for line in out.getvalue().splitlines() if "│" in line]
    assert [[cell.strip() for cell in row] for row in rows][:3] == [["scanned", "1"], ["sum", "1"], ["listed", "2"]]


def test_markup_in_a_line_is_printed_as_it_is() -> None:
    shown, out = screen()
    shown.say("[red]no colour[/red]")
    assert "[red]no colour[/red]" in out.getvalue()

"""Alarms and the runbook name one another."""

from __future__ import annotations

import re

from tests.terraform.conftest import ROOT, Applied

RUNBOOK = ROOT / "docs" / "runbook.md"


def parts() -> set[str]:
    return set(re.findall(r"^## ([a-z-]+)$", RUNBOOK.read_text(), re.MULTILINE))


def test_every_alarm_has_its_part_and_every_part_an_alarm(applied: Applied) -> None:
    alarms = [alarm for alarm in applied.of("aws_cloudwatch_metric_alarm") if "#" in alarm["alarm_description"]]
    named = {alarm["alarm_description"].rpartition("#")[2] for alarm in alarms}
    assert len(alarms) >= 16
    assert named == parts()


def test_alarms_go_somewhere(applied: Applied) -> None:
    for alarm in applied.of("aws_cloudwatch_metric_alarm"):
        assert alarm["alarm_actions"]


def test_metrics_of_our_own_are_published_by_the_code(applied: Applied) -> None:
    named = {a["metric_name"] for a in applied.of("aws_cloudwatch_metric_alarm") if a.get("namespace") == "S3Scan"}
    named |= set(re.findall(r'"S3Scan",\s*"(\w+)"', applied.of("aws_cloudwatch_dashboard")[0]["dashboard_body"]))
    code = "".join((ROOT / "scanner_tasks" / "flow" / f"{name}.py").read_text() for name in ("settle", "scan_batch"))
    told = re.search(r"_KINDS = \((.*?)\)", code)
    assert told
    kinds = {f"Objects{kind.capitalize()}" for kind in re.findall(r"(\w+)", told[1])}
    assert {name for name in named - kinds if f'"{name}"' not in code} == set()
    assert named >= {"BacklogBatches", "DeadLetters", "Findings"}

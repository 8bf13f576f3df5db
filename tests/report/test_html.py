"""The report's page: what stands in it is text, what runs in it is its own, its numbers are those of the scan."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from scanner_tasks.core.model import Confidence, Finding, Progress, Severity, TriageStatus
from scanner_tasks.report.compare import compare
from scanner_tasks.report.html.data import ReportInput, Unread, boxes, same_values
from scanner_tasks.report.html.nodes import shown
from scanner_tasks.report.html.page import page
from scanner_tasks.report.risk import points, risks, score
from scanner_tasks.report.shapes import object_name

from .samples import HOSTILE, about, everything, finding, place


def report(findings: list[Finding], **more: object) -> str:
    told = {
        "title": f"Scan of {HOSTILE[0]}",
        "facts": [("job", HOSTILE[1])],
        "progress": Progress(
            listed=9, scanned=7, failed=2, findings=len(findings), outcomes={"scanned": 7, "failed(denied)": 2}
        ),
        "is_incomplete": True,
        "findings": findings,
        "about": about,
        "explain": lambda _: ("It has the shape.",),
        "unread": [Unread(name=name, outcome="failed(denied)", detail=name) for name in HOSTILE],
        **more,
    }
    return page(ReportInput(**told))  # type: ignore[arg-type]


class Elements(HTMLParser):
    """Every element with its attributes; the text of scripts and styles apart."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self._in = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._in = tag if tag in self.raw else ""
        if self._in:
            self.raw[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in:
            self.raw[self._in][-1] += data


def read(text: str) -> Elements:
    elements = Elements()
    elements.feed(text)
    return elements


def test_hostile_names_make_no_element() -> None:
    elements = read(report(everything(), comparison=compare([finding(HOSTILE[0] + "old")], everything())))
    assert [tag for tag, _ in elements.found if tag in {"img", "iframe", "link", "object", "embed", "base"}] == []
    assert [attrs for tag, attrs in elements.found if tag == "script"] == [
        {"type": "application/json", "id": "data"},
        {},
    ]
    assert not [
        name for _, attrs in elements.found for name in attrs if name.startswith("on") or name in {"style", "src"}
    ]
    links = [attrs["href"] for tag, attrs in elements.found if tag == "a"]
    assert links == ["#findings"]


def test_policy_allows_its_own_style_and_script_alone() -> None:
    elements = read(report(everything()))
    policy = next(attrs["content"] for tag, attrs in elements.found if attrs.get("http-equiv"))
    assert policy
    for name in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(elements.raw[name][-1].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|fetch\(|XMLHttp", elements.raw["script"][-1]
    )


def test_data_reads_back_with_every_finding() -> None:
    data = json.loads(read(report(everything())).raw["script"][0])
    assert [row[0] for row in data["rows"]] == [str(each.finding_id) for each in everything()]
    assert [row[2] for row in data["rows"]] == [each.key for each in everything()]


@pytest.mark.parametrize("odd", ["\x00", "\x1b", "\u202e", "\u2066", "\u200b", "\u2028", "\ufeff", "\ud800"])
def test_what_cannot_be_seen_is_told(odd: str) -> None:
    assert shown(f"a{odd}b") == f"a⟨U+{ord(odd):04X}⟩b"


def test_incomplete_coverage_and_left_out_findings_are_said() -> None:
    text = report(
        everything()[:3], progress=Progress(listed=1, partial=1, findings=70_000, outcomes={"partial(bytes)": 1})
    )
    assert "Coverage is incomplete" in text
    assert "This file holds 3 of 70,000 findings" in text
    assert "Nothing was found." in report([])


def test_comparison_tells_new_fixed_moved_and_changed() -> None:
    gone, stays, grows = finding("gone", places=(place(1),)), finding("stays"), finding("grows", count=2)
    old, new = finding("old", places=(place(7),)), finding("new", places=(place(7),))
    fresh = finding("fresh", places=(place(9),))
    told = compare([gone, stays, grows, old], [stays, finding("grows", count=3), new, fresh])
    assert [one.key for one in told.new] == ["fresh"]
    assert [one.key for one in told.fixed] == ["gone"]
    assert [(pair.before.key, pair.after.key) for pair in told.moved] == [("old", "new")]
    assert [(pair.before.count, pair.after.count) for pair in told.changed] == [(2, 3)]
    assert told.same == 1
    assert set(told.marks.values()) == {"new", "moved", "changed"}
    assert "1 new, 1 fixed, 1 moved, 1 with another count, 1 the same" in report([stays], comparison=told)


def test_value_moves_within_its_rule_only_and_once() -> None:
    old = finding("old", places=(place(7),))
    told = compare([old], [finding("new", "payment.card", places=(place(7),))])
    assert (len(told.new), len(told.fixed), len(told.moved)) == (1, 1, 0)
    told = compare([old], [finding("a", places=(place(7),)), finding("b", places=(place(7),))])
    assert (len(told.new), len(told.fixed), len(told.moved)) == (1, 0, 1)


def test_risk_grows_with_findings_and_judged_ones_give_none() -> None:
    one = finding(severity=Severity.CRITICAL)
    assert points(one) == 30
    assert points(finding(severity=Severity.CRITICAL, count=100)) == 90
    judged = Finding(**{name: getattr(one, name) for name in one.__slots__} | {"triage": TriageStatus.ACCEPTED})
    assert points(judged) == 0
    assert [score(n) for n in (0, 50, 100, 1e9)] == [0, 50, 75, 100]
    told = risks([one, finding("x", bucket="other", severity=Severity.LOW), finding("data/x", bucket="")])
    assert [(each.name, each.risk, each.findings) for each in told] == [
        ("logs", 34, 1),
        ("data", 15, 1),
        ("other", 1, 1),
    ]
    assert one.confidence is Confidence.HIGH


def test_boxes_hold_every_finding() -> None:
    findings = [finding(f"p{n}/q/r{n}.csv") for n in range(300)] + everything()
    told = boxes(findings)
    assert sum(count for _, count, _ in told) == len(findings)
    assert len(told) == 81


def test_same_value_in_several_objects_is_told_once() -> None:
    findings = [finding("a", places=(place(1), place(2))), finding("b", places=(place(2),)), finding("c")]
    ((masked, rule, count, names),) = same_values(findings)
    assert (masked, rule, count) == ("***-**-1234", "us.ssn", 2)
    assert names == [object_name("logs", "a"), object_name("logs", "b")]

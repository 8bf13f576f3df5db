"""The parts of the page that can be read without its script, each by the name of its place in the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner_tasks.core.model import Severity
from scanner_tasks.core.progress import sums_line
from scanner_tasks.report.html.data import by_rule, columns, risk_of
from scanner_tasks.report.html.nodes import Element, Node, el, table
from scanner_tasks.report.risk import FORMULA
from scanner_tasks.report.shapes import object_name

if TYPE_CHECKING:
    from scanner_tasks.core.model import Finding
    from scanner_tasks.report.compare import Comparison
    from scanner_tasks.report.html.data import ReportInput

#: Rows of a table.
_MOST: Final = 200


def parts(given: ReportInput) -> dict[str, tuple[Node, ...]]:
    """What stands in each place; a place may be empty."""
    return {
        "facts": tuple(el("div", el("dt", name), el("dd", el("bdi", value))) for name, value in given.facts),
        "summary": _summary(given),
        "coverage": _coverage(given),
        "risk": _risk(given),
        "rules": _rules(given),
        "compared": _compared(given.comparison, given) if given.comparison else (),
        "columns": _columns(given),
    }


def section(name: str, title: str, *children: Node, **more: str) -> Element:
    """A section with its heading."""
    return el("section", el("h2", title, id=f"h-{name}"), *children, aria_labelledby=f"h-{name}", **more)


def _summary(given: ReportInput) -> tuple[Node, ...]:
    told = given.progress
    left = told.partial + told.failed
    numbers = (
        (told.findings, "findings", ""),
        (told.occurrences, "occurrences", ""),
        (told.listed, "objects listed", ""),
        (told.scanned + told.unchanged, "read to their ends", ""),
        (left, "not read, or not to their ends", "warn" if left else ""),
        (told.skipped, "skipped on purpose", ""),
    )
    notes: list[Node] = []
    if given.is_incomplete:
        words = "Coverage is incomplete: more may be there than was found. See Coverage."
        notes.append(el("p", words, class_="warn note"))
    if len(given.findings) < told.findings:
        words = (
            f"This {'page' if given.is_live else 'file'} holds {len(given.findings):,} of {told.findings:,} findings; "
            "tables, risk and the treemap speak of those. The numbers above are exact."
        )
        notes.append(el("p", words, class_="note"))
    cards = (el("li", el("b", f"{number:,}"), f" {words}", class_=mark) for number, words, mark in numbers)
    return (section("sum", "Summary", el("ul", *cards, class_="cards"), *notes),)


def _coverage(given: ReportInput) -> tuple[Node, ...]:
    outcomes = list(given.progress.outcomes.items())
    told: list[Node] = [
        el("p", sums_line(given.progress)),
        table(["Outcome", "Objects"], outcomes, "Every object by what became of it"),
    ]
    if given.unread:
        some = given.unread[:_MOST]
        rest = f", the first {_MOST}" if len(some) < len(given.unread) else ""
        caption = f"Objects that were not read to their ends{rest}"
        rows = ((one.name, one.outcome, one.detail) for one in some)
        told.append(_details(caption, table(["Object", "Outcome", "Why"], rows, caption)))
    return (section("cov", "Coverage", *told),)


def _risk(given: ReportInput) -> tuple[Node, ...]:
    lines = []
    for one in risk_of(given)[:_MOST]:
        meter = el("meter", str(one.risk), min="0", max="100", low="25", high="60", optimum="0", value=str(one.risk))
        tail = f" of 100, {one.findings:,} findings, the worst {one.worst}"
        lines.append(el("li", el("bdi", one.name), " ", meter, " ", el("b", str(one.risk)), tail))
    return (section("risk", "Risk", el("p", FORMULA, class_="hint"), el("ul", *lines, class_="risk")),)


def _rules(given: ReportInput) -> tuple[Node, ...]:
    rows = [(rule.id, rule.name, rule.category, worst.value, n, places) for rule, worst, n, places in by_rule(given)]
    totals = {severity.value: 0 for severity in reversed(Severity)}
    for finding in given.findings:
        totals[finding.severity.value] += 1
    cards = (el("li", el("b", f"{count:,}"), f" {name}", class_=f"s-{name}") for name, count in totals.items())
    heads = ["Rule", "Name", "Category", "Worst severity", "Findings", "Occurrences"]
    return (
        section(
            "rules", "By rule and severity", el("ul", *cards, class_="cards"), table(heads, rows, "Findings by rule")
        ),
    )


def _compared(told: Comparison, given: ReportInput) -> tuple[Node, ...]:
    sums = (
        f"{given.compared_with}: {len(told.new):,} new, {len(told.fixed):,} fixed, {len(told.moved):,} moved, "
        f"{len(told.changed):,} with another count, {told.same:,} the same."
    )
    inside: list[Node] = [el("p", sums)]
    if given.is_incomplete:
        inside.append(el("p", "Fixed may also be: not read this time. See Coverage.", class_="warn note"))
    for name, findings in (("New", told.new), ("Fixed", told.fixed)):
        if findings:
            caption = name + (f", the first {_MOST}" if len(findings) > _MOST else "")
            rows = map(_row, findings[:_MOST])
            inside.append(
                _details(f"{name}: {len(findings):,}", table(["Object", "Rule", "Severity", "Count"], rows, caption))
            )
    if told.moved:
        pairs = (
            (_name(pair.before), _name(pair.after), pair.after.rule_id, pair.after.severity.value)
            for pair in told.moved[:_MOST]
        )
        inside.append(
            _details(f"Moved: {len(told.moved):,}", table(["From", "To", "Rule", "Severity"], pairs, "Moved"))
        )
    return (section("cmp", "Compared with an earlier job", *inside),)


def _columns(given: ReportInput) -> tuple[Node, ...]:
    rows = columns(given, _MOST)
    if not rows:
        return ()
    told = [
        (name, column, rule, size, valid, f"{100 * valid / size:.0f} %") for name, column, rule, size, valid in rows
    ]
    inside = table(["Object", "Column", "Rule", "Rows", "Valid", "Share"], told, "Column profiles")
    return (section("col", "Columns that hold little else", _details(f"{len(told):,} columns of tables", inside)),)


def _details(summary: str, inside: Node) -> Element:
    return el("details", el("summary", summary), inside)


def _name(finding: Finding) -> str:
    return object_name(finding.bucket, finding.key, finding.version_id)


def _row(finding: Finding) -> tuple[str, str, str, int]:
    return _name(finding), finding.rule_id, finding.severity.value, finding.count

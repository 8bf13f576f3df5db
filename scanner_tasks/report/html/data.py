"""What the page's script shows, as JSON in short: findings as lists, texts that repeat as numbers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.model import Severity
from scanner_tasks.report.risk import Risk, risks
from scanner_tasks.report.shapes import RuleAbout, macie_type, object_name, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from scanner_tasks.core.model import Finding, Progress
    from scanner_tasks.report.compare import Comparison

SEVERITIES: Final = tuple(Severity)
#: With more findings than this, fewer places of each are told, so that the file opens smoothly.
_MANY, _PLACES_OF_MANY = 5_000, 2
#: Boxes of the treemap; objects told of one value; values told that stand in several objects.
_BOXES, _OBJECTS, _VALUES = 80, 20, 500


@dataclass(frozen=True, kw_only=True)
class Unread:
    """An object that was not read to its end."""

    name: str
    outcome: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class ReportInput:
    """What a report is made of."""

    title: str
    #: Facts under the title: name and text.
    facts: Sequence[tuple[str, str]]
    progress: Progress
    is_incomplete: bool
    findings: Sequence[Finding]
    about: Callable[[str], RuleAbout]
    #: Sentences that say why a finding is one.
    explain: Callable[[Finding], Sequence[str]]
    #: The first ones; ``progress`` has the exact numbers.
    unread: Sequence[Unread] = ()
    comparison: Comparison | None = None
    #: What it was compared with.
    compared_with: str = ""
    #: A page that a server gives, which asks it for the newest.
    is_live: bool = False


@dataclass
class Texts:
    """Texts that repeat, each told once."""

    told: list[Any] = field(default_factory=list)
    _numbers: dict[Any, int] = field(default_factory=dict)

    def number(self, text: Any) -> int:
        """The text's place in ``told``."""
        if text not in self._numbers:
            self._numbers[text] = len(self.told)
            self.told.append(text)
        return self._numbers[text]


@dataclass
class Tables:
    """The texts that the rows of a page share; a live page goes on with the same ones."""

    rules: Texts = field(default_factory=Texts)
    buckets: Texts = field(default_factory=Texts)
    explanations: Texts = field(default_factory=Texts)

    def rows(self, given: ReportInput) -> list[list[Any]]:
        """A list for each finding: see page.js for what stands where."""
        kept = _PLACES_OF_MANY if len(given.findings) > _MANY else 100
        marks = given.comparison.marks if given.comparison else {}
        return [
            [
                str(finding.finding_id),
                self.buckets.number(finding.bucket),
                finding.key,
                self.rules.number(finding.rule_id),
                SEVERITIES.index(finding.severity),
                finding.confidence.value,
                finding.count,
                finding.triage.value,
                [[p.masked, place_of(p.location), p.context] for p in finding.occurrences[:kept]],
                [[column.name, column.rows, column.valid] for column in finding.columns],
                self.explanations.number(tuple(given.explain(finding))),
                marks.get(finding.finding_id, ""),
            ]
            for finding in given.findings
        ]

    def told_rules(self, given: ReportInput) -> list[list[str]]:
        """Each rule: id, name, category, Macie's name of its findings."""
        known = [given.about(rule_id) for rule_id in self.rules.told]
        return [[rule.id, rule.name, rule.category, macie_type([rule.category])] for rule in known]


def page_data(given: ReportInput) -> dict[str, Any]:
    """The document in the page: see page.js for who reads what."""
    tables = Tables()
    rows = tables.rows(given)
    return {
        "severities": [severity.value for severity in SEVERITIES],
        "rules": tables.told_rules(given),
        "buckets": tables.buckets.told,
        "explanations": tables.explanations.told,
        "rows": rows,
        "boxes": boxes(given.findings),
        "values": same_values(given.findings),
    }


def boxes(findings: Iterable[Finding]) -> list[list[Any]]:
    """Findings by prefix for the treemap: prefix, findings, number of the worst severity; the largest first."""
    counts: dict[str, int] = defaultdict(int)
    worst: dict[str, int] = defaultdict(int)
    for finding in findings:
        prefix = _prefix(finding)
        counts[prefix] += 1
        worst[prefix] = max(worst[prefix], SEVERITIES.index(finding.severity))
    ordered = sorted(counts, key=lambda prefix: (-counts[prefix], prefix))
    told = [[prefix, counts[prefix], worst[prefix]] for prefix in ordered[:_BOXES]]
    if rest := ordered[_BOXES:]:
        total = sum(counts[prefix] for prefix in rest)
        told.append([f"{len(rest):,} other prefixes", total, max(worst[prefix] for prefix in rest)])
    return told


def _prefix(finding: Finding) -> str:
    """The bucket and at most two folders of the key."""
    folders = finding.key.split("/")[:-1][:2]
    return object_name(finding.bucket, "/".join(folders) + ("/" if folders else ""))


def same_values(findings: Iterable[Finding]) -> list[list[Any]]:
    """Values in several objects: mask, rule, number of objects, the first of them; those in most objects first.

    Of each finding only the places that were kept are known.
    """
    seen: dict[tuple[str, str], tuple[str, dict[str, None]]] = {}
    for finding in findings:
        name = object_name(finding.bucket, finding.key, finding.version_id)
        for place in finding.occurrences:
            seen.setdefault((finding.rule_id, place.fingerprint), (place.masked, {}))[1][name] = None
    several = [(rule, masked, list(names)) for (rule, _), (masked, names) in seen.items() if len(names) > 1]
    several.sort(key=lambda one: (-len(one[2]), one[0], one[1]))
    return [[masked, rule, len(names), names[:_OBJECTS]] for rule, masked, names in several[:_VALUES]]


def by_rule(given: ReportInput) -> list[tuple[RuleAbout, Severity, int, int]]:
    """Each rule with its worst severity, findings and occurrences; the worst first."""
    findings: dict[str, int] = defaultdict(int)
    places: dict[str, int] = defaultdict(int)
    worst: dict[str, int] = defaultdict(int)
    for finding in given.findings:
        findings[finding.rule_id] += 1
        places[finding.rule_id] += finding.count
        worst[finding.rule_id] = max(worst[finding.rule_id], SEVERITIES.index(finding.severity))
    ordered = sorted(findings, key=lambda rule: (-worst[rule], -findings[rule], rule))
    return [(given.about(rule), SEVERITIES[worst[rule]], findings[rule], places[rule]) for rule in ordered]


def columns(given: ReportInput, most: int = 200) -> list[tuple[str, str, str, int, int]]:
    """Columns of tables that hold little else: object, column, rule, rows, valid ones."""
    told = [
        (
            object_name(finding.bucket, finding.key, finding.version_id),
            column.name,
            finding.rule_id,
            column.rows,
            column.valid,
        )
        for finding in given.findings
        for column in finding.columns
    ]
    return sorted(told, key=lambda one: (-one[4], one))[:most]


def risk_of(given: ReportInput) -> list[Risk]:
    """By bucket."""
    return risks(given.findings)

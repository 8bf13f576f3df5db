"""One number for a bucket, 0 to 100, by a formula that stands beside it wherever it is shown."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.model import Confidence, Severity, TriageStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner_tasks.core.model import Finding

SEVERITY_POINTS: Final = {Severity.LOW: 1.0, Severity.MEDIUM: 4.0, Severity.HIGH: 12.0, Severity.CRITICAL: 30.0}
CONFIDENCE_SHARE: Final = {Confidence.LOW: 0.3, Confidence.MEDIUM: 0.7, Confidence.HIGH: 1.0}
#: So many points are a risk of 50, twice as many 75.
HALF: Final = 50.0
FORMULA: Final = (
    "risk = 100 * (1 - 0.5^(points / 50)); an open finding gives severity (low 1, medium 4, high 12, critical 30) * "
    "confidence (low 0.3, medium 0.7, high 1) * (1 + log10 of its occurrences) points. Marked findings give none."
)


@dataclass(frozen=True, slots=True)
class Risk:
    """A bucket's, or a folder's."""

    name: str
    #: 0 to 100, rounded.
    risk: int
    findings: int
    worst: Severity


def points(finding: Finding) -> float:
    """What the finding adds; 0 once somebody has judged it.

    Examples:
        >>> FORMULA.partition(";")[0]
        'risk = 100 * (1 - 0.5^(points / 50))'
    """
    if finding.triage is not TriageStatus.OPEN:
        return 0.0
    share = CONFIDENCE_SHARE[finding.confidence]
    return SEVERITY_POINTS[finding.severity] * share * (1 + log10(max(1, finding.count)))


def score(total: float) -> int:
    """The risk of so many points.

    Examples:
        >>> score(0), score(50), score(100), score(10_000)
        (0, 50, 75, 100)
    """
    return round(100 * (1 - float(0.5 ** (total / HALF))))


def risks(findings: Iterable[Finding]) -> list[Risk]:
    """By bucket, the highest first; files by the first part of their path."""
    order = list(Severity)
    totals: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    worst: dict[str, Severity] = {}
    for finding in findings:
        name = finding.bucket or finding.key.lstrip("/").partition("/")[0] or finding.key
        totals[name] += points(finding)
        counts[name] += 1
        worst[name] = max(worst.get(name, Severity.LOW), finding.severity, key=order.index)
    told = [Risk(name, score(totals[name]), counts[name], worst[name]) for name in counts]
    return sorted(told, key=lambda one: (-one.risk, -one.findings, one.name))

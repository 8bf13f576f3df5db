"""What a sample says of all the objects that it was drawn from: totals with their uncertainty.

Post-stratified: each stratum (prefix and kind) is weighed by how many objects it has, which the listing counted, not by
how many chance drew from it. Strata of which fewer than two objects were drawn stand together, with those next to them
in the order of their names, until two were.

    A stratum of 1,000 objects, 50 drawn, 100 findings in them: 2,000 findings, give or take what 50 objects leave open.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from scanner_tasks.core.choosing import Stratum
from scanner_tasks.core.model import Outcome

#: Two-sided 95 % of a normal distribution, and the rule of three: none of n drawn, at most 3/n of all.
Z: Final = 1.959964
NONE_OF: Final = 3.0
_LEAST = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """What the sampled objects of one stratum hold: sums over objects, and over their squares."""

    prefix: str
    kind: str
    #: Objects with a finding, findings and occurrences in them.
    with_findings: int
    findings: int
    occurrences: int
    findings_squared: float
    occurrences_squared: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Total:
    """An estimate of a total, and between what it lies with 95 % confidence."""

    estimate: float
    low: float
    high: float

    def to_json(self) -> dict[str, int]:
        """Whole numbers: outwards, so that the interval holds."""
        return {"estimate": round(self.estimate), "low": math.floor(self.low), "high": math.ceil(self.high)}


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleTotals:
    """Totals of the population that a job's sample was drawn from."""

    #: Objects of the population, and of these drawn.
    population: int
    drawn: int
    population_bytes: int
    drawn_bytes: int
    with_findings: Total
    findings: Total
    occurrences: Total

    def to_json(self) -> dict[str, Any]:
        """As the API gives it."""
        return {
            "population_objects": self.population,
            "sampled_objects": self.drawn,
            "population_bytes": self.population_bytes,
            "sampled_bytes": self.drawn_bytes,
            "confidence_percent": 95,
            "objects_with_findings": self.with_findings.to_json(),
            "findings": self.findings.to_json(),
            "occurrences": self.occurrences.to_json(),
        }


@dataclass(slots=True)
class _Group:
    population: float = 0.0
    drawn: float = 0.0
    population_bytes: float = 0.0
    drawn_bytes: float = 0.0
    #: Name of what is counted → its sum and its sum of squares over the drawn objects.
    sums: dict[str, list[float]] | None = None

    def join(self, other: _Group) -> None:
        self.population += other.population
        self.drawn += other.drawn
        self.population_bytes += other.population_bytes
        self.drawn_bytes += other.drawn_bytes
        self.sums = self.sums or {}
        for name, (total, squares) in (other.sums or {}).items():
            mine = self.sums.setdefault(name, [0.0, 0.0])
            mine[0] += total
            mine[1] += squares


def sample_totals(strata: Iterable[Stratum], drawn: Iterable[Drawn], *, by_bytes: bool) -> SampleTotals | None:
    """The totals; None when the sample has drawn nothing.

    Args:
        strata: as the listing counted them; what was left out for another reason than chance is no part of it.
        drawn: what was found in the sample, by stratum; strata without findings may be missing.
        by_bytes: weigh each stratum by its bytes instead of its objects: findings in proportion to size.

    Examples:
        >>> counted = [Stratum(prefix="", kind="text", outcome=outcome, objects=n, size_bytes=n)
        ...            for outcome, n in ((Outcome.PENDING, 50), (Outcome.SKIPPED_NOT_SAMPLED, 950))]
        >>> sample_totals(counted, [], by_bytes=False).to_json()["objects_with_findings"]
        {'estimate': 0, 'low': 0, 'high': 60}
    """
    groups = _groups(strata, drawn)
    if not groups:
        return None
    whole = _Group()
    for group in groups:
        whole.join(group)
    return SampleTotals(
        population=round(whole.population),
        drawn=round(whole.drawn),
        population_bytes=round(whole.population_bytes),
        drawn_bytes=round(whole.drawn_bytes),
        with_findings=_total(groups, "with_findings", whole, by_bytes=by_bytes, most=whole.population),
        findings=_total(groups, "findings", whole, by_bytes=by_bytes),
        occurrences=_total(groups, "occurrences", whole, by_bytes=by_bytes),
    )


def _groups(strata: Iterable[Stratum], drawn: Iterable[Drawn]) -> list[_Group]:
    """The strata, those of which too few were drawn joined with their neighbours."""
    by_name: defaultdict[tuple[str, str], _Group] = defaultdict(_Group)
    for stratum in strata:
        if stratum.outcome in {Outcome.PENDING, Outcome.SKIPPED_NOT_SAMPLED}:
            is_drawn = stratum.outcome is Outcome.PENDING
            by_name[stratum.prefix, stratum.kind].join(
                _Group(
                    population=stratum.objects,
                    drawn=stratum.objects if is_drawn else 0,
                    population_bytes=stratum.size_bytes,
                    drawn_bytes=stratum.size_bytes if is_drawn else 0,
                )
            )
    is_by_kind = any(prefix == "*" for prefix, _ in by_name)
    for found in drawn:
        sums = {
            "with_findings": [float(found.with_findings), float(found.with_findings)],
            "findings": [float(found.findings), found.findings_squared],
            "occurrences": [float(found.occurrences), found.occurrences_squared],
        }
        by_name["*" if is_by_kind else found.prefix, found.kind].join(_Group(sums=sums))
    groups: list[_Group] = []
    waiting = _Group()
    for _, group in sorted(by_name.items()):
        waiting.join(group)
        if waiting.drawn >= _LEAST:
            groups.append(waiting)
            waiting = _Group()
    if groups:
        groups[-1].join(waiting)
    elif waiting.drawn:
        groups.append(waiting)
    return groups


def _total(groups: Iterable[_Group], name: str, whole: _Group, *, by_bytes: bool, most: float = float("inf")) -> Total:
    estimate = variance = seen = 0.0
    for group in groups:
        total, squares = (group.sums or {}).get(name, (0.0, 0.0))
        n, size = group.drawn, group.population
        seen += total
        weight = group.population_bytes / group.drawn_bytes if by_bytes and group.drawn_bytes else size / n
        estimate += total * weight
        if n > 1:
            spread = max(0.0, squares - total * total / n) / (n - 1)
            variance += (weight * n) ** 2 * max(0.0, 1 - n / size) * spread / n
    if seen == 0:
        return Total(estimate=0.0, low=0.0, high=_most_of_none(whole, most))
    half = Z * math.sqrt(variance)
    return Total(estimate=min(estimate, most), low=max(seen, estimate - half), high=min(most, estimate + half))


def _most_of_none(whole: _Group, most: float) -> float:
    if whole.drawn >= whole.population:
        return 0.0
    return min(whole.population * NONE_OF / whole.drawn, whole.population - whole.drawn, most)

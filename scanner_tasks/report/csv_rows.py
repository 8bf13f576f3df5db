"""Findings as CSV, a row for each, that a spreadsheet opens without running anything.

A cell that begins like a formula (OWASP, "CSV Injection": ``= + - @``, tab, carriage return) gets an apostrophe before
it: names of objects are other people's text.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from scanner_tasks.report.shapes import RuleAbout, macie_type, object_name, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from scanner_tasks.core.model import Finding

COLUMNS: Final = (
    *("finding_id", "object", "bucket", "key", "rule", "rule_name", "type", "severity", "confidence", "count"),
    *("first_masked", "first_place", "places_kept", "triage", "found_at"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 (spreadsheets take the wide ones too)


def safe(text: str) -> str:
    """The text, never a formula.

    Examples:
        >>> safe("=1+1"), safe("  @SUM(A1)"), safe("a=b")
        ("'=1+1", "'  @SUM(A1)", 'a=b')
    """
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def row_of(finding: Finding, about: Callable[[str], RuleAbout]) -> tuple[str | int, ...]:
    """The values of ``COLUMNS``, texts made safe."""
    rule = about(finding.rule_id)
    first = finding.occurrences[0] if finding.occurrences else None
    names = (
        str(finding.finding_id),
        object_name(finding.bucket, finding.key, finding.version_id),
        finding.bucket,
        finding.key,
    )
    texts = (
        *names,
        finding.rule_id,
        rule.name,
        macie_type([rule.category]),
        finding.severity.value,
        finding.confidence.value,
    )
    places = (first.masked, place_of(first.location)) if first else ("", "")
    return (
        *map(safe, texts),
        finding.count,
        *map(safe, places),
        len(finding.occurrences),
        finding.triage.value,
        finding.found_at.isoformat(),
    )


def rows(findings: Iterable[Finding], about: Callable[[str], RuleAbout]) -> Iterator[str]:
    """The header and a row for each finding, as RFC 4180 writes them; a row may hold line feeds in quotes."""
    yield _written(COLUMNS)
    for finding in findings:
        yield _written(row_of(finding, about))


def _written(values: tuple[str | int, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue()

"""Findings as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"): one run, a result for each finding.

What was not read to its end stands in the run's invocation: a viewer that shows no results may not call that clean.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from scanner_tasks.core.model import Severity
from scanner_tasks.core.version import own_version
from scanner_tasks.report.shapes import RuleAbout, macie_type, object_name, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from scanner_tasks.core.model import Finding, Occurrence

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVEL: Final = {
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
#: GitHub code scanning sorts by this: "security-severity", 0.0 to 10.0 (GitHub Docs, "SARIF support").
_SCORE: Final = {Severity.LOW: "2.0", Severity.MEDIUM: "5.0", Severity.HIGH: "8.0", Severity.CRITICAL: "9.5"}


def sarif(
    findings: Sequence[Finding],
    about: Callable[[str], RuleAbout],
    *,
    not_scanned: Iterable[tuple[str, str, str]] = (),
    is_complete: bool = True,
) -> dict[str, Any]:
    """The document.

    Args:
        findings: in the order in which they shall stand.
        about: tells of a rule.
        not_scanned: name, outcome and reason of each object that was not scanned to its end.
        is_complete: whether every object that should be read was, to its end.
    """
    ids = sorted({finding.rule_id for finding in findings})
    worst = {rule_id: _worst(findings, rule_id) for rule_id in ids}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "s3scan",
                        "version": own_version(),
                        "rules": [_rule(about(each), worst[each]) for each in ids],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {
                        "executionSuccessful": is_complete,
                        "toolExecutionNotifications": [
                            {"level": _level_of(outcome), "message": {"text": f"{name}: {outcome}. {why}".strip()}}
                            for name, outcome, why in not_scanned
                        ],
                    }
                ],
                "results": [_result(finding, ids.index(finding.rule_id)) for finding in findings],
            }
        ],
    }


def text(document: dict[str, Any]) -> str:
    """As it stands in a file."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def uri(bucket: str, key: str, version_id: str | None = None) -> str:
    """The object as a URI reference, every odd character escaped.

    Examples:
        >>> uri("logs", "a b//c%.csv"), uri("", "data/é.csv")
        ('s3://logs/a%20b//c%25.csv', 'data/%C3%A9.csv')
    """
    # A relative path whose first part holds a colon would read as a scheme.
    return object_name(bucket, quote(key, safe="/"), version_id)


def _worst(findings: Iterable[Finding], rule_id: str) -> Severity:
    order = list(Severity)
    return max((f.severity for f in findings if f.rule_id == rule_id), key=order.index)


def _rule(rule: RuleAbout, severity: Severity) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.name},
        "defaultConfiguration": {"level": _LEVEL[severity]},
        "properties": {
            "security-severity": _SCORE[severity],
            "tags": ["security", rule.category, macie_type([rule.category])],
        },
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    name = object_name(finding.bucket, finding.key, finding.version_id)
    places = "place" if finding.count == 1 else "places"
    first = finding.occurrences[0] if finding.occurrences else None
    shown = f": {first.masked} at {place_of(first.location)}" if first else ""
    return {
        "ruleId": finding.rule_id,
        "ruleIndex": index,
        "level": _LEVEL[finding.severity],
        "guid": str(finding.finding_id),
        "message": {"text": f"{finding.rule_id} in {finding.count:,} {places} of {name}{shown}"},
        "locations": [_location(finding, place) for place in finding.occurrences]
        or [{"physicalLocation": {"artifactLocation": {"uri": uri(finding.bucket, finding.key, finding.version_id)}}}],
        "partialFingerprints": {"s3scanFinding/v1": str(finding.finding_id)},
        "occurrenceCount": finding.count,
        "properties": {"severity": finding.severity.value, "confidence": finding.confidence.value},
    }


def _location(finding: Finding, place: Occurrence) -> dict[str, Any]:
    at = place.location
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri(finding.bucket, finding.key, finding.version_id)}}
    if at.line and at.column:
        physical["region"] = {"startLine": at.line, "startColumn": at.column}
    elif not at.path:
        physical["region"] = {"byteOffset": at.offset}
    told: dict[str, Any] = {"physicalLocation": physical, "message": {"text": place.masked}}
    if at.path:
        told["logicalLocations"] = [{"fullyQualifiedName": at.path}]
    return told


def _level_of(outcome: str) -> str:
    kind = outcome.partition("(")[0]
    return {"failed": "error", "partial": "warning"}.get(kind, "note")

"""Findings as lines of JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scanner_tasks.report.shapes import object_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scanner_tasks.core.model import Finding


def line_of(finding: Finding) -> dict[str, Any]:
    """``{"object", "rule", "count", "severity", "confidence", "occurrences"}``: what ``s3scan scan`` prints.

    ``count`` is exact, ``occurrences`` are the first; each has ``masked``, ``location`` with ``line`` and ``column``
    (from 1, 0 where not known), ``offset`` and ``path``, the masked ``context``, ``fingerprint``, ``evidence``, and an
    ``id``: the finding's id, a slash, and its number.
    """
    return {
        "object": object_name(finding.bucket, finding.key, finding.version_id),
        "rule": finding.rule_id,
        "count": finding.count,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "occurrences": [
            {
                "masked": place.masked,
                "location": {
                    "line": place.location.line,
                    "column": place.location.column,
                    "offset": place.location.offset,
                    "path": place.location.path,
                },
                "context": place.context,
                "fingerprint": place.fingerprint,
                "evidence": list(place.evidence),
                "id": f"{finding.finding_id}/{number}",
            }
            for number, place in enumerate(finding.occurrences, 1)
        ],
    }


def lines(findings: Iterable[Finding]) -> Iterator[str]:
    """A line for each, with its line feed; any text in a name is escaped as JSON has it."""
    for finding in findings:
        yield json.dumps(line_of(finding), ensure_ascii=False, separators=(",", ":")) + "\n"

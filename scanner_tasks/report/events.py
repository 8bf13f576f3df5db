"""Findings as entries of EventBridge's PutEvents: ten a call, 256 KB together ("PutEvents", EventBridge User Guide)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.report.batches import batches
from scanner_tasks.report.jsonl import line_of
from scanner_tasks.report.shapes import RuleAbout, macie_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from scanner_tasks.core.model import Finding

SOURCE: Final = "s3scan"
DETAIL_TYPE: Final = "s3scan Finding"
MOST, MOST_BYTES = 10, 250_000
#: Places of a finding that an entry holds; the count beside them is exact.
_PLACES: Final = 5


def entry(finding: Finding, about: Callable[[str], RuleAbout], *, bus: str = "default") -> dict[str, Any]:
    """One entry; its ``Detail`` is JSON: the finding as ``scan --format jsonl`` has it, with its id, job and type."""
    told = line_of(finding)
    told["occurrences"] = told["occurrences"][:_PLACES]
    detail = {
        "finding_id": str(finding.finding_id),
        "job_id": str(finding.job_id),
        "bucket": finding.bucket,
        "key": finding.key,
        "type": macie_type([about(finding.rule_id).category]),
        "triage": finding.triage.value,
        **told,
    }
    return {
        "Time": finding.found_at.isoformat(),
        "Source": SOURCE,
        "DetailType": DETAIL_TYPE,
        "Detail": json.dumps(detail, separators=(",", ":")),
        "EventBusName": bus,
    }


def entry_batches(
    findings: Iterable[Finding], about: Callable[[str], RuleAbout], *, bus: str = "default"
) -> Iterator[list[dict[str, Any]]]:
    """Lists, each of which one PutEvents takes."""
    return batches((entry(finding, about, bus=bus) for finding in findings), most=MOST, most_bytes=MOST_BYTES)

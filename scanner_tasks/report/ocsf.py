"""Findings as events of the Open Cybersecurity Schema Framework: class 2006, Data Security Finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.model import Confidence, Severity, TriageStatus
from scanner_tasks.report.shapes import RuleAbout, macie_type, object_name, place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner_tasks.core.model import Finding

VERSION: Final = "1.5.0"
CLASS_UID: Final = 2006
_SEVERITY: Final = {Severity.LOW: 2, Severity.MEDIUM: 3, Severity.HIGH: 4, Severity.CRITICAL: 5}
_CONFIDENCE: Final = {Confidence.LOW: 1, Confidence.MEDIUM: 2, Confidence.HIGH: 3}
#: New, Suppressed, Resolved.
_STATUS: Final = {
    TriageStatus.OPEN: (1, "New"),
    TriageStatus.FALSE_POSITIVE: (3, "Suppressed"),
    TriageStatus.ACCEPTED: (3, "Suppressed"),
    TriageStatus.FIXED: (4, "Resolved"),
}
_CREATE: Final = 1
_REGULAR_FILE: Final = 1
_RULE: Final = 1
_AT_REST: Final = 1


def ocsf(finding: Finding, about: Callable[[str], RuleAbout]) -> dict[str, Any]:
    """The event; times are milliseconds since 1970."""
    rule, name = about(finding.rule_id), object_name(finding.bucket, finding.key, finding.version_id)
    status_id, status = _STATUS[finding.triage]
    found_ms = int(finding.found_at.timestamp() * 1000)
    told: dict[str, Any] = {
        "activity_id": _CREATE,
        "activity_name": "Create",
        "category_uid": CLASS_UID // 1000,
        "category_name": "Findings",
        "class_uid": CLASS_UID,
        "class_name": "Data Security Finding",
        "type_uid": 100 * CLASS_UID + _CREATE,
        "type_name": "Data Security Finding: Create",
        "time": found_ms,
        "severity_id": _SEVERITY[finding.severity],
        "severity": finding.severity.value.capitalize(),
        "confidence_id": _CONFIDENCE[finding.confidence],
        "confidence": finding.confidence.value.capitalize(),
        "status_id": status_id,
        "status": status,
        "message": f"{finding.count:,} of {rule.name} in {name}",
        "metadata": {"version": VERSION, "product": {"name": "s3scan", "vendor_name": "s3scan"}},
        "finding_info": {
            "uid": str(finding.finding_id),
            "title": f"{rule.name} in {name}",
            "desc": f"{finding.count:,} occurrences of {finding.rule_id}; values are masked.",
            "types": [macie_type([rule.category])],
            "created_time": found_ms,
            "analytic": {"type_id": _RULE, "type": "Rule", "uid": finding.rule_id, "name": rule.name},
        },
        "data_security": {
            "data_lifecycle_state_id": _AT_REST,
            "detection_pattern": finding.rule_id,
            "pattern_match": finding.occurrences[0].masked if finding.occurrences else "",
        },
        "file": {"name": finding.key.rpartition("/")[2] or finding.key, "path": name, "type_id": _REGULAR_FILE},
        "resources": [{"name": name, "uid": _uid(finding), "type": "AwsS3Object" if finding.bucket else "File"}],
        "unmapped": {
            "job_id": str(finding.job_id),
            "count": finding.count,
            "occurrences": [
                {"masked": place.masked, "place": place_of(place.location), "fingerprint": place.fingerprint}
                for place in finding.occurrences
            ],
        },
    }
    if finding.bucket:
        told["databucket"] = {
            "name": finding.bucket,
            "uid": f"arn:aws:s3:::{finding.bucket}",
            "type": "S3",
            "type_id": 1,
        }
    return told


def _uid(finding: Finding) -> str:
    return f"arn:aws:s3:::{finding.bucket}/{finding.key}" if finding.bucket else finding.key

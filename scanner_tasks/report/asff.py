"""Findings in the AWS Security Finding Format, for Security Hub's BatchImportFindings.

Limits are those of "BatchImportFindings" and "AwsSecurityFinding" in the Security Hub API Reference.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.model import Confidence, TriageStatus
from scanner_tasks.report.batches import batches, cut, size_of
from scanner_tasks.report.shapes import RuleAbout, macie_type, object_name, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from scanner_tasks.core.model import Finding

#: Findings of one call; bytes of one finding; bytes of one call, which Security Hub ends at 6 MB.
MOST, MOST_BYTES, MOST_BYTES_A_CALL = 100, 240_000, 5_000_000
_TITLE, _DESCRIPTION, _ID, _FIELD = 256, 1024, 512, 2048
_CONFIDENCE: Final = {Confidence.LOW: 33, Confidence.MEDIUM: 66, Confidence.HIGH: 99}
#: Macie's categories of sensitive data in Security Hub.
_CATEGORY: Final = {
    "financial": "FINANCIAL_INFORMATION",
    "credentials": "CREDENTIALS",
    "custom": "CUSTOM_IDENTIFIER",
}
#: Classifier within "Sensitive Data Identifications", as Macie's own findings have it there.
_CLASS: Final = {"financial": "Financial", "credentials": "Passwords"}


def asff(
    finding: Finding, about: Callable[[str], RuleAbout], *, account: str, region: str, now: datetime
) -> dict[str, Any]:
    """One finding.

    Args:
        finding: it.
        about: tells of its rule.
        account: 12 digits: whose Security Hub takes it.
        region: of that Security Hub.
        now: when it is exported.
    """
    rule, name = about(finding.rule_id), object_name(finding.bucket, finding.key, finding.version_id)
    kind = macie_type([rule.category])
    first = finding.occurrences[0] if finding.occurrences else None
    place = f" First: {first.masked} at {place_of(first.location)}." if first else ""
    severity = {"Label": finding.severity.value.upper(), "Original": finding.severity.value}
    types = [f"Sensitive Data Identifications/{_CLASS.get(rule.category, 'PII')}/{kind.replace('/', '-')}"]
    told: dict[str, Any] = {
        "SchemaVersion": "2018-10-08",
        "Id": str(finding.finding_id),
        "ProductArn": f"arn:aws:securityhub:{region}:{account}:product/{account}/default",
        "GeneratorId": f"s3scan/{finding.rule_id}",
        "AwsAccountId": account,
        "Types": types,
        "CreatedAt": _time(finding.found_at),
        "UpdatedAt": _time(now),
        "Severity": severity,
        "Confidence": _CONFIDENCE[finding.confidence],
        "FindingProviderFields": {"Severity": severity, "Types": types, "Confidence": _CONFIDENCE[finding.confidence]},
        "Title": cut(f"{rule.name} in {name}", _TITLE),
        "Description": cut(f"{finding.count:,} of {rule.name} ({finding.rule_id}) in {name}.{place}", _DESCRIPTION),
        "ProductFields": {
            "s3scan/job_id": str(finding.job_id),
            "s3scan/rule": finding.rule_id,
            "s3scan/type": kind,
            "s3scan/count": str(finding.count),
            "s3scan/key": cut(finding.key, _FIELD),
        },
        "Resources": [_object(finding, rule, region)],
        "RecordState": "ARCHIVED" if finding.triage is TriageStatus.FIXED else "ACTIVE",
    }
    if finding.bucket:
        bucket = f"arn:aws:s3:::{finding.bucket}"
        told["Resources"].append({"Type": "AwsS3Bucket", "Id": bucket, "Partition": "aws", "Region": region})
    if size_of(told) > MOST_BYTES:  # many places in very long paths
        told["Resources"][0].pop("DataClassification")
    return told


def asff_batches(
    findings: Iterable[Finding], about: Callable[[str], RuleAbout], *, account: str, region: str, now: datetime
) -> Iterator[list[dict[str, Any]]]:
    """Lists, each of which one BatchImportFindings takes."""
    documents = (asff(finding, about, account=account, region=region, now=now) for finding in findings)
    return batches(documents, most=MOST, most_bytes=MOST_BYTES_A_CALL)


def _object(finding: Finding, rule: RuleAbout, region: str) -> dict[str, Any]:
    name = f"arn:aws:s3:::{finding.bucket}/{finding.key}" if finding.bucket else finding.key
    if len(name) > _ID:  # the id stays one object's alone
        name = f"{name[: _ID - 40]}…#{finding.finding_id}"[:_ID]
    ranges = [
        {"Start": place.location.line, "End": place.location.line, "StartColumn": place.location.column}
        for place in finding.occurrences
        if place.location.line
    ]
    occurrences = {"LineRanges": ranges} if ranges else {}
    detection = {"Count": finding.count, "Occurrences": occurrences}
    category = _CATEGORY.get(rule.category, "PERSONAL_INFORMATION")
    result: dict[str, Any] = {"Status": {"Code": "COMPLETE"}}
    if rule.category == "custom":
        detections = [{**detection, "Name": finding.rule_id, "Arn": f"s3scan:rule/{finding.rule_id}"}]
        result["CustomDataIdentifiers"] = {"Detections": detections, "TotalCount": finding.count}
    else:
        detections = [{**detection, "Type": finding.rule_id}]
        result["SensitiveData"] = [{"Category": category, "Detections": detections, "TotalCount": finding.count}]
    return {
        "Type": "AwsS3Object" if finding.bucket else "Other",
        "Id": name,
        "Partition": "aws",
        "Region": region,
        "DataClassification": {"Result": result},
    }


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

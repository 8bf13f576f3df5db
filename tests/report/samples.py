"""Findings with everything that exports must bear: hostile names, many places, places without a line."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from scanner_tasks.core.identity import finding_id
from scanner_tasks.core.model import Column, Confidence, Finding, Location, Occurrence, Severity
from scanner_tasks.report.shapes import RuleAbout

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "=cmd|' /C calc'!A0",
    "rtl\u202egpj.exe",
    "new\nline\r\t\x1b[2J",
    "a//b/../c%00%2F#?&",
    "nul\ufffdand\u2028separator",
    "-->" + "k" * 1000,
)
JOB = UUID("0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11")
RULES = {
    "us.ssn": RuleAbout("us.ssn", "US Social Security number", "personal"),
    "payment.card": RuleAbout("payment.card", "Payment card number", "financial"),
    "aws.access_key_id": RuleAbout("aws.access_key_id", "AWS access key", "credentials"),
    "acme.badge": RuleAbout("acme.badge", "Badge", "custom"),
}


def about(rule_id: str) -> RuleAbout:
    return RULES[rule_id]


def place(n: int = 0, *, line: int = 3, path: str = "", fingerprint: str = "") -> Occurrence:
    return Occurrence(
        masked="***-**-1234",
        context="ssn: ***-**-1234",
        location=Location(line=line, column=9 if line else 0, offset=40 + n, path=path),
        fingerprint=fingerprint or f"k1:{n:032x}",
        evidence=("pattern us.ssn", "confidence high"),
    )


def finding(
    key: str = "exports/a.csv",
    rule: str = "us.ssn",
    *,
    bucket: str = "logs",
    severity: Severity = Severity.HIGH,
    count: int = 1,
    places: tuple[Occurrence, ...] | None = None,
) -> Finding:
    return Finding(
        finding_id=finding_id(bucket, key, rule),
        job_id=JOB,
        bucket=bucket,
        key=key,
        rule_id=rule,
        severity=severity,
        confidence=Confidence.HIGH,
        count=count,
        occurrences=(place(),) if places is None else places,
        found_at=datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
        columns=(Column(name="ssn", rows=100, valid=98),),
    )


def everything() -> list[Finding]:
    """Every rule, every severity, every hostile name, files and objects, with and without places."""
    found = [finding(key, rule) for key in HOSTILE for rule in RULES]
    found += [finding(f"{severity}.csv", severity=severity) for severity in Severity]
    found += [finding("data/a b.csv", bucket="", places=()), finding(count=12_431, places=tuple(map(place, range(10))))]
    found += [finding("a.zip", places=(place(line=0, path="a.zip!b/c.csv"), place(1, line=0)))]
    return found

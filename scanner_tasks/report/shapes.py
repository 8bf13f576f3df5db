"""What every export says of a finding in the same words: its object's name, its type as Macie names it, its places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.model import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scanner_tasks.core.model import Finding, Location

#: Category of a rule → the last part of Macie's finding type ("Types of Macie findings", Amazon Macie User Guide).
_MACIE: Final = {
    "personal": "Personal",
    "health": "Personal",
    "national_id": "Personal",
    "financial": "Financial",
    "credentials": "Credentials",
    "custom": "CustomIdentifier",
}
_TYPE: Final = "SensitiveData:S3Object/"
SEVERITIES: Final = tuple(Severity)


@dataclass(frozen=True, slots=True)
class RuleAbout:
    """What an export tells of a rule."""

    id: str
    name: str
    #: personal, financial, credentials, health, national_id or custom.
    category: str
    references: tuple[str, ...] = ()


def about(rules: Iterable[Any]) -> Callable[[str], RuleAbout]:
    """Looks rules up in a ruleset's ``rules``; one that is not known any more is custom, under its id.

    Examples:
        >>> about([])("acme.badge")
        RuleAbout(id='acme.badge', name='acme.badge', category='custom', references=())
    """
    known = {rule.id: RuleAbout(rule.id, rule.name, rule.category, rule.references) for rule in rules}
    return lambda rule_id: known.get(rule_id, RuleAbout(rule_id, rule_id, "custom"))


def macie_type(categories: Iterable[str]) -> str:
    """Macie's name of a finding of these categories; of several it is Multiple.

    Examples:
        >>> macie_type(["health", "personal"]), macie_type(["financial", "credentials"])
        ('SensitiveData:S3Object/Personal', 'SensitiveData:S3Object/Multiple')
    """
    kinds = {_MACIE.get(category, "CustomIdentifier") for category in categories}
    return _TYPE + (kinds.pop() if len(kinds) == 1 else "Multiple")


def object_name(bucket: str, key: str, version_id: str | None = None) -> str:
    """``s3://bucket/key``, with the version where one is named; or a file's path.

    Examples:
        >>> object_name("logs", "a//b"), object_name("", "data/a.csv"), object_name("logs", "a", "v1")
        ('s3://logs/a//b', 'data/a.csv', 's3://logs/a?versionId=v1')
    """
    version = f"?versionId={version_id}" if version_id else ""
    return f"s3://{bucket}/{key}{version}" if bucket else key


def place_of(location: Location) -> str:
    """A place in words.

    Examples:
        >>> from scanner_tasks.core.model import Location
        >>> place_of(Location(line=3, column=9, offset=40)), place_of(Location(line=0, column=0, offset=7, path="a!b"))
        ('line 3, column 9', 'a!b, byte 7')
    """
    at = f"line {location.line}, column {location.column}" if location.line else f"byte {location.offset}"
    return f"{location.path}, {at}" if location.path else at


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by object and rule, so that the same findings are always the same file."""
    return sorted(findings, key=lambda finding: (finding.bucket, finding.key, finding.rule_id))

"""JSON of explanations, and of detection in a text that the caller sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner_tasks.detect.explain import Part as CorePart
    from scanner_tasks.detect.whole import FoundValue
    from scanner_tasks.flow.allow_list import AllowEntry
    from scanner_tasks.flow.explain import Explained

#: A Lambda takes 6 MB, and API Gateway waits 30 seconds.
TEXT_MAX_CHARS = 1_000_000
FOUND_MAX = 10_000


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Part(_Shape):
    """One part of the score."""

    kind: str = Field(
        description="pattern, check, doubt, keyword, no_keyword, header, test_value, account, confidence or other.",
        examples=["keyword"],
    )
    name: str = Field(description="The check, keyword, column's word or confidence; else empty.", examples=["ssn"])
    distance: int | None = Field(description="Characters between keyword and value.")
    text: str = Field(examples=['The keyword "ssn" ends 2 characters before it.'])

    @classmethod
    def of(cls, part: CorePart) -> Part:
        """A part as the flow tells it."""
        return cls(kind=part.kind, name=part.name, distance=part.distance, text=part.text)


class Explanation(_Shape):
    """Why a finding is one. No value is ever shown in the clear."""

    finding_id: UUID
    job_id: UUID
    bucket: str
    key: str
    severity: str = Field(examples=["high"])
    count: int = Field(description="Exact number of occurrences.")
    allowed: int = Field(description="Occurrences beside them that allow lists allow.")
    rule: str = Field(examples=["us.ssn"])
    rule_name: str | None = Field(description="Null where the rule no longer exists.")
    confidence: str = Field(description="Of this occurrence.", examples=["high"])
    occurrence: int = Field(description="Which one is explained, from 1.")
    occurrences_kept: int
    masked: str = Field(examples=["***-**-6789"])
    line: int
    column: int
    path: str
    parts: list[Part]
    why_not_higher: str
    why_severity: str
    rules_are_current: bool = Field(description="False when the rules have changed since the job began.")
    lines: list[str] = Field(description="All of it as sentences.")

    @classmethod
    def of(cls, told: Explained) -> Explanation:
        """An explanation as the flow tells it."""
        finding, at = told.finding, told.occurrence.location
        return cls(
            finding_id=finding.finding_id,
            job_id=finding.job_id,
            bucket=finding.bucket,
            key=finding.key,
            severity=finding.severity.value,
            count=finding.count,
            allowed=finding.allowed,
            rule=finding.rule_id,
            rule_name=told.rule_name,
            confidence=told.confidence.value,
            occurrence=told.number,
            occurrences_kept=len(finding.occurrences),
            masked=told.occurrence.masked,
            line=at.line,
            column=at.column,
            path=at.path,
            parts=[Part.of(part) for part in told.parts],
            why_not_higher=told.why_not_higher,
            why_severity=told.why_severity,
            rules_are_current=told.rules_are_current,
            lines=list(told.lines),
        )


class AllowList(_Shape):
    """An entry of an allow list that allows a finding's values wherever the rule finds them."""

    finding_id: UUID
    rule: str = Field(examples=["us.ssn"])
    fingerprints: list[str] = Field(description="Of the values at the places that were kept, each once.")
    complete: bool = Field(
        description="False when the finding has more places than were kept: their values are not in."
    )
    toml: str = Field(description="The entry for a rule pack.")

    @classmethod
    def of(cls, entry: AllowEntry) -> AllowList:
        """An entry as the flow tells it."""
        return cls(
            finding_id=entry.finding.finding_id,
            rule=entry.finding.rule_id,
            fingerprints=list(entry.fingerprints),
            complete=entry.is_complete,
            toml=entry.toml("allowed from a finding"),
        )


class DetectRequest(_Shape):
    """A text to look into."""

    text: Annotated[str, Field(max_length=TEXT_MAX_CHARS, examples=["ssn: 536-22-8726"])]
    name: Annotated[
        str, Field(max_length=1024, description="Its name, for rules and allow lists with paths.", examples=["a.txt"])
    ] = ""
    threshold: Annotated[Literal["low", "medium", "high"], Field(description="Least confidence told.")] = "medium"
    include_test_values: Annotated[StrictBool, Field(description="Tell values published as examples too.")] = False
    explain: Annotated[StrictBool, Field(description="Tell the parts of each score.")] = False
    limit: Annotated[int, Field(ge=1, le=FOUND_MAX, description="Findings told; `total` counts all.")] = 1000


class Found(_Shape):
    """One place in the text."""

    rule: str = Field(examples=["us.ssn"])
    start: int = Field(description="In Unicode code points, from 0.")
    end: int = Field(description="Exclusive.")
    line: int = Field(description="From 1.")
    column: int = Field(description="From 1.")
    confidence: str = Field(examples=["high"])
    masked: str = Field(examples=["***-**-8726"])
    evidence: list[str] = Field(description="Empty unless `explain` is asked for.")


class Detected(_Shape):
    """What stands in the text."""

    findings: list[Found] = Field(description="The first `limit`, in order of their places.")
    total: int = Field(description="Of all of them.")

    @classmethod
    def of(cls, found: Sequence[FoundValue], limit: int) -> Detected:
        """An answer with the first of them."""
        return cls(findings=[Found(**_fields(each)) for each in found[:limit]], total=len(found))


def _fields(found: FoundValue) -> dict[str, Any]:
    fields = found._asdict()
    return fields | {
        "rule": fields.pop("rule_id"),
        "confidence": found.confidence.value,
        "evidence": list(found.evidence),
    }

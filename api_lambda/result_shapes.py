"""Marks on findings as models: what OpenAPI shows is what is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api_lambda.shapes import BucketName, Moment, ObjectKey, Reason

if TYPE_CHECKING:
    from scanner_tasks.core.triage import Mark as CoreMark

Status = Literal["open", "false_positive", "accepted", "fixed"]


class TriageRequest(BaseModel):
    """What is thought of a finding, by whom and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bucket: BucketName
    key: ObjectKey
    rule: Annotated[str, Field(min_length=1, max_length=200, examples=["us.ssn"])]
    status: Status = Field(description="`open` takes an earlier judgement back.")
    by: Annotated[str, Field(description="Who says so.", min_length=1, max_length=200, examples=["ada"])]
    reason: Reason
    job_id: UUID | None = Field(default=None, description="As this job found it; the newest one that did if left out.")


class Mark(BaseModel):
    """What somebody said of a finding."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    finding_id: UUID
    status: Status
    by: str
    reason: str
    marked_at: Moment
    fingerprints: list[str] = Field(description="The values that it is about, of the occurrences kept then.")
    count: int = Field(description="Occurrences counted then.")

    @classmethod
    def of(cls, mark: CoreMark) -> Mark:
        """A mark as the ledger tells it."""
        return cls(
            finding_id=mark.finding_id,
            status=mark.status.value,
            by=mark.marked_by,
            reason=mark.reason,
            marked_at=mark.marked_at,
            fingerprints=list(mark.fingerprints),
            count=mark.count,
        )


class Marks(BaseModel):
    """Every mark of a finding, the newest first; the newest thousand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    marks: list[Mark]

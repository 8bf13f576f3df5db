"""Two jobs compared, as models: what OpenAPI shows is what is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api_lambda.shapes import Finding

if TYPE_CHECKING:
    from scanner_tasks.core import comparing as core
    from scanner_tasks.flow.compare import Comparison as CoreComparison


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChangedFinding(_Shape):
    """A finding that is not as it was."""

    change: str = Field(
        description="new, fixed, changed (another count or other values), moved (here from another object), or "
        "unverified: gone, but the newer job did not read its object to the end.",
        examples=["new"],
    )
    count_before: int | None = Field(description="In the older job; null where it was not there.")
    moved_from: str | None = Field(description="The key where the values stood.")
    object_is: str = Field(
        description="added, changed, deleted, or its outcome when it was not read; empty when it is the same.",
        examples=["added"],
    )
    finding: Finding = Field(description="As the newer job has it; of what is fixed or unverified, as the older one.")

    @classmethod
    def of(cls, one: core.ChangedFinding) -> ChangedFinding:
        """As the flow tells it."""
        return cls(
            change=one.change.value,
            count_before=one.count_before,
            moved_from=one.moved_from,
            object_is=one.object_is,
            finding=Finding.of(one.finding),
        )


class ChangedObject(_Shape):
    """An object that is not as it was."""

    change: str = Field(description="added, changed or deleted.", examples=["changed"])
    key: str
    version_id: str | None
    size_before: int | None
    size_now: int | None
    outcome: str | None = Field(description="In the newer job; null when it is deleted.", examples=["scanned"])

    @classmethod
    def of(cls, one: core.ChangedObject) -> ChangedObject:
        """As the flow tells it."""
        return cls(
            change=one.change.value,
            key=one.key,
            version_id=one.version_id,
            size_before=one.size_before,
            size_now=one.size_now,
            outcome=str(one.outcome) if one.outcome else None,
        )


class Comparison(_Shape):
    """A page of what differs between two jobs."""

    job_id: UUID
    base_job_id: UUID
    rules_differ: bool = Field(description="Findings may be new or gone because of other rules alone.")
    findings: list[ChangedFinding]
    objects: list[ChangedObject]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null at the end.")

    @classmethod
    def of(cls, told: CoreComparison) -> Comparison:
        """A page as the flow tells it."""
        return cls(
            job_id=told.job.job_id,
            base_job_id=told.base.job_id,
            rules_differ=told.rules_differ,
            findings=[ChangedFinding.of(one) for one in told.findings],
            objects=[ChangedObject.of(one) for one in told.objects],
            next_cursor=told.next_cursor,
        )

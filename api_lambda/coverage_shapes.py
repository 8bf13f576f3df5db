"""What a job read and what it did not, as models: what OpenAPI shows is what is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api_lambda.shapes import Moment
from scanner_tasks.core.model import JobStatus
from scanner_tasks.core.progress import is_incomplete

if TYPE_CHECKING:
    from scanner_tasks.flow import read_coverage
    from scanner_tasks.store import coverage as core


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OutcomeSum(_Shape):
    """Objects that ended so."""

    outcome: str = Field(examples=["partial(bytes)"])
    kind: str = Field(description="scanned, partial, skipped, unchanged or failed.", examples=["partial"])
    reason: str | None = Field(examples=["bytes"])
    objects: int
    bytes_listed: int = Field(
        description="As listed. Bytes of an object in byte ranges stand with the outcome of each range."
    )
    bytes_read: int = Field(description="Of these, how many were read.")

    @classmethod
    def of(cls, one: core.OutcomeSum) -> OutcomeSum:
        """A sum as the ledger tells it."""
        return cls(
            outcome=str(one.outcome),
            kind=one.outcome.kind,
            reason=one.outcome.reason,
            objects=one.objects,
            bytes_listed=one.bytes_listed,
            bytes_read=one.bytes_read,
        )


class BucketCoverage(_Shape):
    """One bucket's part: objects_listed = objects_open + the sum of `outcomes`."""

    bucket: str
    objects_listed: int
    objects_open: int = Field(description="Objects that have no outcome yet.")
    bytes_listed: int
    bytes_read: int
    outcomes: list[OutcomeSum]

    @classmethod
    def of(cls, one: read_coverage.BucketCoverage) -> BucketCoverage:
        """A bucket as the flow tells it."""
        return cls(
            bucket=one.bucket,
            objects_listed=one.progress.listed,
            objects_open=one.progress.pending + one.progress.processing,
            bytes_listed=one.bytes_listed,
            bytes_read=one.bytes_read,
            outcomes=[OutcomeSum.of(each) for each in one.outcomes],
        )


class UnreadObject(_Shape):
    """An object that was not read to its end."""

    bucket: str
    key: str
    outcome: str = Field(examples=["partial(bytes)"])
    size_bytes: int
    bytes_read: int | None = Field(description="Null where a worker of an older release did not tell.")
    detail: str | None = Field(description="What happened, and what to do; null where the outcome says it all.")
    at: Moment

    @classmethod
    def of(cls, one: core.UnreadObject, bucket: str) -> UnreadObject:
        """An object as the ledger tells it."""
        return cls(
            bucket=bucket,
            key=one.key,
            outcome=str(one.outcome),
            size_bytes=one.size_bytes,
            bytes_read=one.bytes_read,
            detail=one.detail,
            at=one.at,
        )


class Coverage(_Shape):
    """What a job read, counted live, and a page of what it did not read to its end."""

    job_id: UUID
    status: JobStatus
    incomplete: bool = Field(description="As in GET /jobs/{job_id}.")
    buckets: list[BucketCoverage]
    unread: list[UnreadObject] = Field(description="Objects that are partial, skipped or failed.")
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page of `unread`; null at the end.")

    @classmethod
    def of(cls, told: read_coverage.Coverage, page: read_coverage.UnreadPage) -> Coverage:
        """Both as the flow tells them."""
        return cls(
            job_id=told.job.job_id,
            status=told.job.status,
            incomplete=any(is_incomplete(told.job.status, one.progress) for one in told.buckets),
            buckets=[BucketCoverage.of(one) for one in told.buckets],
            unread=[UnreadObject.of(one, told.job.bucket) for one in page.objects],
            next_cursor=page.next_cursor,
        )

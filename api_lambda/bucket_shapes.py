"""Several buckets and the account view as models: what OpenAPI shows is what is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api_lambda.selection_shapes import Budget, Selection
from api_lambda.shapes import Access, BaseJob, BaseName, Moment, Prefix, StartedScan
from scanner_tasks.core.buckets import MAX_NAMES
from scanner_tasks.core.model import JobStatus

if TYPE_CHECKING:
    from scanner_tasks.flow.buckets import BucketView, StartedJobs

BucketNames = Annotated[
    list[str],
    Field(
        max_length=MAX_NAMES,
        description="Names, or patterns over the buckets that the role can see: `*` any characters, `?` one.",
        examples=[["prod-*"]],
    ),
]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScansRequest(_Shape):
    """What to scan, in several buckets."""

    buckets: BucketNames
    bucket_tags: dict[str, str] | None = Field(
        default=None, description="Only buckets with all of these tags; `*` is any value.", examples=[{"env": "prod"}]
    )
    prefix: Prefix = ""
    access: Access | None = None
    selection: Selection | None = None
    budget: Budget | None = Field(default=None, description="Of each job by itself.")
    base_job: BaseName = None


class NotStarted(_Shape):
    """A bucket that a pattern meant, and why it is not scanned."""

    bucket: str
    reason: str


class StartedScans(_Shape):
    """The jobs that the request began."""

    jobs: list[StartedScan]
    not_started: list[NotStarted] = Field(
        description="Buckets that a pattern or a tag meant and that are not scanned: never pass them over."
    )

    @classmethod
    def of(cls, started: StartedJobs, prefix: str) -> StartedScans:
        """The answer to a request with this prefix."""
        return cls(
            jobs=[
                StartedScan(
                    job_id=job.job_id,
                    status=job.status,
                    bucket=bucket,
                    prefix=prefix,
                    execution_arn=job.execution_arn,
                    base_job=BaseJob.of(job.base),
                )
                for bucket, job in started.jobs
            ],
            not_started=[NotStarted(bucket=one.bucket, reason=one.reason) for one in started.not_started],
        )


class LastScan(_Shape):
    """The youngest job on a bucket."""

    job_id: UUID
    status: JobStatus
    created_at: Moment
    finished_at: Moment | None


class BucketRow(_Shape):
    """A bucket that the role can see."""

    bucket: str
    region: str = Field(description="Empty where it is not told.", examples=["eu-west-1"])
    created_at: str
    public: bool | None = Field(description="True when everybody may read it; null when that is not known.")
    encryption: str | None = Field(
        description="What new objects get: none, AES256, aws:kms, aws:kms:dsse; null when that is not known."
    )
    unknown: list[str] = Field(description="Permissions that the role lacks to know these.")
    trouble: str | None = Field(description="Why nothing could be asked about it.")
    last_scan: LastScan | None = Field(description="Null: never scanned.")
    scanned_whole_at: Moment | None = Field(
        description="When a job ended well that took in all of it: no prefix, no selection."
    )

    @classmethod
    def of(cls, view: BucketView) -> BucketRow:
        """A bucket as the flow tells it."""
        posture, last = view.posture, view.last
        return cls(
            bucket=view.bucket.name,
            region=view.bucket.region,
            created_at=view.bucket.created_at,
            public=posture.public if posture else None,
            encryption=posture.encryption if posture else None,
            unknown=list(posture.unknown) if posture else [],
            trouble=view.trouble,
            last_scan=last
            and LastScan(
                job_id=last.job_id,
                status=JobStatus(last.status),
                created_at=last.created_at,
                finished_at=last.finished_at,
            ),
            scanned_whole_at=last.whole_at if last else None,
        )


class Buckets(_Shape):
    """A page of buckets, by name."""

    buckets: list[BucketRow]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null at the end.")

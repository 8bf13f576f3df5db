"""Schedules as models: what OpenAPI shows is what is sent."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api_lambda.bucket_shapes import BucketNames, NotStarted
from api_lambda.selection_shapes import Budget, Selection
from api_lambda.shapes import Access, BaseName, Moment, Prefix, ShownAccess


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScheduleRequest(_Shape):
    """When jobs begin, and which."""

    name: str = Field(max_length=63, description="a-z, 0-9 and hyphen.", examples=["weekly-exports"])
    cron: str = Field(
        max_length=200,
        description="Minute, hour, day of the month, month, day of the week, as Debian's cron reads them.",
        examples=["0 3 * * MON"],
    )
    time_zone: str = Field(default="UTC", max_length=100, description="IANA name.", examples=["Europe/Berlin"])
    buckets: BucketNames
    bucket_tags: dict[str, str] | None = Field(default=None, description="Only buckets with all of these tags.")
    prefix: Prefix = ""
    access: Access | None = None
    selection: Selection | None = Field(default=None, description="Ages such as 30d count from each run.")
    budget: Budget | None = Field(default=None, description="Of each job by itself.")
    base_job: BaseName = Field(default=None, description="`last`: what is as the last job left it is not read again.")


class Run(_Shape):
    """What became of one due time."""

    due_at: Moment
    state: str = Field(description="starting, started, skipped or failed.")
    reason: str | None = Field(description="Why it was skipped or failed, or how many due times were missed.")
    job_ids: list[UUID]
    not_started: list[NotStarted]


class Schedule(_Shape):
    """Jobs that begin again and again."""

    name: str
    cron: str
    time_zone: str
    buckets: list[str]
    prefix: str
    bucket_tags: dict[str, str]
    access: ShownAccess
    selection: dict[str, Any]
    budget: dict[str, Any]
    base_job: str | None
    paused: bool
    next_runs: list[Moment] = Field(description="The next due times; none while it is paused.")
    last_run: Run | None = Field(description="Its youngest run; null before the first one.")
    created_by: str
    created_at: Moment


class ScheduleWithRuns(Schedule):
    """A schedule and its latest runs."""

    runs: list[Run] = Field(description="The youngest first.")


class Schedules(_Shape):
    """Every schedule, by name."""

    schedules: list[Schedule]

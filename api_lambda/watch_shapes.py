"""Watched buckets as models: what OpenAPI shows is what is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api_lambda.selection_shapes import Budget, Selection
from api_lambda.shapes import Access, BucketName, Moment, Prefix, ShownAccess
from scanner_tasks.core.model import JobStatus
from scanner_tasks.flow.watches import watch_to_json

if TYPE_CHECKING:
    from scanner_tasks.flow.watches import Watches as CoreWatches
    from scanner_tasks.store.watches import Watch as CoreWatch


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WatchRequest(_Shape):
    """Which bucket's events are scanned, and what of them."""

    bucket: BucketName
    prefix: Prefix = ""
    access: Access | None = None
    selection: Selection | None = Field(
        default=None, description="Without times, storage classes and limits: events do not tell them, or have no end."
    )
    budget: Budget | None = Field(default=None, description="Of each day's job.")


class Watch(_Shape):
    """A bucket whose events are scanned as they come."""

    bucket: str
    prefix: str
    access: ShownAccess
    selection: dict[str, Any]
    budget: dict[str, Any]
    job_id: UUID | None = Field(description="The job that took its last event; null before the first one.")
    job_status: JobStatus | None
    events: dict[str, int] = Field(
        description="Events so far: `added` gave an object to a job, `repeated` came again or too late, `deleted` "
        "told a deletion, `ignored` are of another kind or outside of the prefix.",
        examples=[{"added": 12, "repeated": 1, "deleted": 3, "ignored": 0}],
    )
    last_event_at: Moment | None
    created_at: Moment

    @classmethod
    def of(cls, watch: CoreWatch) -> Watch:
        """A watch as the flow tells it."""
        return cls(**watch_to_json(watch))


class UnwatchedBucket(_Shape):
    """A bucket that nobody watches, though its events come."""

    bucket: str
    events: int = Field(description="Events that were passed over.")
    last_event_at: Moment


class Watches(_Shape):
    """Every watch, by its bucket."""

    watches: list[Watch]
    unwatched: list[UnwatchedBucket]

    @classmethod
    def of(cls, told: CoreWatches) -> Watches:
        """All as the flow tells them."""
        return cls(
            watches=[Watch.of(watch) for watch in told.watches],
            unwatched=[
                UnwatchedBucket(bucket=one.bucket, events=one.events, last_event_at=one.last_event_at)
                for one in told.unwatched
            ],
        )

"""Watched buckets: whose events are scanned as they come."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from api_lambda.common import answers, api, refuse_other_parameters
from api_lambda.shapes import BucketName
from api_lambda.watch_shapes import Watch, Watches, WatchRequest
from scanner_tasks.core.access_rules import read_access
from scanner_tasks.core.budget import read_budget
from scanner_tasks.core.selection_rules import read_selection
from scanner_tasks.flow import watches

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

Watched = Annotated[BucketName, Path(description="Name of a watched bucket.")]


@router.post(
    "/watches",
    summary="Watch a bucket",
    description="From now on objects that events of S3 name are scanned, in one job for each day. A repeat replaces "
    "prefix, access, selection and budget. S3 must be told to send its events (docs/continuous.md).",
    tags=["watches"],
    responses=answers(
        Watch,
        HTTPStatus.OK,
        "The watch.",
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ),
)
def watch_bucket(request: Annotated[WatchRequest, Body(description="What to watch.")]) -> Watch:
    """POST /watches."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    chosen = request.selection.model_dump(exclude_none=True) if request.selection else None
    watch = watches.watch_bucket(
        request.bucket,
        request.prefix,
        access=read_access(request.access.model_dump() if request.access else None),
        selection=read_selection(chosen, now=datetime.now(UTC)),
        budget=read_budget(request.budget.model_dump() if request.budget else None),
        using=api(),
    )
    return Watch.of(watch)


@router.get(
    "/watches",
    summary="List the watched buckets",
    description="Every watch, and the buckets whose events come though nobody watches them.",
    tags=["watches"],
    responses=answers(Watches, HTTPStatus.OK, "All of them."),
)
def list_watches() -> Watches:
    """GET /watches."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    return Watches.of(watches.list_watches(using=api()))


@router.get(
    "/watches/<bucket>",
    summary="One watched bucket",
    description="How it is watched, its open job, and what became of its events.",
    tags=["watches"],
    responses=answers(Watch, HTTPStatus.OK, "The watch.", HTTPStatus.NOT_FOUND),
)
def get_watch(bucket: Watched) -> Watch:
    """GET /watches/{bucket}."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    return Watch.of(watches.find_watch(bucket, using=api()))


@router.delete(
    "/watches/<bucket>",
    summary="Watch a bucket no longer",
    description="Its open job ends with what it has; events that come later are counted as unwatched.",
    tags=["watches"],
    responses=answers(Watch, HTTPStatus.OK, "The watch as it was.", HTTPStatus.NOT_FOUND),
)
def unwatch_bucket(bucket: Watched) -> Watch:
    """DELETE /watches/{bucket}."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    watch = watches.find_watch(bucket, using=api())
    watches.unwatch_bucket(bucket, using=api())
    return Watch.of(watch)

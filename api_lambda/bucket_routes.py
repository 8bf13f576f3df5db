"""Several buckets at once, and the account view."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from api_lambda import idempotency
from api_lambda.bucket_shapes import BucketRow, Buckets, ScansRequest, StartedScans
from api_lambda.common import Cursor, answers, api, plain_text, refuse_other_parameters
from scanner_tasks.core.access_rules import read_access
from scanner_tasks.core.budget import read_budget
from scanner_tasks.core.selection_rules import read_selection
from scanner_tasks.flow import buckets

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

#: Each bucket of a page costs five calls, and the whole page the API's half minute.
PAGE_MAX = 100


@router.post(
    "/scans",
    status_code=HTTPStatus.ACCEPTED,
    summary="Start a scan of several buckets",
    description="Begins a job on each bucket meant: by name, by pattern, by tag. A bucket that is named and cannot be "
    "listed refuses the request; one that a pattern meant is in `not_started` with its reason.",
    tags=["jobs"],
    responses=answers(
        StartedScans,
        HTTPStatus.ACCEPTED,
        "The jobs have begun.",
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ),
)
def scans(request: Annotated[ScansRequest, Body(description="What to scan.")]) -> StartedScans:
    """POST /scans."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    chosen = request.selection.model_dump(exclude_none=True) if request.selection else None
    started = buckets.start_jobs(
        request.buckets,
        request.prefix,
        bucket_tags=request.bucket_tags,
        access=read_access(request.access.model_dump() if request.access else None),
        selection=read_selection(chosen, now=datetime.now(UTC)),
        budget=read_budget(request.budget.model_dump() if request.budget else None),
        base_job=request.base_job,
        job_id_of=idempotency.job_ids(),
        using=api(),
    )
    return StartedScans.of(started, request.prefix)


@router.get(
    "/buckets",
    summary="The account's buckets",
    description="Every bucket that the scanner's role can see, by name: its Region, whether everybody may read it, how "
    "it is encrypted, when it was last scanned.",
    tags=["buckets"],
    responses=answers(Buckets, HTTPStatus.OK, "A page of buckets.", HTTPStatus.FORBIDDEN),
)
def list_buckets(
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX, description="Entries of a page.")] = PAGE_MAX, cursor: Cursor = None
) -> Buckets:
    """GET /buckets."""
    refuse_other_parameters(router.current_event.query_string_parameters, "limit", "cursor")
    views = buckets.account_view(after=plain_text(cursor, "cursor") or "", limit=limit + 1, using=api())
    shown = views[:limit]
    following = shown[-1].bucket.name if len(views) > limit else None
    return Buckets(buckets=[BucketRow.of(view) for view in shown], next_cursor=following)

"""What a job read and what it did not."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from api_lambda.common import (
    PAGE_DEFAULT,
    Cursor,
    JobId,
    Limit,
    answers,
    api,
    plain_text,
    refuse_other_parameters,
)
from api_lambda.coverage_shapes import Coverage
from scanner_tasks.flow import read_coverage

router: Any = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


@router.get(
    "/jobs/<job_id>/coverage",
    summary="What a job read and what it did not",
    description="Sums by outcome and reason, bytes read of those listed, counted live; and, page by page, every object "
    "that was not read to its end, with the reason and the bytes read. A page may be shorter than `limit`, even "
    "empty; `next_cursor` alone says whether there are more.",
    tags=["jobs"],
    responses=answers(Coverage, HTTPStatus.OK, "Sums, and a page of objects.", HTTPStatus.NOT_FOUND),
)
def coverage(
    job_id: JobId,
    outcome: Annotated[
        str | None,
        Query(
            max_length=1000,
            description="Only these objects: partial, skipped, failed, or one with its reason such as partial(bytes); "
            "one, or several with commas between.",
            examples=["failed,partial(bytes)"],
        ),
    ] = None,
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> Coverage:
    """GET /jobs/{job_id}/coverage."""
    refuse_other_parameters(router.current_event.query_string_parameters, "outcome", "limit", "cursor")
    told = read_coverage.get_coverage(job_id, using=api())
    page = read_coverage.get_unread(
        job_id,
        outcome=plain_text(outcome, "outcome") or (),
        limit=limit,
        cursor=plain_text(cursor, "cursor"),
        using=api(),
    )
    return Coverage.of(told, page)

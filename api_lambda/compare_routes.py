"""A job beside an older one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
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
from api_lambda.compare_shapes import Comparison
from scanner_tasks.flow import compare

router: Any = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


@router.get(
    "/jobs/<job_id>/compare/<base_id>",
    summary="What differs from an older job",
    description="Page by page, in the order of keys: findings that are new, fixed, changed, moved or unverified; with "
    "`of=objects` the objects that were added, changed or deleted. A page may be shorter than `limit`, even empty; "
    "`next_cursor` alone says whether there are more.",
    tags=["jobs"],
    responses=answers(Comparison, HTTPStatus.OK, "A page of what differs.", HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def compare_jobs(
    job_id: JobId,
    base_id: Annotated[UUID, Path(description="An older job of the same bucket.")],
    of: Annotated[Literal["findings", "objects"], Query(description="What is compared.")] = "findings",
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> Comparison:
    """GET /jobs/{job_id}/compare/{base_id}."""
    refuse_other_parameters(router.current_event.query_string_parameters, "of", "limit", "cursor")
    ask = compare.compare_objects if of == "objects" else compare.compare_findings
    return Comparison.of(ask(job_id, base_id, limit=limit, cursor=plain_text(cursor, "cursor"), using=api()))

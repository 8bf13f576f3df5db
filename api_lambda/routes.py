"""The endpoints: each parses its request, asks one flow and gives back a shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from api_lambda import (
    audit_routes,
    bucket_routes,
    compare_routes,
    control_routes,
    coverage_routes,
    finding_routes,
    fleet_routes,
    idempotency,
    problems,
    result_routes,
    rule_routes,
    schedule_routes,
    watch_routes,
)
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
from api_lambda.estimate_shapes import Estimated
from api_lambda.openapi import describe
from api_lambda.permissions import NEEDS, allowed_methods
from api_lambda.shapes import Job, Jobs, ScanRequest, StartedScan
from scanner_tasks import tracing
from scanner_tasks.core.access_rules import read_access
from scanner_tasks.core.budget import read_budget
from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.selection_rules import read_selection
from scanner_tasks.flow import estimate as estimating
from scanner_tasks.flow import read_results, start_job


def _deserialize(text: str) -> Any:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput('The body is not JSON; send an object such as {"bucket": "my-bucket"}.') from None
    if isinstance(body, list):  # Powertools would take the first entry and drop the others
        raise InvalidInput('The body is a list; send one JSON object such as {"bucket": "my-bucket"}.')
    return body


_JSON = "application/json"
app = APIGatewayHttpResolver(
    enable_validation=True,
    response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR,
    json_body_deserializer=_deserialize,
)
app.configure_openapi(
    title="s3scan",
    version="1",
    openapi_version="3.1.0",
    description="Finds personal, financial and secret data in S3. Errors are application/problem+json: "
    "`detail` says what to change.",
)


def _name_route(app: APIGatewayHttpResolver, next_middleware: Callable[..., Response[Any]]) -> Response[Any]:
    """A request's span names its route, and not its path."""
    tracing.note(method=app.current_event.http_method, route=app.request.route)
    return next_middleware(app)


app.use([_name_route])
app.include_router(audit_routes.router)
app.include_router(bucket_routes.router)
app.include_router(fleet_routes.router)
app.include_router(rule_routes.router)
app.include_router(control_routes.router)
app.include_router(result_routes.router)
app.include_router(finding_routes.router)
app.include_router(coverage_routes.router)
app.include_router(compare_routes.router)
app.include_router(watch_routes.router)
app.include_router(schedule_routes.router)


@app.post(
    "/scan",
    status_code=HTTPStatus.ACCEPTED,
    summary="Start a scan",
    description="Begins a job that lists the bucket, or the prefix in it, and scans every object that the selection "
    "means. Answers at once. With `dry_run` nothing begins: it lists for some seconds and answers 200 with the cost.",
    tags=["jobs"],
    responses=answers(
        StartedScan,
        HTTPStatus.ACCEPTED,
        "The job has begun.",
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    )
    | {200: {"description": "What it would cost.", "content": {"application/json": {"model": Estimated}}}},
)
def scan(
    request: Annotated[ScanRequest, Body(description="What to scan.")],
) -> Response[StartedScan | Estimated]:
    """POST /scan."""
    _only_query()
    access = read_access(request.access.model_dump() if request.access else None)
    chosen = request.selection.model_dump(exclude_none=True) if request.selection else None
    selection = read_selection(chosen, now=datetime.now(UTC))
    budget = read_budget(request.budget.model_dump() if request.budget else None)
    if request.dry_run and request.inventory:
        raise InvalidInput("dry_run: it lists the bucket itself; leave inventory out.")
    if request.dry_run and request.base_job:
        raise InvalidInput("dry_run: what a base_job spares is not known before the job has listed; leave it out.")
    if request.dry_run:
        told = estimating.estimate_scan(
            request.bucket,
            request.prefix,
            access=access,
            selection=selection,
            most_s=api().settings.estimate_list_s,
            using=api(),
        )
        return Response(HTTPStatus.OK, _JSON, body=Estimated(**told.to_json()))
    started = start_job.start_job(
        request.bucket,
        request.prefix,
        access=access,
        selection=selection,
        budget=budget,
        base_job=request.base_job,
        inventory=request.inventory,
        then_list=request.inventory_then_list,
        job_id=idempotency.job_ids()(request.bucket),
        using=api(),
    )
    return Response(HTTPStatus.ACCEPTED, _JSON, body=StartedScan.of(started, request))


@app.get(
    "/jobs",
    summary="List the jobs",
    description="Every job with its progress, the youngest first; with `active=true` those that have not ended.",
    tags=["jobs"],
    responses=answers(Jobs, HTTPStatus.OK, "A page of jobs."),
)
def list_jobs(
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
    active: Annotated[bool, Query(description="Only jobs that have not ended, paused ones too.")] = False,  # noqa: FBT002
) -> Jobs:
    """GET /jobs."""
    _only_query("limit", "cursor", "active")
    page = read_results.list_jobs(limit=limit, cursor=plain_text(cursor, "cursor"), active=active, using=api())
    return Jobs.of(page)


@app.get(
    "/jobs/<job_id>",
    summary="One job and its progress",
    description="From a view that is refreshed every minute; `real_time=true` counts live.",
    tags=["jobs"],
    responses=answers(Job, HTTPStatus.OK, "The job.", HTTPStatus.NOT_FOUND),
)
def get_job(
    job_id: JobId,
    real_time: Annotated[bool, Query(description="Count live.")] = False,  # noqa: FBT002
) -> Job:
    """GET /jobs/{job_id}."""
    _only_query("real_time")
    return Job.of(read_results.get_job(job_id, real_time=real_time, using=api()))


@app.get("/openapi.json", include_in_schema=False, enable_validation=False)
def openapi() -> Response[str]:
    """GET /openapi.json: this document."""
    return Response(status_code=HTTPStatus.OK, content_type="application/json", body=openapi_json())


@cache
def openapi_json() -> str:
    """The OpenAPI 3.1 document, as docs/openapi.json holds it."""
    return json.dumps(describe(app))


def unknown_path(method: str, path: str) -> Response[str]:
    """The problem with a path that there is not, or not with this method."""
    allowed = allowed_methods(path)
    if allowed:
        return problems.problem(
            HTTPStatus.METHOD_NOT_ALLOWED,
            f"This path takes {' or '.join(allowed)}, not {method[:20]}.",
            headers={"Allow": ", ".join(allowed)},
        )
    paths = ", ".join(f"{its_method} {template}" for its_method, template in NEEDS)
    return problems.problem(HTTPStatus.NOT_FOUND, f"No such path: there are {paths}.")


@app.not_found
def _not_found(_: Exception) -> Response[str]:
    return unknown_path(app.current_event.http_method.upper(), app.current_event.path)


def _invalid(error: RequestValidationError) -> Response[str]:
    return problems.of_validation(error.errors())


app.exception_handler(RequestValidationError)(_invalid)
app.exception_handler(Exception)(problems.of_error)


def _only_query(*names: str) -> None:
    refuse_other_parameters(app.current_event.query_string_parameters, *names)

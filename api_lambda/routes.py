"""The endpoints: each parses its request, asks one flow and gives back a shape."""

from __future__ import annotations

import json
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from api_lambda import problems
from api_lambda.shapes import BucketName, Job, Jobs, ObjectKey, Problem, Results, ScanRequest, StartedScan
from scanner_tasks import bootstrap
from scanner_tasks.core.errors import InvalidInput, Unavailable
from scanner_tasks.flow import read_results, start_job

if TYPE_CHECKING:
    from scanner_tasks.flow.parts import Api

PAGE_DEFAULT = 100
PAGE_MAX = 1000
#: A Lambda answer has at most 6 MB, written as JSON in JSON; a page that would be larger is cut shorter.
ANSWER_MAX_BYTES = 5_500_000
_SURELY_FITS = ANSWER_MAX_BYTES // 6  # one byte becomes six at most: \u0001


def _deserialize(text: str) -> Any:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput('The body is not JSON; send an object such as {"bucket": "my-bucket"}.') from None
    if isinstance(body, list):  # Powertools would take the first entry and drop the others
        raise InvalidInput('The body is a list; send one JSON object such as {"bucket": "my-bucket"}.')
    return body


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


_DESCRIBED = {
    HTTPStatus.BAD_REQUEST: "The request is wrong; `detail` says what to change.",
    HTTPStatus.FORBIDDEN: "The scanner lacks a permission; `detail` names it.",
    HTTPStatus.NOT_FOUND: "No such thing.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not application/json.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Try again after `Retry-After` seconds.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The scanner failed; its log tells more.",
}


def _answers(*statuses: HTTPStatus) -> dict[int, Any]:
    """OpenAPI of the problems that an endpoint may answer."""
    always = (HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INTERNAL_SERVER_ERROR)
    return {
        int(status): {"description": _DESCRIBED[status], "content": {problems.CONTENT_TYPE: {"model": Problem}}}
        for status in sorted({*always, *statuses})
    }


def _with(shape: type[Any], status: HTTPStatus, description: str, *others: HTTPStatus) -> dict[int, Any]:
    good = {int(status): {"description": description, "content": {"application/json": {"model": shape}}}}
    return good | _answers(*others)


Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="Entries of a page.", examples=[PAGE_DEFAULT])]
Cursor = Annotated[str | None, Query(max_length=4096, description="`next_cursor` of the page before.")]
JobId = Annotated[UUID, Path(description="What POST /scan gave.")]


@app.post(
    "/scan",
    status_code=HTTPStatus.ACCEPTED,
    summary="Start a scan",
    description="Begins a job that lists the bucket, or the prefix in it, and scans every object. Answers at once.",
    tags=["jobs"],
    responses=_with(
        StartedScan,
        HTTPStatus.ACCEPTED,
        "The job has begun.",
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ),
)
def scan(request: Annotated[ScanRequest, Body(description="What to scan.")]) -> StartedScan:
    """POST /scan."""
    _only_query()
    return StartedScan.of(start_job.start_job(request.bucket, request.prefix, using=_using()), request)


@app.get(
    "/jobs",
    summary="List the jobs",
    description="Every job with its progress, the youngest first.",
    tags=["jobs"],
    responses=_with(Jobs, HTTPStatus.OK, "A page of jobs."),
)
def list_jobs(limit: Limit = PAGE_DEFAULT, cursor: Cursor = None) -> Jobs:
    """GET /jobs."""
    _only_query("limit", "cursor")
    return Jobs.of(read_results.list_jobs(limit=limit, cursor=_text(cursor, "cursor"), using=_using()))


@app.get(
    "/jobs/<job_id>",
    summary="One job and its progress",
    description="From a view that is refreshed every minute; `real_time=true` counts live.",
    tags=["jobs"],
    responses=_with(Job, HTTPStatus.OK, "The job.", HTTPStatus.NOT_FOUND),
)
def get_job(
    job_id: JobId,
    real_time: Annotated[bool, Query(description="Count live.")] = False,  # noqa: FBT002
) -> Job:
    """GET /jobs/{job_id}."""
    _only_query("real_time")
    return Job.of(read_results.get_job(job_id, real_time=real_time, using=_using()))


@app.get(
    "/results",
    summary="Findings",
    description="Findings that match every filter given. Values are masked. A page may be shorter than `limit`; "
    "`next_cursor` alone says whether there are more.",
    tags=["results"],
    responses=_with(Results, HTTPStatus.OK, "A page of findings.", HTTPStatus.NOT_FOUND),
)
def get_results(  # noqa: PLR0917 (Powertools passes them by name)
    job_id: Annotated[UUID | None, Query(description="Only of this job.")] = None,
    bucket: Annotated[BucketName | None, Query(description="Only in this bucket.")] = None,
    key: Annotated[ObjectKey | None, Query(description="Only in the object with exactly this key.")] = None,
    rule: Annotated[str | None, Query(max_length=200, description="Only of this rule.", examples=["us.ssn"])] = None,
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> Results:
    """GET /results."""
    _only_query("job_id", "bucket", "key", "rule", "limit", "cursor")
    while True:
        page = Results.of(
            read_results.get_results(
                job_id=job_id,
                bucket=bucket,
                key=key,
                rule=_text(rule, "rule"),
                limit=limit,
                cursor=_text(cursor, "cursor"),
                using=_using(),
            )
        )
        if limit == 1 or _fits(page):
            return page
        limit = max(1, limit // 2)


@app.get("/openapi.json", include_in_schema=False, enable_validation=False)
def openapi() -> Response[str]:
    """GET /openapi.json: this document."""
    return Response(status_code=HTTPStatus.OK, content_type="application/json", body=openapi_json())


@cache
def openapi_json() -> str:
    """The OpenAPI 3.1 document, without Powertools' own validation answers, which ``problems`` replaces."""
    document = json.loads(app.get_openapi_json_schema())
    for item in document["paths"].values():
        for operation in item.values():
            answers = operation["responses"]
            answers.pop("422", None)
            answers["500"] = {**answers["503"], "description": _DESCRIBED[HTTPStatus.INTERNAL_SERVER_ERROR]}
    for stock in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        document["components"]["schemas"].pop(stock, None)
    return json.dumps(document)


#: What stands where; a wrong method on one of them is a 405 that names the right one.
_METHODS = {"/scan": "POST", "/jobs": "GET", "/results": "GET", "/openapi.json": "GET"}


@app.not_found
def _not_found(_: Exception) -> Response[str]:
    path = app.current_event.path
    allowed = _METHODS.get(path, "GET" if path.startswith("/jobs/") and path.count("/") == len("//") else None)
    if allowed and app.current_event.http_method.upper() != allowed:
        return problems.problem(
            HTTPStatus.METHOD_NOT_ALLOWED, f"This path takes {allowed} only.", headers={"Allow": allowed}
        )
    return problems.problem(
        HTTPStatus.NOT_FOUND, "No such path: there are POST /scan, GET /jobs, /jobs/{job_id}, /results, /openapi.json."
    )


def _invalid(error: RequestValidationError) -> Response[str]:
    return problems.of_validation(error.errors())


app.exception_handler(RequestValidationError)(_invalid)
app.exception_handler(Exception)(problems.of_error)


def _using() -> Api:
    """The real clients. A wrong setting of this deployment is not the client's mistake."""
    try:
        return bootstrap.api()
    except Unavailable:
        raise
    except InvalidInput as error:
        raise problems.Misconfigured from error


def _only_query(*names: str) -> None:
    """Refuse a parameter that the endpoint does not know: a misspelt filter would silently find everything."""
    if set(app.current_event.query_string_parameters or {}) - set(names):
        takes = f"takes {', '.join(names)}" if names else "takes none"
        raise InvalidInput(f"The query holds an unknown parameter: this endpoint {takes}.")


def _text(value: str | None, name: str) -> str | None:
    """A string that PostgreSQL can hold."""
    if value and ("\0" in value or not value.isprintable()):
        raise InvalidInput(f"{name}: it holds characters that none of ours has; give it as you got it.")
    return value


def _fits(page: Results) -> bool:
    text = page.model_dump_json()
    return len(text) <= _SURELY_FITS or len(json.dumps(text)) <= ANSWER_MAX_BYTES

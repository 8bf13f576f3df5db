"""Findings and what is thought of them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from api_lambda.common import PAGE_DEFAULT, Cursor, Limit, answers, api, plain_text, refuse_other_parameters
from api_lambda.result_shapes import Mark, Marks, Status, TriageRequest
from api_lambda.shapes import BucketName, ObjectKey, Prefix, Results
from scanner_tasks.flow import read_results, triage

router: Any = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

#: A Lambda answer has at most 6 MB, written as JSON in JSON; a page that would be larger is cut shorter.
ANSWER_MAX_BYTES = 5_500_000
_SURELY_FITS = ANSWER_MAX_BYTES // 6  # one byte becomes six at most: \u0001

_FILTERS = (
    *("job_id", "bucket", "key", "prefix", "rule", "severity", "confidence", "fingerprint", "triage"),
    *("limit", "cursor"),
)
_SEVERAL = "one, or several with commas between"


@router.get(
    "/results",
    summary="Findings",
    description="Findings that match every filter given, job by job, within a job by key and rule. Values are masked. "
    "A page may be shorter than `limit`, even empty; `next_cursor` alone says whether there are more. `fingerprint` "
    "tells where else a value occurs: it searches the occurrences that were kept (each finding's first), no others.",
    tags=["results"],
    responses=answers(Results, HTTPStatus.OK, "A page of findings.", HTTPStatus.NOT_FOUND),
)
def get_results(  # noqa: PLR0917 (Powertools passes them by name)
    job_id: Annotated[UUID | None, Query(description="Only of this job.")] = None,
    bucket: Annotated[BucketName | None, Query(description="Only in this bucket.")] = None,
    key: Annotated[ObjectKey | None, Query(description="Only in the object with exactly this key.")] = None,
    prefix: Annotated[Prefix | None, Query(description="Only in objects whose key begins with it.")] = None,
    rule: Annotated[str | None, Query(max_length=200, description="Only of this rule.", examples=["us.ssn"])] = None,
    severity: Annotated[
        str | None, Query(max_length=100, description=f"low, medium, high, critical: {_SEVERAL}.", examples=["high"])
    ] = None,
    confidence: Annotated[
        str | None, Query(max_length=100, description=f"low, medium, high: {_SEVERAL}.", examples=["high,medium"])
    ] = None,
    fingerprint: Annotated[
        str | None, Query(max_length=100, description="Only with a kept occurrence of this value's fingerprint.")
    ] = None,
    triage: Annotated[Status | None, Query(description="Only of this triage status.")] = None,
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> Results:
    """GET /results."""
    refuse_other_parameters(router.current_event.query_string_parameters, *_FILTERS)
    while True:
        page = Results.of(
            read_results.get_results(
                job_id=job_id,
                bucket=bucket,
                key=key,
                prefix=prefix,
                rule=plain_text(rule, "rule"),
                severity=_words(severity),
                confidence=_words(confidence),
                fingerprint=plain_text(fingerprint, "fingerprint"),
                triage=triage,
                limit=limit,
                cursor=plain_text(cursor, "cursor"),
                using=api(),
            )
        )
        if limit == 1 or _fits(page):
            return page
        limit = max(1, limit // 2)


@router.post(
    "/triage",
    summary="Judge a finding",
    description="Marks the finding of a rule in an object. The mark holds in every job, earlier and later ones, as "
    "long as all values found there are among those that the finding held when it was marked.",
    tags=["results"],
    responses=answers(Mark, HTTPStatus.OK, "The mark.", HTTPStatus.NOT_FOUND, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
)
def mark(request: Annotated[TriageRequest, Body(description="What, by whom and why.")]) -> Mark:
    """POST /triage."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    done = triage.mark_finding(
        bucket=request.bucket,
        key=request.key,
        rule=plain_text(request.rule, "rule") or "",
        job_id=request.job_id,
        status=request.status,
        marked_by=request.by,
        reason=request.reason,
        using=api(),
    )
    return Mark.of(done.mark)


@router.get(
    "/triage/<finding_id>",
    summary="A finding's marks",
    description="Every mark of it with who, when and why, the newest first. Empty when nobody judged it.",
    tags=["results"],
    responses=answers(Marks, HTTPStatus.OK, "The marks."),
)
def history(finding_id: Annotated[UUID, Path(description="What GET /results gave.")]) -> Marks:
    """GET /triage/{finding_id}."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    return Marks(marks=[Mark.of(one) for one in triage.history(finding_id, using=api())])


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",")) if text else ()


def _fits(page: Results) -> bool:
    text = page.model_dump_json()
    return len(text) <= _SURELY_FITS or len(json.dumps(text)) <= ANSWER_MAX_BYTES

"""Explanations, and detection in a text that the caller sends."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from api_lambda.common import answers, api, detector, refuse_other_parameters
from api_lambda.finding_shapes import AllowList, Detected, DetectRequest, Explanation
from scanner_tasks.flow import allow_list, explain

router: Any = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

FindingId = Annotated[UUID, Path(description="What GET /results gave.")]
Which = Annotated[int, Query(ge=1, description="Which of the occurrences that are kept.")]
OfJob = Annotated[UUID | None, Query(description="As this job found it; the youngest without it.")]


@router.get(
    "/findings/<finding_id>/explain",
    summary="Why a finding is one",
    description="Which pattern, which checks, which keyword at which distance, and why the confidence is not higher.",
    tags=["results"],
    responses=answers(Explanation, HTTPStatus.OK, "The explanation.", HTTPStatus.NOT_FOUND),
)
def explain_finding(finding_id: FindingId, occurrence: Which = 1, job_id: OfJob = None) -> Explanation:
    """GET /findings/{finding_id}/explain."""
    return _explained(finding_id, occurrence, job_id)


@router.get(
    "/results/<finding_id>/explain",
    summary="Why a finding is one",
    description="The same as GET /findings/{finding_id}/explain.",
    tags=["results"],
    responses=answers(Explanation, HTTPStatus.OK, "The explanation.", HTTPStatus.NOT_FOUND),
)
def explain_result(finding_id: FindingId, occurrence: Which = 1, job_id: OfJob = None) -> Explanation:
    """GET /results/{finding_id}/explain."""
    return _explained(finding_id, occurrence, job_id)


@router.get(
    "/findings/<finding_id>/allow-list",
    summary="An allow-list entry made from a finding",
    description="Fingerprints of the values that it holds, as an `[[allow]]` table for a rule pack; changes nothing.",
    tags=["results"],
    responses=answers(AllowList, HTTPStatus.OK, "The entry.", HTTPStatus.NOT_FOUND),
)
def allow_list_of_finding(
    finding_id: Annotated[UUID, Path(description="What GET /results gave.")],
    job_id: Annotated[UUID | None, Query(description="As this job found it; the youngest without it.")] = None,
) -> AllowList:
    """GET /findings/{finding_id}/allow-list."""
    refuse_other_parameters(router.current_event.query_string_parameters, "job_id")
    return AllowList.of(allow_list.allow_entry(finding_id, job_id=job_id, using=api()))


@router.post(
    "/detect",
    summary="Find values in a text",
    description="Nothing of the text is stored or logged. In AWS a Lambda of its own, with the engine, answers.",
    tags=["detection"],
    responses=answers(Detected, HTTPStatus.OK, "What stands in it.", HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
)
def detect(request: Annotated[DetectRequest, Body(description="The text.")]) -> Detected:
    """POST /detect."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    using = detector(request.threshold, test_values=request.include_test_values)
    return Detected.of(using.find_all(request.text, name=request.name, tell=request.explain), request.limit)


def _explained(finding_id: UUID, occurrence: int, job_id: UUID | None) -> Explanation:
    refuse_other_parameters(router.current_event.query_string_parameters, "occurrence", "job_id")
    return Explanation.of(explain.explain_finding(finding_id, occurrence=occurrence, job_id=job_id, using=api()))

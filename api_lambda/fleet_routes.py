"""The fleet of workers."""

from __future__ import annotations

from http import HTTPStatus

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import BaseModel, ConfigDict, Field

from api_lambda.common import answers, api, refuse_other_parameters
from api_lambda.shapes import Moment
from scanner_tasks.flow.fleet import fleet_to_json, read_fleet

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

_SLOTS = "Batches that they can scan at the same time."
_BUSY = "Batches that they held when they last told."


class WorkersOfVersion(BaseModel):
    """The workers of one version that are alive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    workers: int
    slots: int = Field(description=_SLOTS)
    busy: int = Field(description=_BUSY)
    seen_at: Moment


class Fleet(BaseModel):
    """The workers that are alive, and whether the fleet is paused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paused: bool = Field(description="`s3scan ops pause-all`: nothing is sent, no batch is claimed.")
    workers: int = Field(description="Worker processes that told within the last 90 seconds that they live.")
    slots: int = Field(description=_SLOTS)
    busy: int = Field(description=_BUSY)
    seen_at: Moment | None = Field(description="When the last of them told; null: none is alive.")
    versions: list[WorkersOfVersion] = Field(description="Of each version; several while a release is rolled out.")


@router.get(
    "/fleet",
    summary="The workers that are alive",
    description="How many worker processes live, their slots and how many are busy, whether the fleet is paused.",
    tags=["fleet"],
    responses=answers(Fleet, HTTPStatus.OK, "The fleet."),
)
def get_fleet() -> Fleet:
    """GET /fleet."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    return Fleet(**fleet_to_json(read_fleet(using=api())))

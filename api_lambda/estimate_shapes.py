"""An estimate as a model: what OpenAPI shows is what is sent."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sums(_Shape):
    """Objects and bytes: of all, and of those that would be scanned."""

    objects: int
    size_bytes: int
    scanned_objects: int
    scanned_bytes: int


class Totals(_Shape):
    """Of all, and of those that would be scanned."""

    total: int
    scanned: int


class Basis(_Shape):
    """What the estimate rests on."""

    is_complete: bool = Field(description="Every object was listed; else the part in front, as it stands or scaled.")
    listed_objects: int
    scaled_by: float | None = Field(description="Times that the part is taken, after S3's daily count; null: once.")
    limit_reached: bool = Field(description="The selection's limit ended the listing.")


class EstimatedRequests(_Shape):
    """Requests that the scan takes."""

    list: int
    get: int
    tagging: int = Field(description="GetObjectTagging, where the selection names tags.")
    sqs: int
    transitions: int = Field(description="Of Step Functions.")


class Estimated(_Shape):
    """What a scan would cost, in dollars at list prices."""

    bucket: str
    prefix: str
    selection: dict[str, Any]
    basis: Basis
    objects: Totals
    bytes: Totals
    outcomes: dict[str, Sums] = Field(description="`pending` would be scanned; the others are skipped, by reason.")
    kinds: dict[str, Sums] = Field(description="By what names promise.")
    prefixes: dict[str, Sums] = Field(description="The largest, one level below the prefix.")
    storage_classes: dict[str, Sums] = Field(description="Of what would be scanned.")
    requests: EstimatedRequests
    cpu_s: float = Field(description="vCPU seconds.")
    minutes_by_tasks: dict[str, float] = Field(description="Minutes of so many tasks, their start left out.")
    parts: dict[str, float] = Field(description="Dollars by what they are for; compute_spot instead of compute.")
    dollars: float = Field(description="On Fargate.")
    dollars_spot: float = Field(description="On Fargate Spot.")
    macie_dollars: float = Field(description="Amazon Macie's price for the same bytes.")
    cloudtrail_dollars: float = Field(description="On top, if a trail logs data events of the bucket.")
    assumptions: dict[str, float]
    monthly_floor: dict[str, float] = Field(description="Dollars a month of the deployment while nothing is scanned.")
    monthly_floor_dollars: float
    prices_as_of: str
    prices_region: str
    remarks: list[str]

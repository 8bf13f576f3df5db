"""Who did what."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import BaseModel, ConfigDict, Field

from api_lambda.common import PAGE_DEFAULT, Cursor, Limit, answers, api, plain_text, refuse_other_parameters
from api_lambda.shapes import BucketName, Moment
from scanner_tasks.core import audit as core
from scanner_tasks.flow import audit

router: Any = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


class AuditEntry(BaseModel):
    """One thing that somebody did, or was refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entry_no: int
    at: Moment
    caller: str = Field(
        description="An ARN, token:NAME, os:USER, celery or system.",
        examples=["arn:aws:sts::111122223333:assumed-role/security/ada"],
    )
    via: str = Field(description="api, cli, task or system.", examples=["api"])
    action: str = Field(description="What was done; of what was refused, the endpoint.", examples=["job.pause"])
    outcome: str = Field(description="done, or the kind of problem.", examples=["done", "not_allowed"])
    bucket: str | None
    job_id: UUID | None
    target: str | None = Field(description="Id of a finding or dead letter; never a key.")
    request_id: str | None = Field(description="As in the API's log.")

    @classmethod
    def of(cls, entry: core.AuditEntry) -> AuditEntry:
        """As the ledger has it."""
        return cls(**{name: getattr(entry, name) for name in cls.model_fields})


class AuditLog(BaseModel):
    """A page of entries, the newest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entries: list[AuditEntry]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null at the end.")


@router.get(
    "/audit",
    summary="Who did what",
    description="Changes and what was refused, the newest first; of the buckets that you are admin of.",
    tags=["audit"],
    responses=answers(AuditLog, HTTPStatus.OK, "A page of entries."),
)
def read_audit(  # noqa: PLR0917 (Powertools passes them by name)
    caller: Annotated[str | None, Query(max_length=500, description="Only of this caller.")] = None,
    action: Annotated[
        str | None, Query(max_length=100, description="Only of this action.", examples=["job.start"])
    ] = None,
    outcome: Annotated[str | None, Query(max_length=100, description="done, or the kind of problem.")] = None,
    bucket: Annotated[BucketName | None, Query(description="Only of this bucket.")] = None,
    job_id: Annotated[UUID | None, Query(description="Only of this job.")] = None,
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> AuditLog:
    """GET /audit."""
    refuse_other_parameters(
        router.current_event.query_string_parameters,
        *("caller", "action", "outcome", "bucket", "job_id", "limit", "cursor"),
    )
    page = audit.read_audit(
        caller=plain_text(caller, "caller"),
        action=plain_text(action, "action"),
        outcome=plain_text(outcome, "outcome"),
        bucket=bucket,
        job_id=job_id,
        limit=limit,
        cursor=plain_text(cursor, "cursor"),
        using=api(),
    )
    return AuditLog(entries=[AuditEntry.of(entry) for entry in page.entries], next_cursor=page.next_cursor)

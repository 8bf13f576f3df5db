"""The operators' endpoints: pause, resume, cancel, retry, delete; dead letters."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from api_lambda.common import (
    PAGE_DEFAULT,
    Cursor,
    JobId,
    Limit,
    answers,
    api,
    feeder,
    plain_text,
    refuse_other_parameters,
)
from api_lambda.selection_shapes import ResumeRequest
from api_lambda.shapes import (
    BucketName,
    CancelRequest,
    DeadLetter,
    DeadLetterDetails,
    DeadLetters,
    DeletedJob,
    DiscardRequest,
    Job,
    Reopened,
    RetriedLetter,
)
from scanner_tasks.core.budget import read_budget
from scanner_tasks.core.errors import DeadLetterNotFound, InvalidCursor
from scanner_tasks.flow import control, read_results, redrive, retention

router: Any = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

MessageId = Annotated[str, Path(max_length=200, description="What GET /dlq gave.")]
_FAULTS = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


@router.post(
    "/jobs/<job_id>/pause",
    summary="Pause a job",
    description="Nothing more is sent, and what is in its lane becomes a no-op within seconds.",
    tags=["control"],
    responses=answers(Job, HTTPStatus.OK, "The job, paused.", *_FAULTS),
)
def pause(job_id: JobId) -> Job:
    """POST /jobs/{job_id}/pause."""
    _only_query()
    control.pause_job(job_id, using=api())
    return _job(job_id)


@router.post(
    "/jobs/<job_id>/resume",
    summary="Resume a paused job",
    description="It goes on exactly where it was. One that its budget paused needs a larger one in the body, which may "
    "be left out otherwise.",
    tags=["control"],
    responses=answers(Job, HTTPStatus.OK, "The job, going on.", *_FAULTS, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
)
def resume(job_id: JobId, request: Annotated[ResumeRequest | None, Body(description="A budget.")] = None) -> Job:
    """POST /jobs/{job_id}/resume."""
    _only_query()
    given = request.budget if request else None
    control.resume_job(job_id, budget=read_budget(given.model_dump()) if given else None, using=api())
    return _job(job_id)


@router.post(
    "/jobs/<job_id>/cancel",
    summary="Cancel a job",
    description="Objects that were not scanned are skipped(cancelled); findings stay. The body may be left out.",
    tags=["control"],
    responses=answers(Job, HTTPStatus.OK, "The job, cancelled.", *_FAULTS, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
)
def cancel(job_id: JobId, request: Annotated[CancelRequest | None, Body(description="Why.")] = None) -> Job:
    """POST /jobs/{job_id}/cancel."""
    _only_query()
    control.cancel_job(job_id, reason=(request or CancelRequest()).reason, using=api())
    return _job(job_id)


@router.post(
    "/jobs/<job_id>/retry-failed",
    summary="Scan a job's failed objects again",
    description="And no others; the job scans again if it had ended.",
    tags=["control"],
    responses=answers(Reopened, HTTPStatus.OK, "What is scanned again.", *_FAULTS),
)
def retry_failed(job_id: JobId) -> Reopened:
    """POST /jobs/{job_id}/retry-failed."""
    _only_query()
    opened = control.retry_failed(job_id, using=api())
    return Reopened(job_id=job_id, batches=opened.batches, objects=opened.objects)


@router.delete(
    "/jobs/<job_id>",
    status_code=HTTPStatus.ACCEPTED,
    summary="Delete an ended job and all it found",
    description="It is gone for its readers at once, its rows go in steps; marks on findings stay. No way back.",
    tags=["control"],
    responses=answers(DeletedJob, HTTPStatus.ACCEPTED, "The job is gone.", *_FAULTS),
)
def delete(job_id: JobId) -> DeletedJob:
    """DELETE /jobs/{job_id}."""
    _only_query()
    retention.delete_job(job_id, using=api())
    return DeletedJob(job_id=job_id)


@router.get(
    "/dlq",
    summary="List dead letters",
    description="Messages that failed three times, the oldest first, read from the database. Filters may be combined.",
    tags=["dead letters"],
    responses=answers(DeadLetters, HTTPStatus.OK, "A page of dead letters."),
)
def list_letters(  # noqa: PLR0917 (Powertools passes them by name)
    error: Annotated[str | None, Query(max_length=300, description="Only with exactly this error.")] = None,
    job_id: Annotated[UUID | None, Query(description="Only of this job.")] = None,
    bucket: Annotated[BucketName | None, Query(description="Only of this bucket.")] = None,
    task: Annotated[str | None, Query(max_length=200, description="Only of this task.")] = None,
    state: Annotated[
        Literal["open", "retried", "discarded", "moot", "all"], Query(description="Only in this state.")
    ] = "open",
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> DeadLetters:
    """GET /dlq."""
    _only_query("error", "job_id", "bucket", "task", "state", "limit", "cursor")
    wanted = redrive.LetterFilter(
        error=plain_text(error, "error"),
        job_id=job_id,
        bucket=bucket,
        task=plain_text(task, "task"),
        state=None if state == "all" else state,
    )
    after = None
    if cursor:
        try:
            after = redrive.find_letter(plain_text(cursor, "cursor") or "", using=api())
        except DeadLetterNotFound:
            raise InvalidCursor from None
    letters = redrive.list_letters(wanted, after=after, limit=limit + 1, using=api())
    following = letters[limit - 1].message_id if len(letters) > limit else None
    return DeadLetters(dead_letters=[DeadLetter.of(letter) for letter in letters[:limit]], next_cursor=following)


@router.get(
    "/dlq/<message_id>",
    summary="One dead letter",
    description="With the error and the traceback of every attempt that raised; tracebacks hold no values.",
    tags=["dead letters"],
    responses=answers(DeadLetterDetails, HTTPStatus.OK, "The dead letter.", HTTPStatus.NOT_FOUND),
)
def show_letter(message_id: MessageId) -> DeadLetterDetails:
    """GET /dlq/{message_id}."""
    _only_query()
    return DeadLetterDetails.of_details(redrive.show_letter(_id(message_id), using=api()))


@router.post(
    "/dlq/<message_id>/retry",
    summary="Retry a dead letter",
    description="Sends it back to its own lane; its batch is open again and its job scans. A repeat changes nothing.",
    tags=["dead letters"],
    responses=answers(RetriedLetter, HTTPStatus.OK, "What was done.", *_FAULTS),
)
def retry_letter(message_id: MessageId) -> RetriedLetter:
    """POST /dlq/{message_id}/retry."""
    _only_query()
    done = redrive.retry_letter(_id(message_id), using=feeder())
    return RetriedLetter(message_id=done.message_id, result=done.result, reason=done.reason)


@router.post(
    "/dlq/<message_id>/discard",
    summary="Discard a dead letter",
    description="Puts it away with a reason. Its record stays, its objects stay failed(dead_letter).",
    tags=["dead letters"],
    responses=answers(
        DeadLetter, HTTPStatus.OK, "The dead letter, discarded.", *_FAULTS, HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    ),
)
def discard_letter(
    message_id: MessageId, request: Annotated[DiscardRequest, Body(description="Why it can go.")]
) -> DeadLetter:
    """POST /dlq/{message_id}/discard."""
    _only_query()
    redrive.discard_letter(_id(message_id), reason=request.reason, using=api())
    return DeadLetter.of(redrive.find_letter(message_id, using=api()))


def _job(job_id: UUID) -> Job:
    return Job.of(read_results.get_job(job_id, real_time=True, using=api()))


def _id(message_id: str) -> str:
    return plain_text(message_id, "message_id") or ""


def _only_query(*names: str) -> None:
    refuse_other_parameters(router.current_event.query_string_parameters, *names)

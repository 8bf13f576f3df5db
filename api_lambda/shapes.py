"""The API's JSON as models: what OpenAPI shows is what is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool

from api_lambda.selection_shapes import Budget, Selection
from scanner_tasks.core.model import JobSource, JobStatus
from scanner_tasks.core.names import BUCKET_PATTERN, KEY_MAX_BYTES, check_bucket, check_key
from scanner_tasks.core.progress import is_incomplete, percent
from scanner_tasks.core.selection import limit_reached
from scanner_tasks.flow.redrive import arguments

if TYPE_CHECKING:
    from scanner_tasks.core.bases import Base
    from scanner_tasks.core.model import Finding as CoreFinding
    from scanner_tasks.core.model import Location, Occurrence
    from scanner_tasks.core.model import Progress as CoreProgress
    from scanner_tasks.flow.read_results import JobPage, JobView, ResultPage
    from scanner_tasks.flow.redrive import DeadLetter as CoreLetter
    from scanner_tasks.flow.redrive import LetterDetails
    from scanner_tasks.flow.start_job import StartedJob

_JOB_ID = "0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11"


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _prefix(text: str) -> str:
    return check_key(text, "prefix")


def _key(text: str) -> str:
    return check_key(text, "key")


#: ISO 8601 in UTC, ending in Z.
Moment = Annotated[datetime, AfterValidator(_utc)]
BucketName = Annotated[
    str,
    AfterValidator(check_bucket),
    Field(description="Name of a bucket.", examples=["my-bucket"], json_schema_extra={"pattern": BUCKET_PATTERN}),
]
Prefix = Annotated[
    str,
    AfterValidator(_prefix),
    Field(
        description=f"Only keys that begin with it, as it stands; at most {KEY_MAX_BYTES:,} bytes in UTF-8.",
        examples=["exports/2026/"],
        json_schema_extra={"maxLength": KEY_MAX_BYTES},
    ),
]
ObjectKey = Annotated[
    str,
    AfterValidator(_key),
    Field(description="A whole key, exactly.", examples=["a//b.csv"], json_schema_extra={"maxLength": KEY_MAX_BYTES}),
]


BaseName = Annotated[
    str | None,
    Field(
        max_length=36,
        description="A finished job of the bucket by its id, or `last`: objects as it left them are not read again.",
        examples=["last"],
    ),
]
Reason = Annotated[str, Field(description="One line.", min_length=1, max_length=500, examples=["wrong bucket"])]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ShownAccess(_Shape):
    """How the bucket is reached, where the deployment's own way does not do; an external id is not shown."""

    role_arn: str | None = Field(
        default=None,
        description="Role to assume, perhaps of another account; on the operator's list S3SCAN_ALLOWED_ROLES.",
        examples=["arn:aws:iam::111122223333:role/s3scan"],
    )
    endpoint_url: str | None = Field(
        default=None,
        description="Another S3, such as MinIO; on the operator's list S3SCAN_ALLOWED_ENDPOINTS.",
        examples=["https://minio.example:9000"],
    )
    region: str | None = Field(default=None, description="Without it S3's redirects tell.", examples=["eu-west-1"])
    requester_pays: StrictBool = Field(default=False, description="The scanner's account pays for reading the bucket.")
    anonymous: StrictBool = Field(default=False, description="Requests are not signed: for a public bucket.")


class Access(ShownAccess):
    """How the bucket is reached, where the deployment's own way does not do."""

    external_id: str | None = Field(
        default=None, description="What the role's trust policy asks for; it is never shown again."
    )


class ScanRequest(_Shape):
    """What to scan."""

    bucket: BucketName
    prefix: Prefix = ""
    access: Access | None = None
    selection: Selection | None = None
    budget: Budget | None = None
    dry_run: StrictBool = Field(default=False, description="Begin nothing: answer 200 with what the scan would cost.")
    base_job: BaseName = None
    inventory: str | None = Field(
        default=None,
        max_length=1100,
        description="An S3 Inventory manifest: its report is read in the place of a listing.",
        examples=["s3://reports/my-bucket/daily/2026-11-01T01-00Z/manifest.json"],
    )
    inventory_then_list: StrictBool = Field(
        default=False,
        description="When the job of the report has ended well, a listing follows, with that job as its base.",
    )


class BaseJob(_Shape):
    """The former job that a job's objects are compared with."""

    job_id: UUID | None = Field(description="Null when `last` was asked for and there was none.")
    used: bool = Field(description="Objects that are as it left them are `unchanged`; else every object is scanned.")
    reason: str | None = Field(description="Why it is not used, or what is done about rules that have changed.")

    @classmethod
    def of(cls, base: Base | None) -> BaseJob | None:
        """A base as the flow tells it."""
        return cls(job_id=base.job_id, used=base.refusal is None, reason=base.reason) if base else None


class StartedScan(_Shape):
    """The job that the request began."""

    job_id: UUID = Field(description="For GET /jobs/{job_id}.", examples=[_JOB_ID])
    status: JobStatus
    bucket: str
    prefix: str
    execution_arn: str | None = Field(description="The listing's Step Functions execution.")
    base_job: BaseJob | None = Field(default=None, description="What it is compared with; null without one.")

    @classmethod
    def of(cls, started: StartedJob, request: ScanRequest) -> StartedScan:
        """The answer to ``request``."""
        return cls(
            job_id=started.job_id,
            status=started.status,
            bucket=request.bucket,
            prefix=request.prefix,
            execution_arn=started.execution_arn,
            base_job=BaseJob.of(started.base),
        )


class ObjectCounts(_Shape):
    """Objects: listed = pending + processing + done, and done = scanned + partial + skipped + unchanged + failed."""

    listed: int
    pending: int
    processing: int
    done: int
    scanned: int
    partial: int
    skipped: int
    unchanged: int
    failed: int


class ByteCounts(_Shape):
    """Bytes as listed: of every object, and of those that have their outcome."""

    listed: int
    done: int


class BatchCounts(_Shape):
    """Batches recorded so far, and those neither done nor dead."""

    total: int
    open: int


class Progress(_Shape):
    """How far a job is."""

    percent: float = Field(description="Share of the objects listed so far that have their outcome, 0 to 100.")
    total_is_final: bool = Field(description="False while the listing goes on and the totals still grow.")
    objects: ObjectCounts
    outcomes: dict[str, int] = Field(
        description="Objects by outcome and reason.", examples=[{"scanned": 297, "skipped(empty)": 3}]
    )
    bytes: ByteCounts
    batches: BatchCounts
    eta_s: float | None = Field(description="Seconds until the end; null while unknown.")
    real_time: bool = Field(description="True when counted live, false when read from the view.")
    refreshed_at: Moment | None = Field(description="When the view was refreshed; null when counted live.")

    @classmethod
    def of(cls, view: JobView) -> Progress:
        """The progress part of a job."""
        counts: CoreProgress = view.progress
        is_final = view.job.listed_at is not None
        return cls(
            percent=percent(counts, is_final=is_final),
            total_is_final=is_final,
            objects=ObjectCounts(**{name: getattr(counts, name) for name in ObjectCounts.model_fields}),
            outcomes=counts.outcomes,
            bytes=ByteCounts(listed=counts.bytes_listed, done=counts.bytes_done),
            batches=BatchCounts(total=counts.batches, open=counts.open_batches),
            eta_s=view.eta_s,
            real_time=view.real_time,
            refreshed_at=counts.refreshed_at,
        )


class Job(_Shape):
    """A job and its progress."""

    job_id: UUID = Field(examples=[_JOB_ID])
    bucket: str
    prefix: str
    source: JobSource = Field(description="Where its objects come from; those of `events` come as long as its day is.")
    status: JobStatus
    status_reason: str | None = Field(description="Why it failed or was cancelled.")
    lane: str = Field(description="The queue that its batches travel through.", examples=["scan-3"])
    access: ShownAccess = Field(description="How its bucket is reached.")
    selection: dict[str, Any] = Field(
        description="Which objects are scanned; empty: all of them.", examples=[{"include_keys": ["*.csv"]}]
    )
    budget: dict[str, Any] = Field(
        description="Dollars, objects or bytes at which it pauses itself.", examples=[{"dollars": 5.0}]
    )
    estimate: dict[str, Any] | None = Field(description="What it was reckoned to cost once it was listed.")
    actual: dict[str, Any] | None = Field(description="What it did cost, once it has ended, in the same form.")
    base_job: BaseJob | None = Field(description="What it is compared with; null without one.")
    inventory: str | None = Field(description="The manifest of the report that names its objects; null for a listing.")
    followed_by: UUID | None = Field(description="The job that lists when this one has ended well; null without one.")
    schedule: str | None = Field(description="The schedule that began it; null when somebody did.")
    limit_reached: bool = Field(description="The selection's limit ended the listing: the bucket may hold more.")
    execution_arn: str | None
    created_at: Moment
    listed_at: Moment | None = Field(description="When the listing ended.")
    finished_at: Moment | None
    incomplete: bool = Field(
        description="Objects failed or were read in part, or the job failed or was cancelled: more may be there than"
        " was found. Of a job that goes on: so far."
    )
    total_findings: int = Field(description="Findings: one for each rule in each object.")
    total_occurrences: int = Field(description="Places of all findings.")
    total_allowed: int = Field(description="Places beside them that allow lists allow; not of failed objects.")
    ruleset_hash: str = Field(description="Of rules, thresholds, allow lists, budgets and code.", examples=["9f2c…"])
    other_ruleset_hashes: list[str] = Field(
        description="Of workers that had other rules when they scanned some of it; empty as a rule."
    )
    progress: Progress

    @classmethod
    def of(cls, view: JobView) -> Job:
        """A job as the flow tells it."""
        copied = {name: getattr(view.job, name) for name in cls.model_fields if hasattr(view.job, name)}
        copied["access"] = ShownAccess(**view.job.access.to_show())
        copied["selection"] = view.job.selection.to_json()
        copied["budget"] = view.costs.budget.to_json()
        copied["estimate"], copied["actual"] = view.costs.estimate, view.costs.actual
        copied["base_job"] = BaseJob.of(view.job.base)
        copied["limit_reached"] = limit_reached(view.job.selection, view.job.taken, view.progress.outcomes)
        return cls(
            **copied,
            incomplete=is_incomplete(view.job.status, view.progress),
            total_findings=view.progress.findings,
            total_occurrences=view.progress.occurrences,
            total_allowed=view.progress.allowed,
            other_ruleset_hashes=list(view.other_rulesets),
            progress=Progress.of(view),
        )


_NEXT = "Give it as `cursor` for the next page; null at the end."


class Jobs(_Shape):
    """A page of jobs, the youngest first."""

    jobs: list[Job]
    next_cursor: str | None = Field(description=_NEXT)

    @classmethod
    def of(cls, page: JobPage) -> Jobs:
        """A page as the flow tells it."""
        return cls(jobs=[Job.of(view) for view in page.jobs], next_cursor=page.next_cursor)


class Place(_Shape):
    """One occurrence. No value is ever shown in the clear."""

    masked: str = Field(examples=["***-**-6789"])
    context: str = Field(description="Text around it, every candidate masked.")
    line: int = Field(description="From 1; 0 in an object that was read in byte ranges.")
    column: int = Field(description="In code points, from 1; 0 with the line.")
    offset: int = Field(description="Bytes into the extracted text, from 0; without a line, into the object.")
    path: str = Field(
        default="", description="Where within its format: archive member, page, cell, column, JSON path; else empty."
    )
    fingerprint: str = Field(description="Keyed hash: equal values have equal ones.")
    evidence: list[str] = Field(
        default_factory=list,
        description="What made it a finding: pattern, checks, keyword and distance, confidence.",
    )

    @classmethod
    def of(cls, occurrence: Occurrence) -> Place:
        """A place as the ledger tells it."""
        at: Location = occurrence.location
        return cls(
            masked=occurrence.masked,
            context=occurrence.context,
            line=at.line,
            column=at.column,
            offset=at.offset,
            path=at.path,
            fingerprint=occurrence.fingerprint,
            evidence=list(occurrence.evidence),
        )


class Column(_Shape):
    """A column of a table, or a key of JSON lines, that holds almost nothing else."""

    name: str = Field(examples=["ssn"])
    rows: int = Field(description="Rows with something in it.")
    valid: int = Field(description="Rows with a value of the rule.")


class Finding(_Shape):
    """One rule in one object."""

    finding_id: UUID
    job_id: UUID
    bucket: str
    key: str
    rule: str = Field(examples=["us.ssn"])
    severity: str = Field(examples=["high"])
    confidence: str = Field(examples=["high"])
    count: int = Field(description="Exact number of occurrences.")
    allowed: int = Field(description="Occurrences beside them that allow lists allow.")
    columns: list[Column] = Field(description="Columns of which at least 95 % are such values; the first few.")
    occurrences: list[Place] = Field(description="The first places.")
    found_at: Moment
    triage: str = Field(
        default="open", description="open, false_positive, accepted or fixed: POST /triage.", examples=["open"]
    )
    first_seen_job: UUID | None = Field(
        default=None, description="The job that found it, when its object is unchanged since; null when this one did."
    )
    version_id: str | None = Field(
        default=None, description="Of the object, in a job that scans versions; null where the key alone names it."
    )

    @classmethod
    def of(cls, finding: CoreFinding) -> Finding:
        """A finding as the ledger tells it."""
        same: dict[str, Any] = {
            name: getattr(finding, name)
            for name in (
                *("finding_id", "job_id", "bucket", "key", "version_id", "count", "allowed", "found_at"),
                "first_seen_job",
            )
        }
        return cls(
            **same,
            rule=finding.rule_id,
            severity=finding.severity.value,
            confidence=finding.confidence.value,
            triage=finding.triage.value,
            columns=[Column(name=c.name, rows=c.rows, valid=c.valid) for c in finding.columns],
            occurrences=[Place.of(occurrence) for occurrence in finding.occurrences],
        )


class Results(_Shape):
    """A page of findings."""

    results: list[Finding]
    next_cursor: str | None = Field(description=_NEXT)

    @classmethod
    def of(cls, page: ResultPage) -> Results:
        """A page as the flow tells it."""
        return cls(results=[Finding.of(finding) for finding in page.findings], next_cursor=page.next_cursor)


class CancelRequest(_Shape):
    """Why a job is cancelled."""

    reason: Reason = "Cancelled by an operator."


class DiscardRequest(_Shape):
    """Why a dead letter can go."""

    reason: Reason


class DeletedJob(_Shape):
    """A job that is gone for its readers."""

    job_id: UUID


class Reopened(_Shape):
    """What is scanned again."""

    job_id: UUID
    batches: int
    objects: int = Field(description="Objects that had failed and are pending again.")


class DeadLetter(_Shape):
    """A message that failed three times."""

    message_id: str = Field(description="For GET /dlq/{message_id}.")
    state: str = Field(description="open, retried, discarded, or moot: its batch was not dead.", examples=["open"])
    state_reason: str | None
    error: str | None = Field(description="Of the last attempt; null when the worker was killed or lost.")
    task: str | None = Field(description="Null for a message that is not ours.")
    arguments: list[str] | None = Field(description="A request's keys are told by their number.")
    job_id: UUID | None
    bucket: str | None
    batch_no: int | None
    lane: str | None
    receive_count: int
    sent_at: Moment | None
    arrived_at: Moment
    state_at: Moment

    @classmethod
    def of(cls, letter: CoreLetter) -> DeadLetter:
        """A letter as the flow tells it."""
        return cls(**_letter_fields(letter, arguments(letter)))


class DeadLetters(_Shape):
    """A page of dead letters, the oldest first."""

    dead_letters: list[DeadLetter]
    next_cursor: str | None = Field(description=_NEXT)


class AttemptError(_Shape):
    """Why one attempt failed."""

    attempt: int
    error: str
    traceback: str = Field(description="Errors and their frames, no values.")
    failed_at: Moment


class DeadLetterDetails(DeadLetter):
    """A dead letter and why its attempts failed."""

    errors: list[AttemptError] = Field(description="Attempts that raised, the first one first.")

    @classmethod
    def of_details(cls, details: LetterDetails) -> DeadLetterDetails:
        """A letter with its attempts, as the flow tells it."""
        names = AttemptError.model_fields
        errors = [AttemptError(**{name: getattr(error, name) for name in names}) for error in details.errors]
        return cls(**_letter_fields(details.letter, details.arguments), errors=errors)


def _letter_fields(letter: CoreLetter, told: tuple[str, ...] | None) -> dict[str, Any]:
    fields = {name: getattr(letter, name) for name in DeadLetter.model_fields if name != "arguments"}
    return fields | {"arguments": None if told is None else list(told)}


class RetriedLetter(_Shape):
    """What the retry did."""

    message_id: str
    result: str = Field(description="sent; planned: it is sent later; moot: there was nothing to do.")
    reason: str | None = Field(description="Why it was not sent at once.")


class Problem(BaseModel):
    """RFC 9457: what is wrong and what to change."""

    type: str = Field(examples=["urn:s3scan:problem:invalid_input"])
    title: str = Field(examples=["Bad Request"])
    status: int = Field(examples=[400])
    detail: str = Field(examples=["limit: give 1000 or less."])

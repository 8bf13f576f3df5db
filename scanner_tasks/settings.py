"""Every setting of the scanner, read once from the environment.

``docs/settings.md`` is generated from the descriptions below. Names carry the prefix ``S3SCAN_`` except the few that
other tools share: DATABASE_URL, AWS_ENDPOINT_URL, AWS_REGION, MAX_WORKERS.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from scanner_tasks.core import lanes
from scanner_tasks.core.access_rules import check_endpoint
from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.estimate import Deployment, Model
from scanner_tasks.core.planning import Policy
from scanner_tasks.core.prices import PRICES_AS_OF, REGION, price_list
from scanner_tasks.core.prices import table as price_table


class Settings(BaseSettings):
    """Frozen settings; see each field's description."""

    model_config = SettingsConfigDict(env_prefix="S3SCAN_", frozen=True, extra="ignore", populate_by_name=True)

    database_url: SecretStr = Field(
        default=SecretStr("postgresql+psycopg2://postgres@127.0.0.1:5432/s3scan"),
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="SQLAlchemy URL of Postgres (RDS Proxy in AWS).",
    )
    database_pool_size: int = Field(default=5, ge=1, description="Connections that one process keeps.")
    database_pool_pre_ping: bool = Field(
        default=True, description="Ask each connection whether it lives before it is used: one round trip."
    )
    database_pool_recycle_s: float = Field(
        default=600.0, gt=0, description="Age at which a connection is renewed; below the proxy's idle timeout."
    )
    database_ca_file: str = Field(
        default="",
        description="File of the authorities that sign the database's certificate (RDS: its CA bundle). With it TLS is "
        "insisted on and the server's name is checked (verify-full).",
    )
    database_iam: bool = Field(
        default=False,
        description="Sign in with IAM tokens instead of a password (needs rds-db:connect and S3SCAN_DATABASE_CA_FILE).",
    )
    aws_endpoint_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("AWS_ENDPOINT_URL", "aws_endpoint_url"),
        description="Another endpoint for every AWS service: the emulator, or an S3-compatible store.",
    )
    s3_endpoint_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("AWS_ENDPOINT_URL_S3", "s3_endpoint_url"),
        description="Another endpoint for S3 alone (MinIO, R2, a VPC endpoint); stronger than AWS_ENDPOINT_URL.",
    )
    s3_backend: Literal["lean", "boto3"] = Field(
        default="lean",
        description="What sends requests to S3: `lean` (botocore's signer over urllib3) or `boto3`.",
    )
    s3_connect_timeout_s: float = Field(default=5.0, gt=0, description="Seconds to connect to S3.")
    s3_read_timeout_s: float = Field(
        default=20.0, gt=0, description="Longest silence of S3 before a request or body is tried again."
    )
    s3_min_bytes_per_s: int = Field(
        default=16 * 1024,
        ge=0,
        description="A body that comes slower, over S3SCAN_S3_READ_TIMEOUT_S, is resumed on another connection.",
    )
    s3_attempts: int = Field(
        default=6, ge=1, description="Tries in a row of a request to S3, or of a body, without any progress."
    )
    allowed_roles: list[str] = Field(
        default_factory=list,
        description='Roles that a job may name as role_arn, as JSON, `*` for any text: ["arn:aws:iam::*:role/s3scan"].',
    )
    allowed_endpoints: dict[str, str] = Field(
        default_factory=dict,
        description="Endpoints that a job may name as endpoint_url, each with the profile of AWS's credentials files "
        'to sign with, or "" for the process\'s own, as JSON: {"https://minio.example:9000": "minio"}.',
    )
    aws_region: str = Field(
        default="us-east-1",
        validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION", "aws_region"),
        description="Region of the queues, the state machine and the buckets.",
    )
    queue_url_prefix: str = Field(
        default="",
        description="URL of the queues up to their name, such as https://sqs.REGION.amazonaws.com/ACCOUNT/.",
    )
    lane_count: int = Field(default=lanes.DEFAULT_LANE_COUNT, ge=1, le=64, description="Number of lanes scan-0 … .")
    dedicated_lanes: dict[str, str] = Field(
        default_factory=dict, description='Lanes kept for named buckets, as JSON: {"bucket": "scan-7"}.'
    )
    state_machine_arn: str = Field(default="", description="The listing state machine that a job starts.")
    max_workers: int = Field(
        default=20,
        ge=1,
        validation_alias=AliasChoices("MAX_WORKERS", "max_workers"),
        description="Celery concurrency: threads of one worker that wait for S3.",
    )
    scan_threads: int = Field(
        default=0, ge=0, description="Threads that detect at the same time; 0 = one for each CPU."
    )
    visibility_timeout_s: int = Field(
        default=lanes.VISIBILITY_TIMEOUT_S, ge=2, description="The lanes' visibility timeout."
    )
    lease_s: float = Field(
        default=240.0, gt=0, description="How long a claim holds without renewal; below the visibility timeout."
    )
    dispatched_timeout_s: float = Field(
        default=3600.0, gt=0, description="A batch sent longer ago, whose lane is empty, is sent again."
    )
    stalled_after_s: float = Field(
        default=600.0, gt=0, description="Settle starts a new execution for a job without progress for so long."
    )
    dead_letter_days: float = Field(
        default=365.0,
        ge=0,
        description=(
            "Days after which settle forgets errors of attempts, and dead letters that were retried, discarded or "
            "moot; open ones stay. 0 = never."
        ),
    )
    rights: str = Field(
        default="",
        description="Who may do what, as JSON or as the path of a file (docs/authorisation.md). Empty: in AWS every "
        "caller whom IAM lets through is admin, elsewhere whoever asks from this machine.",
    )
    audit_days: float = Field(
        default=400.0, ge=0, description="Days after which settle forgets entries of the audit log. 0 = never."
    )
    idempotency_hours: float = Field(
        default=24.0, gt=0, description="Hours for which a request's Idempotency-Key and answer are kept."
    )
    watch_job_s: float = Field(
        default=86_400.0,
        gt=0,
        description="Seconds after which a watched bucket's events go to a new job, counted from midnight UTC.",
    )
    feed_turn_s: float = Field(default=240.0, gt=0, description="How long one Feed turn lists; below Lambda's timeout.")
    list_connections: int = Field(default=16, ge=1, le=128, description="LIST requests of one turn at a time, at most.")
    list_lease_s: float = Field(
        default=60.0, gt=0, description="Seconds after which another turn lists what a dead one had begun."
    )
    feed_wait_s: int = Field(default=10, ge=1, description="Longest wait of the state machine between two turns.")
    feed_max_turns: int = Field(
        default=2000, ge=1, description="Turns of one execution before the next takes over (25,000 events, 9 a turn)."
    )
    feed_high_water: int = Field(
        default=20_000, ge=1, description="Planned batches at which the listing stops (dispatch goes on)."
    )
    window_min_batches: int = Field(default=200, ge=1, description="Least window of a bucket, in batches ahead.")
    window_s: float = Field(default=60.0, gt=0, description="Window in seconds of the bucket's measured rate.")
    object_max_bytes: int = Field(
        default=5 * 1024**4, ge=0, description="Objects listed larger are skipped(too_large); S3's limit."
    )
    text_max_bytes: int = Field(
        default=2 * 1024**3, ge=1, description="Text read of one object, decompressed, before it is partial(bytes)."
    )
    ranges_above_bytes: int = Field(
        default=1024**3,
        ge=4096,
        description="Plain text listed larger is scanned in byte ranges, which several workers share.",
    )
    range_bytes: int = Field(
        default=256 * 1024**2,
        ge=4096,
        multiple_of=4,
        description="Bytes of such a range; budgets of bytes and time are then the range's, not the object's.",
    )
    object_max_s: float = Field(default=900.0, gt=0, description="Seconds for one object before it is partial(time).")
    depth_max: int = Field(
        default=10, ge=0, description="Archives and compressions inside one another, before it is partial(depth)."
    )
    ratio_max: float = Field(
        default=1000.0, gt=0, description="Bytes out for each byte stored, before an object is partial(ratio)."
    )
    ratio_free_bytes: int = Field(
        default=256 * 1024**2, ge=0, description="Bytes out up to which the ratio does not matter."
    )
    members_max: int = Field(
        default=100_000, ge=1, description="Members of one object's archives, before it is partial(members)."
    )
    rows_max: int = Field(default=50_000_000, ge=1, description="Rows of one object, before it is partial(rows).")
    pages_max: int = Field(default=20_000, ge=1, description="Pages of one object, before it is partial(pages).")
    spool_max_bytes: int = Field(
        default=1024**3,
        ge=1,
        description="Bytes of one object on the disk, for formats that are not read from front to back.",
    )
    spool_directory: str = Field(
        default="",
        description="Directory of these files (they have no names there); empty = the system's temporary one.",
    )
    spool_volume_bytes: int = Field(
        default=8 * 1024**3,
        ge=1,
        description=(
            "Bytes of all objects there that a worker's threads read; what does not fit is read in part, as "
            "partial(bytes). Each child may hold S3SCAN_SPOOL_MAX_BYTES beside it."
        ),
    )
    spool_memory_bytes: int = Field(default=1024**2, ge=0, description="Of these, bytes kept in memory instead.")
    whole_max_bytes: int = Field(
        default=32 * 1024**2,
        ge=1,
        description="Size of a message, database, RTF or old Word document, before it is partial(bytes).",
    )
    child_max: int = Field(
        default=1,
        ge=1,
        description="Processes at a time that run risky parsers (PDF, workbooks, databases) and decoders that need "
        "much memory; one for each 160 MB that the task has beyond 400 MB (docs/formats.md).",
    )
    child_memory_bytes: int = Field(
        default=96 * 1024**2,
        ge=64 * 1024**2,
        description="Memory that such a process may write to beyond what it begins with (RLIMIT_DATA).",
    )
    retention_days: float = Field(
        default=0.0, ge=0, description="Days after its end that a job is deleted with all it found; 0 = never."
    )
    outage_patience_s: float = Field(
        default=3600.0, ge=0, description="Seconds that a worker holds its batches while Postgres is unreachable."
    )
    stop_timeout_s: float = Field(
        default=120.0, ge=0, description="Seconds from SIGTERM to SIGKILL: ECS's stopTimeout (Fargate: 120 at most)."
    )
    object_bytes_per_s: float = Field(
        default=1_000_000.0, gt=0, description="Slowest rate reckoned with: what takes longer than a stop is protected."
    )
    protection_max_s: float = Field(
        default=3600.0,
        ge=60,
        description="Longest task protection (ECS), however many long objects follow one another.",
    )
    read_window_bytes: int = Field(
        default=256 * 1024,
        ge=4096,
        description="Bytes of text that each thread extracts and searches at a time; a dense table takes up to thirty "
        "times as much memory while it is searched. Never changes what is found.",
    )
    occurrences_kept: int = Field(
        default=10, ge=1, le=100, description="Places kept for each finding; the count is exact all the same."
    )
    fingerprint_key: SecretStr = Field(
        default=SecretStr(""), description="Secret of the value fingerprints (HMAC-SHA256), at least 16 characters."
    )
    fingerprint_key_id: str = Field(
        default="k1", pattern=r"^[a-z0-9-]{1,16}$", description="Name of that key, stored with each fingerprint."
    )
    former_fingerprint_keys: dict[str, SecretStr] = Field(
        default_factory=dict,
        description=(
            'Keys that were used before, by their names, as JSON: {"k0": "…"}. Allow lists made with them keep working.'
        ),
    )
    rules: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description=(
            "Packs of rules beside the built-in ones: paths and s3://bucket/key, with spaces between them, or as a "
            "JSON list (docs/custom-rules.md). Read when a process starts; the API reads them when a job begins."
        ),
    )
    prices: dict[str, float] = Field(
        default_factory=dict,
        description='Your own prices instead of those in the table below, as JSON: {"fargate_vcpu_hour": 0.03}.',
    )
    deployment: Deployment = Field(
        default_factory=Deployment,
        description="What stands in your account, for the monthly floor of estimates, as JSON; unnamed parts are the "
        'preset small: {"interface_endpoints": 10, "zones": 2, "database": "db.t3.medium", "min_tasks": 1}.',
    )
    estimate_object_s: float = Field(
        default=0.03, gt=0, description="vCPU seconds that estimates reckon for an object besides its bytes."
    )
    estimate_bytes_per_s: float = Field(
        default=5_000_000.0, gt=0, description="Bytes a second and vCPU that estimates reckon with."
    )
    estimate_list_s: float = Field(
        default=15.0, gt=0, description="Seconds that a dry run of the API lists; below its Lambda's timeout."
    )
    metrics_namespace: str = Field(default="S3Scan", description="CloudWatch namespace of BacklogBatches.")
    liveness_file: str = Field(
        default="", description="File that a worker touches while it is alive, for a health check; empty = none."
    )
    actions: bool = Field(
        default=False,
        description="Plans of actions on findings may be run and undone: the queue `actions` is there, and a worker "
        "with a role of its own takes from it (docs/acting.md). Set it for that worker and for whoever runs plans.",
    )
    worker_role: Literal["scan", "act"] = Field(
        default="scan",
        description="What a worker takes from: `scan` the lanes, `act` the queue `actions` and nothing else.",
    )
    remote_control: bool = Field(
        default=False,
        description=(
            "Remote control of workers from Flower and the celery command, through SNS. Workers, and Flower, then need "
            "sqs:CreateQueue, DeleteQueue, GetQueueUrl, GetQueueAttributes, SetQueueAttributes, SendMessage, "
            "ReceiveMessage, DeleteMessage, TagQueue and ListQueueTags on queues named scan-ctl-*, sqs:ListQueues, and "
            "sns:Unsubscribe, and sns:CreateTopic, TagResource, Publish, Subscribe and ListSubscriptionsByTopic on the "
            "topic scan-ctl-celery-pidbox."
        ),
    )
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
    trace_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of batches, turns and requests that OpenTelemetry traces (docs/tracing.md); 0 = none.",
    )

    @field_validator("rules", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """A plain text is a list of names with spaces between them, or JSON."""
        if isinstance(value, str):
            return json.loads(value) if value.lstrip().startswith("[") else value.split()
        return value

    @field_validator("allowed_endpoints")
    @classmethod
    def _origins(cls, given: dict[str, str]) -> dict[str, str]:
        """Every endpoint in one spelling."""
        try:
            return {check_endpoint(url): profile for url, profile in given.items()}
        except InvalidInput as error:
            raise ValueError(str(error)) from None

    @field_validator("prices")
    @classmethod
    def _known(cls, given: dict[str, float]) -> dict[str, float]:
        """Names that the table has."""
        try:
            price_list(given)
        except InvalidInput as error:
            raise ValueError(str(error)) from None
        return given

    @property
    def price_list(self) -> dict[str, float]:
        """Every price by its name."""
        return price_list(self.prices)

    @property
    def estimate_model(self) -> Model:
        """What estimates assume of the workers."""
        return Model(
            object_s=self.estimate_object_s,
            bytes_per_s=self.estimate_bytes_per_s,
            vcpu=self.deployment.vcpu,
            memory_gb=self.deployment.memory_gb,
            turn_s=self.feed_turn_s,
        )

    @property
    def policy(self) -> Policy:
        """How a listing is planned."""
        return Policy(object_max_bytes=self.object_max_bytes, alone_above_bytes=self.ranges_above_bytes)

    @property
    def lane_names(self) -> tuple[str, ...]:
        """The lanes in order."""
        return lanes.lane_names(self.lane_count)

    @property
    def task_queue_names(self) -> tuple[str, ...]:
        """Every queue that messages of tasks are sent to: the lanes, and that of actions where there is one."""
        return (*self.lane_names, lanes.ACTIONS) if self.actions else self.lane_names

    def queue_url(self, name: str) -> str:
        """URL of a queue of ours."""
        return self.queue_url_prefix + name


@cache
def load() -> Settings:
    """The process's settings; InvalidInput names each variable that is wrong (never its value)."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors())
        msg = f"Settings are wrong: {wrong}"
        raise InvalidInput(msg) from None


def table() -> str:
    """The settings as a Markdown table: what ``docs/settings.md`` holds (``python -m scanner_tasks.settings``)."""
    lines = [
        "# Settings",
        "",
        "Read once from the environment by every process. Generated from `scanner_tasks/settings.py`.",
        "",
        "| Variable | Default | Meaning |",
        "|---|---|---|",
    ]
    for name, field in sorted(Settings.model_fields.items()):
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [f"S3SCAN_{name.upper()}"]
        names = " or ".join(f"`{choice}`" for choice in choices if str(choice).isupper())
        default = field.get_default(call_default_factory=True)
        shown = default.get_secret_value() if isinstance(default, SecretStr) else default
        shown = "" if isinstance(shown, Deployment) else shown
        lines.append(f"| {names} | {f'`{shown}`' if shown not in ('', None) else ''} | {field.description} |")
    lines += [
        "",
        "## Prices",
        "",
        f"What `s3scan estimate` and budgets reckon with: list prices in dollars, {REGION}, without free tiers; gone",
        f"through on {PRICES_AS_OF}. `unread` marks what was not looked up then. `S3SCAN_PRICES` replaces any of them.",
        "",
        *price_table(),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")  # noqa: T201

"""The tables, as SQLAlchemy knows them: ``make migration`` compares them with the database.

Migrations carry their own DDL, frozen; views stand in migrations alone, because Alembic compares none.

No index holds a batch's state or times, so that every change of state is a HOT update: "what is planned?" walks the
primary key from a low-water mark kept on the job. Partitions hold ranges of jobs; there is no DEFAULT partition, since
attaching a partition beside one would lock out writers.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

#: Jobs whose batches and findings share a partition.
JOBS_IN_A_PARTITION = 1000
PARTITIONED = ("job_batches", "findings")

_now = text("now()")


def _c_text(name: str, *, nullable: bool = False) -> Column[str]:
    """Text compared byte by byte, as S3 orders keys."""
    return Column(name, Text(collation="C"), nullable=nullable)


def _time(name: str, *, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=None if nullable else _now)


def _number(name: str, kind: type[Integer] = Integer) -> Column[int]:
    return Column(name, kind, nullable=False, server_default=text("0"))


#: One row: settings of the whole fleet, and the lock under which a bucket gets its lane.
fleet = Table(
    "fleet",
    metadata,
    Column("is_only_row", Boolean, CheckConstraint("is_only_row"), primary_key=True, server_default=text("true")),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
)

#: One row for each worker process that lives, or did a few minutes ago: store/workers.py.
workers = Table(
    "workers",
    metadata,
    Column("worker_id", Uuid, primary_key=True),
    Column("version", Text, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("busy", Integer, nullable=False),
    _time("started_at", nullable=False),
    _time("seen_at", nullable=False),
    postgresql_with={"fillfactor": "50"},
)

#: One row for each bucket ever scanned: its lane, and how fast its batches complete.
buckets = Table(
    "buckets",
    metadata,
    Column("bucket", Text(collation="C"), primary_key=True),
    Column("lane", Text, nullable=False),
    Column("batches_per_s", Double, nullable=False, server_default=text("0")),
    _number("done_batches", BigInteger),
    _time("measured_at", nullable=False),
)

#: Buckets with a cap on requests a second, and those that S3 asked to slow down: store/bucket_rates.py.
bucket_rates = Table(
    "bucket_rates",
    metadata,
    Column("bucket", Text(collation="C"), primary_key=True),
    Column("max_per_s", Double),
    Column("slow_per_s", Double),
    _time("slowed_at"),
    _time("next_at", nullable=False),
    CheckConstraint("max_per_s > 0 and slow_per_s > 0", name="bucket_rates_positive"),
    postgresql_with={"fillfactor": "50"},
)

jobs = Table(
    "jobs",
    metadata,
    Column("job_no", Integer, Identity(always=True), primary_key=True),
    Column("job_id", Uuid, nullable=False, unique=True),
    _c_text("bucket"),
    Column("prefix", Text(collation="C"), nullable=False, server_default=text("''")),
    Column("source", Text, nullable=False, server_default=text("'listing'")),
    Column("access", JSONB),
    Column("status", Text, nullable=False, server_default=text("'listing'")),
    Column("status_reason", Text),
    Column("lane", Text, nullable=False),
    _number("epoch"),
    _number("execution_no"),
    Column("execution_arn", Text),
    Column("feeding", Boolean, nullable=False, server_default=text("false")),
    _c_text("cursor", nullable=True),
    _number("next_batch_no"),
    _number("dispatch_from"),
    _number("dispatch_rev"),
    _number("done_from"),
    Column("ruleset_hash", Text, nullable=False),
    Column("selection", JSONB),
    Column("base_job_no", Integer),
    Column("base_job_id", Uuid),
    Column("base_refusal", Text),
    Column("base_note", Text),
    Column("inventory", Text),
    Column("schedule", Text),
    Column("then_list", Boolean),
    _number("taken_objects", BigInteger),
    _number("taken_bytes", BigInteger),
    _number("progress_mark", BigInteger),
    _time("progressed_at", nullable=False),
    _time("created_at", nullable=False),
    _time("listed_at"),
    _time("finished_at"),
    _time("deleted_at"),
    CheckConstraint(
        "status in ('listing','scanning','paused','succeeded','succeeded_with_failures','failed','cancelled')",
        name="jobs_status_known",
    ),
    CheckConstraint("source in ('listing','keys','inventory','events')", name="jobs_source_known"),
    Index("jobs_of_bucket", "bucket", "job_no"),
    Index("jobs_of_schedule", "schedule", "job_no", postgresql_where=text("schedule is not null")),
    Index("jobs_active", "job_no", postgresql_where=text("finished_at is null")),
    Index("jobs_then_list", "job_no", postgresql_where=text("then_list")),
    Index("jobs_deleted", "job_no", postgresql_where=text("deleted_at is not null")),
    Index("jobs_finished", "finished_at", postgresql_where=text("deleted_at is null")),
    postgresql_with={"fillfactor": "70"},
)

job_batches = Table(
    "job_batches",
    metadata,
    Column("job_no", Integer, primary_key=True),
    Column("batch_no", Integer, primary_key=True, autoincrement=False),
    _number("state", SmallInteger),
    _number("attempt", SmallInteger),
    _number("given_back", SmallInteger),
    Column("objects", SmallInteger, nullable=False),
    Column("pending", SmallInteger, nullable=False),
    Column("pending_bytes", BigInteger, nullable=False),
    _time("state_at", nullable=False),
    _time("lease_until"),
    Column("outcomes", LargeBinary, nullable=False),
    Column("keys", ARRAY(Text(collation="C")), nullable=False),
    Column("sizes", ARRAY(BigInteger), nullable=False),
    Column("etags", LargeBinary, nullable=False),
    Column("version_ids", ARRAY(Text)),
    CheckConstraint("state between 0 and 4", name="job_batches_state_known"),
    CheckConstraint("objects between 1 and 1000", name="job_batches_objects_bounded"),
    CheckConstraint("octet_length(outcomes) = objects", name="job_batches_outcome_each"),
    # Finds batches by key for store/base_jobs.py; partial with a condition always true, as those of findings.
    Index(
        "job_batches_by_key", "job_no", text('"left"(keys[1], 128)'), "batch_no", postgresql_where=text("objects > 0")
    ),
    postgresql_partition_by="RANGE (job_no)",
)

#: Every change of a sum, in the statement that made the change; compacted by settle.
job_deltas = Table(
    "job_deltas",
    metadata,
    Column("job_no", Integer, nullable=False),
    _number("code", SmallInteger),
    _number("objects", BigInteger),
    _number("bytes", BigInteger),
    _number("batches"),
    _number("open_batches"),
    _number("ahead_batches"),
    _number("findings", BigInteger),
    _number("occurrences", BigInteger),
    _time("at", nullable=False),
    Index("job_deltas_of_job", "job_no"),
    postgresql_with={"autovacuum_vacuum_scale_factor": "0", "autovacuum_vacuum_threshold": "5000"},
)

#: Objects by prefix, kind and outcome, as far as a job's selection counts them: only added, then summed by settle.
job_strata = Table(
    "job_strata",
    metadata,
    Column("job_no", Integer, ForeignKey("jobs.job_no", ondelete="CASCADE"), nullable=False),
    _c_text("prefix"),
    Column("kind", Text, nullable=False),
    Column("code", SmallInteger, nullable=False),
    Column("objects", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Index("job_strata_of_job", "job_no"),
    postgresql_with={"autovacuum_vacuum_scale_factor": "0", "autovacuum_vacuum_threshold": "5000"},
)

findings = Table(
    "findings",
    metadata,
    Column("job_no", Integer, primary_key=True),
    Column("batch_no", Integer, primary_key=True, autoincrement=False),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("rule_id", Text(collation="C"), primary_key=True),
    Column("finding_id", Uuid, nullable=False),
    _c_text("object_key"),
    Column("severity", Text, nullable=False),
    Column("confidence", Text, nullable=False),
    Column("count", BigInteger, CheckConstraint('"count" > 0', name="findings_count_positive"), nullable=False),
    Column("occurrences", JSONB, nullable=False),
    _time("found_at", nullable=False),
    # store/finding_query.py says which query uses which, and why they are partial with conditions always true.
    Index(
        "findings_by_rule",
        *("job_no", "rule_id", "severity", "confidence", "object_key", "batch_no", "position"),
        postgresql_where=text("rule_id > ''"),
    ),
    Index(
        "findings_by_severity",
        *("job_no", "severity", "confidence", "object_key", "rule_id", "batch_no", "position"),
        postgresql_where=text('"count" > 0'),
    ),
    _number("allowed", BigInteger),
    Column("columns", JSONB),
    Column("first_seen_job", Uuid),
    Index("findings_of_id", "finding_id"),
    postgresql_partition_by="RANGE (job_no)",
)
Index(
    "findings_by_fingerprint",
    func.jsonb_path_query_array(findings.c.occurrences, text("'$[*].fingerprint'")).label("fingerprints"),
    postgresql_using="gin",
    postgresql_ops={"fingerprints": "jsonb_path_ops"},
)

#: What is thought of a finding now: one row for each finding ever marked. Jobs come and go, marks stay.
finding_marks = Table(
    "finding_marks",
    metadata,
    Column("finding_id", Uuid, primary_key=True),
    _c_text("bucket"),
    _c_text("object_key"),
    _c_text("rule_id"),
    Column("status", Text, nullable=False),
    Column("marked_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("fingerprints", ARRAY(Text), nullable=False),
    Column("count", BigInteger, nullable=False),
    _time("marked_at", nullable=False),
    CheckConstraint("status in ('open','false_positive','accepted','fixed')", name="finding_marks_status_known"),
    Index("finding_marks_of_status", "bucket", "status", "object_key", "rule_id"),
)

#: Every mark ever made, the present one too.
mark_history = Table(
    "mark_history",
    metadata,
    Column("mark_no", BigInteger, Identity(always=True), primary_key=True),
    Column("finding_id", Uuid, nullable=False),
    Column("status", Text, nullable=False),
    Column("marked_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("fingerprints", ARRAY(Text), nullable=False),
    Column("count", BigInteger, nullable=False),
    _time("marked_at", nullable=False),
    Index("mark_history_of_finding", "finding_id", "mark_no"),
)

#: Rulesets other than the job's own that workers scanned batches of it with.
job_rulesets = Table(
    "job_rulesets",
    metadata,
    Column("job_no", Integer, ForeignKey("jobs.job_no", ondelete="CASCADE"), primary_key=True),
    Column("ruleset_hash", Text, primary_key=True),
    _time("seen_at", nullable=False),
)

#: Rulesets that jobs began with, in parts: what has changed between two is told by them (core/rule_changes.py).
rulesets = Table(
    "rulesets",
    metadata,
    Column("ruleset_hash", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("budgets", JSONB, nullable=False),
    _time("used_at", nullable=False),
)

ruleset_rules = Table(
    "ruleset_rules",
    metadata,
    Column("ruleset_hash", Text, ForeignKey("rulesets.ruleset_hash", ondelete="CASCADE"), primary_key=True),
    Column("rule_id", Text(collation="C"), primary_key=True),
    Column("looks_for", Text, nullable=False),
    Column("yields", Boolean, nullable=False),
    Column("by_chance", Boolean, nullable=False),
    Column("is_on", Boolean, nullable=False),
    Column("severities", JSONB, nullable=False),
    Column("threshold", Text, nullable=False),
    Column("allow", ARRAY(Text), nullable=False),
    Column("mask", Text, nullable=False),
)

#: What is to be done about findings; no foreign key to a job, so that the log outlives it.
action_plans = Table(
    "action_plans",
    metadata,
    Column("plan_no", BigInteger, Identity(always=True), primary_key=True),
    Column("plan_id", Uuid, nullable=False, unique=True),
    Column("job_id", Uuid, nullable=False),
    _c_text("bucket"),
    Column("action", Text, nullable=False),
    Column("options", JSONB, nullable=False),
    Column("filters", JSONB, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _time("created_at", nullable=False),
    Column("run_by", Text),
    _time("run_at"),
    Column("undo_by", Text),
    _time("undo_at"),
    CheckConstraint("action in ('tag','quarantine','redact','block_public')", name="action_plans_action_known"),
)

#: One object of a plan (or the bucket, with an empty key): how far it is, and what undoing it needs.
action_steps = Table(
    "action_steps",
    metadata,
    Column("plan_no", BigInteger, ForeignKey("action_plans.plan_no", ondelete="CASCADE"), primary_key=True),
    Column("step_no", Integer, primary_key=True, autoincrement=False),
    _c_text("object_key"),
    Column("etag", Text, nullable=False),
    Column("version_id", Text),
    Column("size_bytes", BigInteger, nullable=False),
    _number("findings"),
    Column("state", Text, nullable=False, server_default=text("'planned'")),
    _number("attempt", SmallInteger),
    _time("lease_until"),
    Column("reason", Text),
    Column("detail", Text),
    Column("before", JSONB),
    Column("after", JSONB),
    _time("state_at", nullable=False),
    CheckConstraint(
        "state in ('planned','running','done','skipped','failed','undoing','undone','undo_failed')",
        name="action_steps_state_known",
    ),
    postgresql_with={"fillfactor": "70"},
)

#: What a job may cost (at which it pauses itself), was reckoned to cost, and did cost.
job_costs = Table(
    "job_costs",
    metadata,
    Column(
        "job_no",
        Integer,
        ForeignKey("jobs.job_no", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("budget", JSONB, nullable=False, server_default=text("'{}'")),
    Column("estimate", JSONB),
    Column("actual", JSONB),
)

#: Objects to be scanned, as listed, of the storage classes that charge for reading: what a job costs needs them.
job_classes = Table(
    "job_classes",
    metadata,
    Column("job_no", Integer, ForeignKey("jobs.job_no", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("storage_class", Text(collation="C"), primary_key=True),
    Column("objects", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    postgresql_with={"fillfactor": "50"},
)

#: One sentence for each object that failed or was read in part.
object_failures = Table(
    "object_failures",
    metadata,
    Column("job_no", Integer, ForeignKey("jobs.job_no", ondelete="CASCADE"), primary_key=True),
    Column("batch_no", Integer, primary_key=True, autoincrement=False),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("detail", Text, nullable=False),
    _time("failed_at", nullable=False),
    # Null where a worker of a release before migration 0011 recorded it.
    Column("bytes_read", BigInteger),
)

#: Byte ranges of large texts, each a batch that holds no object; the object's own batch is done meanwhile.
object_ranges = Table(
    "object_ranges",
    metadata,
    Column("job_no", Integer, ForeignKey("jobs.job_no", ondelete="CASCADE"), primary_key=True),
    Column("batch_no", Integer, primary_key=True, autoincrement=False),
    Column("object_batch_no", Integer, nullable=False),
    Column("first_byte", BigInteger, nullable=False),
    Column("last_byte", BigInteger, nullable=False),
    CheckConstraint("first_byte between 0 and last_byte", name="object_ranges_not_empty"),
    Index("object_ranges_of_object", "job_no", "object_batch_no", "batch_no"),
)

#: What each range found: its part of the object's findings, taken back when the range is scanned again.
range_findings = Table(
    "range_findings",
    metadata,
    Column("job_no", Integer, ForeignKey("jobs.job_no", ondelete="CASCADE"), primary_key=True),
    Column("batch_no", Integer, primary_key=True, autoincrement=False),
    Column("rule_id", Text(collation="C"), primary_key=True),
    Column("severity", Text, nullable=False),
    Column("confidence", Text, nullable=False),
    Column("count", BigInteger, CheckConstraint('"count" > 0', name="range_findings_count_positive"), nullable=False),
    Column("occurrences", JSONB, nullable=False),
    _number("allowed", BigInteger),
)

#: Ranges of keys of a job that is being listed (store/key_ranges.py); its rows go when it is listed.
key_ranges = Table(
    "key_ranges",
    metadata,
    Column("job_no", Integer, ForeignKey("jobs.job_no", ondelete="CASCADE"), primary_key=True),
    Column("range_no", Integer, primary_key=True, autoincrement=False),
    _c_text("cursor", nullable=True),
    _c_text("until", nullable=True),
    _number("pages"),
    Column("owner", Uuid),
    _time("lease_until"),
    Column("done", Boolean, nullable=False, server_default=text("false")),
    postgresql_with={"fillfactor": "50"},
)

#: Why an attempt at a batch failed: what a dead letter of it shows.
batch_errors = Table(
    "batch_errors",
    metadata,
    Column("job_no", Integer, ForeignKey("jobs.job_no", ondelete="CASCADE"), primary_key=True),
    Column("batch_no", Integer, primary_key=True, autoincrement=False),
    Column("attempt", SmallInteger, primary_key=True, autoincrement=False),
    Column("error", Text, nullable=False),
    Column("traceback", Text, nullable=False),
    _time("failed_at", nullable=False),
    Index("batch_errors_by_time", "failed_at"),
)

#: Messages that SQS gave up on, taken from the dead letter queue by settle.
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("job_no", Integer),
    Column("batch_no", Integer),
    Column("task", Text),
    Column("lane", Text),
    Column("message_group", Text),
    Column("body", Text, nullable=False),
    Column("receive_count", Integer, nullable=False),
    Column("error", Text),
    Column("state", Text, nullable=False, server_default=text("'open'")),
    Column("state_reason", Text),
    _time("sent_at"),
    _time("arrived_at", nullable=False),
    _time("state_at", nullable=False),
    CheckConstraint("state in ('open','retried','discarded','moot')", name="dead_letters_state_known"),
    Index("dead_letters_open", "arrived_at", "message_id", postgresql_where=text("state = 'open'")),
    Index("dead_letters_of_job", "job_no", "batch_no"),
    Index("dead_letters_put_away", "state_at", postgresql_where=text("state <> 'open'")),
)

#: Who did what: changes, and what was refused.
audit_log = Table(
    "audit_log",
    metadata,
    Column("entry_no", BigInteger, Identity(always=True), primary_key=True),
    _time("at", nullable=False),
    Column("caller", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    _c_text("bucket", nullable=True),
    Column("job_id", Uuid),
    Column("target", Text),
    Column("request_id", Text),
    Index("audit_log_at", "at"),
    Index("audit_log_of_job", "job_id", "entry_no", postgresql_where=text("job_id is not null")),
)

#: Requests that may be repeated, and their answers.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", Text, nullable=False),
    Column("seed", Uuid, nullable=False),
    Column("held_until", DateTime(timezone=True), nullable=False),
    Column("status", Integer),
    Column("answer", Text),
    _time("created_at", nullable=False),
    Index("idempotency_keys_created", "created_at"),
)

#: Buckets whose events become a job: store/watches.py.
watches = Table(
    "watches",
    metadata,
    Column("bucket", Text(collation="C"), primary_key=True),
    Column("prefix", Text(collation="C"), nullable=False, server_default=text("''")),
    Column("access", JSONB),
    Column("selection", JSONB),
    Column("budget", JSONB, nullable=False, server_default=text("'{}'")),
    Column("job_no", Integer),
    *(_number(name, BigInteger) for name in ("added", "repeated", "deleted", "ignored")),
    _time("last_event_at"),
    _time("created_at", nullable=False),
    postgresql_with={"fillfactor": "50"},
)

#: The newest event of each object, for as long as an older one may still come: store/object_events.py.
object_events = Table(
    "object_events",
    metadata,
    Column("bucket", Text(collation="C"), primary_key=True),
    Column("subject", Uuid, primary_key=True),
    _c_text("sequencer"),
    _time("seen_at", nullable=False),
    Index("object_events_by_time", "seen_at"),
)

#: Events of buckets that nobody watches, counted.
unwatched_events = Table(
    "unwatched_events",
    metadata,
    Column("bucket", Text(collation="C"), primary_key=True),
    Column("events", BigInteger, nullable=False),
    _time("last_event_at", nullable=False),
    postgresql_with={"fillfactor": "50"},
)

#: Jobs that begin again and again, and what became of each due time: store/schedules.py.
schedules = Table(
    "schedules",
    metadata,
    Column("name", Text(collation="C"), primary_key=True),
    Column("cron", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("request", JSONB, nullable=False),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("created_by", Text, nullable=False),
    _time("created_at", nullable=False),
)
schedule_runs = Table(
    "schedule_runs",
    metadata,
    Column("name", Text(collation="C"), ForeignKey("schedules.name", ondelete="CASCADE"), primary_key=True),
    Column("due_at", DateTime(timezone=True), primary_key=True),
    Column("state", Text, nullable=False, server_default=text("'starting'")),
    Column("reason", Text),
    Column("job_ids", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    Column("not_started", JSONB, nullable=False, server_default=text("'[]'")),
    _time("taken_at", nullable=False),
    CheckConstraint("state in ('starting','started','skipped','failed')", name="schedule_runs_state_known"),
)

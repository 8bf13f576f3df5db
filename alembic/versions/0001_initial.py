"""Jobs, the ledger of batches, deltas and their view, findings, dead letters."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
create table fleet (
  is_only_row boolean primary key default true check (is_only_row),
  paused boolean not null default false
);
insert into fleet default values;

create table buckets (
  bucket text collate "C" primary key,
  lane text not null,
  batches_per_s double precision not null default 0,
  done_batches bigint not null default 0,
  measured_at timestamptz not null default now()
);

create table jobs (
  job_no int generated always as identity primary key,
  job_id uuid not null unique,
  bucket text collate "C" not null,
  prefix text collate "C" not null default '',
  source text not null default 'listing' constraint jobs_source_known check (source in ('listing','keys')),
  status text not null default 'listing' constraint jobs_status_known
    check (status in ('listing','scanning','paused','succeeded','succeeded_with_failures','failed','cancelled')),
  status_reason text,
  lane text not null,
  epoch int not null default 0,
  execution_no int not null default 0,
  execution_arn text,
  feeding boolean not null default false,       -- an execution is running, as far as the ledger knows
  cursor text collate "C",                      -- last key listed
  next_batch_no int not null default 0,
  dispatch_from int not null default 0,         -- no batch below it is planned
  dispatch_rev int not null default 0,          -- raised whenever a batch is planned again
  done_from int not null default 0,             -- every batch below it is done or dead
  ruleset_hash text not null,
  progress_mark bigint not null default 0,
  progressed_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  listed_at timestamptz,
  finished_at timestamptz
) with (fillfactor = 70);
create index jobs_of_bucket on jobs (bucket, job_no);
create index jobs_active on jobs (job_no) where finished_at is null;

create table job_batches (
  job_no int not null,
  batch_no int not null,
  state smallint not null default 0             -- 0 planned 1 dispatched 2 claimed 3 done 4 dead
    constraint job_batches_state_known check (state between 0 and 4),
  attempt smallint not null default 0,          -- claims so far: fences the completion
  given_back smallint not null default 0,       -- claims that a graceful stop gave back
  objects smallint not null constraint job_batches_objects_bounded check (objects between 1 and 1000),
  pending smallint not null,                    -- objects without an outcome, and their listed bytes
  pending_bytes bigint not null,
  state_at timestamptz not null default now(),
  lease_until timestamptz,
  outcomes bytea not null,                      -- one byte for each object: core/model.py, Outcome
  keys text[] compression pglz collate "C" not null,
  sizes bigint[] compression pglz not null,
  etags bytea not null,                         -- packed: store/packing.py
  version_ids text[],
  primary key (job_no, batch_no),
  constraint job_batches_outcome_each check (octet_length(outcomes) = objects)
) partition by range (job_no);
create table job_batches_p0 partition of job_batches for values from (0) to (1000)
  with (fillfactor = 60, toast_tuple_target = 256, autovacuum_vacuum_scale_factor = 0.05);

create table job_deltas (
  job_no int not null,
  code smallint not null default 0,             -- 0 listed, 1 processing, from 10 on an outcome
  objects bigint not null default 0,
  bytes bigint not null default 0,
  batches int not null default 0,
  open_batches int not null default 0,          -- planned, dispatched or claimed
  ahead_batches int not null default 0,         -- dispatched or claimed
  findings bigint not null default 0,
  occurrences bigint not null default 0,
  at timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
create index job_deltas_of_job on job_deltas (job_no);

create table findings (
  job_no int not null,
  batch_no int not null,
  position smallint not null,
  rule_id text collate "C" not null,
  finding_id uuid not null,
  object_key text collate "C" not null,
  severity text not null,
  confidence text not null,
  count bigint not null constraint findings_count_positive check (count > 0),
  occurrences jsonb not null,                   -- the first places: masked values only
  found_at timestamptz not null default now(),
  primary key (job_no, batch_no, position, rule_id)
) partition by range (job_no);
create index findings_of_key on findings (job_no, object_key);
create index findings_of_rule on findings (job_no, rule_id, batch_no, position);
create table findings_p0 partition of findings for values from (0) to (1000);

create table object_failures (
  job_no int not null references jobs on delete cascade,
  batch_no int not null,
  position smallint not null,
  outcome smallint not null,
  detail text not null,
  failed_at timestamptz not null default now(),
  primary key (job_no, batch_no, position)
);

create table dead_letters (
  message_id text primary key,
  job_no int,
  batch_no int,
  task text,
  lane text,
  message_group text,
  body text not null,
  receive_count int not null,
  error text,
  state text not null default 'open' constraint dead_letters_state_known
    check (state in ('open','retried','discarded','moot')),
  state_reason text,
  sent_at timestamptz,
  arrived_at timestamptz not null default now(),
  state_at timestamptz not null default now()
);
create index dead_letters_open on dead_letters (arrived_at, message_id) where state = 'open';
create index dead_letters_of_job on dead_letters (job_no, batch_no);
"""

# Its cost grows with the deltas since the last compaction, not with objects.
PROGRESS = """
create materialized view job_progress as
with sums as (
  select job_no, code, sum(objects)::bigint objects, sum(bytes)::bigint bytes, sum(batches)::bigint batches,
    sum(open_batches)::bigint open_batches, sum(ahead_batches)::bigint ahead_batches,
    sum(findings)::bigint findings, sum(occurrences)::bigint occurrences
  from job_deltas group by job_no, code
)
select j.job_no, j.job_id,
  coalesce(sum(s.objects) filter (where s.code = 0), 0)::bigint listed,
  coalesce(sum(s.objects) filter (where s.code = 1), 0)::bigint processing,
  coalesce(sum(s.objects) filter (where s.code = 10), 0)::bigint scanned,
  coalesce(sum(s.objects) filter (where s.code between 20 and 29), 0)::bigint partial,
  coalesce(sum(s.objects) filter (where s.code between 30 and 49), 0)::bigint skipped,
  coalesce(sum(s.objects) filter (where s.code = 50), 0)::bigint unchanged,
  coalesce(sum(s.objects) filter (where s.code between 60 and 79), 0)::bigint failed,
  coalesce(sum(s.findings), 0)::bigint findings,
  coalesce(sum(s.occurrences), 0)::bigint occurrences,
  coalesce(sum(s.bytes) filter (where s.code = 0), 0)::bigint bytes_listed,
  coalesce(sum(s.bytes) filter (where s.code >= 10), 0)::bigint bytes_done,
  coalesce(sum(s.batches), 0)::bigint batches,
  coalesce(sum(s.open_batches), 0)::bigint open_batches,
  coalesce(sum(s.ahead_batches), 0)::bigint ahead_batches,
  coalesce(jsonb_object_agg(s.code, s.objects) filter (where s.code >= 10 and s.objects <> 0), '{}') outcomes,
  now() refreshed_at
from jobs j left join sums s using (job_no)
group by j.job_no, j.job_id;
create unique index job_progress_of_job on job_progress (job_no);
create unique index job_progress_of_id on job_progress (job_id);
"""

# One row for each object, unfolded from the ledger: for people and for checks, not for hot paths.
OBJECTS = """
create view job_objects as
select b.job_no, j.job_id, j.bucket, b.batch_no, (o.n - 1)::int as position, o.key as object_key,
  b.sizes[o.n] as size_bytes,
  code.outcome as outcome_code,
  case
    when code.outcome = 0 and b.state = 2 then 'processing'
    when code.outcome = 0 then 'queued'
    when code.outcome = 10 then 'scanned'
    when code.outcome between 20 and 29 then 'partial'
    when code.outcome between 30 and 49 then 'skipped'
    when code.outcome = 50 then 'unchanged'
    else 'failed'
  end as status,
  f.detail, b.attempt, b.state_at as updated_at
from job_batches b
join jobs j using (job_no)
cross join lateral unnest(b.keys) with ordinality o(key, n)
cross join lateral (select get_byte(b.outcomes, (o.n - 1)::int) as outcome) code
left join object_failures f on f.job_no = b.job_no and f.batch_no = b.batch_no and f.position = o.n - 1;
"""


def upgrade() -> None:
    """Make everything, with partitions for the first thousand jobs."""
    for script in (TABLES, PROGRESS, OBJECTS):
        op.execute(script)


def downgrade() -> None:
    """Drop everything."""
    op.execute("drop view job_objects")
    op.execute("drop materialized view job_progress")
    for table in (
        "dead_letters",
        "object_failures",
        "findings",
        "job_deltas",
        "job_batches",
        "jobs",
        "buckets",
        "fleet",
    ):
        op.execute(f"drop table {table}")

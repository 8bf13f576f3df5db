"""Watched buckets, the newest event of each object, and events of buckets that nobody watches."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"

# The running release knows no watch; a wider constraint refuses nothing that it writes.
UPGRADE = """
alter table jobs drop constraint if exists jobs_source_known;
alter table jobs add constraint jobs_source_known check (source in ('listing','keys','inventory','events'));

create table watches (
  bucket text collate "C" primary key,
  prefix text collate "C" not null default '',
  access jsonb,
  selection jsonb,
  budget jsonb not null default '{}',
  job_no int,                                   -- the job that takes its events now
  added bigint not null default 0,              -- events by what became of them
  repeated bigint not null default 0,
  deleted bigint not null default 0,
  ignored bigint not null default 0,
  last_event_at timestamptz,
  created_at timestamptz not null default now()
) with (fillfactor = 50);

create table object_events (
  bucket text collate "C" not null,
  subject uuid not null,                        -- core/object_events.py
  sequencer text collate "C" not null,
  seen_at timestamptz not null default now(),
  primary key (bucket, subject)
);
create index object_events_by_time on object_events (seen_at);

create table unwatched_events (
  bucket text collate "C" primary key,
  events bigint not null,
  last_event_at timestamptz not null default now()
) with (fillfactor = 50);
"""


def upgrade() -> None:
    """Make the tables and widen the constraint: jobs is a small table."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """As before; jobs of events become jobs of keys, which nobody lists either."""
    for table in ("unwatched_events", "object_events", "watches"):
        op.execute(f"drop table {table}")
    op.execute("update jobs set source = 'keys' where source = 'events'")
    op.execute("alter table jobs drop constraint jobs_source_known")
    op.execute("alter table jobs add constraint jobs_source_known check (source in ('listing','keys','inventory'))")

"""Schedules, their runs, and which schedule began a job."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"

UPGRADE = """
alter table jobs add column if not exists schedule text;        -- name of the schedule that began it
create index if not exists jobs_of_schedule on jobs (schedule, job_no) where schedule is not null;

create table schedules (
  name text collate "C" primary key,
  cron text not null,
  time_zone text not null,
  request jsonb not null,                       -- buckets, prefix, selection … as they were given
  paused boolean not null default false,
  next_at timestamptz not null,
  created_by text not null,
  created_at timestamptz not null default now()
);

create table schedule_runs (
  name text collate "C" not null references schedules on delete cascade,
  due_at timestamptz not null,
  state text not null default 'starting'
    constraint schedule_runs_state_known check (state in ('starting','started','skipped','failed')),
  reason text,
  job_ids uuid[] not null default '{}',
  not_started jsonb not null default '[]',
  taken_at timestamptz not null default now(),
  primary key (name, due_at)
);
"""


def upgrade() -> None:
    """A column without default and an empty index on a small table; two new tables."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop table schedule_runs")
    op.execute("drop table schedules")
    op.execute("drop index jobs_of_schedule")
    op.execute("alter table jobs drop column schedule")

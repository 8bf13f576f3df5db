"""What is done about findings: plans, and a step for each object with its state before, to undo it."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"

# The running release does not know them.
ACTIONS = """
create table action_plans (
  plan_no bigint generated always as identity primary key,
  plan_id uuid not null unique,
  job_id uuid not null,                         -- no foreign key: the log outlives the job
  bucket text collate "C" not null,
  action text not null,
  options jsonb not null,
  filters jsonb not null,
  created_by text not null,
  reason text not null,
  created_at timestamptz not null default now(),
  run_by text,
  run_at timestamptz,
  undo_by text,
  undo_at timestamptz,
  constraint action_plans_action_known check (action in ('tag','quarantine','redact','block_public'))
);
create table action_steps (
  plan_no bigint not null references action_plans on delete cascade,
  step_no integer not null,
  object_key text collate "C" not null,         -- empty: the bucket itself
  etag text not null,
  version_id text,
  size_bytes bigint not null,
  findings integer not null default 0,
  state text not null default 'planned',
  attempt smallint not null default 0,
  lease_until timestamptz,
  reason text,
  detail text,
  before jsonb,                                 -- kept before S3 is asked to change anything
  after jsonb,
  state_at timestamptz not null default now(),
  primary key (plan_no, step_no),
  constraint action_steps_state_known check (
    state in ('planned','running','done','skipped','failed','undoing','undone','undo_failed'))
) with (fillfactor = 70);
"""


def upgrade() -> None:
    """Make them."""
    op.execute(ACTIONS)


def downgrade() -> None:
    """Drop them: what was done can no longer be undone."""
    op.execute("drop table action_steps")
    op.execute("drop table action_plans")

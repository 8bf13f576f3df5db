"""Who did what, and the answers to requests that may be repeated."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"

# The running release knows neither table.
UPGRADE = """
create table audit_log (
  entry_no bigint generated always as identity primary key,
  at timestamptz not null default now(),
  caller text not null,
  via text not null,
  action text not null,
  outcome text not null,                        -- done, or the kind of problem
  bucket text collate "C",
  job_id uuid,
  target text,                                  -- a finding's, letter's or other id; never a key
  request_id text
);
create index audit_log_at on audit_log (at);
create index audit_log_of_job on audit_log (job_id, entry_no) where job_id is not null;

create table idempotency_keys (
  caller text not null,
  key text not null,
  request_hash text not null,                   -- of method, path, query and body
  seed uuid not null,                           -- ids of jobs that the request begins are made from it
  held_until timestamptz not null,              -- whoever works on it has it until then
  status integer,                               -- of the answer; null while there is none
  answer text,
  created_at timestamptz not null default now(),
  primary key (caller, key)
);
create index idempotency_keys_created on idempotency_keys (created_at);
"""


def upgrade() -> None:
    """Make them."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop table idempotency_keys")
    op.execute("drop table audit_log")

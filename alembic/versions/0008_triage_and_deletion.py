"""Marks on findings with their history; jobs that are being deleted."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

# The running release neither reads nor writes the tables; of the column it says nothing.
TRIAGE = """
create table finding_marks (
  finding_id uuid primary key,
  bucket text collate "C" not null,
  object_key text collate "C" not null,
  rule_id text collate "C" not null,
  status text not null constraint finding_marks_status_known
    check (status in ('open','false_positive','accepted','fixed')),
  marked_by text not null,
  reason text not null,
  fingerprints text[] not null,                 -- what the finding held when it was marked
  count bigint not null,
  marked_at timestamptz not null default now()
);
create index finding_marks_of_status on finding_marks (bucket, status, object_key, rule_id);

create table mark_history (
  mark_no bigint generated always as identity primary key,
  finding_id uuid not null,
  status text not null,
  marked_by text not null,
  reason text not null,
  fingerprints text[] not null,
  count bigint not null,
  marked_at timestamptz not null default now()
);
create index mark_history_of_finding on mark_history (finding_id, mark_no);
"""

DELETION = """
alter table jobs add column deleted_at timestamptz;   -- its rows are removed in steps from then on
create index jobs_deleted on jobs (job_no) where deleted_at is not null;
create index jobs_finished on jobs (finished_at) where deleted_at is null;
"""


def upgrade() -> None:
    """Make them: jobs is a small table, its indexes take no time."""
    op.execute(TRIAGE)
    op.execute(DELETION)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop index jobs_finished")
    op.execute("drop index jobs_deleted")
    op.execute("alter table jobs drop column deleted_at")
    op.execute("drop table mark_history")
    op.execute("drop table finding_marks")

"""Which rulesets scanned a job; a finding's allowed occurrences and its columns; findings by their id."""

from __future__ import annotations

from alembic import op

from scanner_tasks.store.indexes import create_partitioned_index

revision = "0003"
down_revision = "0002"

# The running release neither reads nor writes them; a default that is constant rewrites no row. "If not exists" lets it
# be repeated when the index after it, which no transaction can hold, was interrupted.
RULES = """
create table if not exists job_rulesets (
  job_no int not null references jobs on delete cascade,
  ruleset_hash text not null,                   -- not the job's own: a worker that was older or newer than the API
  seen_at timestamptz not null default now(),
  primary key (job_no, ruleset_hash)
);
alter table findings add column if not exists allowed bigint not null default 0;
alter table findings add column if not exists columns jsonb;  -- [name, rows, valid] of those that hold little else
"""


def upgrade() -> None:
    """Make them; the index beside running writers, partition by partition."""
    op.execute(RULES)
    with op.get_context().autocommit_block():
        create_partitioned_index(op.get_bind(), "findings_of_id", "findings", "(finding_id)")


def downgrade() -> None:
    """Drop them."""
    op.execute("drop index findings_of_id")
    op.execute("alter table findings drop column columns")
    op.execute("alter table findings drop column allowed")
    op.execute("drop table job_rulesets")

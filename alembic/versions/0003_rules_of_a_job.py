"""Which rulesets scanned a job; a finding's allowed occurrences and its columns; findings by their id."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

# The running release neither reads nor writes them; a default that is constant rewrites no row. The index is made while
# nothing is written: a partition of a thousand jobs may have many findings, so run this when few jobs do.
RULES = """
create table job_rulesets (
  job_no int not null references jobs on delete cascade,
  ruleset_hash text not null,                   -- not the job's own: a worker that was older or newer than the API
  seen_at timestamptz not null default now(),
  primary key (job_no, ruleset_hash)
);
alter table findings add column allowed bigint not null default 0;
alter table findings add column columns jsonb;  -- [name, rows, valid] of those that hold little else
create index findings_of_id on findings (finding_id);
"""


def upgrade() -> None:
    """Make them."""
    op.execute(RULES)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop index findings_of_id")
    op.execute("alter table findings drop column columns")
    op.execute("alter table findings drop column allowed")
    op.execute("drop table job_rulesets")

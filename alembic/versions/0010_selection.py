"""What of a bucket a job scans: its selection, how much of its limit is taken, and objects without a row by stratum."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"

# The running release neither reads nor writes any of it, and starts no job with a selection.
SELECTION = """
alter table jobs add column selection jsonb;                       -- null: everything
alter table jobs add column taken_objects bigint not null default 0;
alter table jobs add column taken_bytes bigint not null default 0;

create table job_strata (
  job_no int not null references jobs on delete cascade,
  prefix text collate "C" not null,
  kind text not null,
  code smallint not null,                       -- 0 chosen and in the ledger, else the outcome of what has no row
  objects bigint not null,
  bytes bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
create index job_strata_of_job on job_strata (job_no);
"""


def upgrade() -> None:
    """Make them: jobs is a small table, and the columns need no rewrite."""
    op.execute(SELECTION)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop table job_strata")
    op.execute("alter table jobs drop column taken_bytes")
    op.execute("alter table jobs drop column taken_objects")
    op.execute("alter table jobs drop column selection")

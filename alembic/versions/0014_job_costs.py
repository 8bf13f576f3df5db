"""What a job may cost, was reckoned to cost, and did cost."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"

# The running release does not know it; what its workers do is missing from the actual figures.
COSTS = """
create table job_costs (
  job_no int primary key references jobs on delete cascade,
  budget jsonb not null default '{}',           -- dollars, objects, bytes at which the job pauses itself
  estimate jsonb,
  actual jsonb
);
"""


def upgrade() -> None:
    """Make it."""
    op.execute(COSTS)


def downgrade() -> None:
    """Drop it."""
    op.execute("drop table job_costs")

"""Why an attempt at a batch failed, for whoever looks at its dead letter."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

# The running release neither reads nor writes it: workers of both releases may run at the same time.
ERRORS = """
create table batch_errors (
  job_no int not null references jobs on delete cascade,
  batch_no int not null,
  attempt smallint not null,
  error text not null,                          -- class, and the message of an error of our own
  traceback text not null,                      -- causes with their frames: no values
  failed_at timestamptz not null default now(),
  primary key (job_no, batch_no, attempt)
);
"""


def upgrade() -> None:
    """Make the table."""
    op.execute(ERRORS)


def downgrade() -> None:
    """Drop it."""
    op.execute("drop table batch_errors")

"""Ranges of keys of jobs that are being listed: what is left of each, and who lists it."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"

# The running release lists behind jobs.cursor and knows no ranges; the next one takes its first range from there.
KEY_RANGES = """
create table key_ranges (
  job_no int not null references jobs on delete cascade,
  range_no int not null,
  cursor text collate "C",                      -- the last key recorded; null: where the job's prefix begins
  until text collate "C",                       -- the last key that belongs to it; null: where the prefix ends
  pages int not null default 0,                 -- recorded so far: the fence of the next one
  owner uuid,                                   -- the turn of Feed that lists it, until lease_until
  lease_until timestamptz,
  done boolean not null default false,
  primary key (job_no, range_no)
) with (fillfactor = 50);
"""


def upgrade() -> None:
    """Make it."""
    op.execute(KEY_RANGES)


def downgrade() -> None:
    """Drop it."""
    op.execute("drop table key_ranges")

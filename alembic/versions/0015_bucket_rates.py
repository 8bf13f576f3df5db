"""How many requests a second a bucket gets from the whole fleet: the operator's cap, and what S3 has asked for."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"

# The running release does not know it: its workers keep to no cap until they are replaced.
RATES = """
create table bucket_rates (
  bucket text collate "C" primary key,
  max_per_s double precision,                   -- the operator's cap; null: none
  slow_per_s double precision,                  -- what S3's last request to slow down left; doubles every half minute
  slowed_at timestamptz,
  next_at timestamptz not null default now(),   -- when the next request that is not yet granted may be sent
  constraint bucket_rates_positive check (max_per_s > 0 and slow_per_s > 0)
) with (fillfactor = 50);
"""


def upgrade() -> None:
    """Make it."""
    op.execute(RATES)


def downgrade() -> None:
    """Drop it."""
    op.execute("drop table bucket_rates")

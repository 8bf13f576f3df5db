"""Worker processes that live, each with the moment it last said so."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"

# Workers of the running release do not tell: they are not counted until they are replaced.
UPGRADE = """
create table if not exists workers (
  worker_id uuid primary key,
  version text not null,
  slots int not null,
  busy int not null,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now()
) with (fillfactor = 50);
"""


def upgrade() -> None:
    """A small table."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it."""
    op.execute("drop table workers")

"""Objects to be scanned by storage class, for the classes that charge for reading."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"

# The running release counts none: the costs of its jobs lack retrieval, as before.
UPGRADE = """
create table if not exists job_classes (
  job_no int not null references jobs on delete cascade,
  storage_class text collate "C" not null,
  objects bigint not null,
  bytes bigint not null,
  primary key (job_no, storage_class)
) with (fillfactor = 50);
"""


def upgrade() -> None:
    """A small table."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it."""
    op.execute("drop table job_classes")

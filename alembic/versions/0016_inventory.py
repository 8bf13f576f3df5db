"""Jobs whose objects come from S3 Inventory."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"

# The running release starts no such job; a wider constraint refuses nothing that it writes.
UPGRADE = """
alter table jobs add column if not exists inventory text;       -- address of the manifest
alter table jobs drop constraint if exists jobs_source_known;
alter table jobs add constraint jobs_source_known check (source in ('listing','keys','inventory'));
"""


def upgrade() -> None:
    """Add the column and widen the constraint: jobs is a small table."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """As before; jobs from an inventory become jobs of a listing that has ended or fails."""
    op.execute("update jobs set source = 'listing' where source = 'inventory'")
    op.execute("alter table jobs drop constraint jobs_source_known")
    op.execute("alter table jobs add constraint jobs_source_known check (source in ('listing','keys'))")
    op.execute("alter table jobs drop column inventory")

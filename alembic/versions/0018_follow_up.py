"""The listing that follows a job from S3 Inventory."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"

UPGRADE = """
alter table jobs add column if not exists then_list boolean;    -- true: to begin; false: begun, or not possible
create index if not exists jobs_then_list on jobs (job_no) where then_list;
"""


def upgrade() -> None:
    """A column without default, and an empty index: jobs is a small table."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them: what was to follow does not."""
    op.execute("drop index jobs_then_list")
    op.execute("alter table jobs drop column then_list")

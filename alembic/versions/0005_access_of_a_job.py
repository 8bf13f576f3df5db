"""How a job reaches its bucket, where that is not the deployment's own way."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

# The running release neither reads nor writes it; a column without a default rewrites no row.
ACCESS = "alter table jobs add column access jsonb"


def upgrade() -> None:
    """Add the column."""
    op.execute(ACCESS)


def downgrade() -> None:
    """Drop it."""
    op.execute("alter table jobs drop column access")

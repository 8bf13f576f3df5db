"""Indexes by which old errors and old dead letters are found."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"

INDEXES = {
    "batch_errors_by_time": "batch_errors (failed_at)",
    "dead_letters_put_away": "dead_letters (state_at) where state <> 'open'",
}


def upgrade() -> None:
    """Build them beside running writers; when it is interrupted, repeat it."""
    with op.get_context().autocommit_block():
        for name, definition in INDEXES.items():
            op.execute(f"drop index concurrently if exists {name}")  # a build that was interrupted
            op.execute(f"create index concurrently {name} on {definition}")


def downgrade() -> None:
    """Drop them."""
    for name in INDEXES:
        op.execute(f"drop index {name}")

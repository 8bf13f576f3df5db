"""The former indexes of findings go: what 0006 made serves their queries too."""

from __future__ import annotations

from alembic import op

from scanner_tasks.store.indexes import create_partitioned_index

revision = "0007"
down_revision = "0006"

# The running release answers GET /results?key= and ?rule= more slowly without them, and correctly.
INDEXES = {
    "findings_of_key": "(job_no, object_key)",
    "findings_of_rule": "(job_no, rule_id, batch_no, position)",
}


def upgrade() -> None:
    """Drop them: every finding was written to both."""
    for name in INDEXES:
        op.execute(f"drop index {name}")


def downgrade() -> None:
    """Build them again, beside running writers."""
    with op.get_context().autocommit_block():
        for name, definition in INDEXES.items():
            create_partitioned_index(op.get_bind(), name, "findings", definition)

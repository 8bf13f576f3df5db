"""Indexes for every combination of filters on findings, and for "where else does this secret occur"."""

from __future__ import annotations

from alembic import op

from scanner_tasks.store.indexes import create_partitioned_index

revision = "0006"
down_revision = "0005"

INDEXES = {
    # The conditions are always true: only a query that says them itself uses the index.
    "findings_by_rule": ("(job_no, rule_id, severity, confidence, object_key, batch_no, position) where rule_id > ''"),
    "findings_by_severity": (
        '(job_no, severity, confidence, object_key, rule_id, batch_no, position) where "count" > 0'
    ),
    "findings_by_fingerprint": ("using gin (jsonb_path_query_array(occurrences, '$[*].fingerprint') jsonb_path_ops)"),
}


def upgrade() -> None:
    """Build them beside running writers, partition by partition; when it is interrupted, repeat it."""
    with op.get_context().autocommit_block():
        for name, definition in INDEXES.items():
            create_partitioned_index(op.get_bind(), name, "findings", definition)


def downgrade() -> None:
    """Drop them."""
    for name in INDEXES:
        op.execute(f"drop index {name}")

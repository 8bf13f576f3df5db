"""A job's base, who first saw a copied finding, and the index by which a base's ledger is read by key."""

from __future__ import annotations

from alembic import op

from scanner_tasks.store.indexes import create_partitioned_index

revision = "0012"
down_revision = "0011"

# The running release starts no job with a base, and its statements name their columns.
COLUMNS = """
alter table jobs add column if not exists base_job_no int;      -- no reference: the base may be deleted
alter table jobs add column if not exists base_job_id uuid;
alter table jobs add column if not exists base_refusal text;    -- why nothing is taken over from it
alter table findings add column if not exists first_seen_job uuid;
"""


def upgrade() -> None:
    """Add the columns, which rewrites nothing; build the index beside running writers: when interrupted, repeat it."""
    op.execute(COLUMNS)
    with op.get_context().autocommit_block():
        create_partitioned_index(
            op.get_bind(),
            "job_batches_by_key",
            "job_batches",
            # No column of it changes after a batch is planned: its changes of state stay HOT.
            "(job_no, left(keys[1], 128), batch_no) where objects > 0",
        )


def downgrade() -> None:
    """Drop them."""
    op.execute("drop index job_batches_by_key")
    op.execute("alter table findings drop column first_seen_job")
    for name in ("base_refusal", "base_job_id", "base_job_no"):
        op.execute(f"alter table jobs drop column {name}")

"""Bytes read of objects that were not read to their end, beside the sentence that says why.

Null where an older worker recorded it: nothing is known then.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"

# As in 0004, with the bytes read at its end: a view's columns can only be added to.
OBJECTS = """
create or replace view job_objects as
select b.job_no, j.job_id, j.bucket, b.batch_no, (o.n - 1)::int as position, o.key as object_key,
  b.sizes[o.n] as size_bytes,
  code.outcome as outcome_code,
  case
    when code.outcome = 0 and b.state in (2, 3) then 'processing'
    when code.outcome = 0 then 'queued'
    when code.outcome = 10 then 'scanned'
    when code.outcome between 20 and 29 then 'partial'
    when code.outcome between 30 and 49 then 'skipped'
    when code.outcome = 50 then 'unchanged'
    else 'failed'
  end as status,
  f.detail, b.attempt, b.state_at as updated_at{bytes_read}
from job_batches b
join jobs j using (job_no)
cross join lateral unnest(b.keys) with ordinality o(key, n)
cross join lateral (select get_byte(b.outcomes, (o.n - 1)::int) as outcome) code
left join object_failures f on f.job_no = b.job_no and f.batch_no = b.batch_no and f.position = o.n - 1;
"""


def upgrade() -> None:
    """Add the column, which rewrites nothing, and show it in the view."""
    op.execute("alter table object_failures add column bytes_read bigint")
    op.execute(OBJECTS.format(bytes_read=", f.bytes_read"))


def downgrade() -> None:
    """The view as before; bytes read are forgotten."""
    op.execute("drop view job_objects")
    op.execute(OBJECTS.format(bytes_read=""))
    op.execute("alter table object_failures drop column bytes_read")

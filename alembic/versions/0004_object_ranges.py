"""Byte ranges of large texts: their rows, what each found, and their object as one that is processed."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

# The running release neither reads nor writes them. A range is a batch that holds no object: its keys are empty, and
# its one outcome is the range's own.
RANGES = """
create table object_ranges (
  job_no int not null references jobs on delete cascade,
  batch_no int not null,                        -- the range's own batch
  object_batch_no int not null,                 -- the batch that holds the object, alone
  first_byte bigint not null,
  last_byte bigint not null,
  primary key (job_no, batch_no),
  constraint object_ranges_not_empty check (first_byte between 0 and last_byte)
);
create index object_ranges_of_object on object_ranges (job_no, object_batch_no, batch_no);

create table range_findings (
  job_no int not null references jobs on delete cascade,
  batch_no int not null,                        -- the range's own batch
  rule_id text collate "C" not null,
  severity text not null,
  confidence text not null,
  count bigint not null constraint range_findings_count_positive check (count > 0),
  occurrences jsonb not null,                   -- the first places: masked values only
  allowed bigint not null default 0,
  primary key (job_no, batch_no, rule_id)
);
"""

# A batch that is done and whose object has no outcome yet: the object is in ranges.
OBJECTS = """
create or replace view job_objects as
select b.job_no, j.job_id, j.bucket, b.batch_no, (o.n - 1)::int as position, o.key as object_key,
  b.sizes[o.n] as size_bytes,
  code.outcome as outcome_code,
  case
    when code.outcome = 0 and b.state in ({processing}) then 'processing'
    when code.outcome = 0 then 'queued'
    when code.outcome = 10 then 'scanned'
    when code.outcome between 20 and 29 then 'partial'
    when code.outcome between 30 and 49 then 'skipped'
    when code.outcome = 50 then 'unchanged'
    else 'failed'
  end as status,
  f.detail, b.attempt, b.state_at as updated_at
from job_batches b
join jobs j using (job_no)
cross join lateral unnest(b.keys) with ordinality o(key, n)
cross join lateral (select get_byte(b.outcomes, (o.n - 1)::int) as outcome) code
left join object_failures f on f.job_no = b.job_no and f.batch_no = b.batch_no and f.position = o.n - 1;
"""


def upgrade() -> None:
    """Make the tables, and let the view know of ranges."""
    op.execute(RANGES)
    op.execute(OBJECTS.format(processing="2, 3"))


def downgrade() -> None:
    """Drop them; the view is as before."""
    op.execute(OBJECTS.format(processing="2"))
    op.execute("drop table range_findings")
    op.execute("drop table object_ranges")

"""A job's three accounts side by side: the view, the deltas, and the ledger counted object by object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.model import Progress
from scanner_tasks.store import progress
from scanner_tasks.store.engine import execute

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: What is compared, in the order in which it is shown.
NAMES = (
    *("listed", "pending", "processing", "scanned", "partial", "skipped", "unchanged", "failed"),
    *("findings", "occurrences", "bytes_listed", "bytes_done", "batches", "open_batches"),
)

_LEDGER = """
with objects as (
  select count(*) as listed,
    count(*) filter (where status = 'queued') as pending,
    count(*) filter (where status = 'processing') as processing,
    count(*) filter (where status = 'scanned') as scanned,
    count(*) filter (where status = 'partial') as partial,
    count(*) filter (where status = 'skipped') as skipped,
    count(*) filter (where status = 'unchanged') as unchanged,
    count(*) filter (where status = 'failed') as failed,
    coalesce(sum(size_bytes), 0) as bytes_listed,
    coalesce(sum(size_bytes) filter (where outcome_code <> 0 and not exists (
      select 1 from object_ranges r where r.job_no = o.job_no and r.object_batch_no = o.batch_no)), 0) as bytes_whole
  from job_objects o where job_no = :job_no
), ranges as (
  select coalesce(sum(r.last_byte - r.first_byte + 1) filter (where b.state >= 3), 0) as bytes_done
  from object_ranges r join job_batches b using (job_no, batch_no) where r.job_no = :job_no
), found as (
  select count(*) as findings, coalesce(sum(f.count), 0) as occurrences from findings f where job_no = :job_no
), batches as (
  select count(*) as batches, count(*) filter (where state < 3) as open_batches
  from job_batches where job_no = :job_no
), unchosen as (
  select coalesce(sum(objects), 0) as objects, coalesce(sum(bytes), 0) as bytes
  from job_strata where job_no = :job_no and code <> 0
)
select objects.listed + unchosen.objects as listed, objects.pending, objects.processing, objects.scanned,
  objects.partial, objects.skipped + unchosen.objects as skipped, objects.unchanged, objects.failed,
  objects.bytes_listed + unchosen.bytes as bytes_listed,
  objects.bytes_whole + ranges.bytes_done + unchosen.bytes as bytes_done, found.*, batches.*
from objects cross join ranges cross join found cross join batches cross join unchosen
"""

#: What must hold within the ledger → how many rows do not.
_FAULTS = {
    "batches whose pending objects are miscounted": """
        select count(*) from job_batches b where job_no = :job_no and b.keys <> '{}' and b.pending <> (
          select count(*) from generate_series(0, b.objects - 1) n where get_byte(b.outcomes, n) = 0)
    """,
    "objects without an outcome in batches that are done, and not in ranges": """
        select count(*) from job_batches b where job_no = :job_no and b.state >= 3 and b.pending > 0 and not exists (
          select 1 from object_ranges r join job_batches o using (job_no, batch_no)
          where r.job_no = b.job_no and r.object_batch_no = b.batch_no and o.state < 3)
    """,
    "findings of objects that have no outcome, or are not there": """
        select count(*) from findings f where job_no = :job_no
          and not exists (select 1 from object_ranges r where r.job_no = f.job_no and r.object_batch_no = f.batch_no)
          and not exists (
            select 1 from job_batches b where b.job_no = f.job_no and b.batch_no = f.batch_no
              and f.position < b.objects and get_byte(b.outcomes, f.position) <> 0)
    """,
    "findings that are not the sum of their ranges": """
        select count(*) from (
          select r.object_batch_no as batch_no, p.rule_id, sum(p.count) as parts
          from range_findings p join object_ranges r using (job_no, batch_no) where p.job_no = :job_no group by 1, 2
        ) p full join (
          select f.batch_no, f.rule_id, f.count from findings f where f.job_no = :job_no and exists (
            select 1 from object_ranges r where r.job_no = f.job_no and r.object_batch_no = f.batch_no)
        ) f using (batch_no, rule_id) where p.parts is distinct from f.count
    """,
    "objects whose ranges do not cover them": """
        select count(*) from (
          select r.object_batch_no, min(r.first_byte) as first, max(r.last_byte) + 1 as behind,
            sum(r.last_byte - r.first_byte + 1) as size
          from object_ranges r where r.job_no = :job_no group by 1
        ) r join job_batches b on b.job_no = :job_no and b.batch_no = r.object_batch_no
        where (r.first, r.behind, r.size) is distinct from (0, b.sizes[1], b.sizes[1])
    """,
    "findings of former jobs at objects that are not unchanged, or the other way round": """
        select count(*) from findings f join job_batches b using (job_no, batch_no) where f.job_no = :job_no
          and (f.first_seen_job is not null) <> (
            case when f.position < b.objects then get_byte(b.outcomes, f.position) else 0 end = 50)
    """,
    "reasons that are not of their object's outcome": """
        select count(*) from object_failures f where f.job_no = :job_no and not exists (
          select 1 from job_batches b where b.job_no = f.job_no and b.batch_no = f.batch_no
            and f.position < b.objects and get_byte(b.outcomes, f.position) = f.outcome)
    """,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Accounts:
    """The same numbers three times, and what is wrong within the ledger."""

    view: dict[str, int]
    deltas: dict[str, int]
    ledger: dict[str, int]
    #: The deltas' sums.
    progress: Progress
    #: What must hold → how many rows do not; empty when all is well.
    faults: dict[str, int]

    @property
    def differing(self) -> tuple[str, ...]:
        """The names whose numbers differ."""
        return tuple(name for name in NAMES if len({self.view[name], self.deltas[name], self.ledger[name]}) > 1)

    @property
    def agree(self) -> bool:
        """True when all three are equal, and the ledger holds together."""
        return not self.differing and not self.faults


def read_accounts(connection: Connection, job_no: int) -> Accounts:
    """Refresh the view, and count; the transaction must see one moment (REPEATABLE READ) while the job goes on.

    Unfolds the ledger: its cost grows with the job's objects.
    """
    progress.refresh_view(connection)
    view = progress.view_progress(connection, [job_no]).get(job_no, Progress())
    live = progress.live_progress(connection, [job_no]).get(job_no, Progress())
    row = execute(connection, _LEDGER, job_no=job_no).one()
    ledger: dict[str, Any] = {name: int(row._mapping[name]) for name in NAMES}  # noqa: SLF001
    faults = {what: execute(connection, query, job_no=job_no).scalar_one() for what, query in _FAULTS.items()}
    return Accounts(
        view=_numbers(view),
        deltas=_numbers(live),
        ledger=ledger,
        progress=live,
        faults={what: n for what, n in faults.items() if n},
    )


def _numbers(sums: Progress) -> dict[str, int]:
    return {name: int(getattr(sums, name)) for name in NAMES}

"""What a job takes over from its base: which objects it knows, and their findings.

The base's ledger is read by the key range of the page (index job_batches_by_key): the batch that begins before the
first key and those that begin within, not object by object. All happens in the transaction that records the page, and
holds the base's row, so that a deletion of the base comes wholly before it or wholly after.

    Page k100-k299, base batches k000-k099, k100-k199, k200-k299: two are read, and matched in memory. 198 objects are
    as they were: they are registered as unchanged, and one statement copies their findings. A replay of the page finds
    the cursor moved: it registers nothing and copies nothing.

Where the base had other rules, the parts of both rulesets (rulesets.py) say which of its objects are read again all the
same, which findings are not copied, and with what severity the others are; that anything may be taken over at all was
decided when the job began (core/rule_changes.py).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.incremental import BASE_OUTCOMES, KnownObject, is_comparable, mark_unchanged
from scanner_tasks.core.model import Outcome
from scanner_tasks.core.rule_changes import KEPT, whole_up_to
from scanner_tasks.store.engine import execute
from scanner_tasks.store.packing import unpack_etags
from scanner_tasks.store.text import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from sqlalchemy import Connection, Row

    from scanner_tasks.core.incremental import Run
    from scanner_tasks.core.model import Job, PlannedBatch

#: Characters of a batch's first key that job_batches_by_key holds (schema.py): an index entry has at most 2,704 bytes.
INDEXED_CHARACTERS = 128
#: Batches that one statement reads: a page of a listing has about a dozen.
_BATCHES_AT_ONCE = 20
#: Batches before the page's first key that may hold keys of it: one where a listing's ranges are disjoint; of a report
#: in many files, whose keys lie between one another's, about one for each file.
_BEFORE, _BEFORE_OF_FILES = 1, 32
#: Runs that one statement copies findings of: five numbers each, with room for eleven characters.
_RUNS_AT_ONCE = 200

_COLUMNS = "batch_no, outcomes, keys, sizes, etags, version_ids, left(keys[1], 128) as first_key"
# objects > 0 is always true: only a query that says it uses the index (schema.py).
_BATCHES = f"""
select {_COLUMNS}, array(
  select position from object_failures f where f.job_no = :base_no and f.batch_no = b.batch_no and f.outcome = 10
) as overwritten
from (
  (select * from job_batches where job_no = :base_no and objects > 0 and left(keys[1], 128) < :low and not :is_next
    order by left(keys[1], 128) desc, keys[1] desc limit :before)
  union all
  (select * from job_batches where job_no = :base_no and objects > 0
    and (left(keys[1], 128), batch_no) > (:low, :behind) and left(keys[1], 128) <= :high
    order by left(keys[1], 128), batch_no limit :many)
) b
order by first_key, batch_no
"""


def last_job(
    connection: Connection,
    bucket: str,
    prefix: str,
    *,
    endpoint_url: str | None,
    versions: str = "current",
    selection: str | None,
) -> UUID | None:
    """The youngest job on the bucket of one store that ended well, listed at least these keys and chose as much.

    Of versions it listed the same ones, and nothing else kept it from choosing all of them, or the selection is equal.

    Walks jobs_of_bucket backwards.
    """
    return execute(
        connection,
        """
        select job_id from jobs
        where bucket = :bucket and deleted_at is null and finished_at is not null and source in ('listing', 'inventory')
          and status in ('succeeded', 'succeeded_with_failures') and starts_with(:prefix, prefix)
          and coalesce(access->>'endpoint_url', '') = :endpoint_url
          and coalesce(selection->>'versions', 'current') = :versions
          and (selection is null or selection - 'versions' = '{}' or selection = cast(:selection as jsonb))
        order by job_no desc limit 1
        """,
        bucket=bucket,
        prefix=to_text(prefix),
        endpoint_url=endpoint_url or "",
        versions=versions,
        selection=selection,
    ).scalar()


def take_over(
    connection: Connection, job: Job, batches: Sequence[PlannedBatch]
) -> tuple[Sequence[PlannedBatch], tuple[Run, ...]]:
    """The planned batches with what is unchanged since the base, and where that stood in it; as they are without one.

    Nothing is unchanged when the base is being deleted, or a worker with other rules has scanned some of it meanwhile.
    """
    if job.base is None or job.base.job_no is None or job.base.refusal is not None:
        return batches, ()
    wanted = sorted(
        {
            to_text(planned.ref.key)
            for batch in batches
            for planned in batch.objects
            if planned.outcome is Outcome.PENDING and is_comparable(planned.ref.etag)
        }
    )
    held = _hold(connection, job) if wanted else None
    if held is None:
        return batches, ()
    known: dict[tuple[str, str | None], KnownObject] = {}
    before = _BEFORE_OF_FILES if held.source == "inventory" else _BEFORE
    for row in batches_of_keys(connection, job.base.job_no, wanted, before=before):
        known |= _known(row)
    if held.ruleset_hash != job.ruleset_hash:
        known = _still_known(connection, job, held, known)
    return mark_unchanged(batches, known)


def _hold(connection: Connection, job: Job) -> Row[Any] | None:
    """Keep the base from being deleted until the transaction ends; None when it is of no use."""
    assert job.base is not None
    return execute(
        connection,
        """
        select j.source, j.ruleset_hash, o.budgets as budgets, n.budgets as budgets_now
        from jobs j
        left join rulesets o on o.ruleset_hash = j.ruleset_hash
        left join rulesets n on n.ruleset_hash = :ruleset_hash
        where j.job_no = :base_no and j.deleted_at is null
          and (j.ruleset_hash = :ruleset_hash or (o.ruleset_hash is not null and n.ruleset_hash is not null))
          and not exists (select 1 from job_rulesets r where r.job_no = j.job_no)
        for share of j
        """,
        base_no=job.base.job_no,
        ruleset_hash=job.ruleset_hash,
    ).first()


def _still_known(
    connection: Connection, job: Job, held: Row[Any], known: dict[tuple[str, str | None], KnownObject]
) -> dict[tuple[str, str | None], KnownObject]:
    """Those of the known objects that the change of rules cannot touch."""
    assert job.base is not None
    most = whole_up_to(held.budgets, held.budgets_now)
    rows = execute(
        connection,
        """
        select distinct f.batch_no, f.position
        from findings f
        left join ruleset_rules o on o.ruleset_hash = :old and o.rule_id = f.rule_id
        join ruleset_rules n on n.ruleset_hash = :new and n.rule_id = f.rule_id and n.is_on
        where f.job_no = :base_no and f.batch_no = any(:batch_nos)
          and (:narrows_all or (o.threshold, o.allow, o.mask) is distinct from (n.threshold, n.allow, n.mask))
        """,
        base_no=job.base.job_no,
        old=held.ruleset_hash,
        new=job.ruleset_hash,
        batch_nos=sorted({each.batch_no for each in known.values()}),
        narrows_all=held.budgets.get(KEPT) != held.budgets_now.get(KEPT),
    )
    touched = {(row.batch_no, row.position) for row in rows}
    return {
        name: each
        for name, each in known.items()
        if (each.batch_no, each.position) not in touched and (most is None or each.size_bytes <= most)
    }


def batches_of_keys(
    connection: Connection, job_no: int, wanted: Sequence[str], *, before: int = _BEFORE
) -> Iterator[Row[Any]]:
    """A job's batches that may hold these stored keys, which are sorted; stretches that hold none of them are left out.

    Usually one statement or two; never more than there are keys, or batches.
    """
    high = wanted[-1][:INDEXED_CHARACTERS]
    low, behind, is_next = wanted[0][:INDEXED_CHARACTERS], -1, False
    while True:
        rows = execute(
            connection,
            _BATCHES,
            base_no=job_no,
            low=low,
            behind=behind,
            is_next=is_next,
            high=high,
            before=before,
            many=_BATCHES_AT_ONCE,
        ).all()
        yield from rows
        if len(rows) < _BATCHES_AT_ONCE or rows[-1].first_key < low:
            return
        last = rows[-1]
        highest = max(last.keys)
        # Where versions are listed, the next batches may begin with the key that ends this one.
        at = (bisect_left if last.version_ids else bisect_right)(wanted, highest)
        if at == len(wanted):
            return
        following = wanted[at][:INDEXED_CHARACTERS]
        is_next = following <= last.first_key  # their first characters are the same
        low, behind = (last.first_key, last.batch_no) if is_next else (following, -1)


def _known(row: Row[Any]) -> dict[tuple[str, str | None], KnownObject]:
    etags = unpack_etags(bytes(row.etags))
    return {
        (from_text(row.keys[n]), row.version_ids[n] if row.version_ids else None): KnownObject(
            etags[n], row.sizes[n], row.batch_no, n
        )
        for n, outcome in enumerate(bytes(row.outcomes))
        if outcome in BASE_OUTCOMES and n not in row.overwritten
    }


def copy_findings(connection: Connection, job: Job, runs: Sequence[Run], *, first_no: int) -> None:
    """Copy the findings of unchanged objects, with the job that found them, and count them in the same statement.

    Args:
        connection: in the transaction that registered the objects.
        job: with its base.
        runs: what ``take_over`` gave.
        first_no: number of the first batch that was registered.
    """
    for start in range(0, len(runs), _RUNS_AT_ONCE):
        some = runs[start : start + _RUNS_AT_ONCE]
        assert job.base is not None
        execute(
            connection,
            """
            with base as (select ruleset_hash from jobs where job_no = :base_no
            ), copied as (
              insert into findings (job_no, batch_no, position, rule_id, finding_id, object_key, severity, confidence,
                count, occurrences, found_at, allowed, columns, first_seen_job)
              select :job_no, r.batch_no, r.position + f.position - r.base_position, f.rule_id, f.finding_id,
                f.object_key, coalesce(
                  (select s ->> 1 from jsonb_array_elements(n.severities) s where (s ->> 0)::bigint <= f.count
                   order by (s ->> 0)::bigint desc limit 1), f.severity),
                f.confidence, f.count, f.occurrences, f.found_at, f.allowed, f.columns,
                coalesce(f.first_seen_job, :base_id)
              from unnest(cast(:base_batches as int[]), cast(:base_positions as int[]), cast(:batches as int[]),
                cast(:positions as int[]), cast(:objects as int[]))
                r (base_batch, base_position, batch_no, position, objects)
              join findings f on f.job_no = :base_no and f.batch_no = r.base_batch
                and f.position between r.base_position and r.base_position + r.objects - 1
              cross join base
              left join ruleset_rules n on n.ruleset_hash = :ruleset_hash and n.rule_id = f.rule_id
                and base.ruleset_hash <> :ruleset_hash
              where base.ruleset_hash = :ruleset_hash or n.is_on
              returning count, allowed
            )
            insert into job_deltas (job_no, code, objects, findings, occurrences)
            select :job_no, d.code, d.objects, d.findings, d.occurrences
            from (select count(*) findings, sum(count) occurrences, sum(allowed) allowed from copied) c
            cross join lateral (values (50, 0, c.findings, c.occurrences), (2, c.allowed, 0, 0))
              d (code, objects, findings, occurrences)
            where d.findings > 0 or d.objects > 0
            """,
            job_no=job.job_no,
            base_no=job.base.job_no,
            base_id=job.base.job_id,
            ruleset_hash=job.ruleset_hash,
            base_batches=[run.base_batch_no for run in some],
            base_positions=[run.base_position for run in some],
            batches=[first_no + run.batch for run in some],
            positions=[run.position for run in some],
            objects=[run.objects for run in some],
        )

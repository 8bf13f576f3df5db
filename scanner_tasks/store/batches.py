"""A batch in a worker's hands: claim, renew, record, release.

Every change is guarded by the state it starts from, and inserts its delta in the same statement: a replay finds the
state changed, changes nothing and counts nothing.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.access import from_json
from scanner_tasks.core.model import ClaimedBatch, ObjectRef, Outcome
from scanner_tasks.core.object_tags import from_json as tags_from_json
from scanner_tasks.store.engine import execute, insert_rows
from scanner_tasks.store.finding_rows import MAX_DETAIL, finding_columns
from scanner_tasks.store.jobs import lock_job
from scanner_tasks.store.packing import unpack_etags
from scanner_tasks.store.ranges import read_range
from scanner_tasks.store.text import from_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from sqlalchemy import Connection, Row

    from scanner_tasks.core.model import ObjectResult

_INSERT_FINDINGS = (
    "insert into findings (job_no, batch_no, position, rule_id, finding_id, object_key, severity, confidence, count,"
    " occurrences, allowed, columns) values "
)
_FINDING_ROW = "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
#: Code of the delta that counts allowed occurrences, as its number of objects.
ALLOWED_CODE = 2
_INSERT_FAILURES = "insert into object_failures (job_no, batch_no, position, outcome, detail, bytes_read) values "
_FAILURE_ROW = "(%s, %s, %s, %s, %s, %s)"


def claim_batch(
    connection: Connection, *, job_id: UUID, batch_no: int, epoch: int, lease_s: float
) -> ClaimedBatch | None:
    """Take a planned or dispatched batch of the job's current epoch; None when there is nothing to take.

    None is the answer to every repeat: a second delivery finds the batch claimed or done, a late one of a paused job
    finds a newer epoch, and while the fleet is paused nothing is handed out. Its message can be acknowledged, because
    the sweep sends again what must be done.
    """
    row = execute(
        connection,
        """
        with target as (
          select b.job_no, b.batch_no, b.state, b.pending, j.bucket, j.ruleset_hash, j.access,
            j.selection -> 'include_tags' as include_tags, j.selection -> 'exclude_tags' as exclude_tags,
            coalesce(j.selection->>'versions', 'current') <> 'current' as of_versions,
            case when b.state = 1 then extract(epoch from now() - b.state_at)::float8 else 0 end as waited_s
          from jobs j join job_batches b on b.job_no = j.job_no and b.batch_no = :batch_no
          where j.job_id = :job_id and j.epoch = :epoch and j.status in ('listing', 'scanning') and b.state in (0, 1)
            and not (select paused from fleet)  -- a join would be planned for as many rows as an unread table may have
          for update of b
        ), claimed as (
          update job_batches b set state = 2, attempt = b.attempt + 1, state_at = now(),
            lease_until = now() + make_interval(secs => :lease_s)
          from target t where b.job_no = t.job_no and b.batch_no = t.batch_no
          returning b.job_no, b.batch_no, b.attempt, b.given_back, b.outcomes, b.keys, b.sizes, b.etags, b.version_ids
        ), counted as (
          insert into job_deltas (job_no, code, objects, ahead_batches)
          select job_no, 1, pending, (state = 0)::int from target
        )
        select claimed.*, target.bucket, target.ruleset_hash, target.access, target.waited_s,
          target.include_tags, target.exclude_tags, target.of_versions
        from claimed cross join target
        """,
        job_id=job_id,
        batch_no=batch_no,
        epoch=epoch,
        lease_s=lease_s,
    ).first()
    if row is None:
        return None
    wanted = None
    if row.keys:
        objects = _pending_objects(row)
    else:  # a byte range of an object that another batch holds
        wanted, ref = read_range(connection, row.job_no, row.batch_no, bucket=row.bucket)
        objects = ((0, ref),)
    return ClaimedBatch(
        job_no=row.job_no,
        job_id=job_id,
        batch_no=row.batch_no,
        bucket=row.bucket,
        attempt=row.attempt,
        tries=row.attempt - row.given_back,
        outcomes=bytes(row.outcomes),
        objects=objects,
        object_range=wanted,
        ruleset_hash=row.ruleset_hash,
        access=from_json(row.access),
        tags=tags_from_json({"include": row.include_tags, "exclude": row.exclude_tags}),
        waited_s=row.waited_s,
        of_versions=row.of_versions,
    )


def _pending_objects(row: Row[Any]) -> tuple[tuple[int, ObjectRef], ...]:
    etags = unpack_etags(bytes(row.etags))
    return tuple(
        (
            position,
            ObjectRef(
                bucket=row.bucket,
                key=from_text(row.keys[position]),
                size_bytes=row.sizes[position],
                etag=etags[position],
                version_id=row.version_ids[position] if row.version_ids else None,
            ),
        )
        for position, outcome in enumerate(bytes(row.outcomes))
        if outcome == Outcome.PENDING
    )


def renew_leases(
    connection: Connection, held: Sequence[tuple[int, int, int]], *, lease_s: float
) -> set[tuple[int, int, int]]:
    """Extend the leases of held batches, each ``(job_no, batch_no, attempt)``; those still held.

    One that is missing from the answer was taken away (swept, paused, cancelled): its worker may stop.
    """
    rows = execute(
        connection,
        """
        with mine as (
          select b.job_no, b.batch_no
          from unnest(cast(:job_nos as int[]), cast(:batch_nos as int[]), cast(:attempts as int[]))
            h (job_no, batch_no, attempt) join job_batches b using (job_no, batch_no, attempt)
          where b.state = 2 order by b.job_no, b.batch_no for update of b
        )
        update job_batches b set lease_until = now() + make_interval(secs => :lease_s)
        from mine m where b.job_no = m.job_no and b.batch_no = m.batch_no
        returning b.job_no, b.batch_no, b.attempt
        """,
        lease_s=lease_s,
        job_nos=[job_no for job_no, _, _ in held],
        batch_nos=[batch_no for _, batch_no, _ in held],
        attempts=[attempt for _, _, attempt in held],
    )
    return {(row.job_no, row.batch_no, row.attempt) for row in rows}


def record_results(connection: Connection, batch: ClaimedBatch, results: Sequence[ObjectResult]) -> bool:
    """Record outcomes, findings and their delta; False when the claim is no longer ours and nothing was recorded.

    Fenced by the attempt number: attempt 1 whose lease ran out cannot finish what attempt 2 has claimed. Objects
    without a result stay pending and the batch is planned again, this claim counted as given back; else it is done.
    The answer to a repeat after an ambiguous commit is True when the first try did commit.
    """
    by_position = {result.position: result for result in results}
    sizes = {position: ref.size_bytes for position, ref in batch.objects}
    left = [position for position, _ in batch.objects if position not in by_position]
    if left:
        lock_job(connection, batch.job_no)
    row = execute(
        connection,
        """
        with target as (
          select job_no, batch_no, outcomes, pending from job_batches
          where job_no = :job_no and batch_no = :batch_no and attempt = :attempt and state = 2 for update
        ), recorded as (
          update job_batches b set state = case when :left = 0 then 3 else 0 end, state_at = now(), lease_until = null,
            pending = :left, pending_bytes = :left_bytes, given_back = b.given_back + (:left > 0)::int,
            outcomes = :outcomes
          from target t where b.job_no = t.job_no and b.batch_no = t.batch_no returning b.job_no
        ), counted as (
          insert into job_deltas (job_no, code, objects, bytes, open_batches, ahead_batches, findings, occurrences)
          select t.job_no, d.code, d.objects, d.bytes,
            case when d.code = 1 and :left = 0 then -1 else 0 end, case when d.code = 1 then -1 else 0 end,
            d.findings, d.occurrences
          from target t cross join unnest(cast(:codes as int[]), cast(:objects as bigint[]), cast(:bytes as bigint[]),
            cast(:findings as bigint[]), cast(:occurrences as bigint[])) d (code, objects, bytes, findings, occurrences)
        ), planned_again as (
          update jobs j set dispatch_from = least(j.dispatch_from, :batch_no), dispatch_rev = j.dispatch_rev + 1
          from target t where j.job_no = t.job_no and :left > 0
        )
        select 1 from recorded
        """,
        job_no=batch.job_no,
        batch_no=batch.batch_no,
        attempt=batch.attempt,
        left=len(left),
        left_bytes=sum(sizes[position] for position in left),
        outcomes=_merged_outcomes(batch, by_position),
        **_result_deltas(batch, results, sizes),
    ).first()
    if row is None:
        return not left and _was_recorded(connection, batch)
    _insert_findings(connection, batch, results)
    return True


def _merged_outcomes(batch: ClaimedBatch, results: dict[int, ObjectResult]) -> bytes:
    merged = bytearray(batch.outcomes)
    for position, result in results.items():
        merged[position] = int(result.outcome)
    return bytes(merged)


def _was_recorded(connection: Connection, batch: ClaimedBatch) -> bool:
    return (
        execute(
            connection,
            "select 1 from job_batches where job_no = :job_no and batch_no = :batch_no and attempt = :a and state = 3",
            job_no=batch.job_no,
            batch_no=batch.batch_no,
            a=batch.attempt,
        ).first()
        is not None
    )


def _result_deltas(batch: ClaimedBatch, results: Iterable[ObjectResult], sizes: dict[int, int]) -> dict[str, list[int]]:
    """Columns of the delta rows: one that ends "processing", one for each outcome."""
    sums: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    sums[1] = [-len(batch.objects), 0, 0, 0]
    for result in results:
        row = sums[int(result.outcome)]
        row[0] += 1
        row[1] += sizes[result.position]
        row[2] += len(result.findings)
        row[3] += sum(found.count for found in result.findings)
        if result.allowed and result.outcome.kind != "failed":  # a failed object may be scanned again
            sums[ALLOWED_CODE][0] += result.allowed
    codes = sorted(sums)
    columns = ("objects", "bytes", "findings", "occurrences")
    return {"codes": codes} | {name: [sums[code][n] for code in codes] for n, name in enumerate(columns)}


def _insert_findings(connection: Connection, batch: ClaimedBatch, results: Sequence[ObjectResult]) -> None:
    refs = dict(batch.objects)
    place = (batch.job_no, batch.batch_no)
    insert_rows(
        connection,
        _INSERT_FINDINGS,
        _FINDING_ROW,
        (
            (*place, result.position, found.rule_id, *finding_columns(batch, refs[result.position], found))
            for result in results
            for found in result.findings
        ),
    )
    insert_rows(
        connection,
        _INSERT_FAILURES,
        _FAILURE_ROW,
        (
            (*place, result.position, int(result.outcome), result.detail[:MAX_DETAIL], result.bytes_read)
            for result in results
            if result.detail
        ),
    )


def release_batch(connection: Connection, batch: ClaimedBatch) -> bool:
    """After an infrastructure fault: back to ``dispatched``, the attempt counted; SQS delivers the message again.

    The end of the lease stays, as a sign that this batch waits for a message whose task has failed: should SQS give the
    message up, the batch is dead (dead_letters.py).
    """
    row = execute(
        connection,
        """
        with released as (
          update job_batches set state = 1, state_at = now(), lease_until = now()
          where job_no = :job_no and batch_no = :batch_no and attempt = :attempt and state = 2 returning job_no, pending
        ), counted as (
          insert into job_deltas (job_no, code, objects) select job_no, 1, -pending from released
        )
        select 1 from released
        """,
        job_no=batch.job_no,
        batch_no=batch.batch_no,
        attempt=batch.attempt,
    ).first()
    return row is not None

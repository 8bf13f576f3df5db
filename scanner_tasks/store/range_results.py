"""What a range found, recorded: its own part, and the object's findings with it.

An object's finding is the sum of its ranges' parts: the count added up, the greatest confidence, the first places. The
parts are kept, so that a range that is scanned again replaces its own and no other.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.identity import finding_id
from scanner_tasks.core.model import Confidence, Outcome, Severity
from scanner_tasks.store import ranges
from scanner_tasks.store.engine import execute, insert_rows, literal_bytes
from scanner_tasks.store.finding_rows import MAX_DETAIL, OCCURRENCES_BYTES, occurrences_json
from scanner_tasks.store.jobs import lock_job
from scanner_tasks.store.text import to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Connection

    from scanner_tasks.core.model import ClaimedBatch, ObjectRange, ObjectResult, RuleFindings

    SeverityAt = Callable[[str, int], Severity]

_INSERT_PARTS = (
    "insert into range_findings (job_no, batch_no, rule_id, severity, confidence, count, occurrences, allowed) values "
)
_PART_ROW = "(%s, %s, %s, %s, %s, %s, %s, %s)"
_SEVERITIES = {str(severity): rank for rank, severity in enumerate(Severity)}
_RANK = {str(confidence): rank for rank, confidence in enumerate(Confidence)}
#: Parts of a finding that hold all the places that are kept of it: each has at least one.
_MOST_PLACES = 100


def record_range(
    connection: Connection,
    batch: ClaimedBatch,
    results: Sequence[ObjectResult],
    *,
    kept: int,
    severity_at: SeverityAt | None = None,
) -> bool:
    """Record a range's outcome, its findings and their delta; False when the claim is no longer ours.

    As ``batches.record_results``: fenced by the attempt, True to a repeat after an ambiguous commit. Without a result
    the range is planned again, and the claim does not count. ``kept`` places of a finding are kept; ``severity_at``
    tells a rule's severity with so many of them, otherwise it is the highest that a range found.
    """
    wanted = batch.object_range
    assert wanted is not None, "the batch stands for a range"
    if not results:
        return _give_back(connection, batch)
    (result,) = results
    ranges.lock_object(connection, batch.job_no, wanted.object_batch_no)
    place = {"job_no": batch.job_no, "batch_no": batch.batch_no, "attempt": batch.attempt}
    recorded = execute(
        connection,
        """
        with recorded as (
          update job_batches set state = 3, state_at = now(), lease_until = null, pending_bytes = 0,
            outcomes = set_byte(outcomes, 0, :outcome)
          where job_no = :job_no and batch_no = :batch_no and attempt = :attempt and state = 2 returning job_no
        ), counted as (
          insert into job_deltas (job_no, code, bytes, open_batches, ahead_batches)
          select job_no, :outcome, :bytes, -1, -1 from recorded
        ), allowed as (
          insert into job_deltas (job_no, code, objects) select job_no, 2, :allowed from recorded where :allowed > 0
        )
        select 1 from recorded
        """,
        outcome=int(result.outcome),
        bytes=wanted.size_bytes,
        # What failed may be scanned again.
        allowed=0 if result.outcome.kind == "failed" else result.allowed,
        **place,
    ).first()
    if recorded is None:
        done = "select 1 from job_batches where job_no = :job_no and batch_no = :batch_no and attempt = :attempt"
        return execute(connection, f"{done} and state = 3", **place).first() is not None
    if result.findings:
        _add_parts(connection, batch, wanted, result.findings, kept, severity_at)
    if result.detail:
        execute(
            connection,
            """
            insert into object_failures (job_no, batch_no, position, outcome, detail, bytes_read)
            values (:job_no, :batch_no, 0, :outcome, :detail, :bytes_read)
            """,
            job_no=batch.job_no,
            batch_no=batch.batch_no,
            outcome=int(result.outcome),
            detail=result.detail[:MAX_DETAIL],
            bytes_read=result.bytes_read,
        )
    ranges.end_objects(connection, batch.job_no, [wanted.object_batch_no])
    return True


def _give_back(connection: Connection, batch: ClaimedBatch) -> bool:
    lock_job(connection, batch.job_no)
    row = execute(
        connection,
        """
        with given as (
          update job_batches set state = 0, state_at = now(), lease_until = null, given_back = given_back + 1
          where job_no = :job_no and batch_no = :batch_no and attempt = :attempt and state = 2 returning job_no
        ), counted as (
          insert into job_deltas (job_no, ahead_batches) select job_no, -1 from given
        ), planned_again as (
          update jobs j set dispatch_from = least(j.dispatch_from, :batch_no), dispatch_rev = j.dispatch_rev + 1
          from given g where j.job_no = g.job_no
        )
        select 1 from given
        """,
        job_no=batch.job_no,
        batch_no=batch.batch_no,
        attempt=batch.attempt,
    ).first()
    return row is not None


def _add_parts(  # noqa: PLR0917
    connection: Connection,
    batch: ClaimedBatch,
    wanted: ObjectRange,
    found: Sequence[RuleFindings],
    kept: int,
    severity_at: SeverityAt | None,
) -> None:
    parts = {part.rule_id: occurrences_json(part) for part in found}
    mine = (batch.job_no, batch.batch_no)
    insert_rows(
        connection,
        _INSERT_PARTS,
        _PART_ROW,
        (
            (
                *(*mine, part.rule_id, str(part.severity), str(part.confidence), part.count),
                *(parts[part.rule_id], part.allowed),
            )
            for part in found
        ),
    )
    place = {"job_no": batch.job_no, "batch_no": wanted.object_batch_no}
    rows = execute(
        connection,
        """
        select rule_id, severity, confidence, count as places, occurrences from findings
        where job_no = :job_no and batch_no = :batch_no and position = 0 and rule_id = any(:rule_ids)
        """,
        rule_ids=list(parts),
        **place,
    )
    present = {row.rule_id: row for row in rows}
    ((_, ref),) = batch.objects
    for part in found:
        old = present.get(part.rule_id)
        places = json.loads(parts[part.rule_id])
        confidence, severity = str(part.confidence), str(part.severity)
        if old is not None:
            places += old.occurrences
            confidence = max(confidence, old.confidence, key=_RANK.__getitem__)
            severity = max(severity, old.severity, key=_SEVERITIES.__getitem__)
            if severity_at:
                severity = str(severity_at(part.rule_id, old.places + part.count))
        execute(
            connection,
            """
            insert into findings (job_no, batch_no, position, rule_id, finding_id, object_key, severity, confidence,
              count, occurrences, allowed)
            values (:job_no, :batch_no, 0, :rule_id, :finding_id, :key, :severity, :confidence, :count,
              cast(:occurrences as jsonb), :allowed)
            on conflict (job_no, batch_no, position, rule_id) do update set severity = excluded.severity,
              confidence = excluded.confidence, count = findings.count + excluded.count,
              occurrences = excluded.occurrences, allowed = findings.allowed + excluded.allowed
            """,
            rule_id=part.rule_id,
            finding_id=finding_id(batch.bucket, ref.key, part.rule_id, batch.told_version(ref)),
            key=to_text(ref.key),
            severity=severity,
            confidence=confidence,
            count=part.count,
            occurrences=_first_places(places, kept),
            allowed=part.allowed,
            **place,
        )
    _count(connection, batch.job_no, len(found) - len(present), sum(part.count for part in found))


def _first_places(places: Iterable[dict[str, Any]], kept: int) -> str:
    """The first of these places in the object as JSON: at most ``kept``, and as many as one statement has room for."""
    texts: list[str] = []
    size = 0
    for place in sorted(places, key=lambda place: int(place["offset"]))[:kept]:
        text = json.dumps(place, ensure_ascii=False)
        size += literal_bytes(text) + len(", ")
        if size > OCCURRENCES_BYTES:
            break
        texts.append(text)
    return f"[{', '.join(texts)}]"


def _count(connection: Connection, job_no: int, findings: int, occurrences: int) -> None:
    execute(
        connection,
        """
        insert into job_deltas (job_no, code, findings, occurrences) values (:job_no, :code, :findings, :occurrences)
        """,
        job_no=job_no,
        code=int(Outcome.SCANNED),
        findings=findings,
        occurrences=occurrences,
    )


def take_back_parts(connection: Connection, job_no: int, batch_nos: Sequence[int]) -> None:
    """Take what these ranges found out of their objects' findings. Lock the objects first."""
    rows = execute(
        connection,
        """
        with taken as (
          delete from range_findings where job_no = :job_no and batch_no = any(:batch_nos)
          returning batch_no, rule_id, count
        )
        select o.object_batch_no, t.rule_id, cast(sum(t.count) as bigint) as places
        from taken t join object_ranges o on o.job_no = :job_no and o.batch_no = t.batch_no
        group by o.object_batch_no, t.rule_id
        """,
        job_no=job_no,
        batch_nos=list(batch_nos),
    ).all()
    gone = sum(_add_up(connection, job_no, row.object_batch_no, row.rule_id) for row in rows)
    if rows:
        _count(connection, job_no, -gone, -sum(row.places for row in rows))


def _add_up(connection: Connection, job_no: int, object_batch_no: int, rule_id: str) -> bool:
    """Make the object's finding anew of the parts that are left; True when none is, and the finding is gone."""
    place = {"job_no": job_no, "object_batch_no": object_batch_no, "rule_id": rule_id}
    of_rule = """
        range_findings p join object_ranges o using (job_no, batch_no)
        where p.job_no = :job_no and o.object_batch_no = :object_batch_no and p.rule_id = :rule_id
    """
    left = execute(
        connection,
        f"""
        select cast(coalesce(sum(p.count), 0) as bigint) as places, array_agg(distinct p.confidence) as confidences,
          array_agg(distinct p.severity) as severities, cast(coalesce(sum(p.allowed), 0) as bigint) as allowed
        from {of_rule}
        """,
        **place,
    ).one()
    the_finding = "job_no = :job_no and batch_no = :object_batch_no and position = 0 and rule_id = :rule_id"
    if not left.places:
        execute(connection, f"delete from findings where {the_finding}", **place)
        return True
    first = execute(
        connection, f"select p.occurrences from {of_rule} order by p.batch_no limit {_MOST_PLACES}", **place
    )
    # It had as many places as are kept, or all there were: it has no more of them now.
    had = execute(
        connection, f"select jsonb_array_length(occurrences) as places from findings where {the_finding}", **place
    ).one()
    execute(
        connection,
        f"""
        update findings set count = :count, confidence = :confidence, severity = :severity, allowed = :allowed,
          occurrences = cast(:occurrences as jsonb)
        where {the_finding}
        """,
        count=left.places,
        confidence=max(left.confidences, key=_RANK.__getitem__),
        severity=max(left.severities, key=_SEVERITIES.__getitem__),
        allowed=left.allowed,
        occurrences=_first_places((place for row in first for place in row.occurrences), had.places),
        **place,
    )
    return False

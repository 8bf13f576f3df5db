"""The statements that read findings, and the index that serves each.

Within a job, findings come in the order of their objects' keys, then of their rules. Severities are four and
confidences three, so that a query is at most twelve scans of one index, each in that order and as long as a page: it
costs the same at any depth, and "none" costs twelve look-ups.

    a rule             findings_by_rule       (job_no, rule_id, severity, confidence, object_key, …) where rule_id > ''
    no rule            findings_by_severity   (job_no, severity, confidence, object_key, …) where count > 0
    a fingerprint      findings_by_fingerprint, GIN over the kept occurrences' fingerprints

Key and prefix are ranges of object_key in either. The two conditions are always true: a query says the
one whose index it means, and the planner can take no other, however far its statistics lag behind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.model import Confidence, Severity, TriageStatus
from scanner_tasks.store.text import to_text

if TYPE_CHECKING:
    from uuid import UUID

_LAST_CHARACTER = "\U0010ffff"
_SURROGATES = (0xD800, 0xDFFF)


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingFilter:
    """What to read; None and () leave a field open."""

    job_id: UUID | None = None
    bucket: str | None = None
    #: Exactly this key.
    key: str | None = None
    #: Keys that begin with it.
    prefix: str | None = None
    rule: str | None = None
    severities: tuple[Severity, ...] = ()
    confidences: tuple[Confidence, ...] = ()
    #: Of a kept occurrence, with its key id.
    fingerprint: str | None = None
    triage: TriageStatus | None = None
    #: LIKE patterns of the buckets that the reader may see; None is every bucket.
    scope: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingPlace:
    """A finding's place in the order: the page after it begins behind it.

    It holds no key: the ledger has it (``job_batches.keys[position + 1]``). An empty rule stands before everything of
    its job.
    """

    job_no: int
    batch_no: int
    position: int
    rule_id: str

    @classmethod
    def before_job(cls, job_no: int) -> FindingPlace:
        """Before the first finding of a job."""
        return cls(job_no=job_no, batch_no=0, position=0, rule_id="")


@dataclass(frozen=True, kw_only=True, slots=True)
class After:
    """A place with its key, as the ledger stores it."""

    key: str
    rule_id: str
    batch_no: int
    position: int


def order_of(wanted: FindingFilter) -> str:
    """The columns that order a job's findings; a rule that is the same for all is none of them."""
    return "object_key, batch_no, position" if wanted.rule is not None else "object_key, rule_id, batch_no, position"


def fetch_statement(wanted: FindingFilter, after: After | None, *, limit: int) -> tuple[str, dict[str, Any]]:
    """The first findings of job ``:job_no`` behind ``after``, with the mark on each; the caller binds ``job_no``."""
    texts, conditions, values = _range(wanted, after)
    scans = _scans(wanted, ["f.job_no = :job_no", *conditions], limit=":limit")
    order = order_of(wanted)
    statement = f"""
        select f.*, m.status as mark_status, m.fingerprints as mark_fingerprints, m.count as mark_count
        from (
          select f.* from {_asked(texts)} cross join lateral (
            select * from ({scans}) f order by {order} limit :limit
          ) f
        ) f left join finding_marks m using (finding_id) order by {order}
        """
    return statement, values | {"limit": limit}


def probe_statement(wanted: FindingFilter) -> tuple[str, dict[str, Any]]:
    """The jobs numbered ``:first_job`` to ``:last_job`` that have a finding wanted; the caller binds these."""
    texts, conditions, values = _range(wanted, None)
    # The bounds repeated as constants let the planner leave other partitions out.
    in_job = ["f.job_no = j.job_no", "f.job_no between :first_job and :last_job", *conditions]
    of_jobs, told = buckets_of(wanted, "j.")
    statement = f"""
        select j.job_no, j.job_id, j.bucket
        from {_asked(texts)} cross join jobs j
        cross join lateral (select 1 from ({_scans(wanted, in_job, limit="1")}) f limit 1) f
        where j.job_no between :first_job and :last_job and {" and ".join(["j.deleted_at is null", *of_jobs])}
        order by j.job_no
        """
    return statement, values | told


def buckets_of(wanted: FindingFilter, table: str = "") -> tuple[list[str], dict[str, Any]]:
    """Conditions on the buckets of jobs, with their values."""
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if wanted.bucket is not None:
        conditions.append(f"{table}bucket = :bucket")
        values["bucket"] = wanted.bucket
    if wanted.scope is not None:
        conditions.append(f"{table}bucket like any(cast(:scope as text[]))")
        values["scope"] = list(wanted.scope)
    return conditions, values


def marked_statement(wanted: FindingFilter, after: After | None) -> tuple[str, dict[str, Any]]:
    """``:limit`` marks of ``:status`` in ``:bucket`` (finding_marks_of_status), with their findings in job ``:job_no``.

    A mark may have no finding in this job (``job_no`` is null), one that it does not fit any more, or those of other
    versions of its key (another ``finding_id``). Marks of the
    place ``after`` are among them. Each costs its look-ups in findings_by_rule.
    """
    conditions: list[str] = []
    values: dict[str, Any] = {"status": str(wanted.triage)}
    if wanted.key is not None:
        conditions.append("m.object_key = :key")
        values["key"] = to_text(wanted.key)
    if wanted.prefix:
        low, high = prefix_range(wanted.prefix)
        conditions.append("m.object_key >= :low_key" + ("" if high is None else " and m.object_key < :high_key"))
        values |= {"low_key": low} | ({} if high is None else {"high_key": high})
    if wanted.rule is not None:
        conditions.append("m.rule_id = :rule")
        values["rule"] = wanted.rule
    if after is not None:
        conditions.append("(m.object_key, m.rule_id) >= (:after_key, :after_rule)")
        values |= {"after_key": after.key, "after_rule": after.rule_id}
    # As for a rule and a key: in another order the primary key would do, and walk the job for each mark.
    of_mark = ["f.job_no = :job_no", "f.object_key >= m.object_key and f.object_key <= m.object_key"]
    scans = _scans(replace(wanted, rule=wanted.rule or ""), of_mark, limit="1000")
    statement = f"""
        select f.*, m.status as mark_status, m.fingerprints as mark_fingerprints, m.count as mark_count,
          m.object_key as mark_key, m.rule_id as mark_rule, m.finding_id as mark_finding
        from (
          select * from finding_marks m where {" and ".join(["m.bucket = :bucket", "m.status = :status", *conditions])}
          order by m.object_key, m.rule_id limit :limit
        ) m left join lateral (
          select f.* from (select m.rule_id as rule) a cross join lateral ({scans}) f
        ) f on true
        order by m.object_key, m.rule_id, f.batch_no, f.position
        """
    return statement, values


def fingerprint_statement(wanted: FindingFilter, after: After | None) -> tuple[str, dict[str, Any]]:
    """Findings of jobs ``:first_job`` to ``:last_job`` with a kept occurrence of a fingerprint.

    By findings_by_fingerprint. It gathers every match within these jobs before it gives the first ``:limit``: a
    value that is in a hundred thousand objects costs a hundred thousand row look-ups a page. ``after`` is a place
    in job ``:after_job``.
    """
    texts, conditions, values = _range(wanted, None)
    if wanted.rule is not None:
        conditions.append("f.rule_id = a.rule")
    for name, chosen in (("severity", wanted.severities), ("confidence", wanted.confidences)):
        if chosen:
            conditions.append(f"f.{name} in ({_quoted(chosen)})")
    of_jobs, told = buckets_of(wanted, "j.")
    jobs = ["j.deleted_at is null", *of_jobs]
    values |= told
    if after is not None:
        jobs.append(
            "(h.job_no, h.object_key, h.rule_id, h.batch_no, h.position)"
            " > (:after_job, :after_key, :after_rule, :after_batch, :after_position)"
        )
        values |= {"after_key": after.key, "after_rule": after.rule_id}
        values |= {"after_batch": after.batch_no, "after_position": after.position}
    order = "job_no, object_key, rule_id, batch_no, position"
    statement = f"""
        with hits as materialized (
          select f.job_no, f.batch_no, f.position, f.rule_id, f.object_key from findings f, {_asked(texts)}
          where jsonb_path_query_array(f.occurrences, '$[*].fingerprint') @> cast(:fingerprint as jsonb)
            and {" and ".join(["f.job_no between :first_job and :last_job", *conditions])}
        ), first as (
          select h.*, j.job_id, j.bucket from hits h join jobs j using (job_no) where {" and ".join(jobs)}
          order by {order} limit :limit
        )
        select f.*, first.job_id, first.bucket,
          m.status as mark_status, m.fingerprints as mark_fingerprints, m.count as mark_count
        from first join findings f using (job_no, batch_no, position, rule_id)
        left join finding_marks m using (finding_id)
        where f.job_no between :first_job and :last_job
        order by f.job_no, f.object_key, f.rule_id, f.batch_no, f.position
        """
    return statement, values


def prefix_range(prefix: str) -> tuple[str, str | None]:
    r"""Stored keys with this prefix: from the first (inclusive) to the second (exclusive; None: to the end).

    Examples:
        >>> prefix_range("a/"), prefix_range("")
        (('a/', 'a0'), ('', None))
        >>> ascii(prefix_range("x\ud7ff"))
        "('x\\ud7ff', 'x\\ue000')"
        >>> ascii(prefix_range("x\U0010ffff"))
        "('x\\U0010ffff', 'y')"
    """
    low = to_text(prefix)
    stem = low.rstrip(_LAST_CHARACTER)
    if not stem:
        return low, None
    following = ord(stem[-1]) + 1
    if _SURROGATES[0] <= following <= _SURROGATES[1]:
        following = _SURROGATES[1] + 1
    return low, stem[:-1] + chr(following)


def _range(wanted: FindingFilter, after: After | None) -> tuple[dict[str, str], list[str], dict[str, Any]]:
    """Texts that are asked for (each stands in the statement once, however many scans use it), and their conditions."""
    texts: dict[str, str] = {}
    conditions: list[str] = []
    if wanted.rule is not None:
        texts["rule"] = wanted.rule
    if wanted.key is not None:
        texts["key"] = to_text(wanted.key)
        # A range, not "=": with a constant key the primary key's order would do, and walk the job to the first match.
        conditions.append("f.object_key >= a.key and f.object_key <= a.key")
    low = None
    if wanted.prefix:
        low, high = prefix_range(wanted.prefix)
        if high is not None:
            texts["high_key"] = high
            conditions.append("f.object_key < a.high_key")
    if after is not None and (low is None or low.encode() <= after.key.encode()):
        # It lies behind the prefix's first key: one lower bound, or each scan would begin at the lesser.
        low = None
        texts["after_key"] = after.key
        if wanted.rule is not None:
            conditions.append("(f.object_key, f.batch_no, f.position) > (a.after_key, :after_batch, :after_position)")
        else:
            texts["after_rule"] = after.rule_id
            conditions.append(
                "(f.object_key, f.rule_id, f.batch_no, f.position)"
                " > (a.after_key, a.after_rule, :after_batch, :after_position)"
            )
    values: dict[str, Any] = dict(texts)
    if "after_key" in texts and after is not None:
        values |= {"after_batch": after.batch_no, "after_position": after.position}
    if low is not None:
        texts["low_key"] = values["low_key"] = low
        conditions.append("f.object_key >= a.low_key")
    return texts, conditions, values


def _asked(texts: dict[str, str]) -> str:
    columns = ", ".join(f"cast(:{name} as text) as {name}" for name in texts) or "1"
    return f"(select {columns} offset 0) a"  # offset 0 keeps it one row that is made once


def _scans(wanted: FindingFilter, conditions: list[str], *, limit: str) -> str:
    """A scan for each severity and confidence: in order each, planned once, at most ``limit`` rows of each."""
    index = "f.rule_id = a.rule and f.rule_id > ''" if wanted.rule is not None else 'f."count" > 0'
    where = " and ".join([index, *conditions, "f.severity = d.severity", "f.confidence = d.confidence"])
    order = ", ".join(f"f.{column}" for column in order_of(wanted).split(", "))
    severities, confidences = _domains(wanted)
    domain = ", ".join(f"('{severity}', '{confidence}')" for severity in severities for confidence in confidences)
    return f"""
        select f.* from (values {domain}) d (severity, confidence)
        cross join lateral (select f.* from findings f where {where} order by {order} limit {limit}) f"""


def _domains(wanted: FindingFilter) -> tuple[tuple[Severity, ...], tuple[Confidence, ...]]:
    return wanted.severities or tuple(Severity), wanted.confidences or tuple(Confidence)


def _quoted(words: tuple[Severity, ...] | tuple[Confidence, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)

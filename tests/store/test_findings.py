"""Findings read back: whatever is asked for, pages give exactly what matches, once and in order."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from scanner_tasks.core.model import (
    Confidence,
    Finding,
    Job,
    Location,
    ObjectRef,
    ObjectResult,
    Occurrence,
    Outcome,
    RuleFindings,
    Severity,
    TriageStatus,
)
from scanner_tasks.store import findings as reading
from scanner_tasks.store import triage
from scanner_tasks.store.engine import execute, transaction
from scanner_tasks.store.findings import FindingFilter, FindingPlace, read_findings
from scanner_tasks.store.text import to_text

from .conftest import MD5
from .ledgers import claim, record

KEYS = ["a/1", "a/2", "a/é", "a/\ue000x", "a0", "b/1", "b/nul\0x", "b/😀", "c"]
RULES = {"us.ssn": Severity.HIGH, "payment.card": Severity.CRITICAL, "contact.email": Severity.LOW}


def found_in(rule: str, n: int, *, values: tuple[str, ...], count: int | None = None) -> RuleFindings:
    return RuleFindings(
        rule_id=rule,
        severity=RULES[rule],
        confidence=tuple(Confidence)[n % 3],
        count=count or len(values),
        occurrences=tuple(
            Occurrence(
                masked="*", context="*", location=Location(line=1, column=1, offset=0), fingerprint=fingerprint(v)
            )
            for v in values
        ),
    )


def fingerprint(value: str) -> str:
    return f"k1:{value.encode().hex():0>32}"


@pytest.fixture
def scanned(engine: Engine, new_job: Callable[..., Job]) -> Callable[..., Job]:
    """A job over KEYS, or the keys given: the object n has all rules but the one whose number is n modulo 4."""

    def make(
        bucket: str, keys: list[str] = KEYS, *, values: Callable[[str, str], tuple[str, ...]] | None = None
    ) -> Job:
        job = new_job([ObjectRef(bucket=bucket, key=key, size_bytes=1, etag=MD5) for key in keys], of=bucket)
        batch = claim(engine, job)
        results = [
            ObjectResult(
                position=position,
                outcome=Outcome.SCANNED,
                findings=tuple(
                    found_in(rule, position + n, values=values(ref.key, rule) if values else (ref.key, rule))
                    for n, rule in enumerate(RULES)
                    if position % 4 != n
                ),
            )
            for position, ref in batch.objects
        ]
        assert record(engine, batch, results)
        return job

    return make


def read_all(engine: Engine, wanted: FindingFilter, *, limit: int = 4) -> list[Finding]:
    read, after, pages = [], None, 0
    while True:
        with transaction(engine) as connection:
            page = read_findings(connection, wanted, after=after, limit=limit)
        assert len(page.found) <= limit
        read += [finding for _, finding in page.found]
        after, pages = page.after, pages + 1
        assert pages < 1000
        if after is None:
            return read


def named(found: list[Finding]) -> list[tuple[object, ...]]:
    return [(f.job_id, f.key, f.rule_id) for f in found]


def test_every_combination_of_filters_gives_what_matches_in_order(
    engine: Engine, scanned: Callable[..., Job], bucket: str
) -> None:
    jobs = [scanned(name) for name in (bucket, f"{bucket}-other", bucket)]
    everything = [f for f in read_all(engine, FindingFilter(), limit=1000) if f.bucket.startswith(bucket)]
    assert len(everything) == 3 * (9 * 3 - 7)
    order = {job.job_id: n for n, job in enumerate(jobs)}
    assert everything == sorted(everything, key=lambda f: (order[f.job_id], to_text(f.key), f.rule_id))
    choices: dict[str, tuple[object, Callable[[Finding], bool]]] = {
        "job_id": (jobs[0].job_id, lambda f: f.job_id == jobs[0].job_id),
        "bucket": (bucket, lambda f: f.bucket == bucket),
        "prefix": ("a/", lambda f: f.key.startswith("a/")),
        "rule": ("us.ssn", lambda f: f.rule_id == "us.ssn"),
        "severities": ((Severity.HIGH, Severity.LOW), lambda f: f.severity in {Severity.HIGH, Severity.LOW}),
        "confidences": ((Confidence.HIGH,), lambda f: f.confidence is Confidence.HIGH),
        "key": ("a/é", lambda f: f.key == "a/é"),
        "fingerprint": (fingerprint("a/é"), lambda f: f.key == "a/é"),
    }
    for chosen in itertools.product([False, True], repeat=len(choices)):
        picked = {name: choice for (name, choice), is_in in zip(choices.items(), chosen, strict=True) if is_in}
        if not {"job_id", "bucket"} & set(picked):
            continue  # other tests' jobs are there too
        wanted = FindingFilter(**{name: value for name, (value, _) in picked.items()})
        expected = [f for f in everything if all(fits(f) for _, fits in picked.values())]
        assert read_all(engine, wanted) == expected, picked


@pytest.mark.parametrize("prefix", ["a/\ue000", "b/nul\0", "b/😀", "a/\ue000x", "", "zzz"])
def test_prefix_is_taken_as_it_stands(engine: Engine, scanned: Callable[..., Job], bucket: str, prefix: str) -> None:
    job = scanned(bucket)
    found = read_all(engine, FindingFilter(job_id=job.job_id, prefix=prefix))
    assert {f.key for f in found} == {key for key in KEYS if key.startswith(prefix)}


def test_key_that_is_not_below_the_prefix_is_nothing(engine: Engine, scanned: Callable[..., Job], bucket: str) -> None:
    job = scanned(bucket)
    assert read_all(engine, FindingFilter(job_id=job.job_id, key="a/1", prefix="b/")) == []
    assert len(read_all(engine, FindingFilter(job_id=job.job_id, key="a/1", prefix="a/"))) == 2


def test_page_goes_on_when_the_finding_it_ended_with_is_gone(
    engine: Engine, scanned: Callable[..., Job], bucket: str
) -> None:
    job = scanned(bucket)
    whole = named(read_all(engine, FindingFilter(job_id=job.job_id)))
    with transaction(engine) as connection:
        page = read_findings(connection, FindingFilter(job_id=job.job_id), after=None, limit=5)
        execute(
            connection,
            "delete from findings where job_no = :job_no and batch_no = :batch_no and position = :p and rule_id = :r",
            job_no=job.job_no,
            batch_no=page.after.batch_no,
            p=page.after.position,
            r=page.after.rule_id,
        )
        rest = read_findings(connection, FindingFilter(job_id=job.job_id), after=page.after, limit=100)
    assert named([f for _, f in page.found + rest.found]) == whole


def test_page_that_has_looked_at_enough_ends_early_and_the_next_goes_on(
    engine: Engine, scanned: Callable[..., Job], bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(7):
        scanned(bucket, ["a", "b"])
    wanted = FindingFilter(bucket=bucket, rule="payment.card")
    whole = named(read_all(engine, wanted, limit=100))
    assert len(whole) == 7
    monkeypatch.setattr(reading, "_MOST_JOBS", 3)
    with transaction(engine) as connection:
        page = read_findings(connection, wanted, after=None, limit=100)
    assert len(page.found) == 3
    assert page.after == FindingPlace.before_job(page.after.job_no)
    assert named(read_all(engine, wanted, limit=100)) == whole
    # Jobs without any finding wanted, and no more than the probes that a page may make.
    monkeypatch.setattr(reading, "_PROBED", (2, 2))
    monkeypatch.setattr(reading, "_MOST_PROBES", 1)
    assert named(read_all(engine, wanted, limit=100)) == whole
    with transaction(engine) as connection:
        page = read_findings(connection, FindingFilter(bucket=bucket, rule="no.such"), after=None, limit=100)
    assert (page.found, page.after is not None) == ((), True)
    assert read_all(engine, FindingFilter(bucket=bucket, rule="no.such")) == []


def mark(engine: Engine, finding: Finding, status: TriageStatus, **why: str):
    with transaction(engine) as connection:
        wanted = FindingFilter(job_id=finding.job_id, key=finding.key, rule=finding.rule_id)
        ((place, _),) = read_findings(connection, wanted, after=None, limit=2).found
        return triage.add_mark(connection, place, status, marked_by=why.get("by", "me"), reason=why.get("reason", "so"))


def test_mark_survives_a_scan_that_finds_the_same_and_is_open_again_after_another_value(
    engine: Engine, scanned: Callable[..., Job], bucket: str
) -> None:
    first = scanned(bucket, ["a", "b"])
    (marked, other) = read_all(engine, FindingFilter(job_id=first.job_id, rule="payment.card")) + read_all(
        engine, FindingFilter(job_id=first.job_id, rule="us.ssn")
    )
    assert marked.triage is TriageStatus.OPEN
    mark(engine, marked, TriageStatus.FALSE_POSITIVE)

    def statuses(job: Job) -> dict[tuple[str, str], TriageStatus]:
        return {(f.key, f.rule_id): f.triage for f in read_all(engine, FindingFilter(job_id=job.job_id))}

    same, fewer = scanned(bucket, ["a", "b"]), scanned(bucket, ["a", "b"], values=lambda key, _: (key,))
    changed = scanned(bucket, ["a", "b"], values=lambda key, rule: (key, rule, "another"))
    place = (marked.key, marked.rule_id)
    for job in (first, same, fewer):
        assert statuses(job)[place] is TriageStatus.FALSE_POSITIVE
    assert statuses(changed)[place] is TriageStatus.OPEN
    # Other places are not marked, though they hold the same rule.
    assert {status for at, status in statuses(same).items() if at != place} == {TriageStatus.OPEN}
    assert other.triage is TriageStatus.OPEN
    # The mark of what is there now holds for what was there before: it was all judged.
    (again,) = [f for f in read_all(engine, FindingFilter(job_id=changed.job_id)) if (f.key, f.rule_id) == place]
    mark(engine, again, TriageStatus.ACCEPTED, by="you", reason="test data")
    assert {statuses(job)[place] for job in (first, same, changed)} == {TriageStatus.ACCEPTED}
    with transaction(engine) as connection:
        history = triage.read_history(connection, marked.finding_id)
    assert [(m.status, m.marked_by, m.reason) for m in history] == [
        (TriageStatus.ACCEPTED, "you", "test data"),
        (TriageStatus.FALSE_POSITIVE, "me", "so"),
    ]
    assert history[0].marked_at >= history[1].marked_at


@pytest.mark.parametrize("status", TriageStatus)
def test_findings_are_read_by_their_triage_status_with_any_other_filter(
    engine: Engine, scanned: Callable[..., Job], bucket: str, status: TriageStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_MARKS_AT_ONCE", 3)
    monkeypatch.setattr(reading, "_MOST_UNWANTED", 4)
    first = scanned(bucket)
    for n, finding in enumerate(read_all(engine, FindingFilter(job_id=first.job_id))):
        mark(engine, finding, tuple(TriageStatus)[n % 4])
    second = scanned(bucket, KEYS[2:], values=lambda key, rule: (key, rule if key != "c" else "another"))
    everything = read_all(engine, FindingFilter(bucket=bucket), limit=1000)
    assert {f.triage for f in everything if f.job_id == second.job_id and f.key == "c"} == {TriageStatus.OPEN}
    for filters, fits in (
        ({}, lambda f: True),
        ({"rule": "us.ssn"}, lambda f: f.rule_id == "us.ssn"),
        ({"prefix": "a/"}, lambda f: f.key.startswith("a/")),
        ({"key": "b/1"}, lambda f: f.key == "b/1"),
        ({"job_id": second.job_id}, lambda f: f.job_id == second.job_id),
        ({"severities": (Severity.LOW,)}, lambda f: f.severity is Severity.LOW),
        ({"fingerprint": fingerprint("us.ssn")}, lambda f: f.rule_id == "us.ssn" and f.key in KEYS[:8]),
    ):
        expected = [f for f in everything if fits(f) and f.triage is status]
        if "fingerprint" in filters:
            expected = [f for f in expected if fingerprint("us.ssn") in {o.fingerprint for o in f.occurrences}]
        assert read_all(engine, FindingFilter(bucket=bucket, triage=status, **filters), limit=3) == expected, filters


def test_larger_count_is_open_again_where_not_all_occurrences_are_kept(
    engine: Engine, new_job: Callable[..., Job], bucket: str
) -> None:
    seen = []
    for count in (50, 50, 51):
        job = new_job([ObjectRef(bucket=bucket, key="k", size_bytes=1, etag=MD5)])
        batch = claim(engine, job)
        found = found_in("us.ssn", 0, values=("v",), count=count)
        assert record(engine, batch, [ObjectResult(position=0, outcome=Outcome.SCANNED, findings=(found,))])
        ((finding),) = read_all(engine, FindingFilter(job_id=job.job_id))
        seen.append(finding.triage)
        if len(seen) == 1:
            mark(engine, finding, TriageStatus.ACCEPTED)
    assert seen == [TriageStatus.OPEN, TriageStatus.ACCEPTED, TriageStatus.OPEN]

"""What tests of the ledger share: claims, results, and the check that every sum agrees."""

from __future__ import annotations

from sqlalchemy import Engine

from scanner_tasks.core.model import (
    ClaimedBatch,
    Confidence,
    Job,
    Location,
    ObjectResult,
    Occurrence,
    Outcome,
    Progress,
    RuleFindings,
    Severity,
)
from scanner_tasks.core.progress import sums_agree
from scanner_tasks.store import batches, progress
from scanner_tasks.store.engine import execute, transaction
from scanner_tasks.store.verify import read_accounts

FOUND = RuleFindings(
    rule_id="us.ssn",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    count=7,
    occurrences=(
        Occurrence(
            masked="***-**-1234",
            context="ssn: ***-**-1234",
            location=Location(line=3, column=6, offset=40),
            fingerprint="k1:00",
        ),
    ),
)


def live(engine: Engine, job: Job) -> Progress:
    with transaction(engine) as connection:
        return progress.live_progress(connection, [job.job_no]).get(job.job_no, Progress())


def from_view(engine: Engine, job: Job) -> Progress:
    with transaction(engine) as connection:
        progress.refresh_view(connection)
        return progress.view_progress(connection, [job.job_no])[job.job_no]


def from_ledger(engine: Engine, job: Job) -> dict[str, int]:
    """Count the objects themselves, by status."""
    with transaction(engine) as connection:
        rows = execute(
            connection,
            "select status, count(*) as n from job_objects where job_no = :job_no group by status",
            job_no=job.job_no,
        )
        return {row.status: row.n for row in rows}


def assert_sums_agree(engine: Engine, job: Job) -> Progress:
    """View, deltas and ledger say the same, and listed is the sum of its parts."""
    sums = live(engine, job)
    view = from_view(engine, job)
    for name in Progress.__dataclass_fields__:
        if name != "refreshed_at":
            assert getattr(view, name) == getattr(sums, name), name
    ledger = from_ledger(engine, job)
    for name in ("processing", "scanned", "partial", "skipped", "unchanged", "failed"):
        assert getattr(sums, name) == ledger.get(name, 0), name
    assert sums.pending == ledger.get("queued", 0)
    assert sums.listed == sum(ledger.values())
    with transaction(engine) as connection:
        row = execute(
            connection,
            """
            select count(*) as batches, count(*) filter (where state < 3) as open_batches,
              count(*) filter (where state in (1, 2)) as ahead,
              coalesce((select sum(ahead_batches) from job_deltas where job_no = :job_no), 0) as counted_ahead,
              (select count(*) from findings where job_no = :job_no) as findings
            from job_batches where job_no = :job_no
            """,
            job_no=job.job_no,
        ).one()
    assert (sums.batches, sums.open_batches, row.counted_ahead, sums.findings) == (
        row.batches,
        row.open_batches,
        row.ahead,
        row.findings,
    )
    with transaction(engine) as connection:
        accounts = read_accounts(connection, job.job_no)
    assert accounts.agree, accounts
    assert sums_agree(sums, has_ended=False)
    return sums


def claim(engine: Engine, job: Job, batch_no: int = 0, *, epoch: int | None = None, lease_s: float = 60):
    with transaction(engine) as connection:
        return batches.claim_batch(
            connection,
            job_id=job.job_id,
            batch_no=batch_no,
            epoch=job.epoch if epoch is None else epoch,
            lease_s=lease_s,
        )


def results(batch: ClaimedBatch, outcome: Outcome = Outcome.SCANNED, *, first: int | None = None) -> list[ObjectResult]:
    return [
        ObjectResult(position=position, outcome=outcome, findings=(FOUND,) if position == 0 else ())
        for position, _ in batch.objects[:first]
    ]


def record(engine: Engine, batch: ClaimedBatch, found: list[ObjectResult]) -> bool:
    with transaction(engine) as connection:
        return batches.record_results(connection, batch, found)

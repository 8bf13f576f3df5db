"""What a job was reckoned to cost, does cost, and when its budget pauses it. Settle asks each minute."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.budget import Spent, overrun
from scanner_tasks.core.errors import ScannerError
from scanner_tasks.core.estimate import Estimate, estimate
from scanner_tasks.core.model import Outcome, Progress
from scanner_tasks.core.prices import PRICES_AS_OF
from scanner_tasks.core.sampling import SampleTotals, sample_totals
from scanner_tasks.core.workload import Sum, Workload
from scanner_tasks.flow.control import find_job, pause_job
from scanner_tasks.log import get_logger
from scanner_tasks.store import job_costs, strata
from scanner_tasks.store.coverage import read_sums
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.progress import live_progress

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from scanner_tasks.core.model import Job
    from scanner_tasks.flow.parts import Feeder
    from scanner_tasks.settings import Settings

log = get_logger()

_PAGE = 1000
_NOT_READ = frozenset({"skipped", "unchanged"})
_EXCLUDED_TAG = Outcome.SKIPPED_EXCLUDED_TAG


def settle_costs(job: Job, *, using: Feeder) -> bool:
    """Keep the estimate once the job is listed, and pause it when its budget is spent; True when it was paused."""
    with transaction(using.engine) as connection:
        known = _keep_estimate(connection, job, using.settings)
        spent = None if known.budget.is_unlimited else _spent(connection, job, using.settings)
    reason = overrun(known.budget, spent) if spent else None
    if reason is None:
        return False
    log.warning("job_budget_spent", job_id=job.job_id)
    pause_job(job.job_id, reason=reason, using=using)
    return True


def keep_actual(job: Job, *, using: Feeder) -> None:
    """Keep what an ended job did cost. Best effort: nothing else rests on it."""
    try:
        ended = find_job(job.job_id, using=using)
        with transaction(using.engine) as connection:
            _keep_estimate(connection, ended, using.settings)
            job_costs.set_actual(connection, job.job_no, _actual(connection, ended, using.settings))
    except ScannerError:
        log.warning("job_costs_not_kept", job_id=job.job_id, exc_info=True)


def _keep_estimate(connection: Connection, job: Job, settings: Settings) -> job_costs.JobCosts:
    known = job_costs.read_costs(connection, [job.job_no]).get(job.job_no, job_costs.JobCosts())
    if job.listed_at is not None and known.estimate is None:
        job_costs.set_estimate(connection, job.job_no, _listed(connection, job, settings))
    return known


def _listed(connection: Connection, job: Job, settings: Settings) -> dict[str, Any]:
    """The estimate from what was listed."""
    sums = live_progress(connection, [job.job_no]).get(job.job_no, Progress())  # of an empty bucket there are none
    planned = _planned(sums)
    work = _work(sums, objects=planned, size_bytes=sums.bytes_listed - _passed_bytes(connection, job))
    work.tagged = planned if job.selection.tags else 0
    work.storage_classes = _classes(connection, job)
    return told(_priced(work, settings), basis={"method": "the job's listing", "pages": work.pages})


def _actual(connection: Connection, job: Job, settings: Settings) -> dict[str, Any]:
    sums = live_progress(connection, [job.job_no]).get(job.job_no, Progress())
    done = job_costs.read_work(connection, job.job_no)
    work = _done(connection, job, sums, done)
    seconds = ((job.finished_at or datetime.now(UTC)) - job.created_at).total_seconds()
    priced = _priced(work, settings, cpu_s=done.cpu_s)
    kept = told(priced, basis={"method": "what workers told", "wall_s": round(seconds, 1)})
    totals = _sample(connection, job)
    return kept | {"sample": totals.to_json()} if totals else kept


def _sample(connection: Connection, job: Job) -> SampleTotals | None:
    """What its sample says of all objects that it was drawn from."""
    if job.selection.sample_percent is None:
        return None
    counted = strata.read_strata(connection, job.job_no)
    by_kind = any(stratum.prefix == "*" for stratum in counted)
    drawn = strata.read_drawn(connection, job.job_no, below=job.prefix, by_kind=by_kind)
    return sample_totals(counted, drawn, by_bytes=job.selection.sample_of == "bytes")


def _spent(connection: Connection, job: Job, settings: Settings) -> Spent:
    sums = live_progress(connection, [job.job_no]).get(job.job_no)
    done = job_costs.read_work(connection, job.job_no)
    if sums is None:
        return Spent(dollars=0.0, objects=0, bytes=0)
    work = _done(connection, job, sums, done)
    priced = _priced(work, settings, cpu_s=done.cpu_s)
    return Spent(dollars=priced.dollars, objects=_read(sums), bytes=done.bytes_read)


def _done(connection: Connection, job: Job, sums: Progress, done: job_costs.Work) -> Workload:
    """What was read. Nobody counts by storage class what is: each class has the share of it that it has of the plan."""
    work = _work(sums, objects=_read(sums), size_bytes=done.bytes_read)
    work.tagged = _read(sums) + _excluded_by_tag(sums) if job.selection.tags else 0
    if classes := _classes(connection, job):
        passed = _passed_bytes(connection, job)
        objects, size = _read(sums) / max(1, _planned(sums)), done.bytes_read / max(1, sums.bytes_listed - passed)
        work.storage_classes = {
            name: Sum(
                scanned_objects=round(one.scanned_objects * objects), scanned_bytes=round(one.scanned_bytes * size)
            )
            for name, one in classes.items()
        }
    return work


def _classes(connection: Connection, job: Job) -> dict[str, Sum]:
    return {
        name: Sum(scanned_objects=objects, scanned_bytes=size_bytes)
        for name, (objects, size_bytes) in job_costs.read_classes(connection, job.job_no).items()
    }


def _planned(sums: Progress) -> int:
    """Objects that the listing gave to workers: of them only tags are not known by then."""
    return sums.listed - sums.skipped - sums.unchanged + _excluded_by_tag(sums)


def _passed_bytes(connection: Connection, job: Job) -> int:
    """Bytes of the others."""
    sums = read_sums(connection, job.job_no)
    return sum(one.bytes_listed for one in sums if one.outcome.kind in _NOT_READ and one.outcome is not _EXCLUDED_TAG)


def _excluded_by_tag(sums: Progress) -> int:
    return sums.outcomes.get(str(_EXCLUDED_TAG), 0)


def _read(sums: Progress) -> int:
    return sums.scanned + sums.partial + sums.failed


def _work(sums: Progress, *, objects: int, size_bytes: int) -> Workload:
    total = Sum(
        objects=sums.listed, size_bytes=sums.bytes_listed, scanned_objects=objects, scanned_bytes=max(0, size_bytes)
    )
    return Workload(total=total, batches=sums.batches, pages=1 + sums.listed // _PAGE)


def _priced(work: Workload, settings: Settings, *, cpu_s: float | None = None) -> Estimate:
    return estimate(work, settings.estimate_model, settings.price_list, cpu_s=cpu_s)


def told(priced: Estimate, *, basis: dict[str, Any]) -> dict[str, Any]:
    """An estimate as the ledger keeps it."""
    return {**priced.to_json(), "basis": basis, "prices_as_of": PRICES_AS_OF}

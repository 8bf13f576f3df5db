"""Which state changes are legal, how a job ends, and when it will."""

from __future__ import annotations

from scanner_tasks.core.model import JobStatus, Progress

#: From → to. Everything else is refused: stores guard each change with exactly these.
LEGAL_STATUS_CHANGES: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.LISTING: frozenset({JobStatus.SCANNING, JobStatus.PAUSED, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.SCANNING: frozenset(
        {
            JobStatus.PAUSED,
            JobStatus.SUCCEEDED,
            JobStatus.SUCCEEDED_WITH_FAILURES,
            JobStatus.FAILED,
            JobStatus.CANCELLED,
        }
    ),
    JobStatus.PAUSED: frozenset({JobStatus.LISTING, JobStatus.SCANNING, JobStatus.FAILED, JobStatus.CANCELLED}),
    # Ended jobs open again only when a dead letter or a failed object is retried.
    JobStatus.SUCCEEDED: frozenset({JobStatus.SCANNING}),
    JobStatus.SUCCEEDED_WITH_FAILURES: frozenset({JobStatus.SCANNING}),
    JobStatus.FAILED: frozenset({JobStatus.SCANNING}),
    JobStatus.CANCELLED: frozenset(),
}


def can_change(old: JobStatus, new: JobStatus) -> bool:
    """True when a job may go from ``old`` to ``new``.

    Examples:
        >>> can_change(JobStatus.LISTING, JobStatus.SCANNING), can_change(JobStatus.CANCELLED, JobStatus.SCANNING)
        (True, False)
    """
    return new in LEGAL_STATUS_CHANGES[old]


def final_status(*, partial: int, failed: int) -> JobStatus:
    """How a job ends whose every object has its outcome.

    Examples:
        >>> str(final_status(partial=0, failed=2))
        'succeeded_with_failures'
    """
    return JobStatus.SUCCEEDED_WITH_FAILURES if partial or failed else JobStatus.SUCCEEDED


def is_incomplete(status: JobStatus, progress: Progress) -> bool:
    """True when something that should have been read was not, or not to its end: a clean answer may hide a finding.

    Failed and partial objects, and whatever a failed or cancelled job left. Also of a job that goes on: so far.

    Examples:
        >>> is_incomplete(JobStatus.SCANNING, Progress(listed=9, partial=1))
        True
        >>> is_incomplete(JobStatus.SUCCEEDED, Progress(listed=9, scanned=7, skipped=2))
        False
    """
    return bool(progress.partial or progress.failed) or status in {JobStatus.FAILED, JobStatus.CANCELLED}


#: What the objects that a job listed are the sum of.
SUMMANDS = ("pending", "processing", "scanned", "partial", "skipped", "unchanged", "failed")


def sums_line(progress: Progress) -> str:
    """The sum of a job's objects, as it is counted.

    Examples:
        >>> sums_line(Progress(listed=1347, scanned=1340, skipped=2, failed=5))
        '1,347 listed = 1,340 scanned + 2 skipped + 5 failed'
    """
    parts = [f"{getattr(progress, name):,} {name}" for name in SUMMANDS if getattr(progress, name)]
    return f"{progress.listed:,} listed = {' + '.join(parts) or '0'}"


def sums_agree(progress: Progress, *, has_ended: bool) -> bool:
    """True when every object is counted once: by kind, by reason, and with nothing left in a job that has ended.

    Examples:
        >>> sums_agree(Progress(listed=2, scanned=2, outcomes={"scanned": 2}), has_ended=True)
        True
        >>> sums_agree(Progress(listed=3, scanned=2, outcomes={"scanned": 2}), has_ended=True)
        False
    """
    left = progress.pending, progress.processing
    return min(left) >= 0 and progress.done == sum(progress.outcomes.values()) and not (has_ended and any(left))


def percent(progress: Progress, *, is_final: bool) -> float:
    """Share of the listed objects that have their outcome, 0-100, rounded down: 100 only when all of them have.

    ``is_final`` says that the listing has ended: a job without objects is at 100 then, and before that none is at more
    than 99.99, since more may come.

    Examples:
        >>> percent(Progress(listed=3, scanned=2), is_final=False)
        66.66
        >>> percent(Progress(listed=3, scanned=3), is_final=False), percent(Progress(), is_final=True)
        (99.99, 100.0)
    """
    if progress.listed == 0:
        return 100.0 if is_final else 0.0
    hundredths = 10_000 * progress.done // progress.listed
    return (hundredths if is_final else min(hundredths, 9_999)) / 100


def eta_s(progress: Progress, *, elapsed_s: float, total_is_final: bool) -> float | None:
    """Seconds until a job ends at its mean rate so far; None while the total or the rate is not known.

    Bytes and objects both cost time: the later of the two estimates counts. Of a large object, ranges that have ended
    count with their bytes.
    """
    if not total_is_final or elapsed_s <= 0:
        return None
    left = []
    if progress.done:
        left.append(elapsed_s * (progress.listed - progress.done) / progress.done)
    if progress.bytes_done:
        left.append(elapsed_s * (progress.bytes_listed - progress.bytes_done) / progress.bytes_done)
    return round(max(0.0, *left), 1) if left else None

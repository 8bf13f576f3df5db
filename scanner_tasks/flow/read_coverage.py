"""What a job read and what it did not: sums by outcome and reason, and every object that was not read to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.core.errors import InvalidCursor, InvalidInput
from scanner_tasks.core.model import Outcome, Progress
from scanner_tasks.flow import read_results
from scanner_tasks.flow.control import find_job
from scanner_tasks.store import coverage
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.progress import live_progress

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from scanner_tasks.core.model import Job
    from scanner_tasks.flow.parts import Api
    from scanner_tasks.store.coverage import OutcomeSum, UnreadObject

#: Outcomes of objects that were not read to their ends.
UNREAD = tuple(outcome for outcome in Outcome if outcome.kind in {"partial", "skipped", "failed"})
#: Statements for one page: with LOOK_AT_ONCE batches each, 10 million objects.
_LOOKS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class BucketCoverage:
    """One bucket's part of a job."""

    bucket: str
    #: Objects, as GET /jobs/{id} counts them live.
    progress: Progress
    #: By outcome and reason; they add up to the objects that have ended.
    outcomes: tuple[OutcomeSum, ...]

    @property
    def bytes_listed(self) -> int:
        """Bytes of every object that was listed."""
        return self.progress.bytes_listed

    @property
    def bytes_read(self) -> int:
        """Of these, how many were read."""
        return sum(one.bytes_read for one in self.outcomes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """What a job read."""

    job: Job
    #: A job has one bucket today.
    buckets: tuple[BucketCoverage, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadPage:
    """Objects that were not read to their ends, in the order of the ledger; the cursor is None on the last page."""

    objects: tuple[UnreadObject, ...]
    next_cursor: str | None


def get_coverage(job_id: UUID, *, using: Api) -> Coverage:
    """What the job has read so far, counted live; JobNotFound when there is none."""
    job = find_job(job_id, using=using)
    with transaction(using.engine) as connection:
        sums = coverage.read_sums(connection, job.job_no)
        progress = live_progress(connection, [job.job_no]).get(job.job_no) or Progress()
    return Coverage(job=job, buckets=(BucketCoverage(bucket=job.bucket, progress=progress, outcomes=sums),))


def get_unread(
    job_id: UUID, *, outcome: str | Iterable[str] = (), limit: int, cursor: str | None, using: Api
) -> UnreadPage:
    """A page of the job's objects that were not read to their ends, with outcome, bytes read and reason.

    ``outcome`` takes words as ``failed`` or ``partial(bytes)``, one or several; all of them without any. A page may be
    shorter than ``limit``, even empty, and not be the last. Raises JobNotFound, InvalidCursor or InvalidInput.
    """
    wanted = unread_outcomes(outcome)
    job = find_job(job_id, using=using)
    query = f"unread {job.job_no} {sorted(wanted)}"
    after: tuple[int, int] | None = _place(cursor, query) if cursor else (0, -1)
    found: list[UnreadObject] = []
    for _ in range(_LOOKS):
        if after is None or len(found) == limit:
            break
        with transaction(using.engine) as connection:
            page = coverage.read_unread(connection, job.job_no, outcomes=wanted, after=after, limit=limit - len(found))
        found += page.objects
        after = page.after
    following = None if after is None else read_results._make_cursor(query, [after[0], after[1] + 1])  # noqa: SLF001
    return UnreadPage(objects=tuple(found), next_cursor=following)


def unread_outcomes(words: str | Iterable[str]) -> tuple[Outcome, ...]:
    """The outcomes that these words name; InvalidInput tells which there are.

    Examples:
        >>> [str(outcome) for outcome in unread_outcomes("partial(bytes), skipped(empty)")]
        ['partial(bytes)', 'skipped(empty)']
        >>> len(unread_outcomes([])) == len(UNREAD)
        True
    """
    given = words.split(",") if isinstance(words, str) else list(words)
    given = [word.strip() for word in given if word.strip()]
    if unknown := [word for word in given if not any(word in {one.kind, str(one)} for one in UNREAD)]:
        told = f"{unknown[0][:50]!r} is none" if unknown[0].isprintable() else "one of them is none"
        raise InvalidInput(
            f"outcome: {told}; give partial, skipped, failed, or one with its reason such as partial(bytes)."
        )
    return tuple(one for one in UNREAD if not given or one.kind in given or str(one) in given)


def _place(cursor: str, query: str) -> tuple[int, int]:
    values = read_results._read_cursor(cursor, query)  # noqa: SLF001 (cursors are made alike)
    try:
        batch_no, position = values
    except ValueError:
        raise InvalidCursor from None
    return read_results._int(batch_no), read_results._int(position) - 1  # noqa: SLF001

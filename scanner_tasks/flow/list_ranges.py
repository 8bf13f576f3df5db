"""The listing of a turn of Feed: ranges are leased, walked through many connections, and recorded page by page."""

from __future__ import annotations

import contextlib
import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import uuid4

from scanner_tasks.core.choosing import choose_page
from scanner_tasks.core.errors import ScannerError
from scanner_tasks.core.listing.plan import PAGE_KEYS, KeyRange
from scanner_tasks.core.planning import MAX_OBJECTS
from scanner_tasks.flow.control import find_job
from scanner_tasks.flow.inventory import FILES_AT_ONCE, Report, check_inventory
from scanner_tasks.flow.list_bucket import Walk
from scanner_tasks.log import get_logger
from scanner_tasks.store import key_ranges
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.key_ranges import RangePage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future
    from uuid import UUID

    from scanner_tasks.core.choosing import ChosenPage
    from scanner_tasks.core.inventory import Manifest
    from scanner_tasks.core.model import Job
    from scanner_tasks.core.ports import Objects
    from scanner_tasks.core.selection import Taken
    from scanner_tasks.flow.list_bucket import ListedPage
    from scanner_tasks.flow.parts import Feeder

log = get_logger()

#: Seconds between two looks at what there is to send; and for the pages that are on their way when the time is over.
TOP_UP_S, GRACE_S = 1.0, 20.0
_WAIT_S = 0.25


def plan_listed(page: ListedPage, job: Job, taken: Taken, using: Feeder) -> ChosenPage:
    """What the ledger gets of a listed page: the one place between listing and ledger, where the selection stands."""
    return choose_page(page.objects, job.selection, using.settings.policy, below=job.prefix, taken=taken)


def list_ranges(
    job: Job, *, deadline: float, planned: int, keep_full: Callable[[], int | None], using: Feeder
) -> int | None:
    """List until the deadline, the high-water mark or the end; how many objects, None when others list what is left.

    At least a page is listed. ``keep_full`` runs beside the listing, each second: it sends what the window has room
    for, and tells how many batches are planned still, or None to end the turn. It never waits for the listing, nor the
    listing for it. Raises BucketNotFound, Denied or Unavailable, whichever range met it: what was recorded stays.
    """
    settings, owner = using.settings, uuid4()
    objects, manifest = using.objects.through(job.access), None
    if job.inventory is not None:
        manifest = check_inventory(job.inventory, bucket=job.bucket, objects=objects)
    with transaction(using.engine) as connection:
        leased = key_ranges.take_ranges(
            connection,
            job,
            owner=owner,
            lease_s=settings.list_lease_s,
            files=1 if manifest is None else len(manifest.files),
        )
    if not leased:
        return None
    if job.selection.has_limit:
        # The first objects in the order of keys: one range, listed by one connection. What was taken is read once it is
        # ours, since nobody else can take more from then on.
        job = find_job(job.job_id, using=using)
    turn = _Turn(job, owner, leased, planned=planned, using=using)
    try:
        with (
            _walk(job, objects, manifest, leased, turn.ranges, using=using) as walk,
            ThreadPoolExecutor(1, thread_name_prefix="top-up") as sender,
        ):
            turn.run(walk, deadline=deadline, keep_full=keep_full, sender=sender)
    finally:
        with contextlib.suppress(ScannerError), transaction(using.engine) as connection:
            key_ranges.release_ranges(connection, job.job_no, owner=owner)
    log.info("ranges_listed", job_id=job.job_id, objects=turn.listed, requests=walk.requests, pages=turn.pages)
    return turn.listed


def _walk(
    job: Job,
    objects: Objects,
    manifest: Manifest | None,
    leased: Sequence[key_ranges.LeasedRange],
    ranges: Sequence[KeyRange],
    *,
    using: Feeder,
) -> Walk | Report:
    """Over the bucket, or the report's files: one at a time, in order, where the selection takes the first objects."""
    if manifest is None:
        connections = 1 if job.selection.has_limit else using.settings.list_connections
        versions = job.selection.versions
        return Walk(objects, job.bucket, job.prefix, ranges, connections=connections, versions=versions)
    files = [(n, r.place.range_no, int(r.cursor or 0)) for n, r in enumerate(leased)]
    at_once = 1 if job.selection.has_limit else FILES_AT_ONCE
    return Report(objects, manifest, files, job.bucket, job.prefix, files_at_once=at_once)


class _Turn:
    """What one turn has recorded, and how much more the ledger has room for."""

    def __init__(
        self, job: Job, owner: UUID, leased: Sequence[key_ranges.LeasedRange], *, planned: int, using: Feeder
    ) -> None:
        self._job, self._owner, self._using = job, owner, using
        #: Where each range of the plan stands in the ledger.
        self._places: Mapping[int, key_ranges.Place] = {n: r.place for n, r in enumerate(leased)}
        self.ranges = [KeyRange(number=n, cursor=r.cursor, until=r.until) for n, r in enumerate(leased)]
        #: Batches that wait for dispatch, as far as this turn knows; and those recorded since the present look began.
        self._planned = planned
        self._since = 0
        self._taken = job.taken
        self._batches_a_page = PAGE_KEYS / MAX_OBJECTS
        self.listed = self.pages = 0
        self._is_over = False

    def run(
        self, walk: Walk | Report, *, deadline: float, keep_full: Callable[[], int | None], sender: ThreadPoolExecutor
    ) -> None:
        using, settings = self._using, self._using.settings
        walk.allowed = self._room()
        topped_up = renewed = using.clock()
        sending: Future[int | None] | None = None
        for listed in walk.pages(wait_s=_WAIT_S):
            if listed:
                self._record(listed)
            now = using.clock()
            if sending is not None and sending.done():
                self._heard(sending.result())
                sending, topped_up = None, now
            if sending is None and now - topped_up >= TOP_UP_S:
                sending, self._since = sender.submit(keep_full), 0
            if now - renewed >= settings.list_lease_s / 3:
                with transaction(using.engine) as connection:
                    key_ranges.renew_ranges(
                        connection, self._job.job_no, owner=self._owner, lease_s=settings.list_lease_s
                    )
                renewed = now
            walk.allowed = 0 if self._is_over or now >= deadline else self._room()
            if self._is_over or now >= deadline + GRACE_S:
                break
        if sending is not None:
            sending.result()

    def _room(self) -> int:
        """Requests that may be on their way so that planned batches stay about the high-water mark."""
        free = self._using.settings.feed_high_water - self._planned
        return max(0, math.ceil(free / self._batches_a_page))

    def _heard(self, planned: int | None) -> None:
        if planned is None:
            self._is_over = True
        else:
            # What was recorded while it looked it may have seen or not: too many is on the safe side.
            self._planned = planned + self._since

    def _record(self, listed: Sequence[ListedPage]) -> None:
        pages, taken = [], self._taken
        for page in listed:
            chosen = plan_listed(page, self._job, taken, self._using)
            taken = chosen.taken
            found = page.found
            pages.append(
                RangePage(
                    number=found.number,
                    cursor=found.cursor,
                    until=found.until,
                    is_done=found.is_done,
                    chosen=chosen,
                    cut=found.cut,
                    cut_from=found.cut_from,
                )
            )
        with transaction(self._using.engine) as connection:
            recorded = key_ranges.record_pages(connection, self._job, pages, places=self._places, owner=self._owner)
        if recorded is None:  # paused, cancelled or failed meanwhile
            self._is_over = True
            return
        self._places, self._taken = recorded.places, taken
        ours = [n for n, is_ours in enumerate(recorded.is_ours) if is_ours]
        self.pages += len(ours)
        self.listed += sum(len(listed[n].objects) for n in ours)
        batches = sum(len(pages[n].chosen.batches) for n in ours)
        planned = sum(batch.pending > 0 for n in ours for batch in pages[n].chosen.batches)
        self._planned, self._since = self._planned + planned, self._since + planned
        if ours:
            self._batches_a_page = max(1.0, 0.9 * self._batches_a_page + 0.1 * batches / len(ours))
        # A range that is another's by now was listed for too long without a sign of life: leave it to the other.
        self._is_over |= recorded.is_listed or not all(recorded.is_ours)

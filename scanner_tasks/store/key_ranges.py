"""What is left of a listing, as ranges of keys that turns of Feed lease; pages are recorded with their range's cursor.

Every change holds the job's row lock, taken first and in a statement of its own: so changes of one job come one after
the other, each sees all before it, and batches get numbers without gaps. A page is recorded where its range still
belongs to the turn that listed it and no page of it was recorded meanwhile; a repeat finds another number of pages.

    Range 3 is (k200, k900], owned by turn A, 2 pages. A lists k201-k300, and dies. The lease ends, turn B takes range
    3 as it stands, lists k201-k300 again and records it: 3 pages, cursor k300. A comes back and records its page: the
    owner is another, nothing is recorded. Nothing is lost, nothing is there twice.

The files of an inventory's report are ranges too, whose cursor counts rows (flow/inventory.py).

A cut is recorded with its first page, in one statement: (k200, k900] ends at k550, (k550, k900] is a new range. When
the last range is done, in the same transaction the job is listed and its ranges are removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.store.engine import execute
from scanner_tasks.store.feeding import insert_pages
from scanner_tasks.store.text import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import Connection

    from scanner_tasks.core.choosing import ChosenPage
    from scanner_tasks.core.model import Job


@dataclass(frozen=True, slots=True)
class Place:
    """A range in the ledger, and the fence of its next page."""

    range_no: int
    #: Pages recorded of it.
    pages: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LeasedRange:
    """A range that a turn may list until its lease ends: keys behind ``cursor`` up to ``until``.

    None is where the job's prefix begins, or ends.
    """

    place: Place
    cursor: str | None
    until: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RangePage:
    """A page to be recorded: what becomes of its range, and what was chosen of it."""

    #: The turn's own number of the range.
    number: int
    cursor: str | None
    until: str | None
    is_done: bool
    chosen: ChosenPage
    #: The page begins a range: what lies behind ``cut`` in the range of this number.
    cut: str | None = None
    cut_from: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What became of pages that were to be recorded."""

    #: Where each of the turn's ranges stands now, by its own number; one that is another's by now is missing.
    places: Mapping[int, Place]
    #: By page: its range was still the turn's.
    is_ours: tuple[bool, ...]
    #: Nothing is left to list.
    is_listed: bool


def take_ranges(
    connection: Connection, job: Job, *, owner: UUID, lease_s: float, files: int = 1
) -> tuple[LeasedRange, ...]:
    """Lease every range that nobody lists; () when others list all, or the job is not being listed.

    A job without ranges gets its first one, behind the cursor that a former release left, or over everything; a job
    from an inventory gets one for each of its ``files``, whose cursor is how many of its rows are recorded.
    """
    if _lock(connection, job) is None:
        return ()
    execute(
        connection,
        """
        insert into key_ranges (job_no, range_no, cursor)
        select job_no, n, case when source = 'listing' then cursor end
        from jobs j cross join generate_series(0, :last) n
        where job_no = :job_no and not exists (select 1 from key_ranges r where r.job_no = j.job_no)
        """,
        job_no=job.job_no,
        last=max(files, 1) - 1,
    )
    rows = execute(
        connection,
        """
        update key_ranges set owner = :owner, lease_until = now() + make_interval(secs => :lease_s)
        where job_no = :job_no and not done and (lease_until is null or lease_until < now())
        returning range_no, pages, cursor, until
        """,
        job_no=job.job_no,
        owner=owner,
        lease_s=lease_s,
    )
    taken = (
        LeasedRange(place=Place(row.range_no, row.pages), cursor=_key(row.cursor), until=_key(row.until))
        for row in rows
    )
    return tuple(sorted(taken, key=lambda r: r.place.range_no))


def record_pages(
    connection: Connection, job: Job, pages: Sequence[RangePage], *, places: Mapping[int, Place], owner: UUID
) -> Recorded | None:
    """Record pages in order; None when the job is not being listed, or was paused since ``job`` was read.

    ``places`` tells where the turn's ranges stand; those that pages begin are added in the answer.
    """
    first_no = _lock(connection, job)
    if first_no is None:
        return None
    known, is_ours = dict(places), list[bool]()
    ours: list[ChosenPage] = []
    for page in pages:
        place = known.get(page.number if page.cut_from is None else page.cut_from)
        moved = None if place is None else _move(connection, job.job_no, page, place, owner=owner)
        is_ours.append(moved is not None)
        if moved is None:
            known.pop(page.number, None)
        else:
            known[page.number] = moved
            ours.append(page.chosen)
    batches = insert_pages(connection, job, ours, first_no=first_no)
    is_listed = bool(ours) and _move_job(connection, job, batches, ours[-1])
    return Recorded(places=known, is_ours=tuple(is_ours), is_listed=is_listed)


def _lock(connection: Connection, job: Job) -> int | None:
    """Wait for the job's row: the number of its next batch; None when it is not being listed, or was paused since."""
    row = execute(
        connection,
        """
        select next_batch_no from jobs
        where job_no = :job_no and status = 'listing' and source <> 'keys' and epoch = :epoch for update
        """,
        job_no=job.job_no,
        epoch=job.epoch,
    ).first()
    return None if row is None else int(row.next_batch_no)


def _move(connection: Connection, job_no: int, page: RangePage, place: Place, *, owner: UUID) -> Place | None:
    values = {
        "job_no": job_no,
        "range_no": place.range_no,
        "owner": owner,
        "cursor": _text(page.cursor),
        "until": _text(page.until),
        "done": page.is_done,
    }
    if page.cut is None:
        statement = """
        update key_ranges set cursor = :cursor, until = :until, done = :done, pages = pages + 1
        where job_no = :job_no and range_no = :range_no and owner = :owner and pages = :pages and not done
        returning range_no, pages
        """
        row = execute(connection, statement, **values, pages=place.pages).first()
    else:
        statement = """
        with shortened as (
          update key_ranges set until = :cut
          where job_no = :job_no and range_no = :range_no and owner = :owner and not done returning lease_until
        )
        insert into key_ranges (job_no, range_no, cursor, until, done, pages, owner, lease_until)
        select :job_no, (select max(range_no) + 1 from key_ranges where job_no = :job_no), :cursor, :until, :done, 1,
          :owner, lease_until
        from shortened returning range_no, pages
        """
        row = execute(connection, statement, **values, cut=to_text(page.cut)).first()
    return None if row is None else Place(row.range_no, row.pages)


def _move_job(connection: Connection, job: Job, batches: int, last: ChosenPage) -> bool:
    """Count the batches, and end the listing when no range is left, or no room in the selection; True when it ended."""
    row = execute(
        connection,
        """
        update jobs j set next_batch_no = j.next_batch_no + :batches, progressed_at = now(),
          listed_at = case when not r.any_left then now() end,
          status = case when r.any_left then j.status else 'scanning' end,
          taken_objects = coalesce(:taken_objects, j.taken_objects), taken_bytes = coalesce(:taken_bytes, j.taken_bytes)
        from (
          select not :is_full and exists (select 1 from key_ranges where job_no = :job_no and not done) as any_left
        ) r
        where j.job_no = :job_no returning not r.any_left as is_listed
        """,
        job_no=job.job_no,
        batches=batches,
        is_full=last.is_full,
        taken_objects=last.taken.objects if job.selection.has_limit else None,
        taken_bytes=last.taken.size_bytes if job.selection.has_limit else None,
    ).one()
    if row.is_listed:
        execute(connection, "delete from key_ranges where job_no = :job_no", job_no=job.job_no)
    return bool(row.is_listed)


def renew_ranges(connection: Connection, job_no: int, *, owner: UUID, lease_s: float) -> None:
    """Extend the leases of all ranges of a turn; those that others have taken stay theirs."""
    execute(
        connection,
        """
        update key_ranges set lease_until = now() + make_interval(secs => :lease_s)
        where job_no = :job_no and owner = :owner and not done
        """,
        job_no=job_no,
        owner=owner,
        lease_s=lease_s,
    )


def release_ranges(connection: Connection, job_no: int, *, owner: UUID) -> None:
    """Give back all ranges of a turn, so that the next one need not wait for their leases to end."""
    execute(
        connection,
        "update key_ranges set owner = null, lease_until = null where job_no = :job_no and owner = :owner and not done",
        job_no=job_no,
        owner=owner,
    )


def _key(stored: str | None) -> str | None:
    return None if stored is None else from_text(stored)


def _text(key: str | None) -> str | None:
    return None if key is None else to_text(key)

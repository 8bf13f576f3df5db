"""List a bucket through many connections: the plan says what to ask for, threads ask, the caller records.

Nothing here knows the ledger: what the pages mean for it is up to who walks. The way of a page:

    connection ─▶ page ─▶ Plan: which range, how many of its keys ─▶ ListedPage ─▶ selection ─▶ planner ─▶ ledger
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from operator import ge, gt
from typing import TYPE_CHECKING, Self

from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.listing.markers import Marker
from scanner_tasks.core.listing.pace import Pace
from scanner_tasks.core.listing.plan import PAGE_KEYS, Plan
from scanner_tasks.core.ports import Page, VersionPage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from scanner_tasks.core.listing.plan import Ask, Found, KeyRange
    from scanner_tasks.core.model import ObjectRef
    from scanner_tasks.core.ports import Objects
    from scanner_tasks.core.selection import Versions

#: Pages handed over at once, at most: so many share a transaction.
PAGES_AT_ONCE = 16
_ORDER = "The store lists out of S3's order: it cannot be listed without gaps."
#: More pages than any listing has.
UNBOUNDED = 2**62


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Objects that a range of the listing gave, in order, and how far the range is listed with them."""

    found: Found
    objects: tuple[ObjectRef, ...]


class Walk:
    """One walk over what is left of a listing; a context manager that ends its threads.

    Args:
        objects: S3, with tries and waits of its own.
        bucket: its name.
        prefix: of all keys.
        ranges: what is left.
        connections: requests at a time, at most; fewer while S3 asks to slow down.
        page_keys: keys of a page.
        versions: which ones of each key; but for the current ones, cursors are those of ``Marker``.
    """

    def __init__(
        self,
        objects: Objects,
        bucket: str,
        prefix: str,
        ranges: Iterable[KeyRange],
        *,
        connections: int,
        page_keys: int = PAGE_KEYS,
        versions: Versions = "current",
    ) -> None:
        self._versions = versions
        self._objects, self._bucket, self._prefix, self._page_keys = objects, bucket, prefix, page_keys
        self.plan = Plan(prefix, ranges, page_keys=page_keys)
        self.pace = Pace(connections)
        #: Pages that the caller has room for; 0 lets the walk end with those that are on their way.
        self.allowed = UNBOUNDED
        self._asks: queue.SimpleQueue[Ask | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[Ask, _Answer]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._on_their_way = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Threads end after the request that they wait for; nobody waits for them."""
        for _ in self._threads:
            self._asks.put(None)

    @property
    def requests(self) -> int:
        """Pages asked for."""
        return self.plan.requests

    @property
    def on_their_way(self) -> int:
        """Requests that are not answered yet."""
        return self._on_their_way

    def pages(self, *, wait_s: float) -> Iterator[list[ListedPage]]:
        """What comes in, some pages at a time, nothing after ``wait_s`` without any; ends when nothing more will come.

        The next requests are on their way while the caller works on the pages. A range's pages come in their order.
        Raises what ``Objects.list_page`` raises, for whichever range, and Unavailable for a store whose order is not
        S3's: to go on would pass over keys in silence.
        """
        while True:
            self._send()
            if not self._on_their_way:
                return
            listed = []
            for ask, answer in self._received(wait_s):
                page = self._page(ask, answer)
                if page is not None:
                    listed.append(page)
            self._send(in_hand=len(listed))
            yield listed

    def _send(self, *, in_hand: int = 0) -> None:
        free = min(self.allowed - in_hand, self.pace.limit) - self._on_their_way
        asks = self.plan.asks(free) if free > 0 else []
        self._on_their_way += len(asks)
        while len(self._threads) < self._on_their_way:
            thread = threading.Thread(target=self._work, name=f"list-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        for ask in asks:
            self._asks.put(ask)

    def _received(self, wait_s: float) -> Iterator[tuple[Ask, _Answer]]:
        try:
            yield self._answers.get(timeout=wait_s)
            for _ in range(PAGES_AT_ONCE - 1):
                yield self._answers.get_nowait()
        except queue.Empty:
            return

    def _page(self, ask: Ask, answer: _Answer) -> ListedPage | None:
        self._on_their_way -= 1
        if isinstance(answer, BaseException):
            raise answer
        self.pace.answered(slow_downs=answer.slow_downs)
        if isinstance(answer, VersionPage):
            return self._version_page(ask, answer)
        keys = [ref.key for ref in answer.objects]
        check_order(ask.start_after, keys)
        if not keys and not answer.is_last:
            raise Unavailable("The store gave an empty page that is not the last, and no token to go on with.")
        found = self.plan.answered(ask, keys, is_last=answer.is_last)
        return None if found is None else ListedPage(found, answer.objects[: found.keys])

    def _version_page(self, ask: Ask, answer: VersionPage) -> ListedPage | None:
        check_version_order(_marker(ask), answer.keys)
        if not answer.keys and answer.marker is not None:
            raise Unavailable("The store gave an empty page that is not the last.")
        cursor = None if answer.marker is None else answer.marker.cursor
        found = self.plan.answered(ask, answer.keys, is_last=answer.marker is None, cursor=cursor)
        return None if found is None else ListedPage(found, answer.chosen(self._versions, found.keys))

    def _work(self) -> None:
        while (ask := self._asks.get()) is not None:
            answer: _Answer
            try:
                answer = self._ask(ask)
            except BaseException as error:  # noqa: BLE001 (raised where the pages are taken)
                answer = error
            self._answers.put((ask, answer))

    def _ask(self, ask: Ask) -> Page | VersionPage:
        if self._versions == "current":
            return self._objects.list_page(
                self._bucket, prefix=self._prefix, start_after=ask.start_after, max_keys=self._page_keys
            )
        return self._objects.list_versions(
            self._bucket, prefix=self._prefix, after=_marker(ask), max_keys=self._page_keys
        )


_Answer = Page | VersionPage | BaseException


def _marker(ask: Ask) -> Marker | None:
    """A range goes on at its cursor; a cut is a text like a key."""
    if ask.start_after is None:
        return None
    return Marker(ask.start_after) if ask.number is None else Marker.read(ask.start_after)


def check_version_order(after: Marker | None, keys: Sequence[str]) -> None:
    """As ``check_order``, where a key stands as often as it has versions.

    Examples:
        >>> check_version_order(Marker("a", "v1"), ["a", "a", "b"])
        >>> check_version_order(Marker("a"), ["a", "b"])
        Traceback (most recent call last):
        ...
        scanner_tasks.core.errors.Unavailable: The store lists out of S3's order: it cannot be listed without gaps.
    """
    is_before = (
        after is not None and bool(keys) and (keys[0] < after.key or (keys[0] == after.key and not after.version_id))
    )
    if is_before or any(map(gt, keys, islice(keys, 1, None))):
        raise Unavailable(_ORDER)


def check_order(start_after: str | None, keys: list[str]) -> None:
    """Raise Unavailable unless the page is in S3's order and behind ``start_after``.

    Examples:
        >>> check_order("a", ["b", "c"])
        >>> check_order("b", ["a"])
        Traceback (most recent call last):
        ...
        scanner_tasks.core.errors.Unavailable: The store lists out of S3's order: it cannot be listed without gaps.
    """
    first = "" if start_after is None else start_after
    if keys and (keys[0] <= first or any(map(ge, keys, islice(keys, 1, None)))):
        raise Unavailable(_ORDER)

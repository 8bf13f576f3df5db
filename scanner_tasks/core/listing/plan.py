"""Which page to ask for next: every connection has work while there is any, and few pages are asked for in vain.

A listing is a set of ranges of keys, ``(cursor, until]``, disjoint, together all that is not listed yet. A range is
listed page by page. A connection that has no range cuts one: it asks for a page behind a guessed text, the cut.

    One range (…, end], 16 connections. The first lists it. The others ask behind 1/2, 1/4, 3/4, … of what is left.
    The page behind 1/2 has keys: the range now ends at 1/2, and (1/2, end] is a range whose first page is there
    already. The page behind 3/4 has none: the range that holds 3/4 ends there, and for now the answer was in vain.

So a cut that finds keys costs nothing: its page would have been needed anyway. One that finds none says that keys end
somewhere before it, and the next cuts of that range look for the place by the structure of its keys: behind
``tenant/dt=2026-01``, behind ``tenant/dt=2026``, behind ``tenant``. Cuts are asked for only while no more than half as
many requests were in vain as pages were full, plus a few, and only where several pages seem to be left.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from scanner_tasks.core.listing.keyspace import behind, middle, scale, shared
from scanner_tasks.core.names import KEY_MAX_BYTES

#: Keys of a page of S3, and so what one request can bring.
PAGE_KEYS: Final = 1000
#: A stretch that seems to have fewer pages than these is not cut: what is gained is less than what a cut may cost.
_LEAST_PAGES: Final = 4.0
#: Requests beyond the keys' pages: these at any time, and so many for each page of keys.
_FREE_REQUESTS, _REQUESTS_A_PAGE = 16, 1.8
#: Of a range of whose extent nothing is known.
_VAST: Final = 1e12
#: Structural cuts of one range that are asked for at once.
_STRUCTURAL_AT_ONCE: Final = 4
#: Pages on which a range's density is measured, at most.
_MEASURED_PAGES: Final = 8.0
_TRUST_MAX: Final = 16
_SEEN_MAX: Final = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyRange:
    """Keys behind ``cursor`` up to ``until``: None is where the listing's prefix begins, or ends."""

    number: int
    cursor: str | None = None
    until: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """A page to ask for: the keys behind ``start_after``."""

    start_after: str | None
    #: The range whose next page it is; None for a cut.
    number: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What an answer means: how far a range is listed now.

    Recorded in this order, each moves its range's cursor; a ``cut`` makes the range first, out of what lies behind the
    cut in the range ``cut_from``, which ends at the cut from then on.
    """

    number: int
    #: How many of the page's keys, from its first on, belong to the range.
    keys: int
    #: The last of them; where there is none, the cursor as it was.
    cursor: str | None
    until: str | None
    is_done: bool
    cut: str | None = None
    cut_from: int | None = None


@dataclass(slots=True)
class _Range:
    number: int
    cursor: str | None
    until: str | None
    #: Where measuring its density began, and pages since then.
    origin: str | None = None
    pages: float = 0.0
    #: First key of its last page.
    page_first: str | None = None
    is_asked: bool = False
    #: A cut found nothing, or nothing was tried yet: how far its keys reach is not known.
    is_suspect: bool = False
    #: Its cuts that are asked for are to tell how far its keys reach: it is not halved meanwhile.
    is_looking: bool = False
    #: That was done once because its density could not be told.
    was_looked_at: bool = False
    #: Cuts by halves at a time: twice as many after each that found keys, one after one that found none.
    trust: int = 1
    #: Cuts that are asked for.
    cuts: list[str] = field(default_factory=list)

    def holds(self, cut: str) -> bool:
        return (self.cursor is None or self.cursor < cut) and (self.until is None or cut < self.until)


class Plan:
    """The ranges of one listing and their requests. Not shared between threads.

    Args:
        prefix: what all keys begin with.
        ranges: what is left to list, disjoint.
        page_keys: keys that a page has at most.
    """

    def __init__(self, prefix: str, ranges: Iterable[KeyRange], *, page_keys: int = PAGE_KEYS) -> None:
        self._prefix = prefix
        self._page_keys = page_keys
        self._ranges = {r.number: _Range(r.number, r.cursor, r.until, is_suspect=r.until is None) for r in ranges}
        self._next_number = max(self._ranges, default=-1) + 1
        self._seen: set[str] = set()
        self._alphabet = ""
        #: Requests asked for, and keys that their answers brought.
        self.requests = 0
        self.keys = 0
        #: Answers that brought nothing.
        self.in_vain = 0

    @property
    def is_done(self) -> bool:
        """True when nothing is left to list."""
        return not self._ranges

    @property
    def ranges(self) -> tuple[KeyRange, ...]:
        """What is left."""
        return tuple(KeyRange(number=r.number, cursor=r.cursor, until=r.until) for r in self._ranges.values())

    def asks(self, free: int) -> list[Ask]:
        """At most so many requests, to be sent now. Each is answered by ``answered``, or the listing is given up."""
        asks: list[Ask] = []
        while len(asks) < free:
            ask = self._ask()
            if ask is None:
                break
            self.requests += 1
            asks.append(ask)
        return asks

    def _ask(self) -> Ask | None:
        r = next((r for r in self._ranges.values() if not r.is_asked), None)
        if r is not None:
            r.is_asked = True
            return Ask(start_after=r.cursor, number=r.number)
        cut = self._cut() if self._may_cut() else None
        return None if cut is None else Ask(start_after=cut, number=None)

    def answered(self, ask: Ask, keys: Sequence[str], *, is_last: bool, cursor: str | None = None) -> Found | None:
        """What the page of an ask means; None when it brought nothing.

        Args:
            ask: one of ``asks``.
            keys: the page, ascending.
            is_last: no key stands behind the page.
            cursor: where the next page begins when that is not behind the last key: amid the versions of it, say.
        """
        self._look_at(keys)
        if ask.number is not None:
            r = self._ranges[ask.number]
            r.is_asked = False
            return self._advance(r, keys, is_last=is_last, cursor=cursor)
        assert ask.start_after is not None
        return self._behind_cut(ask.start_after, keys, is_last=is_last, cursor=cursor)

    def _advance(
        self,
        r: _Range,
        keys: Sequence[str],
        *,
        is_last: bool,
        cursor: str | None,
        cut: str | None = None,
        cut_from: int | None = None,
    ) -> Found:
        count = len(keys) if r.until is None else bisect_right(keys, r.until)
        is_done = is_last or count < len(keys) or (count > 0 and keys[count - 1] == r.until and cursor is None)
        if count:
            if r.origin is None or r.pages > _MEASURED_PAGES:
                r.origin, r.pages = keys[0], 0.0
            is_whole = count == len(keys) and cursor is not None
            r.page_first, r.cursor = keys[0], cursor if is_whole else keys[count - 1]
            r.pages += count / self._page_keys
        self.keys += count
        self.in_vain += count == 0
        if is_done:
            del self._ranges[r.number]
        return Found(
            number=r.number, keys=count, cursor=r.cursor, until=r.until, is_done=is_done, cut=cut, cut_from=cut_from
        )

    def _behind_cut(self, cut: str, keys: Sequence[str], *, is_last: bool, cursor: str | None) -> Found | None:
        for r in self._ranges.values():
            if cut in r.cuts:
                r.cuts.remove(cut)
        whole = next((r for r in self._ranges.values() if r.holds(cut)), None)
        if whole is None:  # listed meanwhile, or known to be empty
            self.in_vain += 1
            return None
        if not keys or (whole.until is not None and keys[0] > whole.until):
            self.in_vain += 1
            whole.until, whole.is_suspect, whole.trust = cut, True, 1
            return None
        whole.trust = min(_TRUST_MAX, 2 * whole.trust)
        part = _Range(self._next_number, cut, whole.until, trust=whole.trust)
        self._next_number += 1
        self._ranges[part.number] = part
        part.cuts, part.is_looking = [other for other in whole.cuts if other > cut], whole.is_looking
        whole.cuts = [other for other in whole.cuts if other < cut]
        whole.until = cut
        return self._advance(part, keys, is_last=is_last, cursor=cursor, cut=cut, cut_from=whole.number)

    def _look_at(self, keys: Sequence[str]) -> None:
        """Learn which characters keys have."""
        if len(self._seen) < _SEEN_MAX:
            seen = len(self._seen)
            start = len(self._prefix)
            for key in keys[:: max(1, len(keys) // 8)]:
                self._seen.update(key[start:])
            if len(self._seen) > seen:
                self._alphabet = "".join(sorted(self._seen))

    def _may_cut(self) -> bool:
        return self.requests < _FREE_REQUESTS + _REQUESTS_A_PAGE * self.keys / self._page_keys

    def _cut(self) -> str | None:
        """The next cut, noted with its range."""
        found = self._structural_cut() or self._halving_cut()
        if found is None:
            return None
        r, cut = found
        if len(cut.encode()) > KEY_MAX_BYTES:  # S3 takes no longer one
            return None
        insort(r.cuts, cut)
        return cut

    def _structural_cut(self) -> tuple[_Range, str] | None:
        """A cut of a range whose extent is not known: behind all that begins as its last key does, so far or so far."""
        for r in self._ranges.values():
            if not r.is_suspect or r.cursor is None or r.page_first is None:
                continue
            tried = len(r.cuts)
            candidates = [] if tried >= _STRUCTURAL_AT_ONCE else self._structure(r, r.cursor, r.page_first)
            cut = next((c for c in candidates if c not in r.cuts), None)
            if cut is not None:
                r.is_looking = True
                return r, cut
            r.is_suspect = tried > 0 and len(candidates) > tried  # else its extent is known now
        return None

    def _structure(self, r: _Range, cursor: str, first: str) -> list[str]:
        """Cuts by the structure of the range's keys: ends of directories first, then of words, then others."""
        low = len(self._prefix) if r.until is None else max(len(self._prefix), shared(cursor, r.until))
        lengths = range(low + 1, shared(first, cursor) + 1)
        cuts = []
        for length in sorted(lengths, key=lambda n: (_rank(cursor[n - 1]), _spread(n - low, len(lengths)))):
            cut = behind(cursor[:length])
            if cut is not None and r.holds(cut) and self._pages(r, cursor, cut) >= _LEAST_PAGES / 2:
                cuts.append(cut)
        return cuts

    def _halving_cut(self) -> tuple[_Range, str] | None:
        """A cut of the stretch, between two cuts of a range, that seems to be the longest."""
        best, found = _LEAST_PAGES, None
        for r in self._ranges.values():
            if r.cursor is None or r.origin is None or (r.is_looking and r.cuts) or len(r.cuts) >= r.trust:
                continue
            r.is_looking = False
            if not r.was_looked_at and self._pages(r, r.cursor, r.until) >= _VAST / 2:
                # Its last pages are one point on this scale: look first where all that is so near ends.
                r.was_looked_at, r.is_suspect = True, True
                return self._structural_cut()
            places = [r.cursor, *r.cuts, r.until]
            for n, (low, high) in enumerate(pairwise(places)):
                assert low is not None
                pages = self._pages(r, low, high) - (n == 0 and r.is_asked)
                if pages >= best:
                    best, found = pages, (r, low, high)
        if found is None:
            return None
        r, low, high = found
        assert r.cursor is not None
        cut = middle(low, high, scale(low, high, like=r.cursor, prefix=self._prefix, seen=self._alphabet))
        return None if cut is None else (r, cut)

    def _pages(self, r: _Range, low: str, high: str | None) -> float:
        """How many pages seem to lie between two texts of a range, if keys go on as they did on its last pages."""
        assert r.cursor is not None
        assert r.origin is not None
        how = scale(r.origin, high, like=r.cursor, prefix=self._prefix, seen=self._alphabet)
        behind_us = how.value(r.cursor) - how.value(r.origin)
        ahead = max(0, how.value(high) - how.value(low))  # cuts of another scale may seem to be out of order
        return min(_VAST, r.pages * ahead / behind_us) if behind_us > 0 else _VAST * ahead / (ahead + 1)


def _rank(character: str) -> int:
    return 0 if character == "/" else 2 if character.isalnum() else 1


def _spread(n: int, count: int) -> int:
    """A place in an order that goes through 1 … ``count`` by halves: the middle first, then the quarters."""
    step, place = max(1, count), 0
    while n % max(1, step):
        step //= 2
        place += 1
    return place

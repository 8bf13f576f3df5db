"""Buckets of any size whose keys are computed: the n-th key, in S3's order, from n alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate


@dataclass(frozen=True)
class Layout:
    """``key(n)`` ascends for n from 0 to ``count`` - 1."""

    count: int
    key: Callable[[int], str]


def _noise(n: int) -> int:
    """64 bits that look like chance and are the same each time (Fibonacci hashing, twice)."""
    mixed = n * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    return (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF


def uniform(count: int) -> Layout:
    """Names as of random UUIDs: 32 hex digits, evenly spread and not regular."""
    step = max(1, 2**64 // max(1, count))

    def key(n: int) -> str:
        return f"{n * step + _noise(n) % step:016x}{_noise(~n):016x}"

    return Layout(count, key)


def counter(count: int) -> Layout:
    """A flat counter with leading zeros: all keys share most of their digits."""
    return Layout(count, lambda n: f"{n:010d}")


#: Made up.
_HOT = "tenant-5f0c2a1e-7b1d-4c55-9d2e-0a4b8c6d7e11"


def skewed(count: int) -> Layout:
    """Nine of ten keys below one prefix, the others in a thousand small ones before and behind it."""
    tenants = 1000
    # Sixteenths of the tenants' names come before the large one: 0 … 5e.
    before = count // 10 * 0x5F // 0x100
    hot = count - count // 10
    each = max(1, (count // 10) // tenants)

    def small(n: int) -> str:
        number = n // each
        name = int(number * 0xFFFFFFFF / (count // 10 // each + 1))
        return f"tenant-{name:08x}/{n % each:06d}.json"

    first_behind = next((n for n in range(before, count) if small(n) > _HOT), before)

    def key(n: int) -> str:
        if n < first_behind:
            return small(n)
        if n < first_behind + hot:
            return f"{_HOT}/events/{n - first_behind:09d}.json"
        return small(n - hot)

    return Layout(count, key)


#: Services and their shares in a hundred.
_SERVICES = (("auth", 50), ("billing", 25), ("catalog", 15), ("search", 7), ("web", 3))


def hive(count: int) -> Layout:
    """Partitions by service, date and hour; half of the keys are of one service."""
    sizes = [count * share // 100 for _, share in _SERVICES]
    sizes[0] += count - sum(sizes)
    ends = list(accumulate(sizes))
    hours = [max(1, size // (500 * 24)) for size in sizes]

    def key(n: int) -> str:
        which = bisect_right(ends, n)
        hour, part = divmod(n - ends[which] + sizes[which], hours[which])
        return f"service={_SERVICES[which][0]}/{_partition(hour)}/part-{part:05d}-{_noise(n):016x}.snappy.parquet"

    return Layout(count, key)


@lru_cache(maxsize=100_000)
def _partition(hour: int) -> str:
    return f"dt={date(2025, 1, 1) + timedelta(days=hour // 24)}/hour={hour % 24:02d}"


#: What URLs, XML, SQL and sort orders treat in ways of their own, in the order of UTF-8.
_ODD = "\0\x01\n\r %'+/0<\\a\x7f\u00e9\u0301\ue000\uffff\U00010000\U0001f600"


def odd(count: int) -> Layout:
    """Keys of odd characters only, control characters and non-ASCII among them."""
    base, places = len(_ODD), 8
    step = base**places // max(1, count)

    def key(n: int) -> str:
        value, found = n * step, []
        for _ in range(places):
            value, rank = divmod(value, base)
            found.append(_ODD[rank])
        return "".join(reversed(found))

    return Layout(count, key)


#: By the name that tables show.
LAYOUTS: dict[str, Callable[[int], Layout]] = {
    "uniform": uniform,
    "flat counter": counter,
    "90 % skewed": skewed,
    "hive-like": hive,
    "odd keys": odd,
}

"""Whatever keys a bucket has and in whatever order answers come: each key once, and all connections at work."""

from __future__ import annotations

import random
from bisect import bisect_right

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner_tasks.core.listing.keyspace import behind, middle, scale, shared
from scanner_tasks.core.listing.pace import Pace
from scanner_tasks.core.listing.plan import Ask, Found, KeyRange, Plan
from tests.aws.fake_s3.layouts import LAYOUTS

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
#: Few characters, so that keys share beginnings; the ends of Unicode and of its gap among them.
close = st.text(st.sampled_from("09a/-\0\x7f\ud7ff\ue000\U0010ffff"), max_size=6)
key_sets = st.one_of(st.sets(close, max_size=60), st.sets(texts, max_size=60)).map(lambda keys: sorted(keys - {""}))


class Bucket:
    """What S3 answers, and what the plan made of it."""

    def __init__(self, keys: list[str], page_keys: int) -> None:
        self.keys = keys
        self.page_keys = page_keys
        self.listed: list[str] = []
        self.ranges: dict[int, tuple[str | None, str | None]] = {0: (None, None)}

    def page(self, ask: Ask) -> tuple[list[str], bool]:
        first = 0 if ask.start_after is None else bisect_right(self.keys, ask.start_after)
        return self.keys[first : first + self.page_keys], first + self.page_keys >= len(self.keys)

    def record(self, found: Found | None, keys: list[str]) -> None:
        """As a ledger does: a cut shortens its range, which must hold it; the cursor only goes forward."""
        if found is None:
            return
        if found.cut is not None:
            assert found.cut_from is not None
            after, until = self.ranges[found.cut_from]
            assert after is None or after < found.cut
            assert until is None or found.cut < until
            self.ranges[found.cut_from] = after, found.cut
            self.ranges[found.number] = found.cut, until
        after, until = self.ranges[found.number]
        mine = keys[: found.keys]
        assert all((after is None or key > after) and (until is None or key <= until) for key in mine)
        assert found.cursor == (mine[-1] if mine else after)
        self.listed += mine
        self.ranges[found.number] = found.cursor, until
        if found.is_done:
            del self.ranges[found.number]


def walk(bucket: Bucket, connections: int, chance: random.Random, prefix: str = "") -> Plan:
    """List all; answers come in any order, each with what the bucket held when it was asked."""
    plan = Plan(prefix, [KeyRange(number=0)], page_keys=bucket.page_keys)
    under_way: list[tuple[Ask, list[str], bool]] = []
    while True:
        under_way += [(ask, *bucket.page(ask)) for ask in plan.asks(connections - len(under_way))]
        if not under_way:
            return plan
        ask, keys, is_last = under_way.pop(chance.randrange(len(under_way)))
        bucket.record(plan.answered(ask, keys, is_last=is_last), keys)


@settings(max_examples=300, deadline=None)
@given(keys=key_sets, page_keys=st.integers(1, 5), connections=st.integers(1, 9), chance=st.randoms())
def test_every_key_is_listed_once_by_ranges_that_are_disjoint_and_cover_all(
    keys: list[str], page_keys: int, connections: int, chance: random.Random
) -> None:
    bucket = Bucket(keys, page_keys)
    plan = walk(bucket, connections, chance)
    assert plan.is_done
    assert bucket.ranges == {}
    assert sorted(bucket.listed) == keys


@settings(max_examples=100, deadline=None)
@given(keys=key_sets, page_keys=st.integers(1, 4), chance=st.randoms(), stop=st.integers(0, 40))
def test_another_plan_goes_on_from_what_is_left_at_any_moment(
    keys: list[str], page_keys: int, chance: random.Random, stop: int
) -> None:
    bucket = Bucket(keys, page_keys)
    plan = Plan("", [KeyRange(number=0)], page_keys=page_keys)
    under_way: list[tuple[Ask, list[str], bool]] = []
    for _ in range(stop):  # then it dies, with requests on their way
        under_way += [(ask, *bucket.page(ask)) for ask in plan.asks(5 - len(under_way))]
        if not under_way:
            break
        ask, found, is_last = under_way.pop(chance.randrange(len(under_way)))
        bucket.record(plan.answered(ask, found, is_last=is_last), found)
    left = [KeyRange(number=number, cursor=after, until=until) for number, (after, until) in bucket.ranges.items()]
    plan, under_way = Plan("", left, page_keys=page_keys), []
    while asks := plan.asks(5):
        for ask in asks:
            found, is_last = bucket.page(ask)
            bucket.record(plan.answered(ask, found, is_last=is_last), found)
    assert sorted(bucket.listed) == keys


@settings(max_examples=150, deadline=None)
@given(keys=key_sets, more=key_sets, chance=st.randoms())
def test_keys_that_come_and_go_meanwhile_disturb_no_other(
    keys: list[str], more: list[str], chance: random.Random
) -> None:
    stay = {key for key in keys if chance.random() < 0.6}
    bucket = Bucket(list(keys), 2)

    class Changing(Bucket):
        def page(self, ask: Ask) -> tuple[list[str], bool]:
            self.keys = sorted(stay | {key for key in (*keys, *more) if chance.random() < 0.5})
            return super().page(ask)

    bucket = Changing(list(keys), 2)
    walk(bucket, 5, chance)
    assert len(bucket.listed) == len(set(bucket.listed))
    assert stay <= set(bucket.listed) <= {*keys, *more}


@given(keys=st.sets(texts, max_size=30), prefix=texts)
def test_only_what_begins_with_the_prefix_is_cut(keys: set[str], prefix: str) -> None:
    below = sorted(prefix + key for key in keys if prefix + key)
    bucket = Bucket(below, 1)
    asked: list[str] = []
    page = bucket.page
    bucket.page = lambda ask: (asked.append(ask.start_after or prefix), page(ask))[1]  # type: ignore[method-assign]
    walk(bucket, 6, random.Random(1), prefix)
    assert sorted(bucket.listed) == below
    end = behind(prefix)
    assert all(prefix <= cut and (end is None or cut <= end) for cut in asked)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_layout_leaves_connections_idle_or_asks_much_in_vain(layout: str) -> None:
    made = LAYOUTS[layout](60_000)
    keys = [made.key(n) for n in range(made.count)]
    bucket = Bucket(keys, 100)
    plan = Plan("", [KeyRange(number=0)], page_keys=100)
    rounds = 0
    while asks := plan.asks(16):  # all sent together, all answered together
        rounds += 1
        answers = [(ask, *bucket.page(ask)) for ask in asks]
        for ask, found, is_last in answers:
            bucket.record(plan.answered(ask, found, is_last=is_last), found)
    assert sorted(bucket.listed) == keys
    assert rounds <= 600 / 8, "16 connections list at least eight pages a round"
    assert plan.requests <= 2 * 600


def test_small_bucket_is_one_request() -> None:
    bucket = Bucket(["a", "b", "c"], 1000)
    plan = walk(bucket, 16, random.Random(1))
    assert (plan.requests, bucket.listed) == (1, ["a", "b", "c"])


@given(close, close)
def test_shared_is_the_longest_common_beginning(one: str, other: str) -> None:
    n = shared(one, other)
    assert one[:n] == other[:n]
    assert n == min(len(one), len(other)) or one[n] != other[n]


@given(st.one_of(close, texts), st.one_of(close, texts))
def test_behind_is_the_end_of_what_begins_so(prefix: str, more: str) -> None:
    end = behind(prefix)
    if end is None:
        assert set(prefix) <= {"\U0010ffff"}
    else:
        assert prefix + more < end
        end.encode()


@settings(max_examples=300)
@given(low=texts, high=st.none() | texts, like=close, seen=close)
def test_middle_is_strictly_between_or_there_is_none(low: str, high: str | None, like: str, seen: str) -> None:
    if high is not None and high <= low:
        low, high = high, low + "x"
    found = middle(low, high, scale(low, high, like=like, seen="".join(sorted(set(seen)))))
    assert found is None or (low < found and (high is None or found < high))
    if found is not None:
        found.encode()


def test_slow_downs_halve_the_pace_once_a_wave_and_never_stop_it() -> None:
    pace = Pace(16)
    for wanted in (8, 4, 2, 1, 1):
        wave = pace.limit
        for _ in range(wave):
            pace.answered(slow_downs=2)
        assert pace.limit == wanted
    for _ in range(200):
        pace.answered(slow_downs=0)
    assert pace.limit == 16


def test_range_that_ends_with_a_key_is_not_done_amid_the_versions_of_it() -> None:
    plan = Plan("", [KeyRange(number=0, until="k")], page_keys=2)
    (first,) = plan.asks(1)
    found = plan.answered(first, ["a", "k"], is_last=False, cursor="k\0v9")
    assert found == Found(number=0, keys=2, cursor="k\0v9", until="k", is_done=False)
    (second,) = plan.asks(1)
    assert second == Ask(start_after="k\0v9", number=0)
    found = plan.answered(second, ["k", "l"], is_last=False, cursor="l\0v1")
    assert found is not None
    assert (found.keys, found.is_done, plan.is_done) == (1, True, True)

"""Slots are shared by message groups, whatever lanes they are in: played through with the arithmetic alone."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from scanner_tasks.sqs.prefetch import Prefetch
from scanner_tasks.sqs.turns import REMEMBER_S, Turns

SLOTS = 20


def play(groups_of: dict[str, list[str]], *, ends: list[int]) -> Counter[str]:
    """Messages that each group gave a busy worker, of which so many tasks ended at each step."""
    prefetch, given_by, held = Prefetch(), Counter[str](), 0
    for lane in groups_of:  # a probe each
        prefetch.turns.received(lane, [groups_of[lane][0]], now=0)
        prefetch.hot.add(lane)
    places = dict.fromkeys(groups_of, 0)
    for ended in ends:
        held = max(0, held - ended)
        for lane in prefetch.turns.order(groups_of):
            ask = prefetch.plan(lane, slots=SLOTS, held=held, lanes=len(groups_of), long_wait_s=20)
            if ask is None:
                continue
            prefetch.began(lane, ask)
            groups = [groups_of[lane][(places[lane] + n) % len(groups_of[lane])] for n in range(ask.count)]
            places[lane] += ask.count
            held += ask.count
            assert held <= SLOTS + len(groups_of)
            prefetch.ended(lane, received=ask.count)
            prefetch.turns.received(lane, groups, now=0)
            given_by.update(groups)
    return given_by


@given(ends=st.lists(st.integers(1, SLOTS), min_size=300, max_size=300))
def test_ten_groups_on_eight_lanes_get_equal_shares(ends: list[int]) -> None:
    groups_of = {f"lane{n}": [f"g{n}"] for n in range(8)}
    groups_of["lane0"].append("g8")
    groups_of["lane1"].append("g9")
    shares = play(groups_of, ends=ends)
    assert len(shares) == 10
    assert min(shares.values()) >= 0.8 * max(shares.values()) - SLOTS


def test_lane_that_gave_less_than_it_was_asked_for_cannot_call_it_in_later() -> None:
    turns = Turns()
    turns.received("quiet", ["q"], now=0)
    for _ in range(1000):
        turns.received("busy", ["b"], now=0)
    assert turns.owed("quiet") == 1000
    turns.ran_dry("quiet")
    assert turns.owed("quiet") == 0


def test_group_that_is_gone_no_longer_counts() -> None:
    turns = Turns()
    turns.received("a", ["x", "y"], now=0)
    assert turns.weight("a") == 2
    turns.received("a", ["x"], now=REMEMBER_S + 1)
    assert turns.weight("a") == 1
    turns.forget("a")
    assert turns.weight("a") == 1

"""How much each lane asks for: the bound always holds, and nobody starves."""

from hypothesis import given
from hypothesis import strategies as st

from scanner_tasks.sqs.prefetch import MAX_MESSAGES, Prefetch
from tests.sqs.samples import with_and_without


@given(
    slots=st.integers(1, 30),
    lanes=st.integers(1, 12),
    steps=st.lists(st.tuples(st.sampled_from(["ask", "answer", "settle"]), st.integers(0, 11), st.integers(0, 10))),
)
def test_held_and_asked_for_never_exceed_slots_and_one_for_each_lane(slots, lanes, steps):
    prefetch, held = Prefetch(), 0
    for action, number, size in steps:
        lane = f"lane{number % lanes}"
        if action == "ask" and lane not in prefetch.asked:
            ask = prefetch.plan(lane, slots=slots, held=held, lanes=lanes, long_wait_s=20)
            if ask:
                assert 1 <= ask.count <= MAX_MESSAGES
                prefetch.began(lane, ask)
        elif action == "answer" and lane in prefetch.asked:
            received = min(size, prefetch.asked[lane].count)
            prefetch.ended(lane, received=received)
            held += received
        elif action == "settle":
            held = max(0, held - size)
        assert held + prefetch.outstanding <= slots + lanes


def test_a_lane_alone_fills_every_slot():
    prefetch, held = Prefetch(), 0
    for lane in "abcdefgh":  # each silent lane keeps its probe open
        prefetch.began(lane, prefetch.plan(lane, slots=20, held=0, lanes=8, long_wait_s=20))
    prefetch.ended("a", received=1)
    held = 1
    while ask := prefetch.plan("a", slots=20, held=held, lanes=8, long_wait_s=20):
        prefetch.began("a", ask)
        prefetch.ended("a", received=ask.count)
        held += ask.count
    assert held == 20


def test_hot_lanes_share_the_free_slots():
    prefetch = Prefetch()
    for lane in "abcd":
        prefetch.ended(lane, received=1)
    asks = []
    for lane in "abcd":
        ask = prefetch.plan(lane, slots=20, held=4, lanes=4, long_wait_s=20)
        prefetch.began(lane, ask)
        asks.append(ask.count)
    assert asks == [4, 4, 4, 4]


def test_a_full_worker_asks_for_nothing():
    assert Prefetch().plan("a", slots=20, held=20, lanes=8, long_wait_s=20) is None


@with_and_without
def test_worker_holds_no_more_than_its_slots_and_one_for_each_lane(make_sample, stock):
    sample = make_sample(lanes=8, visibility_s=60, stock=stock)
    sign = sample.folder / "sign"
    for n in range(80):
        sample.put("sample.hold", f"t{n}", str(sign), lane=sample.lanes[n % 8])
    sample.start(concurrency=20, grace_s=0.1)
    sample.wait_until(lambda: len(sample.lines("start")) == 20, what="20 running tasks")
    # No task ends before the sign, so the lanes stand still while they are measured, one after the other.
    if stock:  # it asks for min(10, free slots) of each lane: that they come is a matter of time only
        sample.wait_until(lambda: sample.in_flight > 28, what="too many messages", timeout_s=20)
    in_flight = sample.in_flight
    sign.touch()
    assert 20 <= in_flight <= 20 + 8


def test_a_bucket_alone_keeps_every_thread_busy_and_another_one_starts_at_once(make_sample):
    sample = make_sample(lanes=8, visibility_s=60)
    sample.start(concurrency=20)
    for n in range(60):
        sample.put("sample.work", f"a{n}", 1)
    sample.wait_until(lambda: len(sample.lines("start")) - len(sample.lines("end")) == 20, what="20 busy threads")
    sample.put("sample.work", "b", lane=sample.lanes[5])
    sample.wait_until(lambda: "b" in sample.lines("start"), what="the other lane's task", timeout_s=10)
    # It came between the first twenty and the twenty after: one round of waiting, not the whole queue.
    assert sample.lines("start").index("b") <= 50

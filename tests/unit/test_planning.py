"""The plan keeps every object exactly once, windows are never overdrawn, and what is packed comes back whole."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner_tasks.core.model import ObjectRef, Outcome, PlannedBatch, Progress
from scanner_tasks.core.planning import (
    MAX_BYTES,
    MAX_OBJECTS,
    MAX_STATEMENT_BYTES,
    Policy,
    cut_batches,
    literal_bytes,
    plan_object,
    plan_page,
)
from scanner_tasks.core.progress import eta_s, percent
from scanner_tasks.core.windows import bucket_window, room, wait_s
from scanner_tasks.store.packing import pack_etags, unpack_etags
from scanner_tasks.store.text import BREAK, from_text, joined, plain, to_text

LIMIT = 200 * 1024**2
MD5 = "d41d8cd98f00b204e9800998ecf8427e"

keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60) | st.text(
    "'\\\0\ue000é𝄞/", min_size=1, max_size=250
)
sizes = st.integers(0, 300) | st.sampled_from(
    [MAX_BYTES // 2, MAX_BYTES - 1, MAX_BYTES, MAX_BYTES + 1, LIMIT, LIMIT + 1]
)
etags = st.sampled_from([MD5, f"{MD5}-2", f"{MD5}-10000", "", "x", "e" * 127]) | st.text(max_size=40)
objects = st.builds(
    ObjectRef,
    bucket=st.just("b"),
    key=keys,
    size_bytes=sizes,
    etag=etags,
    version_id=st.none() | st.text("abc123._", min_size=1, max_size=32),
    storage_class=st.sampled_from(["STANDARD", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"]),
)
pages = st.lists(objects, max_size=40) | st.builds(
    lambda one, count: [one] * count, objects.filter(lambda o: len(o.key) < 5), st.integers(95, 320)
)


@given(pages)
def test_every_object_is_in_exactly_one_batch_in_the_order_of_the_listing(page: list[ObjectRef]) -> None:
    batches = plan_page(page, Policy(object_max_bytes=LIMIT))
    assert [planned.ref for batch in batches for planned in batch.objects] == page
    assert all(batch.objects for batch in batches)


plain_objects = st.builds(
    ObjectRef,
    bucket=st.just("b"),
    key=st.text("abc/=._-'\\é", min_size=1, max_size=300),
    size_bytes=st.sampled_from([1, 300, MAX_BYTES // 90, MAX_BYTES]),
    etag=st.sampled_from([MD5, f"{MD5}-2"]),
)


@given(st.lists(plain_objects, min_size=1, max_size=4), st.integers(1, 80), st.sampled_from([10, MAX_BYTES]))
def test_page_as_most_are_is_cut_as_every_page_is(some: list[ObjectRef], times: int, alone: int) -> None:
    policy = Policy(object_max_bytes=LIMIT, alone_above_bytes=alone)
    page = some * times
    assert plan_page(page, policy) == cut_batches([plan_object(ref, policy) for ref in page], policy)


@given(pages)
def test_batch_is_within_its_bounds_unless_one_object_alone_is_larger(page: list[ObjectRef]) -> None:
    for batch in plan_page(page, Policy(object_max_bytes=LIMIT)):
        assert len(batch.objects) <= MAX_OBJECTS
        assert pending_bytes(batch) <= MAX_BYTES or len(batch.objects) == 1
        assert sum(literal_bytes(p.ref) for p in batch.objects) <= MAX_STATEMENT_BYTES or len(batch.objects) == 1


@given(pages)
def test_batch_is_cut_only_where_the_next_object_does_not_fit(page: list[ObjectRef]) -> None:
    batches = plan_page(page, Policy(object_max_bytes=LIMIT))
    for batch, following in itertools.pairwise(batches):
        first = PlannedBatch(objects=following.objects[:1])
        literals = sum(literal_bytes(p.ref) for p in (*batch.objects, *first.objects))
        assert (
            len(batch.objects) == MAX_OBJECTS
            or pending_bytes(batch) + pending_bytes(first) > MAX_BYTES
            or literals > MAX_STATEMENT_BYTES - 400
        )


def pending_bytes(batch: PlannedBatch) -> int:
    return sum(p.ref.size_bytes for p in batch.objects if p.outcome is Outcome.PENDING)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, Outcome.PENDING),
        ({"size_bytes": 0}, Outcome.SKIPPED_EMPTY),
        ({"key": "folder/", "size_bytes": 0}, Outcome.SKIPPED_FOLDER_MARKER),
        ({"key": "a folder's name/", "size_bytes": 1}, Outcome.PENDING),
        ({"size_bytes": LIMIT}, Outcome.PENDING),
        ({"size_bytes": LIMIT + 1}, Outcome.SKIPPED_TOO_LARGE),
        ({"storage_class": "GLACIER"}, Outcome.SKIPPED_ARCHIVED_STORAGE_CLASS),
        ({"storage_class": "DEEP_ARCHIVE"}, Outcome.SKIPPED_ARCHIVED_STORAGE_CLASS),
        ({"storage_class": "GLACIER_IR"}, Outcome.PENDING),
        ({"storage_class": "INTELLIGENT_TIERING"}, Outcome.PENDING),
    ],
)
def test_object_is_skipped_for_a_reason_or_scanned(changes: dict[str, object], outcome: Outcome) -> None:
    fields = {"bucket": "b", "key": "k", "size_bytes": 5, "etag": MD5} | changes
    (batch,) = plan_page([ObjectRef(**fields)], Policy(object_max_bytes=LIMIT))
    assert [planned.outcome for planned in batch.objects] == [outcome]


def test_large_object_is_a_batch_of_its_own_between_its_neighbours() -> None:
    page = [
        ObjectRef(bucket="b", key=str(n), size_bytes=size, etag=MD5) for n, size in enumerate([10, 2 * MAX_BYTES, 20])
    ]
    assert [len(batch.objects) for batch in plan_page(page, Policy(object_max_bytes=LIMIT))] == [1, 1, 1]


def test_object_that_may_be_split_is_a_batch_of_its_own() -> None:
    page = [ObjectRef(bucket="b", key=str(n), size_bytes=size, etag=MD5) for n, size in enumerate([9, 0, 11, 0, 5, 12])]
    policy = Policy(object_max_bytes=LIMIT, alone_above_bytes=10)
    assert [len(batch.objects) for batch in plan_page(page, policy)] == [2, 1, 2, 1]


rates = st.floats(0, 10_000)


@given(rates, st.integers(1, 1000), st.floats(0.1, 600), st.lists(st.integers(0, 5000), min_size=1, max_size=50))
def test_jobs_of_a_bucket_together_stay_within_its_window(
    rate: float, least: int, window_s: float, ahead: list[int]
) -> None:
    window, jobs = bucket_window(batches_per_s=rate, min_batches=least, window_s=window_s), len(ahead)
    assert window >= least
    rooms = [room(window=window, active_jobs=jobs, ahead=n) for n in ahead]
    assert all(free >= 0 for free in rooms)
    # What is ahead and what may be sent: within the window, unless something was ahead of its share before. A window of
    # fewer batches than jobs still gives each job one.
    assert sum(rooms) <= max(window, jobs)
    for free, n in zip(rooms, ahead, strict=True):
        assert free == 0 or free + n <= max(1, window // jobs)


@given(st.integers(1, 1000))
def test_job_with_nothing_ahead_may_always_send(jobs: int) -> None:
    assert room(window=1, active_jobs=jobs, ahead=0) == 1


@given(st.integers(0, 10**6), rates, st.integers(1, 60))
def test_wait_is_at_least_a_second_and_never_too_long(share: int, rate: float, longest: int) -> None:
    assert 1 <= wait_s(share=share, batches_per_s=rate, longest_s=longest) <= longest


@given(st.lists(etags | st.from_regex(r"\A[0-9a-fA-F]{32}(-[0-9]{1,6})?\Z"), max_size=100))
def test_packed_etags_come_back_as_they_were(given_etags: list[str]) -> None:
    # One longer than any store sends is kept as none: its object is read without If-Match.
    kept = tuple(etag if len(etag.encode()) <= 127 else "" for etag in given_etags)
    assert unpack_etags(pack_etags(given_etags)) == kept


@pytest.mark.parametrize("etag", [f"{MD5}-65535", f"{MD5}-65536", f"{MD5}-99999", f"{MD5}-0", f"{MD5}-01", MD5.upper()])
def test_etag_with_more_parts_than_two_bytes_count_comes_back(etag: str) -> None:
    assert unpack_etags(pack_etags([etag, MD5])) == (etag, MD5)


@given(keys)
def test_key_comes_back_from_its_stored_form_which_has_no_nul(key: str) -> None:
    assert "\0" not in to_text(key)
    assert from_text(to_text(key)) == key


@given(st.text("\0\ue0000e", max_size=12))
def test_escapes_beside_each_other_are_not_mixed_up(key: str) -> None:
    assert from_text(to_text(key)) == key


@given(st.lists(st.text("\0\ue0000e|'\\ab", min_size=1, max_size=6), min_size=1, max_size=8), st.text("\0\ue000|a"))
def test_keys_in_one_text_come_apart_again_and_are_no_longer_together(keys: list[str], before: str) -> None:
    stored = [to_text(before + key) for key in keys]
    begin, rest = joined(before + key for key in keys)
    assert (begin + rest.replace(BREAK, BREAK + begin)).split(BREAK) == stored  # as KEYS_OF does
    assert len(begin * 2 + rest) <= len(BREAK.join(stored))


@given(st.text("\0\ue0000e", max_size=12), st.text("\0\ue0000e", max_size=12))
def test_two_keys_are_never_stored_alike(one: str, other: str) -> None:
    assert (to_text(one) == to_text(other)) == (one == other)


@given(st.lists(st.sampled_from(["\0", "\ud800", "\udc00", "a", "\U0001f600"]), max_size=8).map("".join))
def test_text_from_outside_can_be_stored_whatever_it_is(text: str) -> None:
    stored = plain(text)
    assert "\0" not in stored
    stored.encode()
    assert plain(stored) == stored


@given(st.integers(1, 10**12).flatmap(lambda listed: st.tuples(st.just(listed), st.integers(0, listed))), st.booleans())
def test_percent_says_100_only_at_the_end(of: tuple[int, int], is_final: bool) -> None:
    listed, done = of
    shown = percent(Progress(listed=listed, scanned=done), is_final=is_final)
    assert 0 <= shown <= 100
    assert (shown == 100) == (done == listed and is_final)
    assert 100 * done / listed - 0.0101 <= shown <= 100 * done / listed + 1e-9


@pytest.mark.parametrize(
    ("listed", "done", "is_final", "shown"),
    [
        (0, 0, False, 0.0),
        (0, 0, True, 100.0),
        (3, 1, False, 33.33),
        (3, 2, False, 66.66),
        (1_000_000, 999_999, False, 99.99),
        (1_000_000, 999_999, True, 99.99),
        # All that is listed so far is done, and the listing goes on.
        (1_000, 1_000, False, 99.99),
        (1_000, 1_000, True, 100.0),
    ],
)
def test_percent_is_rounded_down(listed: int, done: int, is_final: bool, shown: float) -> None:
    assert percent(Progress(listed=listed, scanned=done), is_final=is_final) == shown


@pytest.mark.parametrize(
    ("progress", "elapsed_s", "total_is_final", "seconds"),
    [
        (Progress(), 10, True, None),
        (Progress(listed=10), 10, True, None),
        (Progress(listed=10, scanned=5), 10, False, None),
        (Progress(listed=10, scanned=5), 0, True, None),
        (Progress(listed=10, scanned=5), -1, True, None),
        (Progress(listed=10, scanned=5), 10, True, 10.0),
        (Progress(listed=10, scanned=10), 10, True, 0.0),
        # Half of the objects are done, but a tenth of the bytes.
        (Progress(listed=10, scanned=5, bytes_listed=1000, bytes_done=100), 10, True, 90.0),
        # One object in ranges, a tenth of which have ended.
        (Progress(listed=1, processing=1, bytes_listed=1000, bytes_done=100), 10, True, 90.0),
        # More done than listed (sums read between two changes): never below zero.
        (Progress(listed=10, scanned=11, bytes_listed=1000, bytes_done=1100), 10, True, 0.0),
    ],
)
def test_eta_is_told_once_total_and_rate_are_known(
    progress: Progress, elapsed_s: float, total_is_final: bool, seconds: float | None
) -> None:
    assert eta_s(progress, elapsed_s=elapsed_s, total_is_final=total_is_final) == seconds


def test_pending_is_what_is_neither_held_nor_done() -> None:
    progress = Progress(
        listed=10, processing=2, scanned=1, partial=1, skipped=1, unchanged=1, failed=1, refreshed_at=datetime.now(UTC)
    )
    assert (progress.done, progress.pending) == (5, 3)

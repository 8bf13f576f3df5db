"""Reading through cuts, stalls and refusals, against a server that really cuts, stalls and refuses."""

from __future__ import annotations

import random
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from botocore.exceptions import NoCredentialsError

from scanner_tasks.aws.brakes import Brakes
from scanner_tasks.aws.clients import make_s3_client
from scanner_tasks.aws.faults import Backoff
from scanner_tasks.core.errors import (
    BucketNotFound,
    Denied,
    ObjectArchived,
    ObjectChanged,
    ObjectDenied,
    ObjectError,
    ObjectGone,
    Unavailable,
)
from scanner_tasks.core.model import ObjectRef, Outcome
from tests.aws.fake_s3 import Cut, Drip, Late, Refuse, Stall

CONTENT = random.Random(7).randbytes(700_000)
KEY = "a//../b c"
REF = ObjectRef(bucket="bucket", key=KEY, size_bytes=len(CONTENT), etag="e1")
BUSY = Refuse(503, "SlowDown")


@pytest.fixture
def server(fake_s3):
    fake_s3.bucket("bucket").put(KEY, CONTENT, etag="e1")
    return fake_s3


@pytest.fixture
def objects(server, backend, reader):
    return reader(backend, server.endpoint_url)


@pytest.fixture
def slept(waits):
    return waits.slept


def read_all(objects, ref=REF, window=100_000):
    with objects.open(ref) as body:
        pieces = list(iter(lambda: body.read(window), b""))
        assert body.bytes_read == sum(map(len, pieces))
    return b"".join(pieces)


def test_the_key_travels_untouched_and_the_listed_etag_with_it(objects, server):
    assert read_all(objects) == CONTENT
    (request,) = server.requests
    assert request.target == "/bucket/a//../b%20c"
    assert request.if_match == '"e1"'
    assert request.range is None


def test_bodies_read_to_their_end_share_a_connection(objects, server):
    for _ in range(3):
        assert read_all(objects) == CONTENT
    assert server.connections == 1


@pytest.mark.parametrize(
    ("fault", "after"),
    [*((Cut, after) for after in (0, 1, 300_000, len(CONTENT) - 1)), (Stall, 0), (Stall, 300_000)],
)
def test_a_broken_body_goes_on_where_it_broke_and_only_in_the_same_version(objects, server, fault, after):
    server.script.append(fault(after))
    assert read_all(objects) == CONTENT
    first, second = server.requests
    assert first.range is None
    assert {r.if_match for r in (first, second)} == {'"e1"'}
    resumed_at = int((second.range or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
    assert resumed_at == after


def test_any_number_of_cuts_is_survived_while_each_try_brings_bytes(objects, server):
    server.script.extend([Cut(140_000)] * 4)
    assert read_all(objects, window=1_000_000) == CONTENT
    assert [r.range for r in server.requests[1:]] == [f"bytes={n * 140_000}-" for n in (1, 2, 3, 4)]


def test_a_body_that_never_comes_is_unavailable_after_the_tries(objects, server, slept):
    server.script.extend([Cut(0)] * 9)
    with pytest.raises(ObjectError) as caught:
        read_all(objects)
    assert caught.value.outcome is Outcome.FAILED_UNAVAILABLE
    assert len(server.requests) == 4
    assert slept == [0.1, 0.2, 0.4]


def test_slow_down_waits_longer_and_longer(objects, server, slept):
    server.script.extend([BUSY] * 3)
    assert read_all(objects) == CONTENT
    assert slept == [1.0, 2.0, 4.0]


def test_every_thread_waits_when_one_was_asked_to_slow_down_on_that_bucket(objects, server, slept):
    server.bucket("other", {"k": b"x"})
    server.script.extend([BUSY] * 4)
    with pytest.raises(ObjectError):
        read_all(objects)
    assert slept == [1.0, 2.0, 4.0]
    with ThreadPoolExecutor(1) as pool:  # another thread: on that bucket it waits, on another it does not
        pool.submit(read_all, objects, ObjectRef(bucket="other", key="k", size_bytes=1, etag="")).result()
        assert len(slept) == 3
        pool.submit(read_all, objects).result()
        assert slept[3:] == [8.0]


def test_brakes_hold_all_threads_double_once_and_let_go_when_it_goes_well():
    now = [100.0]
    brakes = Brakes(base_s=1.0, cap_s=4.0, clock=lambda: now[0], chance=lambda: 1.0)
    assert brakes.delay_s("b") == 0
    for _ in range(4):  # four threads sent at the same time, and were refused: the first one counts
        brakes.slow_down("b", sent_at=99.0)
    assert (brakes.delay_s("b"), brakes.delay_s("other")) == (1.0, 0)
    now[0] = 101.0
    assert brakes.delay_s("b") == 0
    for n, wait in enumerate((2.0, 4.0, 4.0)):
        brakes.slow_down("b", sent_at=now[0])
        assert brakes.delay_s("b") == wait, n
        now[0] += wait
    brakes.went_well("b", sent_at=now[0] - 20)  # sent before all this
    brakes.slow_down("b", sent_at=now[0])
    assert brakes.delay_s("b") == 4.0
    now[0] += 4.0
    for wait in (2.0, 1.0, 0):
        brakes.went_well("b", sent_at=now[0])
        assert brakes._brakes["b"].wait_s == wait if wait else "b" not in brakes._brakes


def test_waits_are_jittered_below_a_ceiling():
    backoff = Backoff(chance=lambda: 0.25)
    assert backoff.delay_s(2) == 0.05
    assert backoff.delay_s(50) == 5.0


def test_a_range_that_breaks_off_goes_on_within_the_range(objects, server):
    server.script.append(Cut(140_000))
    with objects.open(REF, first_byte=10_000, last_byte=399_999) as body:
        assert body.read(500_000) == CONTENT[10_000:400_000]
    assert [r.range for r in server.requests] == ["bytes=10000-399999", "bytes=150000-399999"]


def test_an_object_overwritten_while_it_is_read_has_changed(objects, server):
    server.script.append(Cut(300_000))
    with objects.open(REF) as body:
        body.read(100_000)
        server.buckets["bucket"].put(KEY, CONTENT, etag="e2")
        with pytest.raises(ObjectChanged):
            body.read(len(CONTENT))
    assert server.requests[-1].range is not None


def test_a_store_that_ignores_ranges_never_gives_the_start_twice(objects, server):
    server.ignores_range = True
    server.script.append(Cut(300_000))
    with objects.open(REF) as body:
        assert body.read(300_000) == CONTENT[:300_000]
        with pytest.raises(ObjectError, match="Range"):
            body.read(1)


def test_without_a_listed_etag_the_first_answer_holds_the_version(objects, server):
    server.script.append(Cut(300_000))
    assert read_all(objects, replace(REF, etag="")) == CONTENT
    assert [r.if_match for r in server.requests] == [None, '"e1"']


def test_a_body_that_drips_is_cut_and_goes_on_elsewhere(objects, server):
    server.script.append(Drip(100_000, every_s=0.02))
    assert read_all(objects) == CONTENT
    first, second = server.requests
    assert 100_000 < int(second.range.removeprefix("bytes=").removesuffix("-")) < 101_000
    assert first.connection != second.connection


def test_a_body_that_always_drips_is_unavailable_after_the_tries(objects, server):
    server.script.extend([Drip(0, every_s=0.02)] * 9)
    with pytest.raises(ObjectError) as caught:
        read_all(objects)
    assert caught.value.outcome is Outcome.FAILED_UNAVAILABLE
    assert len(server.requests) == 4


def test_a_late_answer_is_waited_for(objects, server):
    server.script.append(Late(0.1))
    assert read_all(objects) == CONTENT
    assert len(server.requests) == 1


def test_a_small_object_is_one_request(objects, server):
    server.buckets["bucket"].put("small", b"x" * 2000)
    ref = ObjectRef(bucket="bucket", key="small", size_bytes=2000, etag=server.buckets["bucket"].current("small").etag)
    with objects.open(ref) as body:
        assert body.read(1024**2) == b"x" * 2000
        assert body.read(1024**2) == b""
    assert [(r.method, r.range) for r in server.requests] == [("GET", None)]


def test_a_compressed_body_comes_as_it_is_stored(objects, server):
    server.buckets["bucket"].put("z", b"\x1f\x8bnot really", etag="z", content_encoding="gzip")
    assert read_all(objects, replace(REF, key="z", etag="z")) == b"\x1f\x8bnot really"


def test_a_large_object_needs_little_memory(objects, server):
    size = 24 * 1024**2
    server.buckets["bucket"].put("large", bytes(size), etag="l")
    tracemalloc.start()
    try:
        with objects.open(replace(REF, key="large", etag="l")) as body:
            assert sum(len(piece) for piece in iter(lambda: body.read(1024**2), b"")) == size
        assert tracemalloc.get_traced_memory()[1] < 6 * 1024**2
    finally:
        tracemalloc.stop()


def test_threads_share_the_connections(objects, server):
    ready = threading.Barrier(8)

    def read(_):
        ready.wait()
        return [read_all(objects) for _ in range(4)]

    with ThreadPoolExecutor(8) as pool:
        assert all(contents == [CONTENT] * 4 for contents in pool.map(read, range(8)))
    assert server.connections < 16  # of 32 reads; a connection that stalls is replaced


SSE_C = "The object was stored using a form of Server Side Encryption."


@pytest.mark.parametrize(
    ("refusal", "error", "says"),
    [
        (Refuse(404, "NoSuchKey"), ObjectGone, "deleted"),
        (Refuse(405, "MethodNotAllowed"), ObjectGone, "deleted"),
        (Refuse(412, "PreconditionFailed"), ObjectChanged, "overwritten"),
        (Refuse(403, "AccessDenied"), ObjectDenied, "s3:GetObject"),
        (Refuse(403, "AccessDenied", "not authorized to perform: kms:Decrypt on it"), ObjectDenied, "kms:Decrypt"),
        (Refuse(400, "KMS.DisabledException"), ObjectDenied, "KMS.DisabledException"),
        (Refuse(403, "InvalidObjectState"), ObjectArchived, "restore"),
        (Refuse(400, "InvalidRequest", SSE_C), ObjectError, "SSE-C"),
        (Refuse(400, "SomethingNew"), ObjectError, "SomethingNew"),
    ],
)
def test_a_refusal_is_final_and_says_what_became_of_the_object(objects, server, refusal, error, says):
    server.script.append(refusal)
    with pytest.raises(error, match=says) as caught:
        read_all(objects)
    encrypted = says == "SSE-C"
    assert caught.value.outcome is (Outcome.FAILED_ENCRYPTED if encrypted else error.outcome)
    assert REF.key not in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", ["ExpiredToken", "SignatureDoesNotMatch", "InvalidAccessKeyId"])
def test_our_own_bad_credentials_fail_no_object(objects, server, code):
    server.script.extend([Refuse(403, code)] * 2)
    with pytest.raises(Unavailable, match=code):
        read_all(objects)


def test_missing_credentials_fail_no_object(objects, monkeypatch):
    def refuse(*_, **__):
        raise NoCredentialsError

    monkeypatch.setattr(objects._requests, "get", refuse)
    with pytest.raises(Unavailable):
        read_all(objects)


@pytest.mark.parametrize(
    ("refusal", "error", "says"),
    [
        (Refuse(404, "NoSuchBucket"), BucketNotFound, "bucket"),
        (Refuse(403, "AccessDenied"), Denied, "s3:ListBucket"),
        (Refuse(403, "SignatureDoesNotMatch"), Unavailable, "credentials"),
    ],
)
def test_a_bucket_that_cannot_be_listed_says_why(objects, server, refusal, error, says):
    server.script.append(refusal)
    with pytest.raises(error, match=says):
        objects.check_bucket("bucket")


def test_a_bucket_name_that_cannot_be_is_not_found(objects):
    with pytest.raises(BucketNotFound):
        objects.check_bucket("No Such/Name")


def test_listing_and_head_are_tried_again(objects, server, slept):
    server.script.extend([BUSY, None])
    assert objects.head("bucket", KEY) == REF
    server.script.extend([BUSY] * 9)
    with pytest.raises(Unavailable):
        objects.check_bucket("bucket")
    assert slept == [1.0, *(1.0, 2.0, 4.0)]


def test_empty_pages_behind_delete_markers_are_not_the_end_of_a_listing(objects, server):
    server.empty_pages = 3
    page = objects.list_page("bucket", prefix="", start_after=None)
    assert page.objects
    assert page.is_last
    assert len(server.requests) == 4
    assert [("continuation-token" in request.target) for request in server.requests] == [False, True, True, True]


def test_a_denied_head_names_the_permission(objects, server):
    server.buckets["bucket"].current(KEY).denied = "Access Denied"
    with pytest.raises(ObjectDenied, match="s3:GetObject"):
        objects.head("bucket", KEY)


def test_the_client_leaves_timestamps_as_text_and_others_do_not(emulator, client, unique, make):
    s3 = client("s3")
    s3.create_bucket(Bucket=unique)
    s3.put_object(Bucket=unique, Key="k", Body=b"")
    assert isinstance(s3.list_objects_v2(Bucket=unique)["Contents"][0]["LastModified"], str)
    assert make_s3_client(region="us-east-1").meta.endpoint_url.startswith("https://")
    assert not isinstance(client("stepfunctions").list_state_machines(), str)

"""Reading through cuts, stalls and refusals, against a server that really cuts, stalls and refuses."""

from __future__ import annotations

import random

import pytest
from botocore.exceptions import NoCredentialsError

from scanner_tasks.aws.clients import make_s3_client
from scanner_tasks.aws.faults import Backoff
from scanner_tasks.aws.objects import S3Objects
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
from tests.aws.fault_server import Cut, FaultServer, Refuse, Stall

CONTENT = random.Random(7).randbytes(700_000)
REF = ObjectRef(bucket="bucket", key="a//../b c", size_bytes=len(CONTENT), etag="e1")
BUSY = Refuse(503, "SlowDown")


@pytest.fixture
def server():
    server = FaultServer(CONTENT, "e1")
    yield server
    server.stop()


@pytest.fixture
def slept():
    return []


@pytest.fixture
def objects(server, make, slept):
    client = make("s3", endpoint_url=server.endpoint_url, read_timeout_s=0.3)
    yield S3Objects(client, backoff=Backoff(attempts=4, sleep=slept.append, chance=lambda: 1.0))
    client.close()


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


@pytest.mark.parametrize("fault", [Cut, Stall])
@pytest.mark.parametrize("after", [0, 1, 300_000, len(CONTENT) - 1])
def test_a_broken_body_goes_on_where_it_broke_and_only_in_the_same_version(objects, server, fault, after):
    server.script.append(fault(after))
    assert read_all(objects) == CONTENT
    first, second = server.requests
    assert first.range is None
    assert {r.if_match for r in (first, second)} == {'"e1"'}
    resumed_at = int((second.range or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
    assert after - 128 * 1024 < resumed_at <= after


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
        server.etag = "e2"
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
    ref = ObjectRef(bucket="bucket", key="k", size_bytes=len(CONTENT), etag="")
    assert read_all(objects, ref) == CONTENT
    assert [r.if_match for r in server.requests] == [None, '"e1"']


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
    server.script.append(Refuse(403, code))
    with pytest.raises(Unavailable, match=code):
        read_all(objects)


def test_missing_credentials_fail_no_object(objects, monkeypatch):
    def refuse(**_):
        raise NoCredentialsError

    monkeypatch.setattr(objects._client, "get_object", refuse)
    with pytest.raises(Unavailable):
        read_all(objects)


@pytest.mark.parametrize(
    ("refusal", "error", "says"),
    [
        (Refuse(404, "NoSuchBucket"), BucketNotFound, "bucket"),
        (Refuse(403, "AccessDenied"), Denied, "s3:ListBucket"),
        (Refuse(403, "ExpiredToken"), Unavailable, "credentials"),
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
    server.script.extend([BUSY, Cut(0), None])
    assert objects.head("bucket", "k") == ObjectRef(bucket="bucket", key="k", size_bytes=700_000, etag="e1")
    server.script.extend([BUSY] * 9)
    with pytest.raises(Unavailable):
        objects.check_bucket("bucket")
    assert len(slept) == 1 + 3


def test_a_denied_head_names_the_permission(objects, server):
    server.script.append(Refuse(403, "AccessDenied"))
    with pytest.raises(ObjectDenied, match="s3:GetObject"):
        objects.head("bucket", "k")


def test_the_client_leaves_timestamps_as_text_and_others_do_not(emulator, client, unique, make):
    s3 = client("s3")
    s3.create_bucket(Bucket=unique)
    s3.put_object(Bucket=unique, Key="k", Body=b"")
    assert isinstance(s3.list_objects_v2(Bucket=unique)["Contents"][0]["LastModified"], str)
    assert make_s3_client(region="us-east-1").meta.endpoint_url.startswith("https://")
    assert not isinstance(client("stepfunctions").list_state_machines(), str)

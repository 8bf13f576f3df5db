"""The tags of an object through both backends, where S3 refuses, breaks off, or says something else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from scanner_tasks.aws.lean.tags import read_tags
from scanner_tasks.aws.objects import ObjectReader
from scanner_tasks.core.errors import ObjectDenied, ObjectError, ObjectGone
from scanner_tasks.core.model import ObjectRef, Outcome
from tests.aws.fake_s3 import Cut, FakeS3, Refuse

from .conftest import Waits

REF = ObjectRef(bucket="bucket", key="a//b c", size_bytes=1, etag="e1")


@pytest.fixture
def server(fake_s3: FakeS3) -> FakeS3:
    fake_s3.bucket("bucket").put("a//b c", b"x", etag="e1", tags={"team": "a"})
    return fake_s3


@pytest.fixture
def objects(server: FakeS3, backend: str, reader: Callable[..., ObjectReader]) -> ObjectReader:
    return reader(backend, server.endpoint_url)


def test_a_version_is_asked_for_its_own_tags_under_its_own_permission(objects: ObjectReader, server: FakeS3) -> None:
    younger = server.buckets["bucket"].put("a//b c", b"y", tags={"team": "b"})
    assert objects.tags(replace(REF, version_id="v1")) == {"team": "a"}
    assert objects.tags(REF) == {"team": "b"}
    asked = server.requests[0].target
    assert asked.startswith("/bucket/a//b%20c?tagging")
    assert "versionId=v1" in asked
    younger.denied_tags = "Access Denied"
    with pytest.raises(ObjectDenied, match="s3:GetObjectTagging"):
        objects.tags(REF)
    with pytest.raises(ObjectDenied, match="s3:GetObjectVersionTagging"):
        objects.tags(replace(REF, version_id="v2"))
    with pytest.raises(ObjectGone):
        objects.tags(replace(REF, version_id="v3"))


@pytest.mark.parametrize("fault", [Refuse(503, "SlowDown"), Refuse(500, "InternalError"), Cut(40)])
def test_a_fault_is_followed_by_another_try(
    objects: ObjectReader, server: FakeS3, waits: Waits, fault: Refuse | Cut
) -> None:
    server.script.append(fault)
    assert objects.tags(REF) == {"team": "a"}
    assert len(server.requests) == 2
    assert waits.slept != []
    server.script.extend([fault] * 4)
    with pytest.raises(ObjectError) as told:
        objects.tags(REF)
    assert told.value.outcome is Outcome.FAILED_UNAVAILABLE


def test_a_store_without_tags_is_asked_once_and_named(objects: ObjectReader, server: FakeS3) -> None:
    server.script.append(Refuse(501, "NotImplemented"))
    with pytest.raises(ObjectError, match="no tags of objects"):
        objects.tags(REF)
    assert len(server.requests) == 1
    server.script.append(Refuse(404, "NoSuchTagSet"))
    assert objects.tags(REF) == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>signed in</html>",
        b"<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><Tagging><TagSet/></Tagging>',
    ],
)
def test_what_is_no_answer_of_s3_is_not_taken_for_an_object_without_tags(body: bytes) -> None:
    with pytest.raises(ObjectError, match="not S3's XML"):
        read_tags(body)

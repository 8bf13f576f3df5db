"""Who may read: credentials and their renewal, roles, versions, who pays, what is denied and what is archived."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from scanner_tasks.aws import sources as sources_module
from scanner_tasks.aws.credentials import Credentials
from scanner_tasks.core.access import Access
from scanner_tasks.core.errors import Denied, InvalidInput, ObjectArchived, ObjectDenied, ObjectGone, Unavailable
from scanner_tasks.core.model import ObjectRef, Outcome

REF = ObjectRef(bucket="bucket", key="k", size_bytes=4, etag="")


@pytest.fixture
def bucket(fake_s3):
    bucket = fake_s3.bucket("bucket")
    bucket.put("k", b"text")
    return bucket


@pytest.fixture
def own(fake_s3, bucket, backend, sources):
    own = sources(backend, fake_s3.endpoint_url, read_timeout_s=5.0).own()
    yield own
    own.close()


def read(objects, ref=REF):
    with objects.open(ref) as body:
        return body.read(100)


def test_session_tokens_are_sent_and_signed(own, fake_s3, environment):
    fake_s3.keys["temporary"] = ("secret of the tests", "token of the tests/+=")
    environment.setenv("AWS_ACCESS_KEY_ID", "temporary")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "secret of the tests")
    environment.setenv("AWS_SESSION_TOKEN", "token of the tests/+=")
    assert read(own) == b"text"


def test_credentials_that_s3_calls_expired_are_looked_up_anew_once(own, fake_s3, environment):
    fake_s3.keys |= {"old": ("test", None), "new": ("test", None)}
    environment.setenv("AWS_ACCESS_KEY_ID", "old")
    assert read(own) == b"text"
    fake_s3.expired.add("old")
    environment.setenv("AWS_ACCESS_KEY_ID", "new")
    assert read(own) == b"text"
    assert own.list_page("bucket", prefix="", start_after=None).objects[0].key == "k"
    assert len(fake_s3.requests) == 1 + 2 + 1


def test_credentials_that_stay_expired_fail_no_object(own, fake_s3, waits):
    fake_s3.expired.add("test")
    with pytest.raises(Unavailable, match="ExpiredToken"):
        read(own)
    assert len(fake_s3.requests) == 2
    assert waits.slept == []


def test_many_threads_that_meet_expired_credentials_renew_them_once():
    found, now = [], [100.0]

    class Found:
        def get_frozen_credentials(self):
            return self

    credentials = Credentials(lambda: found.append(Found()) or found[-1], clock=lambda: now[0])
    first = credentials.get_frozen_credentials()
    for _ in range(3):
        credentials.renew()
        assert credentials.get_frozen_credentials() is found[1]
    assert first is found[0]
    now[0] += 60
    credentials.renew()
    assert credentials.get_frozen_credentials() is found[2]


def test_no_credentials_at_all_fail_no_object(own, environment):
    for name in list(os.environ):
        if name.startswith("AWS_"):
            environment.delenv(name)
    environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
    environment.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    environment.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(Unavailable, match="credentials"):
        read(own)


def test_a_wrong_secret_is_told_as_such(own, environment, fake_s3):
    environment.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(Unavailable, match="SignatureDoesNotMatch"):
        read(own)


def test_the_requester_pays_only_where_that_is_asked_for(own, bucket):
    bucket.requester_pays = True
    with pytest.raises(Denied, match="s3:ListBucket"):
        own.check_bucket("bucket")
    with pytest.raises(ObjectDenied):
        read(own)
    paying = own.through(Access(requester_pays=True))
    paying.check_bucket("bucket")
    assert paying.head("bucket", "k").size_bytes == 4
    assert read(paying) == b"text"


def test_public_buckets_are_read_without_a_signature(own, bucket, fake_s3):
    anonymous = own.through(Access(anonymous=True))
    with pytest.raises(Denied):
        anonymous.check_bucket("bucket")
    bucket.is_public = True
    assert anonymous.list_page("bucket", prefix="", start_after=None).objects[0].key == "k"
    assert anonymous.head("bucket", "k").size_bytes == 4
    assert read(anonymous) == b"text"
    assert not any("authorization" in request.headers for request in fake_s3.requests)


def test_a_version_is_read_though_it_is_no_longer_the_current_one(own, bucket):
    bucket.put("k", b"later")
    assert read(own, replace(REF, version_id="v1")) == b"text"
    assert read(own, replace(REF, version_id="v2")) == b"later"
    assert [own.head("bucket", REF.key, v).size_bytes for v in ("v1", "v2", None)] == [4, 5, 5]
    assert own.head("bucket", REF.key, "v1").version_id == "v1"
    with pytest.raises(ObjectGone):
        own.head("bucket", REF.key, "v9")
    with pytest.raises(ObjectGone):
        read(own, replace(REF, version_id="v9"))


ROLE = "User: arn:aws:sts::111122223333:assumed-role/w/i is not authorized to perform: {} on resource: x because no"


@pytest.mark.parametrize(
    ("message", "version_id", "says"),
    [
        ("Access Denied", None, "s3:GetObject here"),
        (ROLE.format("s3:GetObject"), None, "s3:GetObject here"),
        ("Access Denied", "v1", "s3:GetObjectVersion"),
        (ROLE.format("s3:GetObjectVersion"), "v1", "s3:GetObjectVersion"),
        (ROLE.format("kms:Decrypt"), None, "kms:Decrypt on the object's key"),
        (ROLE.format("kms:Decrypt"), "v1", "kms:Decrypt on the object's key"),
        ("The ciphertext refers to a key in KMS that does not exist", None, "kms:Decrypt"),
    ],
)
def test_a_denied_read_names_the_permission_that_is_missing(own, bucket, message, version_id, says):
    bucket.current("k").denied = message
    with pytest.raises(ObjectDenied, match=says) as caught:
        read(own, replace(REF, version_id=version_id))
    assert "assumed-role" not in str(caught.value)


@pytest.mark.parametrize(
    ("about", "says"),
    [
        ({"storage_class": "GLACIER"}, "GLACIER"),
        ({"storage_class": "DEEP_ARCHIVE"}, "DEEP_ARCHIVE"),
        ({"storage_class": "INTELLIGENT_TIERING", "access_tier": "ARCHIVE_ACCESS"}, "ARCHIVE_ACCESS"),
        ({"storage_class": "INTELLIGENT_TIERING", "access_tier": "DEEP_ARCHIVE_ACCESS"}, "DEEP_ARCHIVE_ACCESS"),
    ],
)
def test_an_archived_object_is_skipped_by_the_name_of_its_class_and_tier(own, bucket, about, says):
    bucket.put("k", b"text", **about)
    with pytest.raises(ObjectArchived, match=says) as caught:
        read(own)
    assert caught.value.outcome is Outcome.SKIPPED_ARCHIVED_STORAGE_CLASS


def test_only_aws_is_asked_for_restores_since_other_stores_may_refuse_to_hear_of_it(own, bucket, fake_s3):
    bucket.put("warm", b"text", storage_class="GLACIER", restored=True)
    own.list_page("bucket", prefix="", start_after=None)
    assert "x-amz-optional-object-attributes" not in fake_s3.requests[-1].headers
    assert own.head("bucket", "warm").is_restored


@pytest.mark.parametrize("storage_class", ["GLACIER_IR", "INTELLIGENT_TIERING", "STANDARD_IA", "REDUCED_REDUNDANCY"])
def test_classes_that_are_there_at_once_are_read(own, bucket, storage_class):
    bucket.put("k", b"text", storage_class=storage_class)
    assert own.head("bucket", "k").storage_class == storage_class
    assert read(own) == b"text"


def test_a_role_is_assumed_with_its_external_id(emulator, backend, sources, client, unique):
    s3, iam = client("s3"), client("iam")
    s3.create_bucket(Bucket=unique)
    s3.put_object(Bucket=unique, Key="k", Body=b"text")
    role = iam.create_role(RoleName=unique, AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
    arn = role["Role"]["Arn"]
    own = sources(backend, emulator.endpoint_url, read_timeout_s=20.0).own()
    objects = own.through(Access(role_arn=arn, external_id="an id"))
    objects.check_bucket(unique)
    assert read(objects, replace(REF, bucket=unique)) == b"text"
    used = objects._requests._credentials
    assert used.token
    assert used.access_key != "test"
    own.close()
    objects.close()


class Sts:
    """STS that refuses, or cannot be reached."""

    def __init__(self, code):
        self.code = code

    def assume_role(self, **asked):
        assert asked["ExternalId"] == "an id"
        raise ClientError({"Error": {"Code": self.code}}, "AssumeRole")


@pytest.mark.parametrize(("code", "error"), [("AccessDenied", ObjectDenied), ("Throttling", Unavailable)])
def test_a_role_that_may_not_be_assumed_is_denied_by_name(own, code, error, monkeypatch):
    monkeypatch.setattr(sources_module, "make_client", lambda *_, **__: Sts(code))
    role = "arn:aws:iam::111122223333:role/scan"
    objects = own.through(Access(role_arn=role, external_id="an id"))
    with pytest.raises(error, match=f"{role}.*sts:AssumeRole" if error is ObjectDenied else "credentials"):
        read(objects)
    if error is ObjectDenied:
        with pytest.raises(Denied, match="sts:AssumeRole"):
            objects.check_bucket("bucket")


def test_readers_are_kept_for_each_way_and_forgotten_when_there_are_many(own):
    first = own.through(Access(region="eu-west-1"))
    assert own.through(Access(region="eu-west-1")) is first
    assert own.through(Access()) is own
    assert first.through(Access(region="eu-west-2")) is own.through(Access(region="eu-west-2"))


@pytest.mark.parametrize("name", ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
def test_endpoints_that_the_lean_backend_lacks_are_refused_by_name(sources, environment, name):
    environment.setenv(name, "true")
    with pytest.raises(InvalidInput, match=f"{name} needs S3SCAN_S3_BACKEND=boto3"):
        sources("lean", None).own()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_a_proxy_that_would_rewrite_keys_is_refused_by_name(backend, sources, environment, name):
    if name == "HTTP_PROXY":
        environment.setenv("HTTP_PROXY", "http://proxy.example:3128")
    environment.setenv("http_proxy", "http://proxy.example:3128")
    with pytest.raises(InvalidInput, match="HTTP_PROXY would rewrite keys"):
        sources(backend, "http://minio.example:9000").own()
    environment.setenv("no_proxy", "minio.example")
    sources(backend, "http://minio.example:9000").own().close()


def test_no_key_is_logged_not_even_when_everything_is(own, caplog):
    with caplog.at_level("DEBUG"):
        assert read(own) == b"text"
        own.list_page("bucket", prefix="k", start_after=None)
    assert "bucket" not in caplog.text

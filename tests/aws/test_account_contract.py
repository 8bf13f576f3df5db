"""The account's buckets: the emulator through boto3 and FakeObjects tell the same."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from scanner_tasks.aws.account import Account
from scanner_tasks.core.access import Access
from scanner_tasks.core.buckets import Posture
from scanner_tasks.core.errors import BucketNotFound, Denied, InvalidInput, Unavailable
from scanner_tasks.fakes import FakeObjects


class AccountContract:
    def make(self, names):
        raise NotImplementedError

    def tag(self, bucket, tags):
        raise NotImplementedError

    def test_every_bucket_is_listed_by_name(self, unique):
        names = [f"{unique}-{n}" for n in (2, 1, 3)]
        account = self.make(names)
        listed = [bucket.name for bucket in account.buckets() if bucket.name.startswith(unique)]
        assert listed == sorted(names)

    def test_tags_are_those_of_the_bucket_and_none_is_no_error(self, unique):
        account = self.make([f"{unique}-t", f"{unique}-u"])
        self.tag(f"{unique}-t", {"team": "a", "env": "prod"})
        assert account.tags(f"{unique}-t") == {"team": "a", "env": "prod"}
        assert account.tags(f"{unique}-u") == {}

    def test_bucket_that_is_not_there_is_not_an_empty_answer(self, unique):
        account = self.make([f"{unique}-x"])
        with pytest.raises(BucketNotFound):
            account.tags(f"{unique}-none")
        with pytest.raises(BucketNotFound):
            account.posture(f"{unique}-none")

    def test_bucket_is_private_until_said_otherwise(self, unique):
        account = self.make([f"{unique}-p"])
        assert account.posture(f"{unique}-p").public is False
        assert account.region(f"{unique}-p") == "us-east-1"


class TestFake(AccountContract):
    def make(self, names):
        self.objects = FakeObjects({name: {} for name in names})
        return self.objects.account()

    def tag(self, bucket, tags):
        self.objects.account().bucket_tags[bucket] = tags


class TestBoto3OnEmulator(AccountContract):
    @pytest.fixture(autouse=True)
    def _emulator(self, emulator, client, sources):
        self.client, self.sources, self.url = client("s3"), sources, emulator.endpoint_url

    def make(self, names):
        for name in names:
            self.client.create_bucket(Bucket=name)
        return self.sources("lean", self.url, read_timeout_s=10.0).own().account()

    def tag(self, bucket, tags):
        tag_set = [{"Key": name, "Value": value} for name, value in tags.items()]
        self.client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag_set})

    def test_public_acl_is_told_and_a_block_closes_it(self, unique):
        name = f"{unique}-open"
        account = self.make([name])
        owner = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        self.client.put_bucket_ownership_controls(Bucket=name, OwnershipControls=owner)
        self.client.delete_public_access_block(Bucket=name)
        self.client.put_bucket_acl(Bucket=name, ACL="public-read")
        assert account.posture(name).public is True
        block = {"IgnorePublicAcls": True, "RestrictPublicBuckets": True}
        self.client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
        assert account.posture(name).public is False

    def test_encryption_is_told(self, unique):
        account = self.make([f"{unique}-e"])
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
        self.client.put_bucket_encryption(Bucket=f"{unique}-e", ServerSideEncryptionConfiguration={"Rules": [rule]})
        assert account.posture(f"{unique}-e").encryption == "aws:kms"


class Refusing:
    """boto3's client of a role that may do only some things; a real S3 refuses in this form."""

    def __init__(self, code="AccessDenied", **answers):
        self.code, self.answers = code, answers

    def __getattr__(self, name):
        def ask(**_arguments):
            if name in self.answers:
                return self.answers[name]
            status = 500 if self.code == "InternalError" else 403
            raise ClientError({"Error": {"Code": self.code}, "ResponseMetadata": {"HTTPStatusCode": status}}, name)

        return ask


def test_role_that_may_not_list_buckets_is_told_the_permission():
    with pytest.raises(Denied, match="s3:ListAllMyBuckets"):
        Account(Refusing()).buckets()
    with pytest.raises(Denied, match="s3:GetBucketTagging"):
        Account(Refusing()).tags("b")


def test_what_may_not_be_asked_is_unknown_and_never_private():
    posture = Account(Refusing()).posture("b")
    assert posture.public is None
    assert posture.encryption is None
    assert set(posture.unknown) == {
        *("s3:GetBucketPolicyStatus", "s3:GetBucketAcl", "s3:GetBucketPublicAccessBlock"),
        "s3:GetEncryptionConfiguration",
    }


def test_what_is_known_decides_where_it_can():
    closed = {"PublicAccessBlockConfiguration": {"IgnorePublicAcls": True, "RestrictPublicBuckets": True}}
    kms = {
        "ServerSideEncryptionConfiguration": {
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
        }
    }
    asked = Refusing(get_public_access_block=closed, get_bucket_encryption=kms)
    assert Account(asked).posture("b") == Posture(public=False, encryption="aws:kms")
    whole = Account(
        Refusing(get_bucket_encryption=kms), account_blocks=lambda: closed["PublicAccessBlockConfiguration"]
    )
    assert whole.posture("b").public is False


def test_trouble_is_neither_an_answer_nor_a_refusal():
    with pytest.raises(Unavailable):
        Account(Refusing("InternalError")).posture("b")


def test_unsigned_requests_have_no_account(sources, emulator):
    with pytest.raises(InvalidInput, match="anonymous"):
        sources("lean", emulator.endpoint_url).own().through(Access(anonymous=True)).account()


def test_s3_control_out_of_reach_is_asked_once_and_is_no_trouble_of_the_buckets():
    asked = []

    def unreachable():
        asked.append(1)
        raise ConnectTimeoutError(endpoint_url="https://111122223333.s3-control.us-east-1.amazonaws.com")

    private = {"get_bucket_policy_status": {"PolicyStatus": {"IsPublic": False}}, "get_bucket_acl": {"Grants": []}}
    account = Account(Refusing(**private), account_blocks=unreachable)
    assert account.posture("a").public is False
    opened = {**private, "get_bucket_policy_status": {"PolicyStatus": {"IsPublic": True}}}
    account._client = Refusing(**opened, get_public_access_block={"PublicAccessBlockConfiguration": {}})
    posture = account.posture("b")
    assert (posture.public, "s3:GetAccountPublicAccessBlock" in posture.unknown) == (None, True)
    assert len(asked) == 1

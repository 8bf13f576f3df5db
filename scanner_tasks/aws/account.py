"""The buckets of an account: which there are, their tags, who may read them. A few calls for each, through boto3."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from scanner_tasks.aws.faults import AWS_ERRORS, error_code, http_status, is_denied, service_error
from scanner_tasks.core.buckets import Bucket, Posture, is_public
from scanner_tasks.core.errors import BucketNotFound, ScannerError

if TYPE_CHECKING:
    from collections.abc import Callable

#: Groups of an ACL that are everybody, or everybody with an AWS account.
_EVERYBODY = frozenset(
    f"http://acs.amazonaws.com/groups/global/{group}" for group in ("AllUsers", "AuthenticatedUsers")
)
#: Answers that mean "there is none", and those of stores that do not know the question.
_NONE = frozenset(
    {
        *("NoSuchTagSet", "NoSuchTagSetError", "NoSuchPublicAccessBlockConfiguration", "NoSuchBucketPolicy"),
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)
_NOT_IMPLEMENTED = 501
#: S3 puts its metric once a day, a day late.
_METRIC_DAYS = 3
_PAGE = 1000


def _now() -> datetime:
    return datetime.now(UTC)


class Account:
    """What the role can see.

    Args:
        client: boto3's S3 client.
        account_blocks: the account's own public access block, {} when it has none; raises AWS_ERRORS. None where the
            store has no such thing.
        metrics: gives a boto3 client of CloudWatch; None where the store has none.
        now: the time.
    """

    def __init__(
        self,
        client: Any,
        *,
        account_blocks: Callable[[], dict[str, bool]] | None = None,
        metrics: Callable[[], Any] | None = None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._client = client
        self._metrics = metrics
        self._now = now
        self._ask_blocks = account_blocks
        self._blocks: dict[str, bool] | None = None
        self._has_asked = False
        self._asking = threading.Lock()

    def buckets(self) -> tuple[Bucket, ...]:
        """Every bucket, by name; raises Denied (s3:ListAllMyBuckets) or Unavailable."""
        found: list[Bucket] = []
        token: str | None = None
        try:
            while True:
                more = {"ContinuationToken": token} if token else {}
                answer = self._client.list_buckets(MaxBuckets=_PAGE, **more)
                found += [_bucket(item) for item in answer.get("Buckets", ())]
                token = answer.get("ContinuationToken")
                if not token:
                    return tuple(sorted(found, key=lambda bucket: bucket.name))
        except AWS_ERRORS as error:
            raise service_error(error, doing="list the buckets", permission="s3:ListAllMyBuckets") from error

    def tags(self, bucket: str) -> dict[str, str]:
        """The bucket's tags; raises BucketNotFound, Denied (s3:GetBucketTagging) or Unavailable."""
        try:
            answer = self._client.get_bucket_tagging(Bucket=bucket)
        except AWS_ERRORS as error:
            if error_code(error) in _NONE:
                return {}
            raise _told(error, bucket, "tags", "s3:GetBucketTagging") from error
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    def posture(self, bucket: str) -> Posture:
        """Who may read the bucket and how it is encrypted; raises BucketNotFound or Unavailable, never Denied."""
        lacking: list[str] = []

        def asked(permission: str, ask: Callable[[], Any], none: Any) -> Any:
            try:
                return ask()
            except AWS_ERRORS as error:
                if error_code(error) in _NONE:
                    return none
                if not is_denied(error) and http_status(error) != _NOT_IMPLEMENTED:
                    raise _told(error, bucket, "settings", permission) from error
                lacking.append(permission)
                return None

        client, name = self._client, {"Bucket": bucket}
        policy = asked("s3:GetBucketPolicyStatus", lambda: self._policy(bucket), none=False)
        acl = asked("s3:GetBucketAcl", lambda: _acl(client.get_bucket_acl(**name)), none=False)
        blocks = asked(
            "s3:GetBucketPublicAccessBlock", lambda: _blocks(client.get_public_access_block(**name)), none={}
        )
        account = self._account_blocks()
        if account is None:
            lacking.append("s3:GetAccountPublicAccessBlock")
        encryption = asked(
            "s3:GetEncryptionConfiguration", lambda: _encryption(client.get_bucket_encryption(**name)), none="none"
        )
        public = is_public(policy=policy, acl=acl, blocks=blocks, account=account)
        told = [p for p in lacking if public is None or p == "s3:GetEncryptionConfiguration"]
        return Posture(public=public, encryption=encryption, unknown=tuple(told))

    def object_count(self, bucket: str) -> int | None:
        """Objects as S3's daily metric counts them, versions too; None when there is none of the last days.

        Raises Denied (cloudwatch:GetMetricStatistics) or Unavailable.
        """
        if self._metrics is None:
            return None
        now = self._now()
        dimensions = {"BucketName": bucket, "StorageType": "AllStorageTypes"}
        try:
            answer = self._metrics().get_metric_statistics(
                Namespace="AWS/S3",
                MetricName="NumberOfObjects",
                Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
                StartTime=now - timedelta(days=_METRIC_DAYS),
                EndTime=now,
                Period=86_400,
                Statistics=["Average"],
            )
        except AWS_ERRORS as error:
            doing, permission = f"read the metrics of the bucket {bucket!r}", "cloudwatch:GetMetricStatistics"
            raise service_error(error, doing=doing, permission=permission) from error
        points = sorted(answer.get("Datapoints", ()), key=lambda point: str(point["Timestamp"]))
        return int(points[-1]["Average"]) if points else None

    def region(self, bucket: str) -> str:
        """The bucket's Region, where the listing of buckets did not tell; "" when the role may not ask."""
        try:
            return self._client.get_bucket_location(Bucket=bucket).get("LocationConstraint") or "us-east-1"
        except AWS_ERRORS:
            return ""

    def _policy(self, bucket: str) -> bool | None:
        told = self._client.get_bucket_policy_status(Bucket=bucket).get("PolicyStatus", {}).get("IsPublic")
        if told is None:  # a store that does not know the question: where there is no policy, none is public
            self._client.get_bucket_policy(Bucket=bucket)
        return None if told is None else bool(told)

    def _account_blocks(self) -> dict[str, bool] | None:
        """The account's own block, asked once; None when the role may not, or S3 Control is out of reach.

        A VPC's gateway to S3 does not lead to it: without NAT it never answers, which is no trouble of the buckets.
        """
        with self._asking:
            if not self._has_asked:
                self._has_asked = True
                try:
                    self._blocks = self._ask_blocks() if self._ask_blocks else {}
                except AWS_ERRORS:
                    self._blocks = None
            return self._blocks


def _bucket(item: dict[str, Any]) -> Bucket:
    created = item.get("CreationDate", "")
    return Bucket(name=item["Name"], region=item.get("BucketRegion", ""), created_at=str(created))


def _acl(answer: dict[str, Any]) -> bool:
    return any(grant.get("Grantee", {}).get("URI") in _EVERYBODY for grant in answer.get("Grants", ()))


def _blocks(answer: dict[str, Any]) -> dict[str, bool]:
    return {name: bool(value) for name, value in answer["PublicAccessBlockConfiguration"].items()}


def _encryption(answer: dict[str, Any]) -> str:
    rules = answer["ServerSideEncryptionConfiguration"].get("Rules") or [{}]
    return str(rules[0].get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", "none"))


def account_blocks_of(sts: Any, s3control: Any) -> dict[str, bool]:
    """The public access block of the account whose credentials these are; {} when it has none."""
    account_id = sts.get_caller_identity()["Account"]
    try:
        return _blocks(s3control.get_public_access_block(AccountId=account_id))
    except AWS_ERRORS as error:
        if error_code(error) in _NONE:
            return {}
        raise


def _told(error: BaseException, bucket: str, what: str, permission: str) -> ScannerError:
    if error_code(error) == "NoSuchBucket":
        return BucketNotFound(bucket)
    return service_error(error, doing=f"read the {what} of the bucket {bucket!r}", permission=permission)

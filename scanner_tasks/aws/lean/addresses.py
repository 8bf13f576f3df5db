"""Where a bucket lives: host, path and Region, as S3 has told so far.

At AWS a bucket is part of the host's name, ``bucket.s3.eu-west-1.amazonaws.com``, unless it has dots, for which AWS's
certificate does not stand; then, and at any other endpoint, it begins the path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from scanner_tasks.core.access import REGION_PATTERN
from scanner_tasks.core.errors import BucketNotFound

#: How the Regions of AWS's other partitions begin, and what their hosts end with (botocore's partitions.json).
_SUFFIXES = (
    ("cn-", "amazonaws.com.cn"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("eusc-", "amazonaws.eu"),
)
_BUCKET = re.compile(r"[A-Za-z0-9._-]{3,255}")
_HOST_PART = re.compile(r"[a-z0-9-]{3,63}")
_REGION = re.compile(REGION_PATTERN)


@dataclass(frozen=True, slots=True)
class Address:
    """Where one request goes; ``path`` is encoded, and exactly the key."""

    scheme: str
    host: str
    port: int
    path: str
    region: str

    @property
    def origin(self) -> str:
        """What a URL has before its path."""
        standard = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{self.host}" + ("" if self.port == standard else f":{self.port}")


class Addresses:
    """Addresses of one endpoint; safe to share between threads.

    Args:
        region: of buckets about which nothing else is known.
        endpoint_url: scheme, host and perhaps port; None for AWS.
    """

    def __init__(self, *, region: str, endpoint_url: str | None) -> None:
        self._region = region
        self._regions: dict[str, str] = {}
        #: AWS itself, and no store that is like it.
        self.is_aws = endpoint_url is None
        parts = urlsplit(endpoint_url or "https://aws")
        self._scheme = parts.scheme
        self._host = parts.hostname or ""
        self._port = parts.port or {"http": 80, "https": 443}[parts.scheme]

    def of(self, bucket: str, key: str = "") -> Address:
        """The address of a key, or of the bucket itself; raises BucketNotFound for a name that cannot be one."""
        if not _BUCKET.fullmatch(bucket):
            raise BucketNotFound(bucket)
        region = self._regions.get(bucket, self._region)
        path = "/" + quote(key, safe="/~")
        if not self.is_aws:
            return Address(self._scheme, self._host, self._port, f"/{bucket}{path if key else ''}", region)
        host = aws_host(region)
        if not _HOST_PART.fullmatch(bucket):
            return Address("https", host, 443, f"/{bucket}{path if key else ''}", region)
        return Address("https", f"{bucket}.{host}", 443, path, region)

    def learn_region(self, bucket: str, region: str, *, asked: str) -> bool:
        """S3 says that the bucket is in ``region``; False when it was asked there already, or that is no Region.

        Only a Region is taken from S3's redirects, never a host: nobody can send signed requests elsewhere.
        """
        if region == asked or not _REGION.fullmatch(region):
            return False
        self._regions[bucket] = region
        return True


def aws_host(region: str) -> str:
    """S3's host in a Region.

    Examples:
        >>> aws_host("eu-west-1"), aws_host("cn-north-1")
        ('s3.eu-west-1.amazonaws.com', 's3.cn-north-1.amazonaws.com.cn')
    """
    suffix = next((suffix for beginning, suffix in _SUFFIXES if region.startswith(beginning)), "amazonaws.com")
    return f"s3.{region}.{suffix}"

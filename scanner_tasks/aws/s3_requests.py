"""The requests that reading S3 takes, as two backends send them: ``boto3_requests`` and ``lean``.

A backend sends a request once, follows S3 to the bucket's Region, and raises one of AWS_ERRORS; what S3 answers with an
error it raises as botocore's ClientError, whichever it is. Tries, waits and what an error means are for the callers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from scanner_tasks.core.listing.markers import Marker
    from scanner_tasks.core.model import ObjectRef
    from scanner_tasks.core.ports import Page, VersionPage


class Stream(Protocol):
    """A body on its way: urllib3's response."""

    def read1(self, amt: int) -> bytes:
        """At most so many bytes, by one call to the socket at most; b"" at the end. Raises when it ends early."""

    def close(self) -> None:
        """Give up what is left."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a GET gave."""

    stream: Stream
    #: Bytes of the body; None when the store did not tell.
    length: int | None
    #: Without quotes; "" when the store did not tell.
    etag: str
    #: As in the header; "" when there was none.
    content_range: str


class S3Requests(Protocol):
    """One way to send the requests."""

    def get(self, ref: ObjectRef, *, if_match: str, byte_range: str | None) -> Answer:
        """GetObject of the key and version; ``if_match`` is an ETag without quotes or "" for any."""

    def head(self, bucket: str, key: str, version_id: str | None = None) -> ObjectRef:
        """HeadObject."""

    def tags(self, ref: ObjectRef) -> dict[str, str]:
        """GetObjectTagging of the key and version."""

    def list_page(self, bucket: str, *, prefix: str, start_after: str | None, max_keys: int) -> Page:
        """ListObjectsV2."""

    def list_versions(self, bucket: str, *, prefix: str, after: Marker | None, max_keys: int) -> VersionPage:
        """ListObjectVersions."""

    def renew(self) -> None:
        """Get credentials anew: S3 said that those in hand have expired."""

    def close(self) -> None:
        """Close idle connections."""


#: Asked of a listing at AWS: whether archived objects are restored. Other stores may refuse to hear of it.
RESTORE_STATUS = "RestoreStatus"


def is_restored(told: str) -> bool:
    """Whether the header x-amz-restore tells of a copy that can be read.

    Examples:
        >>> is_restored('ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"')
        True
        >>> is_restored('ongoing-request="true"'), is_restored("")
        (False, False)
    """
    return 'ongoing-request="false"' in told


def listed_time(told: str | None) -> str:
    """When an object was last modified, as a listing spells it; from a listing's or a header's text.

    Examples:
        >>> listed_time("Fri, 02 Jan 2026 03:04:05 GMT"), listed_time("2026-01-02T03:04:05.000Z"), listed_time(None)
        ('2026-01-02T03:04:05.000Z', '2026-01-02T03:04:05.000Z', '')
    """
    if not told or not told[0].isalpha():
        return told or ""
    try:
        return parsedate_to_datetime(told).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    except ValueError:
        return ""


def bare(etag: str) -> str:
    """An ETag without its quotes.

    Examples:
        >>> bare('"9dd4"')
        '9dd4'
    """
    return etag.strip('"')

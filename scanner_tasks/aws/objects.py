"""S3: buckets listed and objects read, every key exactly as S3 has it.

``ObjectReader`` is the one contract; two backends send its requests (``boto3_requests``, ``lean``), and one suite of
tests holds both to it. Clients that normalise keys (``a//b``, ``/lead``, ``x/../y``) read another object, or none.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError, ParamValidationError

from scanner_tasks.aws.body import S3Body
from scanner_tasks.aws.brakes import Brakes
from scanner_tasks.aws.faults import AWS_ERRORS, Backoff, error_code, http_status, service_error
from scanner_tasks.aws.object_faults import object_error, tags_error
from scanner_tasks.aws.tries import Tries
from scanner_tasks.core.access import OWN
from scanner_tasks.core.errors import BucketNotFound, Denied, InvalidInput, Unavailable
from scanner_tasks.core.model import ObjectRef
from scanner_tasks.core.ports import Page, VersionPage

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner_tasks.aws.account import Account
    from scanner_tasks.aws.s3_requests import S3Requests
    from scanner_tasks.core.access import Access
    from scanner_tasks.core.listing.markers import Marker

__all__ = ["ObjectReader", "Page", "VersionPage"]

T = TypeVar("T")

#: What some stores say of an object without tags; S3 gives an empty list.
_NO_TAGS = frozenset({"NoSuchTagSet", "NoSuchTagSetError"})
_NO_BUCKET = frozenset({"NoSuchBucket", "InvalidBucketName", "PermanentRedirect", "AuthorizationHeaderMalformed"})
#: Defaults of the settings S3SCAN_S3_READ_TIMEOUT_S and S3SCAN_S3_MIN_BYTES_PER_S.
SLOW_S, MIN_BYTES_PER_S = 20.0, 16 * 1024


class ObjectReader:
    """S3 through one backend; safe to share between threads.

    Args:
        requests: the backend.
        backoff: tries in a row and waits between them, for requests and bodies alike.
        brakes: waits of the buckets that asked to slow down, shared by every reader of a process.
        slow_s: seconds of waiting after which …
        min_bytes_per_s: … a body that came slower than this is resumed on another connection.
        reach: the reader of another access; None when there is this one only.
        account: the account whose buckets these are; None when nobody asks.
    """

    def __init__(
        self,
        requests: S3Requests,
        *,
        backoff: Backoff | None = None,
        brakes: Brakes | None = None,
        slow_s: float = SLOW_S,
        min_bytes_per_s: int = MIN_BYTES_PER_S,
        reach: Callable[[Access], ObjectReader] | None = None,
        account: Callable[[], Account] | None = None,
    ) -> None:
        self._requests = requests
        self._backoff = backoff or Backoff()
        self._brakes = brakes or Brakes(chance=random.random)
        self._slow_s = slow_s
        self._slow_bytes = int(slow_s * min_bytes_per_s)
        self._reach = reach
        self._account = account

    def through(self, access: Access) -> ObjectReader:
        """The reader that reaches buckets in this way; itself for the deployment's own. Nothing is asked yet."""
        if access == OWN:
            return self
        if self._reach is None:
            raise InvalidInput("access: these objects are reached in one way only.")
        return self._reach(access)

    def account(self) -> Account:
        """The account whose buckets are reached in this way; raises InvalidInput where there is none."""
        if self._account is None:
            raise InvalidInput("buckets: name them; this store has no list of buckets.")
        return self._account()

    def check_bucket(self, bucket: str) -> None:
        """Return if the bucket can be listed; raises BucketNotFound, Denied or Unavailable.

        Lists one key: that needs the very permission that a job needs, and unlike HeadBucket it says why it fails.
        """
        self.list_page(bucket, prefix="", start_after=None, max_keys=1)

    def list_page(self, bucket: str, *, prefix: str, start_after: str | None, max_keys: int = 1000) -> Page:
        """The objects below the prefix whose keys stand behind ``start_after``, in the order of their UTF-8 bytes.

        Resumed with the last key of each page, a listing gives every key that exists throughout exactly once; keys
        added or deleted meanwhile never disturb it. Raises BucketNotFound, Denied or Unavailable.
        """
        tries = self._tries(bucket)
        page = self._tried(
            bucket,
            lambda: self._requests.list_page(bucket, prefix=prefix, start_after=start_after, max_keys=max_keys),
            lambda error: _bucket_error(error, bucket),
            tries,
        )
        return replace(page, slow_downs=tries.slow_downs) if tries.slow_downs else page

    def list_versions(self, bucket: str, *, prefix: str, after: Marker | None, max_keys: int = 1000) -> VersionPage:
        """Every version and delete marker behind the marker, in the order of keys; a key's newest first.

        Resumed with each page's marker it gives every version that exists throughout exactly once. Raises
        BucketNotFound, Denied or Unavailable.
        """
        tries = self._tries(bucket)
        page = self._tried(
            bucket,
            lambda: self._requests.list_versions(bucket, prefix=prefix, after=after, max_keys=max_keys),
            lambda error: _bucket_error(error, bucket, permission="s3:ListBucketVersions"),
            tries,
        )
        return replace(page, slow_downs=tries.slow_downs) if tries.slow_downs else page

    def head(self, bucket: str, key: str, version_id: str | None = None) -> ObjectRef:
        """The object as it is now, or that version; raises an ObjectError, or Unavailable."""
        asked = ObjectRef(bucket=bucket, key=key, size_bytes=0, etag="", version_id=version_id)
        error = partial(object_error, ref=asked)
        return self._tried(bucket, lambda: self._requests.head(bucket, key, version_id), error)

    def tags(self, ref: ObjectRef) -> dict[str, str]:
        """The tags of the object as it is now, or of that version; raises an ObjectError, or Unavailable."""

        def ask() -> dict[str, str]:
            try:
                return self._requests.tags(ref)
            except ClientError as error:
                if error_code(error) in _NO_TAGS:
                    return {}
                raise

        return self._tried(ref.bucket, ask, partial(tags_error, ref=ref))

    def open(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> S3Body:
        """The bytes of exactly the listed object, as a context manager; nothing is asked before the first ``read``.

        With ``first_byte`` or ``last_byte`` (from 0, both inclusive) only these; those behind the end do not exist.
        """
        return S3Body(
            self._requests,
            ref,
            self._tries(ref.bucket),
            first_byte=first_byte,
            last_byte=last_byte,
            slow_s=self._slow_s,
            slow_bytes=self._slow_bytes,
        )

    def close(self) -> None:
        """Close idle connections; it can be used again."""
        self._requests.close()

    def _tries(self, bucket: str) -> Tries:
        return Tries(bucket, self._requests, self._backoff, self._brakes)

    def _tried(
        self, bucket: str, ask: Callable[[], T], told: Callable[[BaseException], Exception], tries: Tries | None = None
    ) -> T:
        tries = tries or self._tries(bucket)
        while True:
            tries.begin()
            try:
                answer = ask()
            except AWS_ERRORS as error:
                if not tries.again(error):
                    raise told(error) from error
            else:
                tries.went_well()
                return answer


def _bucket_error(
    error: BaseException, bucket: str, *, permission: str = "s3:ListBucket"
) -> BucketNotFound | Denied | Unavailable:
    status = http_status(error)
    if error_code(error) in _NO_BUCKET or status in {301, 404} or isinstance(error, ParamValidationError):
        return BucketNotFound(bucket)
    return service_error(error, doing=f"list the bucket {bucket!r}", permission=permission)

"""S3: buckets listed and objects read, every key exactly as S3 has it.

boto3's client sends keys untouched (``a//b``, ``/lead``, ``x/../y``, control characters); several others normalise
them and read another object, or none. Listings ask for ``encoding-type=url``, because XML cannot hold every key.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ParamValidationError

from scanner_tasks.aws.body import S3Body
from scanner_tasks.aws.faults import AWS_ERRORS, Backoff, error_code, http_status, is_transient, service_error
from scanner_tasks.aws.object_faults import object_error
from scanner_tasks.core.errors import BucketNotFound, Denied, Unavailable
from scanner_tasks.core.model import ObjectRef
from scanner_tasks.core.ports import Page

__all__ = ["Page", "S3Objects"]

_NO_BUCKET = frozenset({"NoSuchBucket", "InvalidBucketName", "PermanentRedirect", "AuthorizationHeaderMalformed"})


class S3Objects:
    """S3 through one boto3 client.

    Args:
        client: as ``clients.make_s3_client`` makes it; at least as many connections as bodies open at a time.
        backoff: tries in a row and waits between them, for requests and bodies alike.
    """

    def __init__(self, client: Any, *, backoff: Backoff | None = None) -> None:
        self._client = client
        self._backoff = backoff or Backoff()

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
        arguments: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": max_keys}
        if start_after:
            arguments["StartAfter"] = start_after
        answer = self._list(bucket, arguments)
        objects = tuple(
            ObjectRef(
                bucket=bucket,
                key=item["Key"],
                size_bytes=int(item["Size"]),
                etag=_bare(item.get("ETag", "")),
                storage_class=item.get("StorageClass", "STANDARD"),
            )
            for item in answer.get("Contents", ())
        )
        return Page(objects=objects, is_last=not answer.get("IsTruncated", False))

    def head(self, bucket: str, key: str) -> ObjectRef:
        """The object as it is now; raises ObjectGone, ObjectDenied, another ObjectError, or Unavailable."""
        failures = 0
        while True:
            try:
                answer = self._client.head_object(Bucket=bucket, Key=key)
            except AWS_ERRORS as error:
                failures += 1
                if not is_transient(error) or failures >= self._backoff.attempts:
                    raise object_error(error) from error
                self._backoff.wait(failures, error)
            else:
                return ObjectRef(
                    bucket=bucket,
                    key=key,
                    size_bytes=int(answer["ContentLength"]),
                    etag=_bare(answer.get("ETag", "")),
                    storage_class=answer.get("StorageClass", "STANDARD"),
                )

    def open(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> S3Body:
        """The bytes of exactly the listed object, as a context manager; nothing is asked before the first ``read``.

        With ``first_byte`` or ``last_byte`` (from 0, both inclusive) only these; those behind the end do not exist.
        """
        return S3Body(self._client, ref, self._backoff, first_byte=first_byte, last_byte=last_byte)

    def _list(self, bucket: str, arguments: dict[str, Any]) -> dict[str, Any]:
        failures = 0
        while True:
            try:
                # boto3 adds encoding-type=url by itself and decodes the keys; named here, it would leave them encoded.
                answer: dict[str, Any] = self._client.list_objects_v2(**arguments)
            except AWS_ERRORS as error:
                failures += 1
                if not is_transient(error) or failures >= self._backoff.attempts:
                    raise _bucket_error(error, bucket) from error
                self._backoff.wait(failures, error)
            else:
                return answer


def _bucket_error(error: BaseException, bucket: str) -> BucketNotFound | Denied | Unavailable:
    status = http_status(error)
    if error_code(error) in _NO_BUCKET or status in {301, 404} or isinstance(error, ParamValidationError):
        return BucketNotFound(bucket)
    return service_error(error, doing=f"list the bucket {bucket!r}", permission="s3:ListBucket")


def _bare(etag: str) -> str:
    return etag.strip('"')

"""What acting on findings asks of S3: tags, copies that are verified, conditional writes, public access blocks.

Through boto3, which repeats what failed on the way; what it gives up on is Unavailable here. Keys go out as they are.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from scanner_tasks.aws.faults import AWS_ERRORS, error_code, http_status, is_denied, service_error
from scanner_tasks.core.errors import BucketNotFound, ObjectChanged, ObjectDenied, ObjectError, ObjectGone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: CopyObject takes no more; larger objects are copied in parts.
COPY_MAX_BYTES: Final = 5 * 1024**3
#: Part of such a copy: at most 10,000 of them make 5 TiB.
PART_BYTES: Final = 512 * 1024**2
_CHUNK: Final = 1024**2
#: Of an object's headers, what a copy in parts must be told again.
_HEADERS: Final = (
    *("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Metadata"),
    "StorageClass",
)
BLOCKS: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_NO_BLOCK: Final = "NoSuchPublicAccessBlockConfiguration"


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """An object as it is."""

    etag: str
    size_bytes: int
    #: None in a bucket without versions.
    version_id: str | None
    metadata: Mapping[str, str]
    #: As the answer has them.
    headers: Mapping[str, Any]


class ObjectActions:
    """S3 through ``client``; safe to share between threads.

    Args:
        client: boto3's S3 client.
        copy_max_bytes: larger objects are copied in parts …
        part_bytes: … of so many bytes.
    """

    def __init__(self, client: Any, *, copy_max_bytes: int = COPY_MAX_BYTES, part_bytes: int = PART_BYTES) -> None:
        self._client = client
        self._copy_max_bytes = copy_max_bytes
        self._part_bytes = part_bytes

    def head(self, bucket: str, key: str, *, version_id: str | None = None) -> Head:
        """The object as it is now, or that version of it; raises ObjectGone, ObjectDenied, Unavailable."""
        with _told("s3:GetObject"):
            answer = self._client.head_object(Bucket=bucket, Key=key, **_version(version_id))
        return Head(
            etag=_bare(answer.get("ETag", "")),
            size_bytes=int(answer["ContentLength"]),
            version_id=_real(answer.get("VersionId")),
            metadata=answer.get("Metadata", {}),
            headers={name: answer[name] for name in _HEADERS if name in answer},
        )

    def read(self, bucket: str, key: str, *, etag: str) -> bytes:
        """The whole object, if it is still this one; raises ObjectChanged too."""
        with _told("s3:GetObject"):
            return bytes(self._client.get_object(Bucket=bucket, Key=key, IfMatch=_quoted(etag))["Body"].read())

    def tags(self, bucket: str, key: str, *, version_id: str | None = None) -> dict[str, str]:
        """Its tags."""
        with _told("s3:GetObjectVersionTagging" if version_id else "s3:GetObjectTagging"):
            answer = self._client.get_object_tagging(Bucket=bucket, Key=key, **_version(version_id))
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    def put_tags(self, bucket: str, key: str, tags: Mapping[str, str], *, version_id: str | None = None) -> None:
        """Give it these tags and no others."""
        told = {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}
        with _told("s3:PutObjectVersionTagging" if version_id else "s3:PutObjectTagging"):
            self._client.put_object_tagging(Bucket=bucket, Key=key, Tagging=told, **_version(version_id))

    def copy(
        self,
        source: tuple[str, str],
        target: tuple[str, str],
        *,
        head: Head,
        version_id: str | None = None,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        """Copy content, metadata and tags, if the source is still as ``head`` says; ``beat`` between parts."""
        bucket, key = target
        given: dict[str, Any] = {"Bucket": bucket, "Key": key}
        given["CopySource"] = {"Bucket": source[0], "Key": source[1], **_version(version_id)}
        given["CopySourceIfMatch"] = _quoted(head.etag)
        if head.size_bytes <= self._copy_max_bytes:
            with _told("s3:PutObject on the target, s3:GetObject and s3:GetObjectTagging on the source"):
                self._client.copy_object(**given, MetadataDirective="COPY", TaggingDirective="COPY")
            return
        tags = self.tags(*source, version_id=version_id)
        with _told("s3:PutObject on the target"):
            upload = self._client.create_multipart_upload(
                Bucket=bucket, Key=key, Tagging=urlencode(tags), **head.headers
            )["UploadId"]
        try:
            parts = []
            for number, first in enumerate(range(0, head.size_bytes, self._part_bytes), 1):
                beat()
                last = min(first + self._part_bytes, head.size_bytes) - 1
                with _told("s3:PutObject on the target, s3:GetObject on the source"):
                    answer = self._client.upload_part_copy(
                        **given, UploadId=upload, PartNumber=number, CopySourceRange=f"bytes={first}-{last}"
                    )
                parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
            with _told("s3:PutObject on the target"):
                self._client.complete_multipart_upload(
                    Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
                )
            if tags and self.tags(*target) != tags:  # stores that drop them
                self.put_tags(*target, tags)
        except BaseException:
            with suppress(*AWS_ERRORS):  # a lifecycle rule takes what is left
                self._client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
            raise

    def is_same(self, source: tuple[str, str], target: tuple[str, str], *, head: Head, copied: Head) -> bool:
        """True when two objects hold the same bytes: by ETag where that tells, else by reading both."""
        if head.size_bytes != copied.size_bytes:
            return False
        # Equal ETags of one object's own kind are equal contents; of parts or KMS, other ETags tell nothing.
        if head.etag == copied.etag:
            return True
        return self._digest(*source, etag=head.etag, version_id=head.version_id) == self._digest(
            *target, etag=copied.etag, version_id=copied.version_id
        )

    def _digest(self, bucket: str, key: str, *, etag: str, version_id: str | None) -> bytes:
        digest = hashlib.sha256()
        with _told("s3:GetObject"):
            body = self._client.get_object(Bucket=bucket, Key=key, IfMatch=_quoted(etag), **_version(version_id))[
                "Body"
            ]
            for chunk in iter(lambda: body.read(_CHUNK), b""):
                digest.update(chunk)
        return digest.digest()

    def put(
        self,
        bucket: str,
        key: str,
        body: bytes,
        *,
        content_type: str,
        metadata: Mapping[str, str],
        if_match: str | None = None,
    ) -> str:
        """Write an object in the place of the one with this ETag, or (None) where there is none; its ETag.

        Raises ObjectChanged when there is another, or one at all.
        """
        condition = {"IfNoneMatch": "*"} if if_match is None else {"IfMatch": _quoted(if_match)}
        with _told("s3:PutObject"):
            answer = self._client.put_object(
                Bucket=bucket, Key=key, Body=body, ContentType=content_type, Metadata=dict(metadata), **condition
            )
        return _bare(answer["ETag"])

    def delete(self, bucket: str, key: str, *, if_match: str | None = None, version_id: str | None = None) -> None:
        """Delete the object if it has this ETag, or exactly one version of it for good."""
        condition = {"IfMatch": _quoted(if_match)} if if_match is not None and version_id is None else {}
        with _told("s3:DeleteObjectVersion" if version_id else "s3:DeleteObject"):
            self._client.delete_object(Bucket=bucket, Key=key, **_version(version_id), **condition)

    def public_block(self, bucket: str) -> dict[str, bool] | None:
        """The bucket's public access block; None when it has none."""
        try:
            with _told("s3:GetBucketPublicAccessBlock", bucket):
                answer = self._client.get_public_access_block(Bucket=bucket)
        except _NoBlock:
            return None
        told = answer["PublicAccessBlockConfiguration"]
        return {name: bool(told.get(name)) for name in BLOCKS}

    def put_public_block(self, bucket: str, block: Mapping[str, bool] | None) -> None:
        """Set it; None takes it away."""
        with _told("s3:PutBucketPublicAccessBlock", bucket):
            if block is None:
                self._client.delete_public_access_block(Bucket=bucket)
            else:
                self._client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict(block))


class _NoBlock(Exception):
    pass


@contextmanager
def _told(permission: str, bucket: str | None = None) -> Iterator[None]:
    """S3's errors as ours: the object's own fault, or Unavailable for another try."""
    try:
        yield
    except AWS_ERRORS as error:
        code, status = error_code(error), http_status(error)
        if code == _NO_BLOCK:
            raise _NoBlock from error
        if code == "NoSuchBucket":
            raise BucketNotFound(bucket or "of the plan") from error
        if is_denied(error):
            raise ObjectDenied(f"S3 refused: the role needs {permission}.") from error
        if status in {404, 405}:
            raise ObjectGone("The object is not there any more.") from error
        if status in {409, 412}:
            raise ObjectChanged("Another object stands there now.") from error
        if status == 400 or code == "InvalidObjectState":  # noqa: PLR2004 (HTTP's bad request)
            raise ObjectError(f"S3 refused it: {code}.") from error
        raise service_error(error, doing="act on an object", permission=permission) from error


def _version(version_id: str | None) -> dict[str, str]:
    return {"VersionId": version_id} if version_id else {}


def _real(version_id: str | None) -> str | None:
    return None if version_id in {None, "", "null"} else version_id


def _quoted(etag: str) -> str:
    return f'"{etag}"'


def _bare(etag: str) -> str:
    return etag.strip('"')

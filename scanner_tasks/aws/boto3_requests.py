"""S3's requests through a boto3 client: the backend for what the lean one leaves out (FIPS, dual-stack)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scanner_tasks.aws.s3_requests import RESTORE_STATUS, Answer, bare, is_restored, listed_time
from scanner_tasks.aws.version_entries import VersionEntry, make_version_page
from scanner_tasks.core.model import ObjectRef
from scanner_tasks.core.ports import Page

if TYPE_CHECKING:
    from scanner_tasks.aws.credentials import Credentials
    from scanner_tasks.core.listing.markers import Marker
    from scanner_tasks.core.ports import VersionPage


class Boto3Requests:
    """Requests through ``client``.

    Args:
        client: as ``clients.make_s3_client`` makes it; at least as many connections as bodies open at a time.
        credentials: what the client signs with, if they can be renewed.
        requester_pays: every request says that we pay.
    """

    def __init__(self, client: Any, *, credentials: Credentials | None = None, requester_pays: bool = False) -> None:
        self._client = client
        self._credentials = credentials
        host = urlsplit(client.meta.endpoint_url).hostname or ""
        self._is_aws = ".amazonaws." in host + "."
        self._common: dict[str, Any] = {"RequestPayer": "requester"} if requester_pays else {}

    def get(self, ref: ObjectRef, *, if_match: str, byte_range: str | None) -> Answer:
        """GetObject."""
        arguments = {"Bucket": ref.bucket, "Key": ref.key, **self._common}
        if if_match:
            arguments["IfMatch"] = f'"{if_match}"'
        if ref.version_id:
            arguments["VersionId"] = ref.version_id
        if byte_range:
            arguments["Range"] = byte_range
        answer = self._client.get_object(**arguments)
        return Answer(
            # botocore's wrapper cannot give what is there without waiting for more; below it is urllib3's response.
            stream=answer["Body"]._raw_stream,  # noqa: SLF001
            length=int(answer["ContentLength"]) if "ContentLength" in answer else None,
            etag=bare(answer.get("ETag", "")),
            content_range=answer.get("ContentRange", ""),
        )

    def head(self, bucket: str, key: str, version_id: str | None = None) -> ObjectRef:
        """HeadObject."""
        version = {"VersionId": version_id} if version_id else {}
        answer = self._client.head_object(Bucket=bucket, Key=key, **version, **self._common)
        return ObjectRef(
            bucket=bucket,
            key=key,
            size_bytes=int(answer["ContentLength"]),
            etag=bare(answer.get("ETag", "")),
            storage_class=answer.get("StorageClass", "STANDARD"),
            is_restored=is_restored(answer.get("Restore", "")),
            modified_at=listed_time(answer.get("LastModified")),
            version_id=version_id,
        )

    def tags(self, ref: ObjectRef) -> dict[str, str]:
        """GetObjectTagging."""
        version = {"VersionId": ref.version_id} if ref.version_id else {}
        answer = self._client.get_object_tagging(Bucket=ref.bucket, Key=ref.key, **version, **self._common)
        return {tag["Key"]: tag["Value"] for tag in answer.get("TagSet", ())}

    def list_page(self, bucket: str, *, prefix: str, start_after: str | None, max_keys: int) -> Page:
        """ListObjectsV2."""
        arguments: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": max_keys, **self._common}
        if start_after:
            arguments["StartAfter"] = start_after
        if self._is_aws:
            arguments["OptionalObjectAttributes"] = [RESTORE_STATUS]
        # boto3 adds encoding-type=url by itself and decodes the keys; named here, it would leave them encoded.
        answer: dict[str, Any] = self._client.list_objects_v2(**arguments)
        # Behind very many delete markers S3 gives empty pages that are not the last: only its token leads on.
        while not answer.get("Contents") and answer.get("IsTruncated") and answer.get("NextContinuationToken"):
            answer = self._client.list_objects_v2(**arguments, ContinuationToken=answer["NextContinuationToken"])
        objects = tuple(
            ObjectRef(
                bucket=bucket,
                key=item["Key"],
                size_bytes=int(item["Size"]),
                etag=bare(item.get("ETag", "")),
                storage_class=item.get("StorageClass", "STANDARD"),
                is_restored=item.get("RestoreStatus", {}).get("IsRestoreInProgress") is False,
                modified_at=item.get("LastModified", ""),  # the client hands times on as text
            )
            for item in answer.get("Contents", ())
        )
        return Page(objects=objects, is_last=not answer.get("IsTruncated", False))

    def list_versions(self, bucket: str, *, prefix: str, after: Marker | None, max_keys: int) -> VersionPage:
        """ListObjectVersions. Pages without entries that are not the last are followed."""
        arguments: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": max_keys, **self._common}
        if self._is_aws:
            arguments["OptionalObjectAttributes"] = [RESTORE_STATUS]
        while True:
            if after is not None:
                arguments["KeyMarker"] = after.key
            arguments.pop("VersionIdMarker", None)
            if after is not None and after.version_id:
                arguments["VersionIdMarker"] = after.version_id
            answer: dict[str, Any] = self._client.list_object_versions(**arguments)
            found = make_version_page(
                [
                    VersionEntry(
                        key=item["Key"],
                        version_id=item.get("VersionId", ""),
                        is_current=item.get("IsLatest", False),
                        ref=ObjectRef(
                            bucket=bucket,
                            key=item["Key"],
                            size_bytes=int(item["Size"]),
                            etag=bare(item.get("ETag", "")),
                            storage_class=item.get("StorageClass", "STANDARD"),
                            is_restored=item.get("RestoreStatus", {}).get("IsRestoreInProgress") is False,
                            modified_at=item.get("LastModified", ""),
                        ),
                    )
                    for item in answer.get("Versions", ())
                ],
                [
                    VersionEntry(
                        key=item["Key"], version_id=item.get("VersionId", ""), is_current=item.get("IsLatest", False)
                    )
                    for item in answer.get("DeleteMarkers", ())
                ],
                after=after,
                is_last=not answer.get("IsTruncated", False),
                next_key=answer.get("NextKeyMarker", ""),
                next_version=answer.get("NextVersionIdMarker", ""),
            )
            if found.keys or found.marker in {None, after}:
                return found
            after = found.marker

    def renew(self) -> None:
        """Get credentials anew."""
        if self._credentials:
            self._credentials.renew()

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()

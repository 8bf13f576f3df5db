"""GET, HEAD, LIST and objects' tags, signed by botocore's signer and sent by urllib3, each key exactly as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from botocore.exceptions import ClientError

from scanner_tasks.aws.lean.answers import client_error
from scanner_tasks.aws.lean.pages import page
from scanner_tasks.aws.lean.tags import read_tags
from scanner_tasks.aws.lean.version_pages import version_page
from scanner_tasks.aws.s3_requests import RESTORE_STATUS, Answer, bare, is_restored, listed_time
from scanner_tasks.core.model import ObjectRef

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

    from scanner_tasks.aws.credentials import Credentials
    from scanner_tasks.aws.lean.addresses import Address, Addresses
    from scanner_tasks.aws.lean.pools import Pools
    from scanner_tasks.aws.lean.signer import Signer
    from scanner_tasks.core.listing.markers import Marker
    from scanner_tasks.core.ports import Page, VersionPage

#: An error's XML is a few hundred bytes; what a strange server sends beyond is not read.
_ERROR_BYTES = 64 * 1024
#: Ten tags of 128 and 256 characters, of four bytes or escaped each, take a third of it.
_TAGS_BYTES = 64 * 1024
#: A page of 1,000 keys of 1,024 bytes, each encoded as three.
_PAGE_BYTES = 8 * 1024**2
#: The first send, one in the Region that S3 names, one with the time that S3 tells.
_SENDS = 3
_REFUSED = 300
_REDIRECTS = frozenset({301, 307, 400})
_UNTOLD = frozenset({301, 400, 403})


class LeanRequests:
    """Requests to one endpoint.

    Args:
        addresses: where buckets are.
        pools: connections.
        signer: signs; used when there are credentials.
        credentials: None sends unsigned requests.
        requester_pays: every request says that we pay.
    """

    def __init__(
        self,
        *,
        addresses: Addresses,
        pools: Pools,
        signer: Signer,
        credentials: Credentials | None,
        requester_pays: bool = False,
    ) -> None:
        self._addresses = addresses
        self._pools = pools
        self._signer = signer
        self._credentials = credentials
        self._common = {"x-amz-request-payer": "requester"} if requester_pays else {}

    def get(self, ref: ObjectRef, *, if_match: str, byte_range: str | None) -> Answer:
        """GetObject."""
        headers = {}
        if if_match:
            headers["If-Match"] = f'"{if_match}"'
        if byte_range:
            headers["Range"] = byte_range
        query = {"versionId": ref.version_id} if ref.version_id else {}
        response = self._send("GetObject", "GET", ref.bucket, ref.key, query, headers)
        told = response.headers
        length = told.get("Content-Length")
        return Answer(
            stream=response,
            length=None if length is None else int(length),
            etag=bare(told.get("ETag", "")),
            content_range=told.get("Content-Range", ""),
        )

    def head(self, bucket: str, key: str, version_id: str | None = None) -> ObjectRef:
        """HeadObject."""
        version = {"versionId": version_id} if version_id else {}
        try:
            response = self._send("HeadObject", "HEAD", bucket, key, version, {})
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in _UNTOLD:
                raise
            # The answer to HEAD has no body that says why; that to GET has, and is learnt from.
            self._send("GetObject", "GET", bucket, key, version, {"Range": "bytes=0-0"}).close()
            response = self._send("HeadObject", "HEAD", bucket, key, version, {})
        response.drain_conn()
        told = response.headers
        return ObjectRef(
            bucket=bucket,
            key=key,
            size_bytes=int(told["Content-Length"]),
            etag=bare(told.get("ETag", "")),
            storage_class=told.get("x-amz-storage-class", "STANDARD"),
            is_restored=is_restored(told.get("x-amz-restore", "")),
            modified_at=listed_time(told.get("Last-Modified")),
            version_id=version_id,
        )

    def tags(self, ref: ObjectRef) -> dict[str, str]:
        """GetObjectTagging."""
        query = {"tagging": ""} | ({"versionId": ref.version_id} if ref.version_id else {})
        response = self._send("GetObjectTagging", "GET", ref.bucket, ref.key, query, {})
        return read_tags(_read(response, _TAGS_BYTES))

    def list_page(self, bucket: str, *, prefix: str, start_after: str | None, max_keys: int) -> Page:
        """ListObjectsV2; keys travel URL-encoded, because XML cannot hold every one."""
        query = {"encoding-type": "url", "list-type": "2", "max-keys": str(max_keys), "prefix": prefix}
        if start_after:
            query["start-after"] = start_after
        headers = {"x-amz-optional-object-attributes": RESTORE_STATUS} if self._addresses.is_aws else {}
        while True:
            response = self._send("ListObjectsV2", "GET", bucket, "", query, headers)
            found, token = page(bucket, _read(response, _PAGE_BYTES))
            # Behind very many delete markers S3 gives empty pages that are not the last: only its token leads on.
            if found.objects or found.is_last or not token:
                return found
            query["continuation-token"] = token

    def list_versions(self, bucket: str, *, prefix: str, after: Marker | None, max_keys: int) -> VersionPage:
        """ListObjectVersions; keys travel URL-encoded. Pages without entries that are not the last are followed."""
        headers = {"x-amz-optional-object-attributes": RESTORE_STATUS} if self._addresses.is_aws else {}
        while True:
            query = {"encoding-type": "url", "max-keys": str(max_keys), "prefix": prefix, "versions": ""}
            if after is not None:
                query["key-marker"] = after.key
            if after is not None and after.version_id:
                query["version-id-marker"] = after.version_id
            response = self._send("ListObjectVersions", "GET", bucket, "", query, headers)
            found = version_page(bucket, _read(response, _PAGE_BYTES), after=after)
            if found.keys or found.marker in {None, after}:
                return found
            after = found.marker

    def renew(self) -> None:
        """Get credentials anew."""
        if self._credentials:
            self._credentials.renew()

    def close(self) -> None:
        """Close idle connections."""
        self._pools.close()

    def _send(  # noqa: PLR0917 (an operation is all of these)
        self, operation: str, method: str, bucket: str, key: str, query: dict[str, str], headers: dict[str, str]
    ) -> BaseHTTPResponse:
        """The answer that is no error; what S3 says about Region and time is learnt, and the request sent again."""
        for left in range(_SENDS, 0, -1):
            address = self._addresses.of(bucket, key)
            sent = {**headers, **self._common}
            if self._credentials:
                frozen = self._credentials.get_frozen_credentials()
                url = address.origin + address.path
                self._signer.sign(method, url, sent, query, region=address.region, frozen=frozen)
            response = self._pools.send(method, address, _target(address, query), sent)
            if response.status < _REFUSED:
                return response
            body = _read(response, _ERROR_BYTES)  # nothing for HEAD; it gives the connection back
            error = client_error(operation, response.status, response.headers, body)
            if left == 1 or not (self._learn_region(bucket, address, error) or self._learn_time(error)):
                break
        raise error

    def _learn_region(self, bucket: str, address: Address, error: ClientError) -> bool:
        told, about = error.response["Error"], error.response["ResponseMetadata"]
        if about["HTTPStatusCode"] not in _REDIRECTS:
            return False
        region = about["HTTPHeaders"].get("x-amz-bucket-region") or told.get("Region", "")
        return self._addresses.learn_region(bucket, region, asked=address.region)

    def _learn_time(self, error: ClientError) -> bool:
        if error.response["Error"]["Code"] != "RequestTimeTooSkewed":
            return False
        return self._signer.learn_time(error.response["ResponseMetadata"]["HTTPHeaders"].get("date", ""))


def _target(address: Address, query: dict[str, str]) -> str:
    if not query:
        return address.path
    return address.path + "?" + "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in query.items())


def _read(response: BaseHTTPResponse, most: int) -> bytes:
    """The body up to so many bytes; a longer one is left, and its connection closed."""
    pieces, size = [], 0
    while size <= most and (piece := response.read1(most + 1 - size)):
        pieces.append(piece)
        size += len(piece)
    if size > most:
        response.close()
    return b"".join(pieces)

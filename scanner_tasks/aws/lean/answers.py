"""S3's XML: pages of a listing, and errors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus
from xml.parsers import expat

from botocore.exceptions import ClientError

from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.model import ObjectRef
from scanner_tasks.core.ports import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

_ERROR_ELEMENT = re.compile(rb"<(Code|Message|Region|AccessTier|StorageClass)>([^<]*)</\1>")
_UNESCAPED = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))


def client_error(operation: str, status: int, headers: Mapping[str, str], body: bytes) -> ClientError:
    """An error answer as botocore raises it; HEAD has no body, then the code is the status.

    Examples:
        >>> client_error("GetObject", 404, {}, b"<Error><Code>NoSuchKey</Code></Error>").response["Error"]["Code"]
        'NoSuchKey'
    """
    told = {name.decode(): _unescape(text.decode("utf-8", "replace")) for name, text in _ERROR_ELEMENT.findall(body)}
    error = {"Code": str(status), "Message": "", **told}
    answer = {
        "Error": error,
        "ResponseMetadata": {
            "HTTPStatusCode": status,
            "HTTPHeaders": {name.lower(): value for name, value in headers.items()},
        },
    }
    return ClientError(answer, operation)


def _unescape(text: str) -> str:
    for escaped, character in _UNESCAPED:
        text = text.replace(escaped, character)
    return text


def page(bucket: str, body: bytes) -> Page:
    """A page of ListObjectsV2 with ``encoding-type=url``; raises Unavailable when it is not one."""
    reader = _PageReader(bucket)
    try:
        reader.parser.Parse(body, True)  # noqa: FBT003 (expat's own)
    except (expat.ExpatError, ValueError, KeyError) as error:
        raise Unavailable("The store's listing is not S3's XML: is the endpoint an S3 store?") from error
    if not reader.is_listing:
        raise Unavailable("The store's listing is not S3's XML: is the endpoint an S3 store?")
    return Page(objects=tuple(reader.objects), is_last=not reader.is_truncated)


class _PageReader:
    """expat's callbacks; a document type, which S3 never sends, is refused."""

    def __init__(self, bucket: str) -> None:
        self.objects: list[ObjectRef] = []
        self.is_truncated = False
        self.is_listing = False
        self._bucket = bucket
        self._entry: dict[str, str] | None = None
        self._text: list[str] = []
        self._is_encoded = False
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text_found
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _text_found(self, text: str) -> None:
        self._text.append(text)

    def _start(self, name: str, _attributes: object) -> None:
        self._text = []
        if name == "Contents":
            self._entry = {}
        elif name == "ListBucketResult":
            self.is_listing = True

    def _end(self, name: str) -> None:
        text = "".join(self._text)
        self._text = []
        if name == "Contents":
            self._add()
        elif self._entry is not None:
            self._entry[name] = text
        elif name == "IsTruncated":
            self.is_truncated = text == "true"
        elif name == "EncodingType":
            self._is_encoded = text == "url"

    def _add(self) -> None:
        entry, self._entry = self._entry or {}, None
        self.objects.append(
            ObjectRef(
                bucket=self._bucket,
                # A store that does not know encoding-type says so by leaving it out of its answer.
                key=unquote_plus(entry["Key"], errors="strict") if self._is_encoded else entry["Key"],
                size_bytes=int(entry["Size"]),
                etag=entry.get("ETag", "").strip('"'),
                storage_class=entry.get("StorageClass") or "STANDARD",
                is_restored=entry.get("IsRestoreInProgress") == "false",
            )
        )

    @staticmethod
    def _doctype(*_: object) -> None:
        raise ValueError("a document type")

"""S3's errors, as XML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

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

"""Names that come from outside, checked before anything is asked of S3 or the database."""

from __future__ import annotations

import re

from scanner_tasks.core.errors import InvalidInput

#: S3's longest key, and so its longest prefix, in UTF-8.
KEY_MAX_BYTES = 1024
#: The grammar of a bucket's name but for the two exceptions in ``check_bucket``.
BUCKET_PATTERN = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"

_BUCKET = re.compile(BUCKET_PATTERN)
_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")


def check_bucket(name: str) -> str:
    """The name as given, when S3's naming rules for general purpose buckets allow it; else InvalidInput.

    Examples:
        >>> check_bucket("logs.example-1")
        'logs.example-1'
        >>> check_bucket("s3://logs")
        Traceback (most recent call last):
        ...
        scanner_tasks.core.errors.InvalidInput: bucket: give the bare name of a bucket, without s3://, ARN or path.
    """
    if not name:
        raise InvalidInput("bucket: it is empty; give the name of a bucket.")
    if "/" in name or ":" in name:
        raise InvalidInput("bucket: give the bare name of a bucket, without s3://, ARN or path.")
    if not _BUCKET.fullmatch(name):
        raise InvalidInput(
            "bucket: a name has 3 to 63 characters, only a-z, 0-9, hyphen and dot, "
            "and begins and ends with a letter or digit."
        )
    if ".." in name or _IPV4.fullmatch(name):
        raise InvalidInput("bucket: a name has no two dots in a row and is not an IPv4 address.")
    return name


def check_key(text: str, what: str) -> str:
    """The key or prefix as given, when S3 could hold it and the ledger can; else InvalidInput naming ``what``.

    Nothing is normalised: ``/lead``, ``a//b`` and ``x/../y`` are what they say.

    Examples:
        >>> check_key("a//b", "prefix")
        'a//b'
    """
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError:
        raise InvalidInput(f"{what}: it holds half of a surrogate pair; send valid Unicode.") from None
    if size_bytes > KEY_MAX_BYTES:
        raise InvalidInput(f"{what}: it has {size_bytes:,} bytes in UTF-8; S3 allows {KEY_MAX_BYTES:,}.")
    if "\0" in text:
        raise InvalidInput(f"{what}: it holds the character U+0000; leave it out.")
    return text

"""What ``s3scan scan TARGET`` names: a file, a folder, a stream, or a bucket with a prefix."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Literal

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.names import check_bucket, check_key

_S3 = "s3://"
#: What the object that came on standard input is called.
STDIN = "-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where the objects of a local scan are."""

    kind: Literal["file", "folder", "stream", "s3"]
    #: As the user wrote it.
    text: str
    bucket: str = ""
    prefix: str = ""


def read_target(text: str) -> Target:
    """What the text names; InvalidInput when there is no such thing.

    ``-`` is standard input; ``s3://bucket`` and ``s3://bucket/prefix`` are S3, the prefix exactly as it stands; all
    else is a path. A link that is named is followed, links inside a folder are not.

    Examples:
        >>> read_target("s3://logs/2026//x").prefix
        '2026//x'
    """
    if text == STDIN:
        return Target(kind="stream", text=text)
    if text.startswith(_S3):
        bucket, _, prefix = text.removeprefix(_S3).partition("/")
        return Target(kind="s3", text=text, bucket=check_bucket(bucket), prefix=check_key(prefix, "TARGET"))
    try:
        mode = os.stat(text).st_mode  # noqa: PTH116 (a text, as the user gave it)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "that is no path"
        raise InvalidInput(
            f"TARGET: {text!r}: {why}. Give a file, a folder, - for standard input, or s3://BUCKET/PREFIX."
        ) from None
    if stat.S_ISDIR(mode):
        return Target(kind="folder", text=text)
    if stat.S_ISREG(mode):
        return Target(kind="file", text=text)
    if stat.S_ISFIFO(mode):
        return Target(kind="stream", text=text)
    raise InvalidInput(f"TARGET: {text!r} is a device or a socket; give a file, a folder, or - for standard input.")

"""S3 Inventory: what a manifest says, and a report's rows as listed objects.

The manifest's form is that of the Amazon S3 User Guide, "Locating your inventory list": ``fileSchema`` names a CSV's
columns, keys in a CSV are URL-encoded (a space as ``+``), and every file has its MD5.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.model import ObjectRef
from scanner_tasks.core.names import check_bucket

if TYPE_CHECKING:
    from collections.abc import Mapping

CSV, PARQUET, ORC = "CSV", "Parquet", "ORC"
#: The manifest itself is small: its files are of some ten thousand rows or more each.
MANIFEST_MAX_BYTES: Final = 64 * 1024**2
_SCHEME: Final = "s3://"
_TRUE: Final = frozenset({"true", True})


@dataclass(frozen=True, kw_only=True, slots=True)
class InventoryFile:
    """One file of a report, in the manifest's bucket."""

    key: str
    size_bytes: int
    #: Hex.
    md5: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What a report holds."""

    source_bucket: str
    #: Where its files are.
    bucket: str
    file_format: str
    #: A CSV's columns, in order: Bucket, Key, Size …; () of the other formats, which name their own.
    columns: tuple[str, ...]
    files: tuple[InventoryFile, ...]


def read_address(url: str) -> tuple[str, str]:
    """Bucket and key of ``s3://bucket/…/manifest.json``; else InvalidInput.

    Examples:
        >>> read_address("s3://reports/a//daily/2026-11-01T00-00Z/manifest.json")
        ('reports', 'a//daily/2026-11-01T00-00Z/manifest.json')
    """
    bucket, _, key = url.removeprefix(_SCHEME).partition("/")
    if not url.startswith(_SCHEME) or not key.endswith("manifest.json"):
        raise InvalidInput("inventory: give the address of a report's manifest, s3://bucket/…/manifest.json.")
    return check_bucket(bucket), key


def read_manifest(data: bytes, *, bucket: str) -> Manifest:
    """The manifest that lies in ``bucket``; InvalidInput says what is missing in it."""
    try:
        told: dict[str, Any] = json.loads(data)
        files = tuple(
            InventoryFile(key=one["key"], size_bytes=int(one["size"]), md5=one["MD5checksum"].lower())
            for one in told["files"]
        )
        manifest = Manifest(
            source_bucket=told["sourceBucket"],
            bucket=bucket,
            file_format=told["fileFormat"],
            columns=_columns(told["fileSchema"]) if told["fileFormat"] == CSV else (),
            files=files,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidInput("inventory: the manifest is not one of S3 Inventory: fields of it are missing.") from None
    if manifest.file_format not in {CSV, PARQUET, ORC}:
        raise InvalidInput(f"inventory: its format is {manifest.file_format!r}; CSV, Parquet and ORC are read.")
    if manifest.columns and (missing := {"Key", "Size"} - set(manifest.columns)):
        raise InvalidInput(f"inventory: its reports lack {' and '.join(sorted(missing))}: add it to the configuration.")
    return manifest


def _columns(schema: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in schema.split(","))


#: Our names of the columns of Parquet and ORC reports → those of a CSV.
_SNAKE: Final = {
    "bucket": "Bucket",
    "key": "Key",
    "is_latest": "IsLatest",
    "is_delete_marker": "IsDeleteMarker",
    "size": "Size",
    "last_modified_date": "LastModifiedDate",
    "e_tag": "ETag",
    "storage_class": "StorageClass",
}


def row_of_columnar(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a Parquet or ORC report under a CSV's names.

    Examples:
        >>> row_of_columnar({"key": "a b", "size": 3})
        {'Key': 'a b', 'Size': 3}
    """
    return {_SNAKE[name]: value for name, value in row.items() if name in _SNAKE}


def ref_of(row: Mapping[str, Any], *, bucket: str, is_encoded: bool) -> ObjectRef | None:
    """The row as a listed object; None for a former version or a delete marker, which a listing does not have either.

    Raises InvalidInput for a row that cannot be one of this bucket's inventory.

    Examples:
        >>> ref_of({"Key": "a%2Fb+c", "Size": "3", "ETag": "e"}, bucket="b", is_encoded=True).key
        'a/b c'
        >>> ref_of({"Key": "a", "IsLatest": "false", "Size": "3"}, bucket="b", is_encoded=True) is None
        True
    """
    if row.get("IsLatest", "true") not in _TRUE or row.get("IsDeleteMarker", "false") in _TRUE:
        return None
    if row.get("Bucket", bucket) != bucket:
        raise InvalidInput("inventory: a row of it is of another bucket than its manifest says.")
    try:
        key = str(row["Key"])
        size = int(row["Size"])
    except (KeyError, ValueError, TypeError):
        raise InvalidInput("inventory: a row of it has no key or no size.") from None
    modified = row.get("LastModifiedDate") or ""
    return ObjectRef(
        bucket=bucket,
        key=unquote_plus(key, errors="strict") if is_encoded else key,
        size_bytes=size,
        etag=str(row.get("ETag") or "").strip('"'),
        storage_class=str(row.get("StorageClass") or "STANDARD"),
        modified_at=modified if isinstance(modified, str) else modified.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    )

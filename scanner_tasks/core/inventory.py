"""S3 Inventory: what a manifest says, and a report's rows as listed objects.

The manifest's form is that of the Amazon S3 User Guide, "Locating your inventory list": ``fileSchema`` names a CSV's
columns, keys in a CSV are URL-encoded (a space as ``+``), and every file has its MD5.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.names import check_bucket
from scanner_tasks.core.refs import make_refs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scanner_tasks.core.model import ObjectRef

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


#: Names of a CSV's columns → those of Parquet and ORC reports.
SNAKE: Final = {
    "Bucket": "bucket",
    "Key": "key",
    "IsLatest": "is_latest",
    "IsDeleteMarker": "is_delete_marker",
    "Size": "size",
    "LastModifiedDate": "last_modified_date",
    "ETag": "e_tag",
    "StorageClass": "storage_class",
}


class Rows:
    """Reads a report's rows as listed objects; former versions and delete markers, which no listing has, are left out.

    Args:
        columns: names of the rows' values, as a CSV has them.
        bucket: what the report is of.
        is_encoded: whether keys are URL-encoded.

    Examples:
        >>> rows = Rows(("Key", "Size", "ETag", "IsLatest"), bucket="b", is_encoded=True)
        >>> [ref.key for ref in rows.refs([("a%2Fb+c", "3", "e", "true"), ("a", "3", "e", "false")])]
        ['a/b c']
    """

    def __init__(self, columns: Sequence[str], *, bucket: str, is_encoded: bool) -> None:
        self._bucket, self._is_encoded, self._width = bucket, is_encoded, len(columns)
        place = {name: number for number, name in enumerate(columns)}
        if missing := {"Key", "Size"} - place.keys():
            raise InvalidInput(f"inventory: a file of it has no column {' and none of '.join(sorted(missing))}.")
        self._key, self._size = place["Key"], place["Size"]
        self._of_bucket, self._etag = place.get("Bucket"), place.get("ETag")
        self._class, self._modified = place.get("StorageClass"), place.get("LastModifiedDate")
        self._latest, self._marker = place.get("IsLatest"), place.get("IsDeleteMarker")

    def refs(self, rows: Iterable[Sequence[Any]]) -> list[ObjectRef]:
        """Their objects, in their order; InvalidInput for a row that cannot be one of this bucket's inventory."""
        current = [row for row in rows if self._is_current(row)]
        if not current:
            return []
        columns = list(zip(*current, strict=True))
        if self._of_bucket is not None and set(columns[self._of_bucket]) != {self._bucket}:
            raise InvalidInput("inventory: a row of it is of another bucket than its manifest says.")
        try:
            keys = [str(key) if "%" not in key and "+" not in key else self._decoded(key) for key in columns[self._key]]
            sizes = list(map(int, columns[self._size]))
        except (ValueError, TypeError):
            raise InvalidInput("inventory: a row of it has no key or no size.") from None
        if not all(keys):
            raise InvalidInput("inventory: a row of it has no key or no size.")
        return make_refs(
            self._bucket,
            keys,
            sizes=sizes,
            etags=[(etag or "").strip('"') for etag in self._column(columns, self._etag)],
            storage_classes=[name or "STANDARD" for name in self._column(columns, self._class)],
            modified=[_time(told) for told in self._column(columns, self._modified)],
            restored=repeat(False),  # noqa: FBT003 (a column's value)
        )

    @staticmethod
    def _column(columns: Sequence[Sequence[Any]], number: int | None) -> Iterable[Any]:
        return columns[number] if number is not None else repeat("", len(columns[0]))

    def _decoded(self, key: str) -> str:
        return unquote_plus(key, errors="strict") if self._is_encoded else key

    def _is_current(self, row: Sequence[Any]) -> bool:
        if len(row) != self._width:
            raise InvalidInput("inventory: a file of it is no gzipped CSV with the manifest's columns.")
        if self._latest is not None and row[self._latest] not in _TRUE:
            return False
        return self._marker is None or row[self._marker] not in _TRUE


def _time(told: Any) -> str:
    """As a listing tells it: a CSV has text, Parquet and ORC have times."""
    return told or "" if not told or isinstance(told, str) else told.strftime("%Y-%m-%dT%H:%M:%S.000Z")

"""A page of ListObjectVersions as values: expat's events in one list, then one pass over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from scanner_tasks.aws.lean.pages import NOT_A_PAGE, decode_keys, events
from scanner_tasks.aws.version_entries import VersionEntry, make_version_page
from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.model import ObjectRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner_tasks.core.listing.markers import Marker
    from scanner_tasks.core.ports import VersionPage

_LISTING: Final = "ListVersionsResult"
#: Elements of an entry, and of the page itself, whose text is of use.
_OF_ENTRY: Final = (
    *("Key", "VersionId", "IsLatest", "Size", "ETag", "StorageClass", "LastModified", "IsRestoreInProgress"),
)
_OF_PAGE: Final = ("IsTruncated", "EncodingType", "NextKeyMarker", "NextVersionIdMarker")
_VERSION, _DELETE_MARKER = "Version", "DeleteMarker"
#: As expat hands them on: these very strings, so that ``is`` tells an element's name from a text that reads the same.
_NAMES: Final = {name: name for name in (*_OF_ENTRY, *_OF_PAGE, _VERSION, _DELETE_MARKER, _LISTING)}


def version_page(bucket: str, body: bytes, *, after: Marker | None = None) -> VersionPage:
    """The page behind a marker; raises Unavailable when the body is no listing of versions.

    Examples:
        >>> entry = "<Version><Key>a%2Bb</Key><VersionId>v1</VersionId><Size>3</Size></Version>"
        >>> told = f"<ListVersionsResult>{entry}<EncodingType>url</EncodingType></ListVersionsResult>"
        >>> version_page("b", told.encode()).objects[0].key
        'a+b'
    """
    try:
        page, entries = _read(body, exact=False)
        is_encoded = page.get("EncodingType", "").strip() == "url"
        if not is_encoded:  # white space may be part of a key
            page, entries = _read(body, exact=True)
        names = [entry["Key"] for _, entry in entries] + [page.get("NextKeyMarker", "")]
        keys = decode_keys([name.strip() for name in names]) if is_encoded else names
        made = [
            (kind, _entry(bucket, key, entry, is_version=kind is _VERSION))
            for key, (kind, entry) in zip(keys, entries, strict=False)
        ]
    except (expat.ExpatError, ValueError, KeyError) as error:
        raise Unavailable(NOT_A_PAGE) from error
    return make_version_page(
        [entry for kind, entry in made if kind is _VERSION],
        [entry for kind, entry in made if kind is not _VERSION],
        after=after,
        is_last=page.get("IsTruncated", "").strip() != "true",
        next_key=keys[-1],
        next_version=page.get("NextVersionIdMarker", "").strip(),
    )


def _read(body: bytes, *, exact: bool) -> tuple[dict[str, str], list[tuple[str, dict[str, str]]]]:
    """What the page says of itself; and each entry's kind, with what it says."""
    told, names = events(body, names=_NAMES, listing=_LISTING, exact=exact)
    page: dict[str, str] = {}
    entries: list[tuple[str, dict[str, str]]] = []
    entry: dict[str, str] = {}
    before = ""
    for event in told:
        if event is _VERSION or event is _DELETE_MARKER:
            entries.append((event, entry))
            entry = {}
        elif event in _NAMES and _NAMES[event] is event:
            text = "" if before in names and names[before] is before else before
            (page if event in _OF_PAGE else entry)[event] = text
        before = event
    return page, entries


def _entry(bucket: str, key: str, told: Mapping[str, str], *, is_version: bool) -> VersionEntry:
    text = {name: value.strip() for name, value in told.items()}
    ref = None
    if is_version:
        ref = ObjectRef(
            bucket=bucket,
            key=key,
            size_bytes=int(text["Size"]),
            etag=text.get("ETag", "").strip('"'),
            storage_class=text.get("StorageClass", "") or "STANDARD",
            modified_at=text.get("LastModified", ""),
            is_restored=text.get("IsRestoreInProgress", "") == "false",
        )
    is_current = text.get("IsLatest", "") == "true"
    return VersionEntry(key=key, version_id=text.get("VersionId", ""), is_current=is_current, ref=ref)

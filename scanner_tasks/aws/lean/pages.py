"""A page of ListObjectsV2 as values: expat's events in one list, then one pass over it.

No Python code runs for an element while expat reads: its handlers are methods of built-in containers. A page of 1,000
keys so costs half of what callbacks cost, and a fifth or less of botocore's parser (docs/listing.md has the figures).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import unquote_plus
from xml.parsers import expat

from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.model import ObjectRef
from scanner_tasks.core.ports import Page

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

#: Names of elements, as expat hands them on: these very strings. A key named "Key" is another string than this one,
#: so that ``is`` tells an element's name from a text that reads the same.
_NAMES: Final = {
    name: name
    for name in (
        *("Contents", "Key", "Size", "ETag", "StorageClass", "LastModified", "IsRestoreInProgress"),
        *("IsTruncated", "EncodingType", "NextContinuationToken", "ListBucketResult"),
    )
}
_CONTENTS, _KEY, _SIZE, _ETAG, _CLASS, _MODIFIED, _RESTORING, _TRUNCATED, _ENCODING, _TOKEN, _LISTING = _NAMES.values()
#: Above the longest text of an element: a key of 1,024 bytes with each encoded as three, a continuation token.
_TEXT_BYTES: Final = 64 * 1024
_NOT_A_PAGE = "The store's listing is not S3's XML: is the endpoint an S3 store?"


@dataclass(slots=True)
class _Told:
    """What the elements of a page say, in order."""

    keys: list[str]
    entries: list[tuple[str, str, str, str, str]]
    truncated: str = ""
    encoding: str = ""
    token: str = ""


def page(bucket: str, body: bytes) -> tuple[Page, str]:
    """The page, and the token to go on with ("" for none); raises Unavailable when the body is no listing.

    Examples:
        >>> entry = "<Contents><Key>a%2Bb+c</Key><Size>3</Size></Contents><EncodingType>url</EncodingType>"
        >>> listed, _ = page("b", f"<ListBucketResult>{entry}</ListBucketResult>".encode())
        >>> listed.objects[0].key, listed.is_last
        ('a+b c', True)
    """
    try:
        told = _read(*_events(body, exact=False))
        if told.encoding == "url":
            keys = decode_keys([key.strip() for key in told.keys])
        else:  # a store that does not know encoding-type says so by leaving it out of its answer
            told = _read(*_events(body, exact=True))
            keys = told.keys
        objects = tuple(
            ObjectRef(
                bucket=bucket,
                key=key,
                size_bytes=int(size),
                etag=etag.strip().strip('"'),
                storage_class=storage_class.strip() or "STANDARD",
                modified_at=modified_at.strip(),
                is_restored=restoring.strip() == "false",
            )
            for key, (size, etag, storage_class, modified_at, restoring) in zip(keys, told.entries, strict=True)
        )
    except (expat.ExpatError, ValueError) as error:
        raise Unavailable(_NOT_A_PAGE) from error
    return Page(objects=objects, is_last=told.truncated != "true"), told.token


def decode_keys(encoded: list[str]) -> Iterable[str]:
    r"""Keys out of ``encoding-type=url``, exactly; ValueError when one is no UTF-8.

    All at once where no key holds a new line, which then stands between them.

    Examples:
        >>> list(decode_keys(["sp+ace%2B%C3%A9", "100%25"])), list(decode_keys(["new%0Aline", "b"]))
        (['sp ace+é', '100%'], ['new\nline', 'b'])
    """
    together = "\n".join(encoded)
    if "%0A" in together or "%0a" in together:
        return [unquote_plus(key, errors="strict") for key in encoded]
    return unquote_plus(together, errors="strict").split("\n") if encoded else []


def _events(body: bytes, *, exact: bool) -> tuple[list[str], Collection[str]]:
    """Texts and, at their ends, the names of elements, as they come; and these names.

    A document type, which S3 never sends, is refused.
    White space between two elements is part of the text behind it, unless ``exact`` is asked for: with a handler of
    beginnings, which keeps nothing of use, expat hands on what came before each, and takes a third longer. Encoded keys
    hold no white space, so that nothing is lost without.
    """
    events: list[str] = []
    beginnings: dict[str, object] = {}
    names = dict(_NAMES)
    parser = expat.ParserCreate(None, None, names)
    parser.buffer_text = True
    parser.buffer_size = _TEXT_BYTES
    if exact:
        parser.StartElementHandler = beginnings.setdefault
    parser.CharacterDataHandler = events.append
    parser.EndElementHandler = events.append
    parser.StartDoctypeDeclHandler = _refuse
    parser.Parse(body, True)  # noqa: FBT003 (expat's own)
    if not events or events[-1] is not _LISTING:
        raise ValueError("no listing")
    return events, names


def _read(events: list[str], names: Collection[str]) -> _Told:  # noqa: C901 (one branch for each element)
    told = _Told(keys=[], entries=[])
    key: str | None = None
    size = etag = storage_class = modified_at = restoring = before = ""
    for event in events:
        if event is _KEY:
            key = before
        elif event is _MODIFIED:
            modified_at = "" if before in names else before  # nothing stood in it
        elif event is _ETAG:
            etag = "" if before in names else before
        elif event is _SIZE:
            size = before
        elif event is _CLASS:
            storage_class = "" if before in names else before
        elif event is _RESTORING:
            restoring = before
        elif event is _CONTENTS:
            if key is None:
                raise ValueError("an object without a key")
            told.keys.append(key)
            told.entries.append((size, etag, storage_class, modified_at, restoring))
            key, size, etag, storage_class, modified_at, restoring = None, "", "", "", "", ""
        elif event is _TRUNCATED:
            told.truncated = before.strip()
        elif event is _ENCODING:
            told.encoding = before.strip()
        elif event is _TOKEN:
            told.token = before.strip()
        before = event
    return told


def _refuse(*_: object) -> NoReturn:
    raise ValueError("a document type")

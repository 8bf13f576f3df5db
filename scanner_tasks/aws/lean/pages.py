"""A page of ListObjectsV2 as values, without Python code for each element: docs/listing.md has what that costs.

Stores write the objects of a page one like another. Where they do, one regular expression reads all of them, and the
count of ``<`` tells that nothing stands between them that it does not know; expat reads what stands around them:

    <ListBucketResult>… <Contents>…</Contents><Contents>…</Contents> …</ListBucketResult>
    └──── expat ──────┘ └────── one expression, 12 "<" each ────────┘ └──── expat ─────┘

Every other page is read by expat as a whole, its events in one list, then one pass over it: its handlers are methods of
built-in containers. That costs four times as much, and a quarter of botocore's parser.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import unquote_plus
from xml.parsers import expat

from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.model import ObjectRef
from scanner_tasks.core.ports import Page
from scanner_tasks.core.refs import make_refs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

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
#: What a body that is no listing means.
NOT_A_PAGE = "The store's listing is not S3's XML: is the endpoint an S3 store?"


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
        if alike := _alike(bucket, body):
            return alike
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
        raise Unavailable(NOT_A_PAGE) from error
    return Page(objects=objects, is_last=told.truncated != "true"), told.token


_BEGINNING: Final = "<Contents><Key>([^<]+)</Key><LastModified>([^<]*)</LastModified><ETag>&quot;([^<]*)&quot;</ETag>"
_END: Final = "<Size>([0-9]+)</Size><StorageClass>([^<]+)</StorageClass>"
#: An object as S3 writes it; and with what only some have.
_ENTRY: Final = re.compile(f"{_BEGINNING}{_END}()</Contents>")
_ENTRY_WITH_MORE: Final = re.compile(
    f"{_BEGINNING}(?:<ChecksumAlgorithm>[^<]*</ChecksumAlgorithm>)*(?:<ChecksumType>[^<]*</ChecksumType>)?{_END}"
    "(?:<RestoreStatus><IsRestoreInProgress>([^<]*)</IsRestoreInProgress>"
    "(?:<RestoreExpiryDate>[^<]*</RestoreExpiryDate>)?</RestoreStatus>)?</Contents>"
)
#: ``<`` of an entry, and of each part that not every entry has, by what it begins with.
_TAGS: Final = 12
_MORE_TAGS: Final = {"<Checksum": 2, "<RestoreStatus>": 4, "<RestoreExpiryDate>": 2}
_FIRST, _LAST = "<Contents>", "</Contents>"


def _alike(bucket: str, body: bytes) -> tuple[Page, str] | None:
    """The page if its objects are written one like another and its keys are encoded; None for expat to read it."""
    if not body.isascii():
        return None
    text = body.decode("ascii")
    first, end = text.find(_FIRST), text.rfind(_LAST) + len(_LAST)
    # White space and entities that do not stand around an ETag are expat's: it knows what they mean.
    if not 0 <= first < end or any(text.find(each, first, end) >= 0 for each in ' \t\r\n"'):
        return None
    tags = {name: text.count(name, first, end) for name in _MORE_TAGS}
    found = (_ENTRY_WITH_MORE if any(tags.values()) else _ENTRY).findall(text, first, end)
    expected = _TAGS * len(found) + sum(_MORE_TAGS[name] * count for name, count in tags.items())
    if not found or expected != text.count("<", first, end) or 2 * len(found) != text.count("&", first, end):
        return None
    told = _read(*_events((text[:first] + text[end:]).encode(), exact=False))
    if told.encoding != "url" or told.keys:
        return None
    keys, modified, etags, sizes, classes, restoring = zip(*found, strict=True)
    refs = make_refs(
        bucket,
        decode_keys(keys),
        sizes=map(int, sizes),
        etags=etags,
        storage_classes=classes,
        modified=modified,
        restored=map("false".__eq__, restoring),
    )
    return Page(objects=tuple(refs), is_last=told.truncated != "true"), told.token


_NO_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")


#: What may stand between keys that are decoded together, as it is and as it is encoded.
_SEPARATORS: Final = (("\n", "%0A"), ("\t", "%09"), ("\x01", "%01"))


def decode_keys(encoded: Sequence[str]) -> list[str]:
    r"""Keys out of ``encoding-type=url``, exactly; ValueError when one is no UTF-8.

    All at once, with a character between them that no key holds. Quoted-printable is the same with another sign, and
    its decoder takes a twentieth of the time where most of a key is encoded.

    Examples:
        >>> decode_keys(["sp+ace%2B%C3%A9", "100%25"]), decode_keys(["new%0Aline", "b"])
        (['sp ace+é', '100%'], ['new\nline', 'b'])
    """
    if not encoded:
        return []
    together = "\n".join(encoded)
    if "%" not in together:
        return together.replace("+", " ").split("\n")
    for separator, escape in _SEPARATORS:
        if escape not in together and escape.lower() not in together:
            if separator != "\n":
                together = separator.join(encoded)
            return _decoded(together).split(separator)
    return [unquote_plus(key, errors="strict") for key in encoded]


def _decoded(together: str) -> str:
    if "=" in together or not together.isascii() or _NO_ESCAPE.search(together):
        return unquote_plus(together, errors="strict")
    return binascii.a2b_qp(together.replace("+", " ").replace("%", "=")).decode()


def events(body: bytes, *, names: Mapping[str, str], listing: str, exact: bool) -> tuple[list[str], dict[str, str]]:
    """Texts and, at their ends, the names of elements, as they come; and these names.

    ``names`` are handed on as they are. ValueError when the last element is not ``listing``.

    A document type, which S3 never sends, is refused.
    White space between two elements is part of the text behind it, unless ``exact`` is asked for: with a handler of
    beginnings, which keeps nothing of use, expat hands on what came before each, and takes a third longer. Encoded keys
    hold no white space, so that nothing is lost without.
    """
    found: list[str] = []
    beginnings: dict[str, object] = {}
    known = dict(names)
    parser = expat.ParserCreate(None, None, known)
    parser.buffer_text = True
    parser.buffer_size = _TEXT_BYTES
    if exact:
        parser.StartElementHandler = beginnings.setdefault
    parser.CharacterDataHandler = found.append
    parser.EndElementHandler = found.append
    parser.StartDoctypeDeclHandler = _refuse
    parser.Parse(body, True)  # noqa: FBT003 (expat's own)
    if not found or found[-1] is not names[listing]:
        raise ValueError("no listing")
    return found, known


def _events(body: bytes, *, exact: bool) -> tuple[list[str], Collection[str]]:
    return events(body, names=_NAMES, listing=_LISTING, exact=exact)


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

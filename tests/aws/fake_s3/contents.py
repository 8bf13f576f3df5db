"""What FakeS3 holds: buckets, objects and their versions, and who may read them."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import ClassVar

from tests.aws.fake_s3.layouts import Layout


@dataclass(kw_only=True)
class Stored:
    """One version of an object."""

    content: bytes
    etag: str
    version_id: str
    storage_class: str = "STANDARD"
    #: Refused with 403 AccessDenied and this message.
    denied: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    #: As ``denied``, of its tags alone.
    denied_tags: str | None = None
    #: Archive tier of an INTELLIGENT_TIERING object.
    access_tier: str | None = None
    content_encoding: str | None = None
    #: An archived object that can be read for some days: False while its restore goes on.
    restored: bool | None = None

    @property
    def is_archived(self) -> bool:
        is_ice = self.storage_class in {"GLACIER", "DEEP_ARCHIVE"} or self.access_tier is not None
        return is_ice and not self.restored


@dataclass(frozen=True, slots=True)
class Entry:
    """What a listing tells of an object."""

    key: str
    etag: str
    size: int
    storage_class: str = "STANDARD"
    #: As Stored has it.
    restored: bool | None = None


@dataclass(kw_only=True)
class Bucket:
    """Versions by key, the youngest last; None is a delete marker."""

    region: str
    is_public: bool = False
    requester_pays: bool = False
    #: Answered by 307 to the bucket's own Region, as S3 does for young buckets.
    is_young: bool = False
    objects: dict[str, list[Stored | None]] = field(default_factory=dict)

    def put(self, key: str, content: bytes, *, etag: str | None = None, **changes: object) -> Stored:
        versions = self.objects.setdefault(key, [])
        etag = etag or hashlib.md5(content).hexdigest()
        stored = Stored(content=content, etag=etag, version_id=f"v{len(versions) + 1}", **changes)
        versions.append(stored)
        return stored

    def current(self, key: str) -> Stored | None:
        versions = self.objects.get(key)
        return versions[-1] if versions else None

    def version(self, key: str, version_id: str | None) -> Stored | None:
        if version_id is None:
            return self.current(key)
        return next((v for v in self.objects.get(key, ()) if v and v.version_id == version_id), None)

    def listed(self, *, after: str, prefix: str, most: int) -> list[Entry]:
        """At most so many objects below the prefix behind ``after``, in the order of their keys' UTF-8 bytes."""
        behind = (
            Entry(key, stored.etag, len(stored.content), stored.storage_class, stored.restored)
            for key in sorted(self.objects, key=str.encode)
            if key.encode() > after.encode() and key.startswith(prefix) and (stored := self.current(key))
        )
        return list(islice(behind, most))


#: Objects whose part of a page is kept together, and so many parts: 1.2 million objects, 300 MB.
_BLOCK, _MOST_BLOCKS = 100, 12_000


@dataclass(kw_only=True, eq=False)
class GeneratedBucket(Bucket):
    """A bucket that is listed only: its keys are computed from their numbers.

    What a listing says of some of them is kept as it was sent, of one bucket at a time, so that a store that is listed
    again costs little beside its client.
    """

    layout: Layout
    _blocks: dict[int, bytes] = field(default_factory=dict)
    _holder: ClassVar[GeneratedBucket | None] = None

    def page(self, *, after: str, most: int, told: Callable[[Entry], str]) -> tuple[bytes, bool]:
        """What a listing tells of at most so many objects behind ``after``, and whether they are the last."""
        first = bisect_right(range(self.layout.count), after, key=self.layout.key)
        end = min(first + most, self.layout.count)
        if GeneratedBucket._holder is not self:
            if GeneratedBucket._holder is not None:
                GeneratedBucket._holder._blocks.clear()
            GeneratedBucket._holder = self
        parts, at = [], first
        while at < end:
            block, begin = divmod(at, _BLOCK)
            to = min(end, at - begin + _BLOCK)
            if begin == 0 and to - at == _BLOCK:
                made = self._blocks.get(block)
                if made is None:
                    made = self._told(at, to, told)
                    if len(self._blocks) < _MOST_BLOCKS:
                        self._blocks[block] = made
                parts.append(made)
            else:
                parts.append(self._told(at, to, told))
            at = to
        return b"".join(parts), end == self.layout.count

    def _told(self, first: int, end: int, told: Callable[[Entry], str]) -> bytes:
        return "".join(told(self._entry(n)) for n in range(first, end)).encode()

    def _entry(self, n: int) -> Entry:
        return Entry(self.layout.key(n), f"{n:032x}", 1000 + n * 7919 % 65536)

    def listed(self, *, after: str, prefix: str, most: int) -> list[Entry]:
        key, numbers = self.layout.key, range(self.layout.count)
        first = bisect_right(numbers, after, key=key)
        if prefix:
            first = max(first, bisect_left(numbers, prefix, key=key))
        entries = [self._entry(n) for n in numbers[first : first + most]]
        return [entry for entry in entries if entry.key.startswith(prefix)] if prefix else entries

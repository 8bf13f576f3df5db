"""What FakeS3 holds: buckets, objects and their versions, and who may read them."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import islice

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


@dataclass(kw_only=True)
class GeneratedBucket(Bucket):
    """A bucket that is listed only: its keys are computed from their numbers, none is kept."""

    layout: Layout

    def listed(self, *, after: str, prefix: str, most: int) -> list[Entry]:
        key, numbers = self.layout.key, range(self.layout.count)
        first = bisect_right(numbers, after, key=key)
        if prefix:
            first = max(first, bisect_left(numbers, prefix, key=key))
        entries = [Entry(key(n), f"{n:032x}", 1000 + n * 7919 % 65536) for n in numbers[first : first + most]]
        return [entry for entry in entries if entry.key.startswith(prefix)] if prefix else entries

"""What ListObjectVersions tells of versions and of delete markers, put together as a page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import merge
from typing import TYPE_CHECKING

from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.listing.markers import Marker
from scanner_tasks.core.ports import VersionPage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner_tasks.core.model import ObjectRef


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionEntry:
    """A version, or a delete marker, as the store tells of it."""

    key: str
    version_id: str
    #: Nothing newer covers it (IsLatest).
    is_current: bool
    #: None for a delete marker.
    ref: ObjectRef | None = None

    @property
    def planned(self) -> ObjectRef | None:
        """The object, with the version to be read.

        Current and "null" it is what a reader without version gets, as in a bucket that never had versions: read so,
        it needs no further right, and its ETag tells whether something newer was put there meanwhile.
        """
        if self.ref is None or (self.is_current and self.version_id in {"", "null"}):
            return self.ref
        return replace(self.ref, version_id=self.version_id or "null")


def make_version_page(
    versions: Iterable[VersionEntry],
    delete_markers: Iterable[VersionEntry],
    *,
    after: Marker | None,
    is_last: bool,
    next_key: str,
    next_version: str,
) -> VersionPage:
    """A page of both, each in the store's order; Unavailable when it is not the last and does not say what is next.

    A store that begins a page with the version that it was to go on behind is understood: up to it, all was there.
    """
    if not is_last and not next_key:
        raise Unavailable("The store gave a page of versions that is not the last, and no marker to go on with.")
    entries = list(merge(versions, delete_markers, key=lambda entry: entry.key))
    if after is not None and after.version_id:
        again = [n for n, each in enumerate(entries) if (each.key, each.version_id) == (after.key, after.version_id)]
        entries = entries[again[0] + 1 :] if again else entries
    return VersionPage(
        keys=tuple(entry.key for entry in entries),
        objects=tuple(entry.planned for entry in entries),
        current=tuple(entry.is_current for entry in entries),
        marker=None if is_last else Marker(next_key, next_version),
    )

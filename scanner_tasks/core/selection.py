"""What of a bucket a job scans, as a value: core/selection_rules.py reads it, core/judging.py applies it.

An object must satisfy every field that is given; of a list one entry is enough, and one excluding entry is enough to
keep it out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal

from scanner_tasks.core.object_tags import TagCondition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner_tasks.core.model import ObjectRef

#: Which versions of the objects are listed (docs/selection.md).
Versions = Literal["current", "all", "noncurrent"]
#: Seed of samples whose caller gives none, so that they repeat too.
DEFAULT_SEED: Final = "s3scan"


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Which objects are scanned; everything by default. Field by field as callers, the ledger and the API name them."""

    #: Keys begin with one of these / with none of those. Exact, as S3 has them.
    include_prefixes: tuple[str, ...] = ()
    exclude_prefixes: tuple[str, ...] = ()
    #: Globs over the whole key, as the aws command has them: ``*`` any characters, ``/`` too; ``?`` one; ``[a-z]``.
    include_keys: tuple[str, ...] = ()
    exclude_keys: tuple[str, ...] = ()
    #: RE2 patterns, found anywhere in the key unless anchored.
    include_regexes: tuple[str, ...] = ()
    exclude_regexes: tuple[str, ...] = ()
    #: Bytes as listed, both inclusive.
    min_size_bytes: int | None = None
    max_size_bytes: int | None = None
    #: Last modified at or after / before this second, ISO 8601 in UTC without a zone: ``2026-11-01T00:00:00``.
    modified_after: str | None = None
    modified_before: str | None = None
    #: S3's names: STANDARD, GLACIER_IR, …
    storage_classes: tuple[str, ...] = ()
    exclude_storage_classes: tuple[str, ...] = ()
    #: Lower case without the dot; ``csv`` and ``csv.gz`` are two.
    extensions: tuple[str, ...] = ()
    exclude_extensions: tuple[str, ...] = ()
    #: What names promise (core/kinds.py).
    kinds: tuple[str, ...] = ()
    exclude_kinds: tuple[str, ...] = ()
    #: ``NAME=VALUE`` or ``NAME=*``; workers ask for an object's tags before they read it (core/object_tags.py).
    include_tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    #: Percent of what the fields above chose, by a hash of the seed and the key: 0 < percent <= 100.
    sample_percent: float | None = None
    #: What the percentage is of, and what the sample's estimate counts in.
    sample_of: Literal["objects", "bytes"] = "objects"
    sample_seed: str = DEFAULT_SEED
    #: The listing ends when so many objects are chosen, or the next one would exceed so many bytes.
    limit_objects: int | None = None
    limit_bytes: int | None = None
    #: Of each key: what is there now, every version, or those that something newer has covered.
    versions: Versions = "current"

    @property
    def is_everything(self) -> bool:
        """True when every object is chosen."""
        return self == EVERYTHING

    @property
    def tags(self) -> TagCondition:
        """What an object's tags must be."""
        return TagCondition(include=self.include_tags, exclude=self.exclude_tags)

    @property
    def has_limit(self) -> bool:
        """True when the listing may end before the bucket does."""
        return self.limit_objects is not None or self.limit_bytes is not None

    def to_json(self) -> dict[str, Any]:
        """Only what is said, for the ledger and for readers.

        Examples:
            >>> Selection(include_keys=("*.csv",), sample_percent=5.0).to_json()
            {'include_keys': ['*.csv'], 'sample_percent': 5.0, 'sample_of': 'objects', 'sample_seed': 's3scan'}
        """
        told = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value not in (None, ())
        }
        if self.sample_percent is None:
            told = {name: value for name, value in told.items() if not name.startswith("sample_")}
        if self.versions == "current":
            del told["versions"]
        return told


EVERYTHING: Final = Selection()
NAMES: Final = tuple(field.name for field in fields(Selection))


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What a job has chosen so far: what its limits are compared with."""

    objects: int = 0
    size_bytes: int = 0

    def and_(self, ref: ObjectRef) -> Taken:
        """With one more."""
        return self.more(1, ref.size_bytes)

    def more(self, objects: int, size_bytes: int) -> Taken:
        """With so many more."""
        return Taken(objects=self.objects + objects, size_bytes=self.size_bytes + size_bytes)


#: What a job has chosen when it begins.
NOTHING_TAKEN: Final = Taken()


def is_within(selection: Selection, taken: Taken) -> bool:
    """True while what is taken does not exceed the limits.

    Examples:
        >>> is_within(Selection(limit_objects=2), Taken(objects=2))
        True
    """
    most, most_bytes = selection.limit_objects, selection.limit_bytes
    return (most is None or taken.objects <= most) and (most_bytes is None or taken.size_bytes <= most_bytes)


def limit_reached(selection: Selection, taken: Taken, outcomes: Mapping[str, int]) -> bool:
    """True when a job's limit ended its listing, so that the bucket may hold more than was listed.

    Examples:
        >>> limit_reached(Selection(limit_bytes=9), Taken(size_bytes=7), {"skipped(over_limit)": 1})
        True
    """
    return selection.has_limit and (is_full(selection, taken) or bool(outcomes.get("skipped(over_limit)")))


def is_full(selection: Selection, taken: Taken) -> bool:
    """True when nothing more can be chosen, so that listing on is in vain."""
    most, most_bytes = selection.limit_objects, selection.limit_bytes
    return (most is not None and taken.objects >= most) or (most_bytes is not None and taken.size_bytes >= most_bytes)

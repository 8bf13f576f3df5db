"""A selection applied to an object: chosen, or the outcome that says why not.

The order is that of ``_judges``: names first, then what the listing tells, then chance. Patterns are RE2's, which never
backtracks, on the key's UTF-8 bytes.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.kinds import extensions_of, kind_of
from scanner_tasks.core.model import ObjectRef, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scanner_tasks.core.selection import Selection

#: ``modified_at`` up to the second: S3 lists no more.
_SECONDS: Final = len("2026-11-01T00:00:00")
_SPECIAL: Final = frozenset(r"\.+*?()|[]{}^$")


def judge(selection: Selection, ref: ObjectRef) -> Outcome:
    """PENDING for an object that is chosen, else the SKIPPED_… that says why not. Limits are ``is_within``'s.

    Examples:
        >>> from scanner_tasks.core.selection import Selection
        >>> ref = ObjectRef(bucket="b", key="logs/a.csv", size_bytes=1, etag="e")
        >>> str(judge(Selection(exclude_prefixes=("logs/",)), ref)), str(judge(Selection(kinds=("table",)), ref))
        ('skipped(excluded_prefix)', 'pending')
    """
    for outcome, is_chosen in _judges(selection):
        if not is_chosen(ref):
            return outcome
    return Outcome.PENDING


def is_sampled(ref: ObjectRef, *, percent: float, seed: str) -> bool:
    """True for the object's share of the hash's range: for a seed always the same objects, and 5 % are among 10 %.

    Examples:
        >>> refs = [ObjectRef(bucket="b", key=f"k{n}", size_bytes=1, etag="e") for n in range(10_000)]
        >>> sum(is_sampled(ref, percent=5.0, seed="s") for ref in refs)
        475
    """
    name = ref.key.encode() + (b"\0" + ref.version_id.encode() if ref.version_id else b"")
    key = hashlib.blake2b(seed.encode(), digest_size=32).digest()
    drawn = int.from_bytes(hashlib.blake2b(name, digest_size=8, key=key).digest())
    return drawn * 100 < percent * 2**64


_Judge = tuple[Outcome, "Callable[[ObjectRef], bool]"]


@lru_cache(maxsize=64)
def _judges(selection: Selection) -> tuple[_Judge, ...]:
    """The selection as predicates, made once: a page is judged a thousand times."""
    return (
        *_by_name(selection),
        *_by_listing(selection),
        *_by_kind(selection),
        *_by_chance(selection),
    )


def _by_name(chosen: Selection) -> Iterator[_Judge]:
    prefix, key = Outcome.SKIPPED_EXCLUDED_PREFIX, Outcome.SKIPPED_EXCLUDED_KEY
    if chosen.include_prefixes:
        yield prefix, lambda ref: ref.key.startswith(chosen.include_prefixes)
    if chosen.exclude_prefixes:
        yield prefix, lambda ref: not ref.key.startswith(chosen.exclude_prefixes)
    for patterns, is_wanted in (
        ([glob_pattern(glob) for glob in chosen.include_keys], True),
        ([glob_pattern(glob) for glob in chosen.exclude_keys], False),
        (chosen.include_regexes, True),
        (chosen.exclude_regexes, False),
    ):
        if patterns:
            yield key, _found(patterns, is_wanted=is_wanted)


def _found(patterns: Sequence[str], *, is_wanted: bool) -> Callable[[ObjectRef], bool]:
    searches = [compile_pattern(pattern).search for pattern in patterns]

    def is_chosen(ref: ObjectRef) -> bool:
        name = ref.key.encode()
        return any(search(name) is not None for search in searches) is is_wanted

    return is_chosen


def _by_listing(chosen: Selection) -> Iterator[_Judge]:
    size, modified, stored = (
        Outcome.SKIPPED_EXCLUDED_SIZE,
        Outcome.SKIPPED_EXCLUDED_MODIFIED,
        Outcome.SKIPPED_EXCLUDED_STORAGE_CLASS,
    )
    least, most = chosen.min_size_bytes, chosen.max_size_bytes
    if least is not None:
        yield size, lambda ref: ref.size_bytes >= least
    if most is not None:
        yield size, lambda ref: ref.size_bytes <= most
    # An object whose time the store did not tell is not kept out by it.
    after, before = chosen.modified_after, chosen.modified_before
    if after is not None:
        yield modified, lambda ref: not ref.modified_at or ref.modified_at[:_SECONDS] >= after
    if before is not None:
        yield modified, lambda ref: not ref.modified_at or ref.modified_at[:_SECONDS] < before
    if chosen.storage_classes:
        yield stored, lambda ref: ref.storage_class in chosen.storage_classes
    if chosen.exclude_storage_classes:
        yield stored, lambda ref: ref.storage_class not in chosen.exclude_storage_classes


def _by_kind(chosen: Selection) -> Iterator[_Judge]:
    kind = Outcome.SKIPPED_EXCLUDED_KIND
    wanted, unwanted = frozenset(chosen.extensions), frozenset(chosen.exclude_extensions)
    if wanted:
        yield kind, lambda ref: not wanted.isdisjoint(extensions_of(ref.key))
    if unwanted:
        yield kind, lambda ref: unwanted.isdisjoint(extensions_of(ref.key))
    if chosen.kinds:
        yield kind, lambda ref: kind_of(ref.key) in chosen.kinds
    if chosen.exclude_kinds:
        yield kind, lambda ref: kind_of(ref.key) not in chosen.exclude_kinds


def _by_chance(chosen: Selection) -> Iterator[_Judge]:
    percent, seed = chosen.sample_percent, chosen.sample_seed
    if percent is not None:
        yield Outcome.SKIPPED_NOT_SAMPLED, lambda ref: is_sampled(ref, percent=percent, seed=seed)


def compile_pattern(pattern: str) -> Any:
    """The pattern in RE2's syntax on UTF-8 bytes; raises re2.error for one that RE2 refuses."""
    import re2  # noqa: PLC0415 (most jobs have no pattern, and a Lambda starts without it)

    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern.encode(), options)


def glob_pattern(glob: str) -> str:
    r"""A glob as an RE2 pattern of the whole key; a ``[`` that nothing closes stands for itself.

    Examples:
        >>> glob_pattern("logs/*.[ct]sv")
        '(?s)\\Alogs/.*\\.[ct]sv\\z'
        >>> compile_pattern(glob_pattern("a[!0-9]?")).search("xab".encode()) is None
        True
    """
    told, at = [r"(?s)\A"], 0
    while at < len(glob):
        letter = glob[at]
        at += 1
        if letter == "*":
            told.append(".*")
        elif letter == "?":
            told.append(".")
        elif letter == "[" and (end := glob.find("]", at + (2 if glob[at : at + 1] == "!" else 1))) > 0:
            inner = glob[at:end].replace("\\", "\\\\").replace("[", r"\[").replace("]", r"\]").replace("^", r"\^")
            told.append(f"[^{inner[1:]}]" if inner[0] == "!" else f"[{inner}]")
            at = end + 1
        else:
            told.append("\\" + letter if letter in _SPECIAL else letter)
    return "".join((*told, r"\z"))

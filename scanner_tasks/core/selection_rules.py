"""A selection as callers give it: read, checked, and refused with what to change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.judging import compile_pattern, glob_pattern
from scanner_tasks.core.kinds import KINDS
from scanner_tasks.core.names import check_key
from scanner_tasks.core.object_tags import ANY
from scanner_tasks.core.selection import EVERYTHING, NAMES, Selection

#: Entries of one list, and characters of a pattern: Macie takes 512 characters too.
MAX_ENTRIES, MAX_PATTERN = 100, 512
#: S3's limits of a tag's name and value, in characters.
MAX_TAG, MAX_TAG_VALUE = 128, 256
_CLASSES: Final = frozenset(
    {
        *("STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER"),
        *("DEEP_ARCHIVE", "GLACIER_IR", "EXPRESS_ONEZONE", "OUTPOSTS", "SNOW", "FSX_OPENZFS"),
    }
)
_UNITS: Final = {"": 1, "b": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3, "tb": 1024**4}
_AGES: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def read_selection(told: Mapping[str, Any] | None, *, now: datetime) -> Selection:
    """A selection as a caller names its parts; InvalidInput names the part that is wrong and says what it takes.

    Sizes are bytes or texts such as ``10MB`` (1 MB = 1,048,576); times are ISO 8601, a day, or an age such as ``30d``
    before ``now``.

    Examples:
        >>> now = datetime(2026, 11, 23, 12, tzinfo=UTC)
        >>> read_selection({"max_size_bytes": "1KB", "modified_after": "2d"}, now=now).to_json()
        {'max_size_bytes': 1024, 'modified_after': '2026-11-21T12:00:00'}
    """
    given = {name: value for name, value in (told or {}).items() if value is not None and value not in ([], ())}
    for name in given:
        if name not in NAMES:
            raise InvalidInput(f"selection: it takes {', '.join(NAMES)}; nothing else.")
    read: dict[str, Any] = {name: _READERS[name](name, value, now) for name, value in given.items()}
    selection = Selection(**read)
    _check_together(selection, given)
    return selection


def from_json(told: Mapping[str, Any] | None) -> Selection:
    """What ``Selection.to_json`` gave.

    Examples:
        >>> from_json({"kinds": ["table"]}) == Selection(kinds=("table",)), from_json(None) == EVERYTHING
        (True, True)
    """
    if not told:
        return EVERYTHING
    read: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return Selection(**read)


def _check_together(selection: Selection, given: Mapping[str, Any]) -> None:
    least, most = selection.min_size_bytes, selection.max_size_bytes
    if least is not None and most is not None and least > most:
        raise InvalidInput("min_size_bytes: it is above max_size_bytes, so nothing would be chosen.")
    after, before = selection.modified_after, selection.modified_before
    if after is not None and before is not None and after >= before:
        raise InvalidInput("modified_after: it is not before modified_before, so nothing would be chosen.")
    if selection.sample_percent is None and {"sample_of", "sample_seed"} & given.keys():
        raise InvalidInput("sample_percent: it is missing; give it too, or leave out sample_of and sample_seed.")


def _entries(name: str, value: Any) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, Sequence) or not all(isinstance(entry, str) for entry in listed):
        raise InvalidInput(f"{name}: give a list of texts.")
    if len(listed) > MAX_ENTRIES:
        raise InvalidInput(f"{name}: it has {len(listed)} entries; give at most {MAX_ENTRIES}.")
    if "" in listed:
        raise InvalidInput(f"{name}: an entry is empty; leave it out.")
    return tuple(dict.fromkeys(listed))


def _prefixes(name: str, value: Any, _now: datetime) -> tuple[str, ...]:
    return tuple(check_key(entry, name) for entry in _entries(name, value))


def _patterns(name: str, value: Any, _now: datetime) -> tuple[str, ...]:
    entries = tuple(check_key(entry, name) for entry in _entries(name, value))
    for number, entry in enumerate(entries, 1):
        if len(entry) > MAX_PATTERN:
            raise InvalidInput(f"{name}: pattern {number} has {len(entry)} characters; give at most {MAX_PATTERN}.")
        try:
            compile_pattern(glob_pattern(entry) if name.endswith("_keys") else entry)
        except Exception as error:  # noqa: BLE001 (re2.error, which is not imported where no pattern is)
            said = error.args[0] if error.args else ""
            why = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
            raise InvalidInput(
                f"{name}: RE2 does not take pattern {number} ({why}); look-around and back references are not in it."
            ) from None
    return entries


def _tags(name: str, value: Any, _now: datetime) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_tag(name, entry) for entry in _entries(name, value)))


def _tag(what: str, told: str) -> str:
    name, equals, value = told.partition("=")
    if not 0 < len(name) <= MAX_TAG or len(value) > MAX_TAG_VALUE or not told.isprintable():
        raise InvalidInput(
            f"{what}: give NAME=VALUE, or NAME alone for any value; names have 1 to {MAX_TAG} characters, values at "
            f"most {MAX_TAG_VALUE}."
        )
    return told if equals else f"{name}={ANY}"


def _words(known: frozenset[str] | None, change: Callable[[str], str]) -> Callable[[str, Any, datetime], Any]:
    def read(name: str, value: Any, _now: datetime) -> tuple[str, ...]:
        entries = tuple(dict.fromkeys(change(entry) for entry in _entries(name, value)))
        if known is not None and not known.issuperset(entries):
            raise InvalidInput(f"{name}: it takes {', '.join(sorted(known))}.")
        return entries

    return read


def read_size(name: str, value: Any, _now: datetime | None = None) -> int:
    """Bytes from a number or a text such as ``1.5GB``; InvalidInput names the field.

    Examples:
        >>> read_size("max_size_bytes", "1.5KB"), read_size("max_size_bytes", 7)
        (1536, 7)
    """
    if isinstance(value, str):
        number = value.strip().lower().rstrip("bkmgt")
        unit = _UNITS.get(value.strip().lower()[len(number) :])
        try:
            size = -1 if unit is None else int(float(number.replace(",", "")) * unit)
        except (ValueError, OverflowError):
            size = -1
    else:
        size = value if type(value) is int else -1
    if not 0 <= size < 2**63:
        raise InvalidInput(f"{name}: give a number of bytes, or such as 10MB.")
    return size


def _count(name: str, value: Any, _now: datetime) -> int:
    if type(value) is not int or not 0 < value < 2**63:
        raise InvalidInput(f"{name}: give a whole number above 0.")
    return value


def _size_above_0(name: str, value: Any, _now: datetime) -> int:
    size = read_size(name, value)
    if size == 0:
        raise InvalidInput(f"{name}: give a number of bytes above 0, or such as 10MB.")
    return size


def _moment(name: str, value: Any, now: datetime) -> str:
    moment = value if isinstance(value, datetime) else None
    text = value.strip() if isinstance(value, str) else ""
    if text[:-1].isdecimal() and text[-1:] in _AGES:
        try:
            moment = now - timedelta(seconds=int(text[:-1]) * _AGES[text[-1]])
        except OverflowError:
            moment = None
    elif text:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
    if moment is None:
        raise InvalidInput(f"{name}: give 2026-11-01, 2026-11-01T12:00:00Z, or an age such as 30d, 12h, 15m.")
    in_utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return in_utc.strftime("%Y-%m-%dT%H:%M:%S")


def _percent(name: str, value: Any, _now: datetime) -> float:
    if type(value) not in {int, float} or not 0 < value <= 100:  # noqa: PLR2004 (a percentage)
        raise InvalidInput(f"{name}: give a number above 0 and at most 100.")
    return float(value)


def _of(name: str, value: Any, _now: datetime) -> str:
    if value not in {"objects", "bytes"}:
        raise InvalidInput(f"{name}: give objects or bytes.")
    return str(value)


def _versions(name: str, value: Any, _now: datetime) -> str:
    if value not in {"current", "all", "noncurrent"}:
        raise InvalidInput(f"{name}: give current, all or noncurrent.")
    return str(value)


def _seed(name: str, value: Any, _now: datetime) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 100:  # noqa: PLR2004
        raise InvalidInput(f"{name}: give a text of 1 to 100 characters.")
    return value


_upper, _lower = str.upper, str.lower
_READERS: Final[Mapping[str, Callable[[str, Any, datetime], Any]]] = {
    **dict.fromkeys(("include_prefixes", "exclude_prefixes"), _prefixes),
    **dict.fromkeys(("include_keys", "exclude_keys", "include_regexes", "exclude_regexes"), _patterns),
    **dict.fromkeys(("min_size_bytes", "max_size_bytes"), read_size),
    **dict.fromkeys(("modified_after", "modified_before"), _moment),
    **dict.fromkeys(("storage_classes", "exclude_storage_classes"), _words(_CLASSES, _upper)),
    **dict.fromkeys(("extensions", "exclude_extensions"), _words(None, lambda text: text.lower().lstrip("."))),
    **dict.fromkeys(("kinds", "exclude_kinds"), _words(frozenset(KINDS), _lower)),
    **dict.fromkeys(("include_tags", "exclude_tags"), _tags),
    "sample_percent": _percent,
    "sample_of": _of,
    "sample_seed": _seed,
    "limit_objects": _count,
    "limit_bytes": _size_above_0,
    "versions": _versions,
}

"""Amazon Macie's custom data identifiers, as ``aws macie2 get-custom-data-identifier`` prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.model import Confidence, Severity
from scanner_tasks.rules.foreign import Reading
from scanner_tasks.rules.pack import Pack

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Macie's default for maximumMatchDistance, in characters.
DISTANCE: Final = 50
_INERT: Final = frozenset({"arn", "createdAt", "deleted", "description", "id", "tags", "ResponseMetadata"})
_FIELDS: Final = frozenset({"name", "regex", "keywords", "ignoreWords", "maximumMatchDistance", "severityLevels"})


def read_macie(identifiers: list[Mapping[str, Any]], *, source: str) -> Pack:
    """The pack of these identifiers; RuleError names the identifier and what is wrong."""
    reading = Reading(source, "macie")
    for number, table in enumerate(identifiers, 1):
        told = str(table.get("name") or f"number {number}")
        for name in sorted(table.keys() - _FIELDS - _INERT):
            reading.note(told, f"field {name!r} has no meaning here and is not carried")
        keywords = reading.texts(told, "keywords", table.get("keywords"))
        distance = table.get("maximumMatchDistance", DISTANCE)
        if not isinstance(distance, int) or isinstance(distance, bool):
            raise reading.wrong(told, "maximumMatchDistance must be a whole number")
        levels = _levels(table.get("severityLevels"), told, reading)
        reading.add(
            told,
            id=reading.rule_id(told),
            name=told,
            category="custom",
            severity=levels[0][1] if levels else Severity.MEDIUM,
            confidence=Confidence.HIGH,
            pattern=reading.pattern(told, f"({table.get('regex', '')})", group=1),
            keywords=keywords,
            proximity=distance if keywords else 0,
            keyword_required=bool(keywords),
            ignore=reading.texts(told, "ignoreWords", table.get("ignoreWords")),
            severity_by_count=levels,
            references=("Amazon Macie custom data identifier",),
        )
        if keywords:
            reading.note(told, "the distance is measured to the value's start; Macie measures to its end")
        if levels and levels[0][0] > 1:
            reading.note(told, f"fewer than {levels[0][0]} occurrences are a finding too, of its lowest severity")
    return Pack(rules=tuple(reading.rules), notes=tuple(reading.notes))


def _levels(value: object, told: str, reading: Reading) -> tuple[tuple[int, Severity], ...]:
    if value is None:
        return ()
    try:
        levels = [(int(level["occurrencesThreshold"]), Severity(level["severity"].lower())) for level in value]  # type: ignore[attr-defined]
    except (TypeError, KeyError, ValueError, AttributeError):
        raise reading.wrong(told, "severityLevels: give occurrencesThreshold and severity of each") from None
    return tuple(sorted(levels))

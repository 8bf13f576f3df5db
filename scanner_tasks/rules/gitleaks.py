"""A gitleaks configuration: its regexes are Go's, which are RE2's; what has no meaning here is noted by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.model import Confidence, Severity
from scanner_tasks.detect.gate import CONTAINS_BYTES, AllowList
from scanner_tasks.rules.foreign import Reading
from scanner_tasks.rules.pack import Pack, Scoped

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Tables of a document by which it is known.
TABLES: Final = frozenset({"rules", "allowlist", "allowlists", "extend"})
_INERT: Final = frozenset({"title", "description", "minVersion"})
_RULE: Final = frozenset(
    {"id", "description", "regex", "secretGroup", "keywords", "entropy", "path", "tags", "allowlist", "allowlists"}
)
_LIST: Final = frozenset(
    {"description", "condition", "paths", "regexes", "regexTarget", "stopwords", "commits", "targetRules", "id"}
)
_TARGETS: Final = {"": "value", "secret": "value", "match": "match", "line": "line"}
#: gitleaks gives none.
_SEVERITY: Final = Severity.HIGH
_CONFIDENCE: Final = Confidence.MEDIUM


def read_gitleaks(document: Mapping[str, Any], *, source: str) -> Pack:
    """The pack of a parsed configuration; RuleError names the rule and what RE2 lacks."""
    reading = Reading(source, "gitleaks")
    for key in sorted(document.keys() - TABLES - _INERT):
        reading.note("", f"table {key!r} has no meaning here and is not carried")
    _extend(document.get("extend"), reading)
    ids: dict[str, str] = {}
    for number, table in enumerate(_tables(document.get("rules"), "rules", reading), 1):
        told = str(table.get("id") or f"number {number}")
        if made := _rule(table, told, reading):
            ids[told] = made
    scoped = [
        each
        for key in ("allowlist", "allowlists")
        for table in _tables(document.get(key), key, reading)
        if (each := _global_list(table, ids, reading))
    ]
    if any(rule.contains for rule in reading.rules):
        reading.note("", f"keywords are looked for within {CONTAINS_BYTES} bytes of a match, not in the whole object")
    return Pack(rules=tuple(reading.rules), allow=tuple(scoped), notes=tuple(reading.notes))


def _tables(value: object, name: str, reading: Reading) -> list[dict[str, Any]]:
    tables = [value] if isinstance(value, dict) else value or []
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise reading.wrong(name, "must be tables")
    return tables


def _extend(extend: object, reading: Reading) -> None:
    if not isinstance(extend, dict):
        return
    for name, value in extend.items():
        if name == "useDefault":
            if value:
                reading.note("", "[extend] useDefault: gitleaks's own rules are not here; the built-in ones are")
        elif name == "disabledRules":
            told = ", ".join(str(item) for item in value) if isinstance(value, list) else value
            reading.note("", f"[extend] disabledRules: not carried ({told}): disable built-in rules with [[override]]")
        else:
            reading.note("", f"[extend] {name}: not followed: name that file beside this one")


def _rule(table: dict[str, Any], told: str, reading: Reading) -> str:
    """Adds the rule; its id, empty when it is not carried."""
    for name in sorted(table.keys() - _RULE):
        if name == "required":
            reading.note(told, "not carried: it requires other rules near it ([[rules.required]])")
            return ""
        reading.note(told, f"field {name!r} has no meaning here and is not carried")
    if not table.get("regex"):
        reading.note(told, "not carried: it has no regex, and names of objects are not searched")
        return ""
    group = table.get("secretGroup", 0)
    if not isinstance(group, int) or isinstance(group, bool) or group < 0:
        raise reading.wrong(told, "secretGroup must be a whole number")
    entropy = table.get("entropy", 0)
    if not isinstance(entropy, (int, float)) or isinstance(entropy, bool):
        raise reading.wrong(told, "entropy must be a number")
    if table.get("tags"):
        reading.note(told, "tags are not carried")
    lists = [
        made
        for key in ("allowlist", "allowlists")
        for entry in _tables(table.get(key), key, reading)
        if (made := _list(entry, told, reading))
    ]
    path = table.get("path")
    rule_id = reading.rule_id(told)
    reading.add(
        told,
        id=rule_id,
        name=str(table.get("description") or told),
        category="credentials",
        severity=_SEVERITY,
        confidence=_CONFIDENCE,
        pattern=reading.pattern(told, str(table["regex"]), group=group),
        contains=reading.texts(told, "keywords", table.get("keywords")),
        entropy=float(entropy),
        paths=reading.regexes(told, (str(path),)) if path else (),
        allow=tuple(lists),
        mask="secret",
        references=(f"gitleaks rule {told}",),
    )
    return rule_id


def _global_list(table: dict[str, Any], ids: dict[str, str], reading: Reading) -> Scoped | None:
    """A list for the pack's rules, or for those that it names."""
    wanted = reading.texts("allowlists", "targetRules", table.get("targetRules"))
    for name in wanted:
        if name not in ids:
            reading.note("", f"allow list: targetRules names {name!r}, which is not carried")
    rules = tuple(ids[name] for name in wanted if name in ids) if wanted else tuple(ids.values())
    allow = _list(table, "", reading)
    return Scoped(rules=rules, allow=allow) if allow and rules else None


def _list(table: dict[str, Any], told: str, reading: Reading) -> AllowList | None:
    """The allow list; None when nothing of it is left."""
    for name in sorted(table.keys() - _LIST):
        reading.note(told, f"allow list: field {name!r} has no meaning here and is not carried")
    if table.get("commits"):
        reading.note(told, "allow list: commits are not carried: objects have none")
    target = str(table.get("regexTarget", ""))
    if target not in _TARGETS:
        raise reading.wrong(told, "allow list: regexTarget is one of secret, match, line")
    needs_all = str(table.get("condition", "OR")).upper() in {"AND", "&&"}
    if needs_all and table.get("commits"):
        # Without its commits, the rest would allow more than it was meant to.
        reading.note(told, "allow list: not carried: its condition needs commits")
        return None
    made = AllowList(
        name=str(table.get("description") or f"allow list of {told or reading.source}"),
        regexes=reading.regexes(told, reading.texts(told, "regexes", table.get("regexes"))),
        target=_TARGETS[target],
        words=tuple(word.lower() for word in reading.texts(told, "stopwords", table.get("stopwords"))),
        paths=reading.regexes(told, reading.texts(told, "paths", table.get("paths"))),
        needs_all=needs_all,
    )
    return made if made.regexes or made.words or made.paths else None

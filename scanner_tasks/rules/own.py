"""Our own form: [[rule]], [[allow]] and [[override]] tables, each read strictly."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.errors import RuleError
from scanner_tasks.core.model import Confidence, Severity
from scanner_tasks.detect import fields
from scanner_tasks.detect.gate import TARGETS, AllowList
from scanner_tasks.detect.ruleset import parse_rules
from scanner_tasks.rules.pack import Override, Pack, Scoped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Refuse = Callable[[str], RuleError]

TABLES: Final = ("rule", "allow", "override")
#: ``key-id:hex``: core/redact.py.
FINGERPRINT: Final = re.compile(r"[a-z0-9-]{1,16}:[0-9a-f]{32}")


def read_own(document: Mapping[str, object], *, source: str) -> Pack:
    """The pack of a parsed document; RuleError names the source, the table and the field."""
    for key in document:
        if key not in TABLES:
            raise RuleError(f"{source}: unknown table {key!r}: there are [[rule]], [[allow]] and [[override]]")
    if not document:
        raise RuleError(f"{source}: nothing in it: give [[rule]], [[allow]] or [[override]] tables")
    return Pack(
        rules=parse_rules({"rule": document["rule"]}, source=source) if "rule" in document else (),
        allow=tuple(_read_tables(document, "allow", _allow, source)),
        overrides=tuple(_read_tables(document, "override", _override, source)),
    )


def _read_tables(
    document: Mapping[str, object],
    kind: str,
    read: Callable[[dict[str, Any], Callable[[str, str], RuleError]], Any],
    source: str,
) -> list[Any]:
    tables = document.get(kind, [])
    if not isinstance(tables, list):
        raise RuleError(f"{source}: write [[{kind}]], with two brackets")
    made = []
    for number, table in enumerate(tables, 1):
        told = f"{kind} {table.get('name', number) if isinstance(table, dict) else number}"

        def wrong(name: str, what: str, *, told: str = told) -> RuleError:
            return RuleError(f"{source}: {told}: field {name}: {what}")

        if not isinstance(table, dict):
            raise RuleError(f"{source}: {told}: not a table")
        made.append(read(table, wrong))
    return made


def _allow(table: dict[str, Any], wrong: Callable[[str, str], RuleError]) -> Scoped:
    known = {"name", "reason", "rules", "values", "regexes", "target", "words", "paths", "needs_all"}
    _refuse_unknown(table, known, wrong)
    for name in ("name", "reason", "target"):
        if name in table and (not isinstance(table[name], str) or not table[name]):
            raise wrong(name, "must be a text that is not empty")
    if "name" not in table:
        raise wrong("name", "missing")
    lists: dict[str, tuple[str, ...]] = {
        name: fields.texts(table[name], partial(wrong, name))
        for name in ("values", "regexes", "words", "paths")
        if name in table
    }
    if not any(lists.values()):
        raise wrong("values", "give values, regexes, words or paths: an empty list allows nothing")
    for value in lists.get("values", ()):
        if not FINGERPRINT.fullmatch(value):
            raise wrong("values", "holds what is no fingerprint: `s3scan rules allow` makes them of plain values")
    for name in ("regexes", "paths"):
        for pattern in lists.get(name, ()):
            fields.regex(pattern, partial(wrong, name))
    target = table.get("target", "value")
    if target not in TARGETS:
        raise wrong("target", f"one of {', '.join(TARGETS)}")
    allow = AllowList(
        name=table["name"],
        values=lists.get("values", ()),
        regexes=lists.get("regexes", ()),
        target=target,
        words=lists.get("words", ()),
        paths=lists.get("paths", ()),
        needs_all=_flag(table, "needs_all", wrong) or False,
    )
    return Scoped(rules=_globs(table, wrong, default=("*",)), allow=allow)


def _override(table: dict[str, Any], wrong: Callable[[str, str], RuleError]) -> Override:
    changes = {"enabled", "severity", "severity_by_count", "threshold"}
    _refuse_unknown(table, {"rules", "reason"} | changes, wrong)
    if not changes & table.keys():
        raise wrong("rules", f"nothing is changed: give one of {', '.join(sorted(changes))}")
    steps = table.get("severity_by_count")
    severity, threshold = table.get("severity"), table.get("threshold")
    return Override(
        rules=_globs(table, wrong, default=None),
        enabled=_flag(table, "enabled", wrong),
        severity=None if severity is None else fields.one_of(Severity, severity, partial(wrong, "severity")),
        severity_by_count=None if steps is None else fields.severities(steps, partial(wrong, "severity_by_count")),
        threshold=None if threshold is None else fields.one_of(Confidence, threshold, partial(wrong, "threshold")),
    )


def _refuse_unknown(table: dict[str, Any], known: set[str], wrong: Callable[[str, str], RuleError]) -> None:
    if unknown := table.keys() - known:
        raise wrong(min(unknown), f"unknown field: there are {', '.join(sorted(known))}")


def _globs(
    table: dict[str, Any], wrong: Callable[[str, str], RuleError], *, default: tuple[str, ...] | None
) -> tuple[str, ...]:
    if "rules" not in table:
        if default is None:
            raise wrong("rules", 'missing: ids, or globs such as "us.*"')
        return default
    globs = fields.texts(table["rules"], partial(wrong, "rules"))
    if not globs:
        raise wrong("rules", "must name at least one rule")
    return globs


def _flag(table: dict[str, Any], name: str, wrong: Callable[[str, str], RuleError]) -> bool | None:
    value = table.get(name)
    if value is not None and not isinstance(value, bool):
        raise wrong(name, "must be true or false")
    return value

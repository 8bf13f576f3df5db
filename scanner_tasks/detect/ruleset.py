"""Rules as values, read strictly: an unknown field, a missing example or a pattern without bound is an error."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.errors import RuleError
from scanner_tasks.core.model import Confidence, Severity
from scanner_tasks.core.redact import MASKS
from scanner_tasks.detect import fields
from scanner_tasks.detect.cells import CELLS
from scanner_tasks.detect.gate import AllowList
from scanner_tasks.detect.normalisers import NORMALISERS
from scanner_tasks.detect.validators import VALIDATORS
from scanner_tasks.detect.width import Unbounded, max_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    #: Makes the error for a field and what is wrong with it.
    Wrong = Callable[[str, str], RuleError]

#: Raised whenever engine, validators, normalisers or masks change what the same rules find: it is part of the hash.
ENGINE_VERSION: Final = 3
CATEGORIES: Final = ("personal", "financial", "credentials", "health", "national_id", "custom")
#: Bounds that keep the engine's window overlap small.
MAX_WIDTH_BYTES: Final = 4096
MAX_PROXIMITY: Final = 400
_ID = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A detector as data. Field names are those of the TOML files."""

    #: Dotted, unique and stable: it is stored with findings.
    id: str
    name: str
    category: str
    severity: Severity
    #: Of a match without a keyword near it.
    confidence: Confidence
    #: RE2, bounded. Group ``value`` is the value (``value2`` … where alternatives have their own; else the whole
    #: match); a value in group ``weak`` needs a keyword.
    pattern: str
    #: Words that speak for the value; a space stands for any or no separator, a trailing * for any ending.
    keywords: tuple[str, ...] = ()
    #: How far a keyword may end before the value, and begin after it, in characters.
    proximity: int = 0
    proximity_after: int = 0
    #: True when every match, not only a weak one, needs a keyword.
    keyword_required: bool = False
    #: Confidence of a match with a keyword near it.
    keyword_confidence: Confidence | None = None
    #: Words that, standing directly before the value as its label, speak against it.
    against: tuple[str, ...] = ()
    #: True when a value is left to any other rule, one that does not yield, that finds a value overlapping it.
    yields: bool = False
    #: Text that stands in every match: lets the engine skip what cannot match.
    literal: str = ""
    #: Shape of a table's cell in which the rule finds the cell's whole content, keyword or not (see detect/cells.py):
    #: lets the engine settle many at a time.
    cells: str = ""
    #: Texts in the value that make it none; case matters.
    ignore: tuple[str, ...] = ()
    #: Severity from so many occurrences in one object on, ascending; below the first it is ``severity``.
    severity_by_count: tuple[tuple[int, Severity], ...] = ()
    #: Occurrences of less confidence are not reported; None leaves it to the detector.
    threshold: Confidence | None = None
    #: A value needs more bits a character than this (Shannon's entropy).
    entropy: float = 0.0
    #: One of these texts must stand within gate.CONTAINS_BYTES of the match, or in it; case does not matter.
    contains: tuple[str, ...] = ()
    #: RE2 patterns: the rule looks only into objects whose key, or path within, one of them is found in.
    paths: tuple[str, ...] = ()
    #: What may stand where it stands; [[allow]] tables put it here.
    allow: tuple[AllowList, ...] = ()
    #: False when an override turned it off: it finds nothing, and its candidates are masked in contexts all the same.
    enabled: bool = True
    validator: str = ""
    normaliser: str = "text"
    mask: str = "all"
    references: tuple[str, ...] = field(default=(), repr=False)
    #: Texts in which the rule must find something / must find nothing.
    examples: tuple[str, ...] = field(default=(), repr=False)
    negative_examples: tuple[str, ...] = field(default=(), repr=False)

    @property
    def looks_for(self) -> str:
        """16 hex digits of all that decides what it takes for its values; not of what is then told of them."""
        told = {each.name: getattr(self, each.name) for each in fields_of(Rule) if each.name not in _TOLD_FIELDS}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    def severity_at(self, count: int) -> Severity:
        """The severity of a finding with so many occurrences."""
        return next((severity for least, severity in reversed(self.severity_by_count) if count >= least), self.severity)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Rules in order, with a hash of everything in them that influences what is found."""

    rules: tuple[Rule, ...]

    def severity_at(self, rule_id: str, count: int) -> Severity:
        """The severity of a finding of one of the rules with so many occurrences."""
        return next(rule for rule in self.rules if rule.id == rule_id).severity_at(count)

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for rule in self.rules:
            if rule.id in seen:
                raise RuleError(f"rule {rule.id}: field id: used twice; ids are unique over all files")
            seen.add(rule.id)

    @property
    def content_hash(self) -> str:
        """64 hex digits; names, references and examples do not count, nor does the order of the rules."""
        told = [each.name for each in fields_of(Rule) if each.name not in _SILENT_FIELDS]
        telling = [
            {name: getattr(rule, name) for name in told} | {"allow": [each.digest for each in rule.allow]}
            for rule in sorted(self.rules, key=lambda rule: rule.id)
        ]
        text = json.dumps([ENGINE_VERSION, telling], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


_SILENT_FIELDS: Final = frozenset(
    {"name", "category", "literal", "cells", "references", "examples", "negative_examples"}
)
#: Fields that say what becomes of a rule's values, and those that say nothing of them.
_TOLD_FIELDS: Final = _SILENT_FIELDS | {"enabled", "severity", "severity_by_count", "threshold", "allow", "mask"}
_STRINGS: Final = frozenset(
    {"id", "name", "category", "pattern", "literal", "cells", "validator", "normaliser", "mask"}
    | {"severity", "confidence", "keyword_confidence", "threshold"}
)
_LISTS: Final = frozenset(
    {"keywords", "against", "references", "examples", "negative_examples", "ignore", "contains", "paths"}
)
_NUMBERS: Final = frozenset({"proximity", "proximity_after"})
_FLAGS: Final = frozenset({"keyword_required", "yields"})
_READ: Final = {"severity_by_count": fields.severities, "entropy": fields.bits}
_WORDS: Final[dict[str, Any]] = {
    "severity": Severity,
    "confidence": Confidence,
    "keyword_confidence": Confidence,
    "threshold": Confidence,
}
_VALUE_GROUP: Final = re.compile(r"value\d{0,2}")
_REQUIRED: Final = (
    "id",
    "name",
    "category",
    "severity",
    "confidence",
    "pattern",
    "references",
    "examples",
    "negative_examples",
)


def parse_rules(document: Mapping[str, object], *, source: str) -> tuple[Rule, ...]:
    """The rules of one parsed TOML document; RuleError names the source, the rule and the field."""
    for key in document:
        if key != "rule":
            raise RuleError(f"{source}: unknown table {key!r}: a rule file holds [[rule]] tables only")
    tables = document.get("rule")
    if not isinstance(tables, list) or not tables:
        raise RuleError(f"{source}: no [[rule]] in it")
    return tuple(_parse_rule(table, source=source, number=n) for n, table in enumerate(tables, 1))


def merge(parts: Iterable[tuple[Rule, ...]]) -> Ruleset:
    """One ruleset of several files' rules; RuleError for an id used twice."""
    return Ruleset(tuple(rule for part in parts for rule in part))


def _parse_rule(table: object, *, source: str, number: int) -> Rule:
    if not isinstance(table, dict):
        raise RuleError(f"{source}: rule {number}: not a table")
    where = f"{source}: rule {table.get('id', number)}"

    def wrong(name: str, what: str) -> RuleError:
        return RuleError(f"{where}: field {name}: {what}")

    for name in _REQUIRED:
        if name not in table:
            raise wrong(name, "missing")
    values: dict[str, object] = {}
    for name, value in table.items():
        read = _READ.get(name)
        values[name] = read(value, partial(wrong, name)) if read else _typed(name, value, wrong)
    for name, words in _WORDS.items():
        if name in values:
            values[name] = fields.one_of(words, values[name], partial(wrong, name))
    return make_rule(values, wrong=wrong)


def make_rule(values: Mapping[str, object], *, wrong: Wrong, proven: bool = True) -> Rule:
    """A rule of fields that have their types; what ``wrong`` makes of a field's name and what is wrong is raised.

    Args:
        values: the fields.
        wrong: makes the error.
        proven: whether it must carry examples and references.
    """
    rule = Rule(**values)  # type: ignore[arg-type]  # each field's type is the caller's promise
    _check_rule(rule, wrong, proven=proven)
    return rule


def _typed(name: str, value: object, wrong: Wrong) -> object:
    if name in _STRINGS:
        if not isinstance(value, str) or not value:
            raise wrong(name, "must be a text that is not empty")
        return value
    if name in _NUMBERS:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_PROXIMITY:
            raise wrong(name, f"must be a whole number from 0 to {MAX_PROXIMITY}")
        return value
    if name in _FLAGS:
        if not isinstance(value, bool):
            raise wrong(name, "must be true or false")
        return value
    if name in _LISTS:
        return fields.texts(value, partial(wrong, name))
    raise wrong(name, "unknown field")


def _check_rule(rule: Rule, wrong: Wrong, *, proven: bool) -> None:
    if not _ID.fullmatch(rule.id):
        raise wrong("id", "must be dotted and lower case, such as us.ssn")
    for name, value, known in (
        ("category", rule.category, CATEGORIES),
        ("validator", rule.validator or None, VALIDATORS),
        ("normaliser", rule.normaliser, NORMALISERS),
        ("cells", rule.cells or None, CELLS),
        ("mask", rule.mask, MASKS),
    ):
        if value is not None and value not in known:
            raise wrong(name, f"{value!r} does not exist: one of {', '.join(sorted(known))}")
    for name in ("examples", "negative_examples", "references") if proven else ():
        if not getattr(rule, name):
            raise wrong(name, "at least one is needed")
    _check_pattern(rule, wrong)
    for path in rule.paths:
        fields.regex(path, partial(wrong, "paths"))
    if rule.keywords and not rule.proximity:
        raise wrong("proximity", "keywords need a distance")
    if rule.keyword_required and not rule.keywords:
        raise wrong("keyword_required", "there are no keywords")
    if rule.keyword_confidence and not rule.keywords:
        raise wrong("keyword_confidence", "there are no keywords")


def _check_pattern(rule: Rule, wrong: Wrong) -> None:
    regex = fields.regex(rule.pattern, partial(wrong, "pattern"))
    try:
        width = max_width(rule.pattern)
    except Unbounded as error:
        raise wrong("pattern", str(error)) from None
    if width > MAX_WIDTH_BYTES:
        raise wrong("pattern", f"may match {width} bytes; at most {MAX_WIDTH_BYTES}")
    if regex.search(b"") is not None:
        raise wrong("pattern", "matches the empty text")
    groups = regex.groups
    if unknown := {name for name in groups if name != "weak" and not _VALUE_GROUP.fullmatch(name)}:
        raise wrong("pattern", f"group {min(unknown)!r} has no meaning: use value or weak")
    if "weak" in groups and not rule.keywords:
        raise wrong("keywords", "a pattern with a weak group needs them")

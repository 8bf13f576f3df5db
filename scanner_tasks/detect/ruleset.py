"""Rules as values, read strictly: an unknown field, a missing example or a pattern without bound is an error."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

import re2

from scanner_tasks.core.errors import RuleError
from scanner_tasks.core.model import Confidence, Severity
from scanner_tasks.core.redact import MASKS
from scanner_tasks.detect.cells import CELLS
from scanner_tasks.detect.normalisers import NORMALISERS
from scanner_tasks.detect.regex import Regex
from scanner_tasks.detect.validators import VALIDATORS
from scanner_tasks.detect.width import Unbounded, max_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
    #: RE2, bounded. Group ``value`` is the value (else the whole match); a value in group ``weak`` needs a keyword.
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
    validator: str = ""
    normaliser: str = "text"
    mask: str = "all"
    references: tuple[str, ...] = field(default=(), repr=False)
    #: Texts in which the rule must find something / must find nothing.
    examples: tuple[str, ...] = field(default=(), repr=False)
    negative_examples: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Rules in order, with a hash of everything in them that influences what is found."""

    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for rule in self.rules:
            if rule.id in seen:
                raise RuleError(f"rule {rule.id}: field id: used twice; ids are unique over all files")
            seen.add(rule.id)

    @property
    def content_hash(self) -> str:
        """64 hex digits; names, references and examples do not count, nor does the order of the rules."""
        telling = [
            {k: v for k, v in asdict(rule).items() if k not in _SILENT_FIELDS}
            for rule in sorted(self.rules, key=lambda rule: rule.id)
        ]
        text = json.dumps([ENGINE_VERSION, telling], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


_SILENT_FIELDS: Final = frozenset(
    {"name", "category", "literal", "cells", "references", "examples", "negative_examples"}
)
_STRINGS: Final = frozenset(
    {"id", "name", "category", "pattern", "literal", "cells", "validator", "normaliser", "mask"}
    | {"severity", "confidence", "keyword_confidence"}
)
_LISTS: Final = frozenset({"keywords", "against", "references", "examples", "negative_examples"})
_NUMBERS: Final = frozenset({"proximity", "proximity_after"})
_FLAGS: Final = frozenset({"keyword_required", "yields"})
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
        values[name] = _typed(name, value, wrong)
    for name, words in (("severity", Severity), ("confidence", Confidence), ("keyword_confidence", Confidence)):
        if name in values:
            try:
                values[name] = words(str(values[name]))
            except ValueError:
                raise wrong(name, f"one of {', '.join(words)}") from None
    rule = Rule(**values)  # type: ignore[arg-type]  # each field's type was checked above
    _check_rule(rule, wrong)
    return rule


def _typed(name: str, value: object, wrong: _Wrong) -> object:
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
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise wrong(name, "must be a list of texts, none of them empty")
        if len(set(value)) < len(value):
            raise wrong(name, "has an entry twice")
        return tuple(value)
    raise wrong(name, "unknown field")


def _check_rule(rule: Rule, wrong: _Wrong) -> None:
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
    for name in ("examples", "negative_examples", "references"):
        if not getattr(rule, name):
            raise wrong(name, "at least one is needed")
    _check_pattern(rule, wrong)
    if rule.keywords and not rule.proximity:
        raise wrong("proximity", "keywords need a distance")
    if rule.keyword_required and not rule.keywords:
        raise wrong("keyword_required", "there are no keywords")
    if rule.keyword_confidence and not rule.keywords:
        raise wrong("keyword_confidence", "there are no keywords")


def _check_pattern(rule: Rule, wrong: _Wrong) -> None:
    try:
        regex = Regex(rule.pattern)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        raise wrong("pattern", f"RE2 refuses it: {reason.decode() if isinstance(reason, bytes) else reason}") from None
    try:
        width = max_width(rule.pattern)
    except Unbounded as error:
        raise wrong("pattern", str(error)) from None
    if width > MAX_WIDTH_BYTES:
        raise wrong("pattern", f"may match {width} bytes; at most {MAX_WIDTH_BYTES}")
    if regex.search(b"") is not None:
        raise wrong("pattern", "matches the empty text")
    groups = regex.groups
    if unknown := groups.keys() - {"value", "weak"}:
        raise wrong("pattern", f"group {min(unknown)!r} has no meaning: use value or weak")
    if "weak" in groups and not rule.keywords:
        raise wrong("keywords", "a pattern with a weak group needs them")


if TYPE_CHECKING:
    from collections.abc import Callable

    _Wrong = Callable[[str, str], RuleError]

"""Packs of rules in any form, put together with the built-in rules as their users want them."""

from __future__ import annotations

import fnmatch
import json
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.errors import RuleError
from scanner_tasks.detect.ruleset import Ruleset
from scanner_tasks.rules import gitleaks, load_builtin, macie, own, presidio
from scanner_tasks.rules.pack import Note, Pack, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scanner_tasks.detect.gate import AllowList
    from scanner_tasks.detect.ruleset import Rule

#: Larger files are refused: rules are written by people.
MAX_BYTES: Final = 16 * 1024**2
BUILTIN: Final = "built-in"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The rules that run, and what is to be said of them."""

    #: Rules that are off are in it, not enabled.
    ruleset: Ruleset
    #: Where each rule comes from: BUILTIN or the name of a source.
    origins: dict[str, str]
    notes: tuple[Note, ...]
    #: Ids of rules that an override turned off.
    disabled: tuple[str, ...] = ()


def read_source(path: Path) -> Source:
    """The file; RuleError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return Source(name=path.name, content=file.read(MAX_BYTES + 1))
    except OSError as error:
        raise RuleError(f"{path.name}: cannot be read: {error.strerror}") from None


def combine(sources: Iterable[Source], *, builtin: bool = True) -> Loaded:
    """Built-in rules, if wanted, and those of the packs, in order; then overrides in order, and allow lists.

    RuleError names the source and what is wrong: an id used twice, a name that fits no rule, whatever its form refuses.
    """
    packs = [(source.name, read_pack(source)) for source in sources]
    rules: dict[str, Rule] = {}
    origins: dict[str, str] = {}
    parts = [(BUILTIN, load_builtin().rules)] if builtin else []
    for name, some in [*parts, *((name, pack.rules) for name, pack in packs)]:
        for rule in some:
            if rule.id in rules:
                raise RuleError(f"{name}: rule {rule.id}: field id: used twice: it is in {origins[rule.id]} too")
            rules[rule.id], origins[rule.id] = rule, name
    disabled: set[str] = set()
    for name, pack in packs:
        _override(rules, disabled, pack, name)
    for name, pack in packs:
        for scoped in pack.allow:
            _allow(rules, scoped.rules, scoped.allow, f"{name}: allow {scoped.allow.name}")
    # A rule that is off still masks what it would find in the contexts of others.
    weighed = tuple(replace(rule, enabled=False) if rule.id in disabled else rule for rule in rules.values())
    notes = tuple(note for _, pack in packs for note in pack.notes)
    return Loaded(Ruleset(weighed), origins, notes, tuple(sorted(disabled)))


def read_pack(source: Source) -> Pack:
    """The pack in whichever form it has: ours and gitleaks's are TOML, Presidio's YAML, Macie's JSON."""
    if len(source.content) > MAX_BYTES:
        raise RuleError(f"{source.name}: larger than {MAX_BYTES} bytes")
    try:
        text = source.content.decode()
    except UnicodeDecodeError:
        raise RuleError(f"{source.name}: not UTF-8 text") from None
    suffix = Path(source.name).suffix.lower()
    try:
        if suffix == ".toml":
            return _toml(text, source.name)
        if suffix in {".yaml", ".yml"}:
            return _yaml(text, source.name)
        if suffix == ".json":
            return _json(text, source.name)
    except RecursionError:
        raise RuleError(f"{source.name}: nested too deeply") from None
    raise RuleError(
        f"{source.name}: its form is told by its name: .toml (ours, gitleaks), .yaml (Presidio), .json (Macie)"
    )


def _toml(text: str, name: str) -> Pack:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{name}: not TOML: {error}") from None
    is_gitleaks = not document.keys() & set(own.TABLES) and document.keys() & gitleaks.TABLES
    return gitleaks.read_gitleaks(document, source=name) if is_gitleaks else own.read_own(document, source=name)


def _yaml(text: str, name: str) -> Pack:
    import yaml  # noqa: PLC0415 (few have YAML)

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise RuleError(f"{name}: not YAML{where}") from None
    if not isinstance(document, dict) or "recognizers" not in document:
        raise RuleError(f"{name}: no recognizers in it: YAML is read as Presidio's recognisers")
    return presidio.read_presidio(document, source=name)


def _json(text: str, name: str) -> Pack:
    try:
        document: Any = json.loads(text)
    except ValueError as error:
        raise RuleError(f"{name}: not JSON: {error}") from None
    if isinstance(document, dict):
        document = document.get("customDataIdentifiers", [document])
    if not isinstance(document, list) or not all(isinstance(each, dict) and each.get("regex") for each in document):
        raise RuleError(f"{name}: JSON is read as Macie's custom data identifiers, each with a regex")
    return macie.read_macie(document, source=name)


def _override(rules: dict[str, Rule], disabled: set[str], pack: Pack, name: str) -> None:
    for change in pack.overrides:
        for rule_id in _named(rules, change.rules, f"{name}: override"):
            rule = rules[rule_id]
            if change.enabled is not None:
                (disabled.discard if change.enabled else disabled.add)(rule_id)
            if change.severity is not None:
                # One severity for all counts, unless steps are given beside it.
                rule = replace(rule, severity=change.severity, severity_by_count=())
            if change.severity_by_count is not None:
                rule = replace(rule, severity_by_count=change.severity_by_count)
            if change.threshold is not None:
                rule = replace(rule, threshold=change.threshold)
            rules[rule_id] = rule


def _allow(rules: dict[str, Rule], globs: Sequence[str], allow: AllowList, told: str) -> None:
    for rule_id in _named(rules, globs, told):
        rules[rule_id] = replace(rules[rule_id], allow=(*rules[rule_id].allow, allow))


def _named(rules: Iterable[str], globs: Sequence[str], told: str) -> list[str]:
    """Ids that the globs name; RuleError for a glob that names none."""
    ids = list(rules)
    named: set[str] = set()
    for glob in globs:
        some = fnmatch.filter(ids, glob)
        if not some and glob != "*":
            raise RuleError(f"{told}: field rules: {glob!r} names no rule: see `s3scan rules list`")
        named.update(some)
    return [rule_id for rule_id in ids if rule_id in named]

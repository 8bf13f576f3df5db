"""A pack of the user's to which allowed values are added, as fingerprints."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from scanner_tasks.core.allow_list import allow_table
from scanner_tasks.core.errors import InvalidInput, RuleError
from scanner_tasks.rules.load import read_pack
from scanner_tasks.rules.pack import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


def check_file(file: Path) -> None:
    """Refuse a name that no pack can have."""
    if file.suffix.lower() != ".toml":
        raise InvalidInput("FILE: its name must end with .toml.")


def add_allowed(file: Path, *, name: str, rules: Sequence[str], fingerprints: Iterable[str]) -> int:
    """Add the fingerprints that the pack does not hold for just these rules yet; how many.

    Raises InvalidInput for a wrong name, RuleError for a file that is no pack of ours.
    """
    check_file(file)
    if not name.isprintable() or not name.strip():
        raise InvalidInput("--name: one line of characters that can be printed.")
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    known = _known(before, list(rules), file.name)
    new = [mark for mark in dict.fromkeys(fingerprints) if mark not in known]
    if new:
        added = ("\n" if before and not before.endswith("\n") else "") + allow_table(name, rules, new)
        tomllib.loads(before + added)  # what is written can be read
        with file.open("a", encoding="utf-8") as out:
            out.write(added)
    return len(new)


def _known(text: str, rules: list[str], name: str) -> set[str]:
    """Fingerprints that the file holds for the same rules already."""
    if not text.strip():
        return set()
    pack = read_pack(Source(name=name, content=text.encode()))
    if any(rule.id.startswith("gitleaks.") for rule in pack.rules):
        raise RuleError(f"{name}: it is a gitleaks file: keep the list in a file of its own")
    lists = (scoped.allow.values for scoped in pack.allow if list(scoped.rules) == rules)
    return {value for values in lists for value in values}

"""``s3scan rules allow``: values that may stand where they stand, kept as keyed hashes."""

from __future__ import annotations

import json
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scanner_tasks.cli.rule_options import Packs
from scanner_tasks.cli.screen import AsJson, print_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner_tasks.detect.ruleset import Rule


def allow(
    file: Annotated[Path, typer.Argument(help="The pack (.toml) that the list is added to.", show_default=False)],
    rules: Annotated[
        list[str] | None, typer.Option("--rule", help="Only for this rule, or a glob; may be given again.")
    ] = None,
    name: Annotated[str, typer.Option(help="The list's name, told where it allows something.")] = "allowed values",
    are_fingerprints: Annotated[
        bool, typer.Option("--fingerprints", help="The lines are fingerprints, as findings show them, not values.")
    ] = False,
    packs: Packs = None,
    as_json: AsJson = False,
) -> None:
    """Allow the values on standard input, one a line: they are neither counted nor kept from then on.

    Only keyed hashes are written, made with S3SCAN_FINGERPRINT_KEY; a value never reaches the disk. What is in the file
    already is not added again. A fingerprint that a finding shows can be allowed without knowing its value.

    Example: s3scan rules allow allowed.toml --rule us.ssn --name "our test people"
    """
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415

    if file.suffix.lower() != ".toml":
        raise InvalidInput("FILE: its name must end with .toml.")
    if not name.isprintable() or not name:
        raise InvalidInput("--name: one line of characters that can be printed.")
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    globs = rules or ["*"]
    lines = [line.strip() for line in sys.stdin.read().splitlines() if line.strip()]
    if not lines:
        raise InvalidInput("Standard input holds no value: give one a line.")
    made = _checked(lines) if are_fingerprints else _marks(lines, globs, packs)
    known = _known(before, globs, file.name)
    new = [mark for mark in dict.fromkeys(made) if mark not in known]
    if new:
        added = ("\n" if before and not before.endswith("\n") else "") + _table(name, globs, new)
        tomllib.loads(before + added)  # what is written can be read
        with file.open("a", encoding="utf-8") as out:
            out.write(added)
    if as_json:
        print_json({"file": str(file), "values": len(lines), "added": len(new), "rules": globs})
    else:
        done = f"{len(new)} hashes of them added" if new else "all in the list already"
        print(f"{file}: {len(lines)} values read, {done}.")


def _checked(lines: list[str]) -> list[str]:
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415
    from scanner_tasks.rules.own import FINGERPRINT  # noqa: PLC0415

    for number, line in enumerate(lines, 1):
        if not FINGERPRINT.fullmatch(line):
            raise InvalidInput(f"Line {number} is no fingerprint: they look like k1: and 32 hex digits.")
    return lines


def _marks(lines: list[str], globs: list[str], packs: list[str] | None) -> list[str]:
    """The hashes of each value in every form that the rules' normalisers may give it."""
    from scanner_tasks import bootstrap, settings  # noqa: PLC0415
    from scanner_tasks.cli.rule_options import load  # noqa: PLC0415
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415
    from scanner_tasks.detect.normalisers import NORMALISERS  # noqa: PLC0415

    present = bootstrap.fingerprinters(settings.load())[0]
    some = [rule for rule in load(packs).ruleset.rules if any(fnmatch(rule.id, glob) for glob in globs)]
    for glob in globs:
        if not any(fnmatch(rule.id, glob) for rule in some):
            raise InvalidInput(f"--rule: {glob[:100]!r} names no rule: see `s3scan rules list`.")
    normalisers = [NORMALISERS[name] for name in _names(some)]
    forms = (normalise(line.encode("utf-8", "replace")) for line in lines for normalise in normalisers)
    # A form that nothing is left of would allow every value of which nothing is left.
    return [present.fingerprint(form) for form in forms if form.strip(b"+")]


def _names(rules: Iterable[Rule]) -> list[str]:
    return sorted({rule.normaliser for rule in rules})


def _known(text: str, globs: list[str], name: str) -> set[str]:
    """Hashes that the file holds for the same rules already."""
    from scanner_tasks.core.errors import RuleError  # noqa: PLC0415
    from scanner_tasks.rules.load import read_pack  # noqa: PLC0415
    from scanner_tasks.rules.pack import Source  # noqa: PLC0415

    if not text.strip():
        return set()
    pack = read_pack(Source(name=name, content=text.encode()))
    if any(rule.id.startswith("gitleaks.") for rule in pack.rules):
        raise RuleError(f"{name}: it is a gitleaks file: keep the list in a file of its own")
    lists = (scoped.allow.values for scoped in pack.allow if list(scoped.rules) == globs)
    return {value for values in lists for value in values}


def _table(name: str, globs: list[str], marks: list[str]) -> str:
    quoted = [json.dumps(text, ensure_ascii=False) for text in globs]
    lines = ["", "[[allow]]", f"name = {json.dumps(name, ensure_ascii=False)}", f"rules = [{', '.join(quoted)}]"]
    return "\n".join([*lines, "values = [", *(f'  "{mark}",' for mark in marks), "]", ""])

"""``s3scan rules allow``: values that may stand where they stand, kept as keyed hashes."""

from __future__ import annotations

import sys
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
    from scanner_tasks.rules.allow_file import add_allowed, check_file  # noqa: PLC0415

    check_file(file)
    globs = rules or ["*"]
    lines = [line.strip() for line in sys.stdin.read().splitlines() if line.strip()]
    if not lines:
        raise InvalidInput("Standard input holds no value: give one a line.")
    made = _checked(lines) if are_fingerprints else _marks(lines, globs, packs)
    added = add_allowed(file, name=name, rules=globs, fingerprints=made)
    if as_json:
        print_json({"file": str(file), "values": len(lines), "added": added, "rules": globs})
    else:
        done = f"{added} hashes of them added" if added else "all in the list already"
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

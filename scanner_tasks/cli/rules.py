"""``s3scan rules …``: what is looked for, and the proof that it is found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scanner_tasks.cli import allow, try_rules
from scanner_tasks.cli.backend import backend
from scanner_tasks.cli.remote import address
from scanner_tasks.cli.rule_options import NoBuiltin, Packs, load
from scanner_tasks.cli.screen import AsJson, print_json, print_table, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(help="The rules: list, show, prove, try, allow.", no_args_is_help=True, rich_markup_mode=None)


@app.command(name="list")
def list_(packs: Packs = None, no_builtin: NoBuiltin = False, as_json: AsJson = False) -> None:
    """List the rules that run: the built-in ones and those of packs, as overrides leave them.

    Example: s3scan rules list --rules my-rules.toml
    """
    rules, disabled = _rules(packs, no_builtin=no_builtin)
    if as_json:
        for rule in rules:
            print_json(rule)
        return
    columns = ["rule", "name", "category", "severity", "confidence", "from"]
    rows = ((r["id"], r["name"], r["category"], _severity(r), _confidence(r), r["source"]) for r in rules)
    print_table(columns, rows, empty="There are no rules.")
    if disabled:
        print(f"Turned off by overrides: {', '.join(disabled)}")


def _rules(packs: list[str] | None, *, no_builtin: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """Rules that are on, by id: those of packs at hand, else what the API or the settings have."""
    from scanner_tasks.rules.told import told  # noqa: PLC0415

    if address() and not packs and not no_builtin:
        return backend().rules()
    loaded = load(packs, no_builtin=no_builtin)
    rules = sorted((rule for rule in loaded.ruleset.rules if rule.enabled), key=lambda rule: rule.id)
    return [{**told(rule), "source": loaded.origins[rule.id]} for rule in rules], list(loaded.disabled)


def _severity(rule: Mapping[str, Any]) -> str:
    return ", ".join([rule["severity"], *rule["severity_by_count"]])


def _confidence(rule: Mapping[str, Any]) -> str:
    return f"{rule['confidence']} (told from {rule['threshold']})" if rule["threshold"] else str(rule["confidence"])


@app.command()
def show(
    rule_id: Annotated[str, typer.Argument(metavar="RULE", help="Such as us.ssn.", show_default=False)],
    packs: Packs = None,
    as_json: AsJson = False,
) -> None:
    """Show one rule: its pattern, its keywords, its examples.

    Example: s3scan rules show us.ssn
    """
    from scanner_tasks.core.errors import RuleNotFound  # noqa: PLC0415
    from scanner_tasks.rules.told import told  # noqa: PLC0415

    if address() and not packs:
        rule = backend().rule(rule_id)
    else:
        loaded = load(packs)
        found = next((rule for rule in loaded.ruleset.rules if rule.id == rule_id), None)
        if found is None:
            raise RuleNotFound(rule_id)
        rule = {**told(found), "source": loaded.origins[rule_id]}
    if as_json:
        print_json(rule)
        return
    for name, value in rule.items():
        if value not in (None, "", [], 0, False):
            lines = value if isinstance(value, list) else [value]
            print(f"{name.replace('_', ' ')}: " + ", ".join(shown(line) for line in lines))


@app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Packs; without them, the built-in rules.")] = None,
    as_json: AsJson = False,
) -> None:
    """Prove rules: every example is found, no negative example is, ids are unique, patterns are safe.

    Reads our TOML, gitleaks's TOML, Presidio's YAML and Macie's JSON; says by name what of those cannot be carried. The
    exit status is 1 when something is wrong; a note alone is not.

    Example: s3scan rules check my-rules.toml
    """
    from scanner_tasks.rules import load_builtin  # noqa: PLC0415
    from scanner_tasks.rules.check import check as prove  # noqa: PLC0415
    from scanner_tasks.rules.check import check_packs  # noqa: PLC0415

    problems, notes = check_packs(files) if files else (prove(load_builtin()), ())
    for problem in problems:
        if as_json:
            print_json({"kind": "problem", **problem._asdict()})
        else:
            print(": ".join(part for part in problem if part))
    for note in notes:
        if as_json:
            print_json({"kind": "note", **note._asdict()})
        else:
            print(f"note: {note}")
    if problems:
        raise typer.Exit(1)
    if not as_json:
        print("Every rule is proven." if not notes else "Nothing is wrong; see the notes.")


app.command(name="test")(try_rules.try_out)
app.command(name="allow")(allow.allow)

"""``s3scan rules …``: what is looked for, and the proof that it is found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scanner_tasks.cli.screen import AsJson, print_json, print_table, shown

if TYPE_CHECKING:
    from scanner_tasks.detect.ruleset import Rule, Ruleset

app = typer.Typer(help="The rules: list, show, prove, try.", no_args_is_help=True, rich_markup_mode=None)

Files = Annotated[list[Path] | None, typer.Option("--rules", help="Rule files instead of the built-in rules.")]


@app.command(name="list")
def list_(files: Files = None, as_json: AsJson = False) -> None:
    """List the rules.

    Example: s3scan rules list
    """
    rules = sorted(_load(files).rules, key=lambda rule: rule.id)
    if as_json:
        for rule in rules:
            print_json(_shape(rule))
        return
    columns = ["rule", "name", "category", "severity", "confidence"]
    rows = ((r.id, r.name, r.category, r.severity, r.confidence) for r in rules)
    print_table(columns, rows, empty="There are no rules.")


@app.command()
def show(
    rule_id: Annotated[str, typer.Argument(metavar="RULE", help="Such as us.ssn.", show_default=False)],
    files: Files = None,
    as_json: AsJson = False,
) -> None:
    """Show one rule: its pattern, its keywords, its examples.

    Example: s3scan rules show us.ssn
    """
    from scanner_tasks.core.errors import NotFound  # noqa: PLC0415

    rule = next((rule for rule in _load(files).rules if rule.id == rule_id), None)
    if rule is None:
        raise NotFound(f"No rule {rule_id[:100]!r}: see `s3scan rules list`.")
    if as_json:
        print_json(_shape(rule))
        return
    for name, value in _shape(rule).items():
        if value not in (None, "", [], 0, False):
            lines = value if isinstance(value, list) else [value]
            print(f"{name.replace('_', ' ')}: " + ", ".join(shown(line) for line in lines))


@app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Rule files; without them, the built-in rules.")] = None,
    as_json: AsJson = False,
) -> None:
    """Prove rules: every example is found, no negative example is, ids are unique, patterns are safe.

    The exit status is 1 when a rule fails.

    Example: s3scan rules check my-rules.toml
    """
    from scanner_tasks.rules import load_builtin  # noqa: PLC0415
    from scanner_tasks.rules.check import check as prove  # noqa: PLC0415

    problems = prove(files or load_builtin())
    for problem in problems:
        if as_json:
            print_json(problem._asdict())
        else:
            print(": ".join(part for part in problem if part))
    if problems:
        raise typer.Exit(1)
    if not as_json:
        print("Every rule is proven.")


@app.command(name="test")
def try_out(
    files: Annotated[list[Path], typer.Argument(help="Files to scan; - is standard input.", show_default=False)],
    rules: Files = None,
    as_json: AsJson = False,
) -> None:
    """Try the rules on local files: prints each finding with masked values. Nothing leaves this machine.

    Example: s3scan rules test customers.csv
    """
    from scanner_tasks.cli.local_scan import scan_file  # noqa: PLC0415

    ruleset = _load(rules)
    rows: list[tuple[object, ...]] = []
    for path in files:
        for found in scan_file(path, ruleset):
            first = found.occurrences[0]
            place = f"line {first.location.line}, column {first.location.column}"
            if as_json:
                told = {"rule": found.rule_id, "count": found.count, "place": place, "masked": first.masked}
                print_json({"file": str(path), "severity": found.severity, "confidence": found.confidence, **told})
            rows.append((path, found.rule_id, found.severity, found.confidence, found.count, place, first.masked))
    if not as_json:
        columns = ["file", "rule", "severity", "confidence", "count#", "first place", "masked"]
        print_table(columns, rows, empty="Nothing was found.")


def _load(files: list[Path] | None) -> Ruleset:
    from scanner_tasks.rules import load_builtin, load_files  # noqa: PLC0415

    return load_files(tuple(files)) if files else load_builtin()


def _shape(rule: Rule) -> dict[str, object]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in ((name, getattr(rule, name)) for name in rule.__dataclass_fields__)
    }

"""``s3scan rules test``: rules tried on files, or one rule on a text, with the reason for each near miss."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scanner_tasks.cli.rule_options import NoBuiltin, Packs, load
from scanner_tasks.cli.screen import AsJson, print_json, print_table, shown

if TYPE_CHECKING:
    from scanner_tasks.detect.engine import Detector
    from scanner_tasks.rules.load import Loaded


def try_out(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="RULE|FILE...",
            help="A rule's id, then texts to try it on (standard input without any); or files to scan with every rule.",
            show_default=False,
        ),
    ],
    packs: Packs = None,
    no_builtin: NoBuiltin = False,
    as_json: AsJson = False,
) -> None:
    """Try one rule on a text, or every rule on local files; values are masked, nothing leaves this machine.

    With a rule's id, each match of its pattern is told, and for one that is no finding the check that said no. With
    files, their findings, as a worker would make them.

    Example: s3scan rules test us.ssn letter.txt
    """
    from scanner_tasks.core.errors import NotFound  # noqa: PLC0415

    loaded = load(packs, no_builtin=no_builtin)
    if what[0] in {rule.id for rule in loaded.ruleset.rules}:
        _try_one(what[0], what[1:] or ["-"], loaded, as_json=as_json)
    elif not Path(what[0]).exists():
        raise NotFound(f"{what[0]!r} is neither a rule nor a file: see `s3scan rules list`.")
    else:
        _try_all([Path(name) for name in what], loaded, as_json=as_json)


def _try_one(rule_id: str, names: list[str], loaded: Loaded, *, as_json: bool) -> None:
    from scanner_tasks.cli.rule_options import make_detector  # noqa: PLC0415
    from scanner_tasks.core.model import Confidence  # noqa: PLC0415
    from scanner_tasks.detect.near_miss import candidates  # noqa: PLC0415
    from scanner_tasks.detect.ruleset import Ruleset  # noqa: PLC0415
    from scanner_tasks.rules.load import Loaded  # noqa: PLC0415

    rule = next(rule for rule in loaded.ruleset.rules if rule.id == rule_id)
    using = make_detector(Loaded(Ruleset((rule,)), {}, ()), threshold=Confidence.MEDIUM)
    for name in names:
        text = _text(name)
        told = candidates(using, rule_id, text, name="" if name == "-" else name)
        for each in told:
            if as_json:
                print_json({"file": name, "rule": rule_id, **each._asdict()})
                continue
            place = f"line {each.line}, column {each.column}: {shown(each.masked)}"
            print(f"{place} {'is found' if each.is_found else 'is no finding'}: {'; '.join(each.reasons)}.")
        if not told and not as_json:
            print(f"Nothing in it has the shape of {rule_id}: {rule.pattern}")


def _text(name: str) -> str:
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    return data.decode("utf-8", "replace")


def _try_all(paths: list[Path], loaded: Loaded, *, as_json: bool) -> None:
    from scanner_tasks.cli.local_scan import scan_file  # noqa: PLC0415
    from scanner_tasks.cli.rule_options import make_detector  # noqa: PLC0415
    from scanner_tasks.core.model import Confidence  # noqa: PLC0415

    using: Detector = make_detector(loaded, threshold=Confidence.MEDIUM)
    rows: list[tuple[object, ...]] = []
    allowed = 0
    for path in paths:
        found_in, allowed_in = scan_file(path, using)
        allowed += allowed_in
        for found in found_in:
            first = found.occurrences[0]
            place = f"line {first.location.line}, column {first.location.column}"
            if as_json:
                told = {"rule": found.rule_id, "count": found.count, "place": place, "masked": first.masked}
                more = {"severity": found.severity, "confidence": found.confidence, "allowed": found.allowed}
                print_json({"file": str(path), **more, **told})
            rows.append((path, found.rule_id, found.severity, found.confidence, found.count, place, first.masked))
    if not as_json:
        columns = ["file", "rule", "severity", "confidence", "count#", "first place", "masked"]
        print_table(columns, rows, empty="Nothing was found.")
        if allowed:
            print(f"Allow lists allow {allowed:,} more occurrences.")

"""``s3scan detect``: text on standard input, findings on standard output; nothing leaves this process.

With --jsonl, each line {"id", "text"} is answered by a line {"id", "findings"} in the same order; offsets count Unicode
code points, the end is exclusive, and every occurrence is listed. A line that is no such object is answered by
{"id", "error"} (the id null where there is none) and told on standard error; the exit status is 1 then. Blank lines are
passed over.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scanner_tasks.cli.rule_options import NoBuiltin, Packs
from scanner_tasks.cli.screen import shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from scanner_tasks.core.model import Confidence
    from scanner_tasks.detect.engine import Detector
    from scanner_tasks.detect.whole import FoundValue


def detector(*, threshold: Confidence | None = None, test_values: bool = False) -> Detector:
    """The built-in rules; fingerprints, which are not printed, have a key that nobody keeps."""
    from scanner_tasks.cli.rule_options import make_detector  # noqa: PLC0415
    from scanner_tasks.core.model import Confidence  # noqa: PLC0415
    from scanner_tasks.rules.load import combine  # noqa: PLC0415

    return make_detector(combine(()), threshold=threshold or Confidence.MEDIUM, test_values=test_values)


def findings_of(using: Detector, text: str, *, name: str = "", tell: bool = False) -> list[dict[str, Any]]:
    """Every occurrence in a text, in order of its place; with its evidence if asked to ``tell``.

    Examples:
        >>> findings_of(detector(), "é: jane@corp.example")
        [{'rule': 'contact.email', 'start': 3, 'end': 20, 'confidence': 'high', 'masked': 'j***@corp.example'}]
    """
    return [_shape(found, tell=tell) for found in using.find_all(text, name=name, tell=tell)]


def _shape(found: FoundValue, *, tell: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "rule": found.rule_id,
        "start": found.start,
        "end": found.end,
        "confidence": found.confidence.value,
        "masked": found.masked,
    }
    return {**told, "evidence": list(found.evidence)} if tell else told


def jsonl(
    using: Detector,
    lines: Iterable[str],
    out: TextIO,
    errors: TextIO | None = None,
    *,
    name: str = "",
    tell: bool = False,
) -> int:
    """Answers line by line; the number of lines that could not be read."""
    wrong = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        asked, problem = _read(line)
        if problem:
            wrong += 1
            told = f'line {number} is not {{"id": …, "text": "…"}}: {problem}'
            answer: dict[str, Any] = {"id": asked, "error": told}
            if errors is not None:
                errors.write(f"s3scan: {told}\n")
        else:
            answer = {"id": asked["id"], "findings": findings_of(using, asked["text"], name=name, tell=tell)}
        out.write(json.dumps(answer, ensure_ascii=False, separators=(",", ":")) + "\n")
    return wrong


def _read(line: str) -> tuple[Any, str]:
    """What is asked, or the id, if any, and what is wrong. Says nothing of the text."""
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        return None, "not JSON"
    if not isinstance(asked, dict):
        return None, "not a JSON object"
    if "id" not in asked:
        return None, "it has no id"
    if not isinstance(asked.get("text"), str):
        return asked["id"], "its text is no string" if "text" in asked else "it has no text"
    return asked, ""


def detect(
    is_jsonl: Annotated[
        bool, typer.Option("--jsonl", help='Read lines {"id", "text"}, answer each with a line.')
    ] = False,
    packs: Packs = None,
    no_builtin: NoBuiltin = False,
    threshold: Annotated[str, typer.Option(help="Least confidence told: low, medium or high.")] = "medium",
    test_values: Annotated[
        bool,
        typer.Option("--include-test-values", "--test-values", help="Tell values that were published as examples too."),
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Tell the parts of each finding's score.")] = False,
    name: Annotated[str, typer.Option(help="The text's name, for rules and allow lists with paths.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each finding.")] = False,
) -> None:
    """Find values in the text on standard input; nothing leaves this machine.

    Prints line, column, rule, confidence and masked value. With --jsonl the answer to each line is {"id", "findings"},
    in order; offsets count code points, the end is exclusive. A line that cannot be read is answered with an error, and
    the exit status is 1.

    Example: s3scan detect --explain
    """
    from scanner_tasks.cli.rule_options import load, make_detector  # noqa: PLC0415
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415
    from scanner_tasks.core.model import Confidence  # noqa: PLC0415
    from scanner_tasks.detect.engine import FILTER_BYTES  # noqa: PLC0415
    from scanner_tasks.rules.prepared import prepare  # noqa: PLC0415

    if threshold not in {*Confidence}:
        raise InvalidInput(f"--threshold: one of {', '.join(Confidence)}.")
    loaded = load(packs, no_builtin=no_builtin)
    using = make_detector(loaded, threshold=Confidence(threshold), test_values=test_values)
    for stream in (sys.stdin, sys.stdout):
        # A lone surrogate, which JSON may spell, must not end the command.
        stream.reconfigure(encoding="utf-8", errors="replace", newline="\n")  # type: ignore[union-attr]
    if is_jsonl:
        prepare(using)
        raise typer.Exit(1 if jsonl(using, sys.stdin, sys.stdout, sys.stderr, name=name, tell=explain) else 0)
    text = sys.stdin.read()
    if len(text) >= FILTER_BYTES:
        prepare(using)
    for found in using.find_all(text, name=name, tell=explain):
        if as_json:
            told = _shape(found, tell=explain)
            print(json.dumps({**told, "line": found.line, "column": found.column}, ensure_ascii=False))
            continue
        print(f"{found.line}:{found.column}\t{found.rule_id}\t{found.confidence}\t{shown(found.masked)}")
        if explain:
            _explain(using, found)


def _explain(using: Detector, found: FoundValue) -> None:
    from scanner_tasks.detect.explain import explain  # noqa: PLC0415

    rule = next(rule for rule in using.ruleset.rules if rule.id == found.rule_id)
    told = explain(found.evidence, found.confidence, rule)
    for part in told.parts:
        print(f"    {part.text}")
    print(f"    Why not higher: {told.why_not_higher}")


if __name__ == "__main__":
    from scanner_tasks.cli.program import run

    sys.exit(run(["detect", *sys.argv[1:]]))

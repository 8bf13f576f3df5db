"""Every s3scan command that a document or a help text shows is one that the command line takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner_tasks.cli.program import command as the_program
from scanner_tasks.cli.program import run

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
PROGRAM = the_program()
#: Where a new command begins in a line of shell.
BORDERS = {"|", "||", "&&", ";", ">", ">>", "<", "2>"}


def shell_blocks(text: str) -> Iterator[str]:
    """Each command line of the document's shell blocks, continued lines joined."""
    for block in re.findall(r"^```(?:sh|bash|console)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield from block.replace("\\\n", " ").splitlines()


def commands(line: str) -> Iterator[list[str]]:
    """The words of each s3scan command in a line of shell."""
    words = shlex.split(line.removeprefix("$ "), comments=True)
    current: list[str] | None = None
    for word in [*words, ";"]:
        if word in BORDERS:
            if current is not None:
                yield current
            current = None
        elif current is not None:
            current.append(word)
        elif word == "s3scan":
            current = []


def parse(words: list[str]) -> None:
    """Parses as the command line would, and runs nothing."""
    command, context = PROGRAM, None
    while True:
        context = command.make_context(command.name, words, parent=context)
        if not hasattr(command, "commands"):
            return
        name, found, words = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None, name
        command = found


SHOWN = sorted({
    (str(document.relative_to(ROOT)), line.strip())
    for document in DOCUMENTS
    for line in shell_blocks(document.read_text())
    if "s3scan " in line and "…" not in line
})  # fmt: skip


@pytest.mark.parametrize(("document", "line"), SHOWN)
def test_command_in_a_document_is_taken_by_the_command_line(document: str, line: str) -> None:
    for words in commands(line):
        parse(words)


def examples(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """(command, its example) of the whole tree."""
    if hasattr(command, "commands"):
        for name, child in command.commands.items():
            yield from examples(child, (*path, name))
    else:
        shown = re.findall(r"Example: (.*)", command.help or "")
        yield " ".join(path), shown[0] if shown else ""


EXAMPLES = list(examples(PROGRAM))


@pytest.mark.parametrize(("command", "example"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_help_of_a_command_has_an_example_that_works(command: str, example: str) -> None:
    assert example, f"s3scan {command} --help shows no example"
    shown = list(commands(example))
    assert shown, example
    for words in shown:
        assert words[: len(command.split())] == command.split()
        parse(words)


def test_command_that_is_not_taken_is_told_from_one_that_is(capsys: pytest.CaptureFixture[str]) -> None:
    parse(["jobs", "show", "0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11"])
    with pytest.raises(Exception, match="No such option") as refused:
        parse(["jobs", "show", "x", "--no-such-option"])
    assert hasattr(refused.value, "format_message")
    assert run(["jobs", "show", "x", "--no-such-option"]) == 2
    assert "no-such-option" in capsys.readouterr().err

"""``s3scan completion``: what a shell needs to complete commands and options."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from scanner_tasks.cli.screen import AsJson, print_json

#: Set by the shell's script when it asks for completions.
VARIABLE = "_S3SCAN_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


def completion(
    shell: Annotated[str, typer.Argument(help="bash, zsh or fish.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Print a shell's completion script; evaluate it where the shell starts.

    For bash: eval "$(s3scan completion bash)" in ~/.bashrc. For fish: s3scan completion fish >
    ~/.config/fish/completions/s3scan.fish.

    Example: s3scan completion bash
    """
    from typer._completion_shared import get_completion_script  # noqa: PLC0415

    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415

    if shell not in SHELLS:
        raise InvalidInput(f"SHELL: one of {', '.join(SHELLS)}.")
    script = get_completion_script(prog_name="s3scan", complete_var=VARIABLE, shell=shell)
    if as_json:
        print_json({"shell": shell, "script": script})
    else:
        print(script)


def answer_shells() -> None:
    """Let the program answer a shell that asks; nothing is loaded otherwise."""
    if VARIABLE in os.environ:
        from typer._completion_classes import completion_init  # noqa: PLC0415

        completion_init()

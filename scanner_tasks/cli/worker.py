"""``s3scan worker …``: this machine's worker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scanner_tasks.cli.screen import AsJson, print_json

app = typer.Typer(help="This machine's worker.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """This machine's worker."""


@app.command()
def health(
    file: Annotated[
        Path | None, typer.Option(help="The worker's liveness file; S3SCAN_LIVENESS_FILE without it.")
    ] = None,
    max_age: Annotated[float, typer.Option(min=1, help="Seconds since it was last touched.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Say whether the worker is alive, for a container's health check: exit status 0 when it is, else 1.

    Example: s3scan worker health --file /tmp/worker.alive
    """
    import os  # noqa: PLC0415

    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415
    from scanner_tasks.sqs.health import trouble  # noqa: PLC0415

    # Not by settings.load(): a health check runs every few seconds and should cost little.
    path = file or (Path(os.environ["S3SCAN_LIVENESS_FILE"]) if os.environ.get("S3SCAN_LIVENESS_FILE") else None)
    if path is None:
        raise InvalidInput("Name the worker's liveness file: --file, or the variable S3SCAN_LIVENESS_FILE.")
    wrong = trouble(path, max_age_s=max_age)
    if as_json:
        print_json({"alive": wrong is None, "reason": wrong})
    elif wrong is None:
        print("The worker is alive.")
    else:
        typer.echo(f"s3scan: {wrong}", err=True)
    if wrong:
        raise typer.Exit(1)

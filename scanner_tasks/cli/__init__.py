"""``s3scan …``: one file for each group of commands.

Commands import what they need when they run, so that ``--help`` loads neither boto3 nor the database.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The program ``s3scan``; ends the process with its exit status. Log lines below ERROR are for servers."""
    os.environ.setdefault("S3SCAN_LOG_LEVEL", "ERROR")
    from scanner_tasks.cli.program import run  # noqa: PLC0415 (``import scanner_tasks.cli`` loads no typer)

    sys.exit(run(sys.argv[1:]))

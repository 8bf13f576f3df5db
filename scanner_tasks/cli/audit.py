"""``s3scan audit``: who did what."""

from __future__ import annotations

from typing import Annotated

import typer

from scanner_tasks.cli.backend import backend
from scanner_tasks.cli.screen import AsJson, moment, print_json, print_table, uuid_of


def audit(
    caller: Annotated[str | None, typer.Option(help="Only what this caller did: an ARN, token:ci, os:ada.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this action, such as job.start.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Only done, or what was refused: not_allowed, conflict.")] = None,
    bucket: Annotated[str | None, typer.Option(help="Only on this bucket.")] = None,
    job: Annotated[str | None, typer.Option(metavar="JOB_ID", help="Only with this job.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Entries to print.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show who did what and what was refused, the newest first.

    With --json, one entry a line, in the form of GET /audit.

    Example: s3scan audit --bucket my-bucket --outcome not_allowed
    """
    entries = backend().audit(
        limit=limit,
        caller=caller,
        action=action,
        outcome=outcome,
        bucket=bucket,
        job_id=None if job is None else uuid_of(job),
    )
    if as_json:
        for one in entries:
            print_json(one)
        return
    columns = ("caller", "via", "action", "outcome", "bucket", "job_id", "target")
    print_table(
        ["when", "caller", "via", "action", "outcome", "bucket", "job", "target"],
        ((moment(one["at"]), *(one[name] for name in columns)) for one in entries),
        empty="There are no such entries.",
    )

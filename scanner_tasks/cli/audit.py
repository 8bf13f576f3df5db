"""``s3scan audit``: who did what."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from scanner_tasks.cli.screen import AsJson, print_json, print_table, uuid_of

if TYPE_CHECKING:
    from scanner_tasks.core.audit import AuditEntry

_PAGE = 1000


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
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import audit as flow  # noqa: PLC0415

    entries: list[AuditEntry] = []
    cursor = None
    while len(entries) < limit:
        page = flow.read_audit(
            caller=caller,
            action=action,
            outcome=outcome,
            bucket=bucket,
            job_id=None if job is None else uuid_of(job),
            limit=min(_PAGE, limit - len(entries)),
            cursor=cursor,
            using=bootstrap.api(),
        )
        entries += page.entries
        cursor = page.next_cursor
        if cursor is None:
            break
    if as_json:
        for one in entries:
            print_json(asdict(one))
        return
    print_table(
        ["when", "caller", "via", "action", "outcome", "bucket", "job", "target"],
        ((one.at, one.caller, one.via, one.action, one.outcome, one.bucket, one.job_id, one.target) for one in entries),
        empty="There are no such entries.",
    )

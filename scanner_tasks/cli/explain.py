"""``s3scan explain``: why a finding is one."""

from __future__ import annotations

from typing import Annotated

import typer

from scanner_tasks.cli.backend import backend
from scanner_tasks.cli.screen import AsJson, print_json, shown, uuid_of


def explain(
    finding: Annotated[
        str, typer.Argument(metavar="FINDING", help="A finding_id of `s3scan results --json`.", show_default=False)
    ],
    occurrence: Annotated[int, typer.Option(min=1, help="Which of the occurrences that are kept.")] = 1,
    job: Annotated[
        str | None, typer.Option(metavar="JOB_ID", help="As this job found it; the youngest without it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say why a finding is one: pattern, checks, keyword and distance, and why its confidence is not higher.

    With --json, in the form of GET /findings/{finding_id}/explain.

    Example: s3scan explain 5b6f3a52-7f0e-5d0a-8a44-90f0c2a3b1de --occurrence 2
    """
    job_id = None if job is None else uuid_of(job)
    told = backend().explain(uuid_of(finding, "FINDING"), occurrence=occurrence, job_id=job_id)
    if as_json:
        print_json(told)
        return
    for line in told["lines"]:
        print(shown(line))

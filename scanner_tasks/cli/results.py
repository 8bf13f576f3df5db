"""``s3scan results``: findings, read back."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from scanner_tasks.cli.screen import AsJson, print_json, print_table, uuid_of

if TYPE_CHECKING:
    from scanner_tasks.core.model import Finding


def results(
    job: Annotated[str | None, typer.Option(metavar="JOB_ID", help="Only of this job.")] = None,
    bucket: Annotated[str | None, typer.Option(help="Only in this bucket.")] = None,
    key: Annotated[str | None, typer.Option(help="Only in the object with exactly this key.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only of this rule.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Findings to print; 0 prints all.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Print findings that match every filter given; values are masked.

    With --json, one finding a line, in the form of GET /results: any number of them needs no memory.

    Example: s3scan results --rule us.ssn --limit 0 --json
    """
    from scanner_tasks import results as find  # noqa: PLC0415
    from scanner_tasks.cli.shapes import finding_shape  # noqa: PLC0415

    found = find(job_id=None if job is None else uuid_of(job), bucket=bucket, key=key, rule=rule)
    some = islice(found, limit or None)
    if as_json:
        for finding in some:
            print_json(finding_shape(finding))
        return
    print_table(
        ["bucket", "key", "rule", "severity", "confidence", "count#", "first place", "masked"],
        (_row(finding) for finding in some),
        empty="No findings match.",
    )
    if limit and next(found, None) is not None:
        print(f"There are more: the first {limit:,} are shown, --limit 0 prints all.")


def _row(finding: Finding) -> tuple[object, ...]:
    first = finding.occurrences[0]
    place = f"line {first.location.line}, column {first.location.column}"
    about = (finding.bucket, finding.key, finding.rule_id, finding.severity, finding.confidence, finding.count)
    return (*about, place, first.masked)

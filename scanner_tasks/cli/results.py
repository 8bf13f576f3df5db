"""``s3scan results``: findings, read back."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scanner_tasks.cli.backend import backend
from scanner_tasks.cli.screen import AsJson, print_json, print_table, uuid_of

if TYPE_CHECKING:
    from collections.abc import Mapping


Job = Annotated[str | None, typer.Option(metavar="JOB_ID", help="Only of this job.")]
Bucket = Annotated[str | None, typer.Option(help="Only in this bucket.")]
Key = Annotated[str | None, typer.Option(help="Only in the object with exactly this key.")]
Prefix = Annotated[str | None, typer.Option(help="Only in objects whose key begins with it.")]
Rule = Annotated[str | None, typer.Option(help="Only of this rule.")]
Severities = Annotated[list[str] | None, typer.Option(help="low, medium, high or critical; may be repeated.")]
Confidences = Annotated[list[str] | None, typer.Option(help="low, medium or high; may be repeated.")]
Fingerprint = Annotated[
    str | None, typer.Option(help="Only with a kept occurrence of this value: where else does it occur?")
]
Triage = Annotated[str | None, typer.Option(help="Only open, false_positive, accepted or fixed ones.")]


def results(
    job: Job = None,
    bucket: Bucket = None,
    key: Key = None,
    prefix: Prefix = None,
    rule: Rule = None,
    severity: Severities = None,
    confidence: Confidences = None,
    fingerprint: Fingerprint = None,
    triage: Triage = None,
    limit: Annotated[int, typer.Option(min=0, help="Findings to print; 0 prints all.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Print findings that match every filter given; values are masked.

    With --json, one finding a line, in the form of GET /results: any number of them needs no memory. --fingerprint
    takes what --json shows beside a place; it searches the places that were kept of each finding, no others.

    Example: s3scan results --rule us.ssn --severity high --severity critical --limit 0 --json
    """
    found = backend().results(
        job_id=None if job is None else uuid_of(job),
        bucket=bucket,
        key=key,
        prefix=prefix,
        rule=rule,
        severity=severity or (),
        confidence=confidence or (),
        fingerprint=fingerprint,
        triage=triage,
    )
    some = islice(found, limit or None)
    if as_json:
        for finding in some:
            print_json(finding)
        return
    print_table(
        ["bucket", "key", "rule", "severity", "confidence", "triage", "count#", "first place", "masked"],
        (_row(finding) for finding in some),
        empty="No findings match.",
    )
    if limit and next(found, None) is not None:
        print(f"There are more: the first {limit:,} are shown, --limit 0 prints all.")


def _row(finding: Mapping[str, Any]) -> tuple[object, ...]:
    first = finding["occurrences"][0]
    place = f"line {first['line']}, column {first['column']}"
    about = (finding[name] for name in ("bucket", "key", "rule", "severity", "confidence", "triage", "count"))
    return (*about, place, first["masked"])

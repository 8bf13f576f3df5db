"""``s3scan report``: a job as one HTML file."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scanner_tasks.cli.screen import AsJson, JobId, print_json, uuid_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scanner_tasks import JobHandle
    from scanner_tasks.core.model import Finding

#: Objects not read to their ends that the page holds; the sums beside them are exact.
_UNREAD = 1000


def report(
    job_id: JobId,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("report.html"),
    against: Annotated[
        str | None, typer.Option(metavar="JOB_ID", help="An earlier job: what is new, fixed, moved since.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Findings in the page; it says when there are more.")] = 50_000,
    as_json: AsJson = False,
) -> None:
    """Write a job's report: one HTML file that loads nothing, for a browser; values are masked.

    Coverage with reasons, risk by bucket, findings by prefix, rule and severity, and a table to search and sort.

    Example: s3scan report 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11 -o report.html
    """
    from scanner_tasks import bootstrap, job  # noqa: PLC0415
    from scanner_tasks.report.compare import compare  # noqa: PLC0415
    from scanner_tasks.report.html.data import ReportInput, Unread  # noqa: PLC0415
    from scanner_tasks.report.html.page import page  # noqa: PLC0415
    from scanner_tasks.report.shapes import about, object_name  # noqa: PLC0415
    from scanner_tasks.report.why import why  # noqa: PLC0415

    handle = job(uuid_of(job_id))
    rules = bootstrap.api().ruleset().rules
    findings = list(islice(handle.results(), limit))
    former = job(uuid_of(against)) if against else None
    given = ReportInput(
        title=f"Scan of {object_name(handle.bucket, handle.prefix)}",
        facts=_facts(handle),
        progress=handle.progress,
        is_incomplete=handle.is_incomplete,
        findings=findings,
        about=about(rules),
        explain=why(rules),
        unread=[
            Unread(name=object_name(handle.bucket, one.key), outcome=str(one.outcome), detail=one.detail or "")
            for one in islice(handle.unread(), _UNREAD)
        ],
        comparison=compare(former.results(), _whole(handle, findings, limit)) if former else None,
        compared_with=f"Since job {former.job_id}" if former else "",
    )
    text = page(given)
    output.write_text(text, encoding="utf-8")
    if as_json:
        print_json(
            {"job_id": handle.job_id, "file": str(output), "bytes": len(text.encode()), "findings": len(findings)}
        )
    else:
        print(f"{output}: {len(findings):,} findings.")


def _whole(handle: JobHandle, findings: Sequence[Finding], limit: int) -> Iterator[Finding] | Sequence[Finding]:
    """All of the job's findings, also those that the page leaves out."""
    return findings if len(findings) < limit else handle.results()


def _facts(handle: JobHandle) -> list[tuple[str, str]]:
    return [
        ("job", str(handle.job_id)),
        ("status", str(handle.status)),
        ("begun", handle.created_at.strftime("%Y-%m-%d %H:%M:%S UTC")),
    ]

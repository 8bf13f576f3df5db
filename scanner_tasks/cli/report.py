"""``s3scan report``: a job as one HTML file."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from scanner_tasks.cli.backend import backend
from scanner_tasks.cli.screen import AsJson, JobId, print_json, uuid_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
    from scanner_tasks import bootstrap, settings  # noqa: PLC0415
    from scanner_tasks.report.compare import compare  # noqa: PLC0415
    from scanner_tasks.report.html.data import ReportInput, Unread  # noqa: PLC0415
    from scanner_tasks.report.html.page import page  # noqa: PLC0415
    from scanner_tasks.report.shapes import about, object_name  # noqa: PLC0415
    from scanner_tasks.report.why import why  # noqa: PLC0415
    from scanner_tasks.serve.read import progress_of  # noqa: PLC0415

    asked, wanted = backend(), uuid_of(job_id)
    job = asked.job(wanted, real_time=True)
    rules = bootstrap.load_rules(settings.load()).ruleset.rules
    findings = list(islice(_findings(wanted), limit))
    former = asked.job(uuid_of(against), real_time=False)["job_id"] if against else None
    unread = asked.coverage(wanted, outcome="", limit=_UNREAD)["unread"]
    given = ReportInput(
        title=f"Scan of {object_name(job['bucket'], job['prefix'])}",
        facts=_facts(job),
        progress=progress_of(job),
        is_incomplete=job["incomplete"],
        findings=findings,
        about=about(rules),
        explain=why(rules),
        unread=[
            Unread(name=object_name(one["bucket"], one["key"]), outcome=one["outcome"], detail=one["detail"] or "")
            for one in unread
        ],
        comparison=compare(_findings(UUID(former)), _whole(wanted, findings, limit)) if former else None,
        compared_with=f"Since job {former}" if former else "",
    )
    text = page(given)
    output.write_text(text, encoding="utf-8")
    if as_json:
        print_json(
            {"job_id": job["job_id"], "file": str(output), "bytes": len(text.encode()), "findings": len(findings)}
        )
    else:
        print(f"{output}: {len(findings):,} findings.")


def _findings(job_id: UUID) -> Iterator[Finding]:
    from scanner_tasks.serve.read import finding_of  # noqa: PLC0415

    return map(finding_of, backend().results(job_id=job_id))


def _whole(job_id: UUID, findings: Sequence[Finding], limit: int) -> Iterator[Finding] | Sequence[Finding]:
    """All of the job's findings, also those that the page leaves out."""
    return findings if len(findings) < limit else _findings(job_id)


def _facts(job: Mapping[str, Any]) -> list[tuple[str, str]]:
    begun = datetime.fromisoformat(job["created_at"])
    return [
        ("job", job["job_id"]),
        ("status", job["status"]),
        ("begun", begun.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")),
    ]

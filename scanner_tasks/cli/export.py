"""``s3scan export``: a job's findings in the forms of other tools."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from scanner_tasks.cli.backend import backend
from scanner_tasks.cli.screen import AsJson, JobId, uuid_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from scanner_tasks.cli.backend import Told
    from scanner_tasks.core.model import Finding
    from scanner_tasks.report.shapes import RuleAbout

    #: Takes findings, what tells of rules, the job; gives text or bytes, piece by piece.
    Write = Callable[[Iterable[Finding], Callable[[str], RuleAbout], Told], Iterator[str | bytes]]

FORMATS = ("jsonl", "csv", "parquet", "sarif", "ocsf", "asff", "eventbridge", "slack")


def export(
    job_id: JobId,
    form: Annotated[str, typer.Option("--format", "-f", help=f"{', '.join(FORMATS)}.")] = "jsonl",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File for it; else it is printed.")] = None,
    severity: Annotated[
        list[str] | None, typer.Option(help="Only low, medium, high or critical; may be repeated.")
    ] = None,
    triage: Annotated[str | None, typer.Option(help="Only open, false_positive, accepted or fixed ones.")] = None,
    account: Annotated[str, typer.Option(help="asff: the account whose Security Hub takes them, 12 digits.")] = "",
    send: Annotated[
        bool, typer.Option("--send", help="asff, eventbridge: send them with your own AWS credentials.")
    ] = False,
    bus: Annotated[str, typer.Option(help="eventbridge: name or ARN of the event bus.")] = "default",
    as_json: AsJson = False,
) -> None:
    """Write a job's findings as jsonl, csv, parquet, sarif, ocsf, asff, eventbridge or slack; values are masked.

    A finding has the same id in all of them. asff and eventbridge are lines, each of which is the list that one
    BatchImportFindings or PutEvents takes; --send makes those calls. slack is the message for an incoming webhook.
    --json is --format jsonl.

    Example: s3scan export 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11 --format sarif -o findings.sarif
    """
    from scanner_tasks import bootstrap, settings  # noqa: PLC0415
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415
    from scanner_tasks.report.shapes import about  # noqa: PLC0415

    form = "jsonl" if as_json else form
    if form not in FORMATS:
        raise InvalidInput(f"--format: one of {', '.join(FORMATS)}.")
    if send and form not in {"asff", "eventbridge"}:
        raise InvalidInput("--send: asff and eventbridge can be sent; write other formats with -o FILE.")
    wanted = uuid_of(job_id)
    job = backend().job(wanted, real_time=True)
    findings = backend().findings(job_id=wanted, severity=severity or (), triage=triage)
    known = about(bootstrap.load_rules(settings.load()).ruleset.rules)
    if form in {"asff", "eventbridge"}:
        lists = _lists(form, findings, known, account=account, bus=bus)
        if send:
            _send(form, lists)
            return
        _write((json.dumps(each, separators=(",", ":")) + "\n" for each in lists), output)
        return
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise InvalidInput("--format parquet: it is no text for a terminal; give -o FILE.")
    writers: dict[str, Write] = {
        "jsonl": _jsonl,
        "csv": _csv,
        "parquet": _parquet,
        "sarif": _sarif,
        "ocsf": _ocsf,
        "slack": _slack,
    }
    _write(writers[form](findings, known, job), output)


def _write(pieces: Iterator[str | bytes], output: Path | None) -> None:
    out: Any = sys.stdout.buffer if output is None else output.open("wb")
    try:
        for piece in pieces:
            out.write(piece if isinstance(piece, bytes) else piece.encode("utf-8", "backslashreplace"))
        out.flush()
    finally:
        if output is not None:
            out.close()


def _jsonl(findings: Iterable[Finding], _: Callable[[str], RuleAbout], __: Told) -> Iterator[str]:
    from scanner_tasks.report.jsonl import lines  # noqa: PLC0415

    return lines(findings)


def _csv(findings: Iterable[Finding], known: Callable[[str], RuleAbout], _: Told) -> Iterator[str]:
    from scanner_tasks.report.csv_rows import rows  # noqa: PLC0415

    return rows(findings, known)


def _parquet(findings: Iterable[Finding], known: Callable[[str], RuleAbout], _: Told) -> Iterator[bytes]:
    from scanner_tasks.report.parquet import parquet  # noqa: PLC0415

    yield parquet(list(findings), known)


def _sarif(findings: Iterable[Finding], known: Callable[[str], RuleAbout], job: Told) -> Iterator[str]:
    from scanner_tasks.report.sarif import sarif, text  # noqa: PLC0415
    from scanner_tasks.report.shapes import object_name  # noqa: PLC0415

    unread = backend().unread(UUID(job["job_id"]), outcome="failed,partial")
    told = ((object_name(one["bucket"], one["key"]), one["outcome"], one["detail"] or "") for one in unread)
    yield text(sarif(list(findings), known, not_scanned=told, is_complete=not job["incomplete"]))


def _ocsf(findings: Iterable[Finding], known: Callable[[str], RuleAbout], _: Told) -> Iterator[str]:
    from scanner_tasks.report.ocsf import ocsf  # noqa: PLC0415

    return (json.dumps(ocsf(each, known), ensure_ascii=False, separators=(",", ":")) + "\n" for each in findings)


def _slack(findings: Iterable[Finding], known: Callable[[str], RuleAbout], job: Told) -> Iterator[str]:
    from scanner_tasks.cli.job_lines import sums_of  # noqa: PLC0415
    from scanner_tasks.report.slack import slack  # noqa: PLC0415

    title = f"Job {job['job_id']} {job['status']}"
    yield json.dumps(slack(findings, known, title=title, coverage=sums_of(job)), ensure_ascii=False) + "\n"


def _lists(
    form: str, findings: Iterable[Finding], known: Callable[[str], RuleAbout], *, account: str, bus: str
) -> Iterator[list[dict[str, Any]]]:
    from scanner_tasks import settings  # noqa: PLC0415
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415
    from scanner_tasks.report.asff import asff_batches  # noqa: PLC0415
    from scanner_tasks.report.events import entry_batches  # noqa: PLC0415

    if form == "eventbridge":
        return entry_batches(findings, known, bus=bus)
    if not (account.isascii() and account.isdigit() and len(account) == 12):  # noqa: PLR2004 (an account's id)
        raise InvalidInput("--account: give the 12 digits of the AWS account whose Security Hub takes the findings.")
    region = settings.load().aws_region
    return asff_batches(findings, known, account=account, region=region, now=datetime.now(UTC))


def _send(form: str, lists: Iterator[list[dict[str, Any]]]) -> None:
    """Make the calls; what a service refuses is told, and the exit status is 1."""
    from scanner_tasks import settings  # noqa: PLC0415
    from scanner_tasks.aws.clients import make_client  # noqa: PLC0415
    from scanner_tasks.aws.export import import_findings, put_events  # noqa: PLC0415

    ours = settings.load()
    service, call = ("securityhub", import_findings) if form == "asff" else ("events", put_events)
    client = make_client(service, region=ours.aws_region, endpoint_url=ours.aws_endpoint_url)
    sent, refused = call(client, lists)
    print(f"{sent:,} sent, {len(refused):,} refused.")
    for told in refused[:20]:
        print(f"s3scan: refused: {told}", file=sys.stderr)
    raise typer.Exit(1 if refused else 0)

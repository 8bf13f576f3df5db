"""``s3scan scan``: files, folders, streams and buckets, without any set-up."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from scanner_tasks.cli.rule_options import NoBuiltin, Packs
from scanner_tasks.cli.screen import INCOMPLETE, AsJson, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner_tasks.cli.scan_output import Output
    from scanner_tasks.cli.scan_screen import Bar, Summary
    from scanner_tasks.flow.scan_local.run import LocalScan, Scanned
    from scanner_tasks.report.fail_on import Baseline, FailOn

#: Exit status: findings over the threshold; Ctrl-C.
OVER, INTERRUPTED = 1, 130


def scan(
    target: Annotated[
        str, typer.Argument(help="A file, a folder, - (standard input) or s3://BUCKET/PREFIX.", show_default=False)
    ],
    form: Annotated[str, typer.Option("--format", "-f", help="table, jsonl, csv, sarif, html or parquet.")] = "table",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File for the result; else it is printed.")
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(help="Exit with 1 for findings of this severity or above: high, or new:medium with --baseline."),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Result of an earlier scan, as jsonl: what it holds is not new.")
    ] = None,
    packs: Packs = None,
    no_builtin: NoBuiltin = False,
    threshold: Annotated[str, typer.Option(help="Least confidence told: low, medium or high.")] = "medium",
    test_values: Annotated[
        bool, typer.Option("--include-test-values", help="Tell values that were published as examples too.")
    ] = False,
    state: Annotated[Path | None, typer.Option(help="File that keeps how far the scan is, for --resume.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from --state; begins where there is none yet.")
    ] = False,
    coverage: Annotated[
        Path | None, typer.Option(help="File for a line of JSON of each object that was not scanned to its end.")
    ] = None,
    processes: Annotated[
        int, typer.Option(min=0, help="Objects at a time; 0 is one for each core, four for each core from S3.")
    ] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Neither bar nor summary.")] = False,
    profile: Annotated[str, typer.Option(help="Profile of your AWS configuration; else AWS_PROFILE.")] = "",
    region: Annotated[str | None, typer.Option(help="The bucket's Region; without it S3's redirects tell.")] = None,
    endpoint_url: Annotated[str | None, typer.Option(help="Another S3: MinIO, R2, …")] = None,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Unsigned, for a public bucket.")] = False,
    requester_pays: Annotated[bool, typer.Option("--requester-pays", help="You pay for reading it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Scan a file, a folder, standard input or a bucket on this machine: no set-up, nothing leaves it.

    The result is on standard output, progress and summary on standard error. Ctrl-C ends with what was found until
    then; with --state it can go on. --json is --format jsonl. Exit status: 0 clean, 1 findings over --fail-on, 2 wrong
    command line, 3 something was not read to its end (and nothing over --fail-on), 130 Ctrl-C.

    Example: s3scan scan s3://my-bucket/exports/ --format jsonl -o findings.jsonl --fail-on high
    """
    from scanner_tasks.cli.scan_output import output_of  # noqa: PLC0415
    from scanner_tasks.cli.scan_screen import Bar, Summary  # noqa: PLC0415
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415
    from scanner_tasks.core.model import Confidence  # noqa: PLC0415
    from scanner_tasks.local_parts import Options, local_scan  # noqa: PLC0415

    if threshold not in {*Confidence}:
        raise InvalidInput(f"--threshold: one of {', '.join(Confidence)}.")
    over = _threshold(fail_on, baseline)
    with ExitStack() as stack:
        out = output_of("jsonl" if as_json else form, output, stack)
        not_scanned = stack.enter_context(coverage.open("w", encoding="utf-8")) if coverage else None
        options = Options(
            rules=tuple(packs or ()),
            builtin=not no_builtin,
            threshold=Confidence(threshold),
            test_values=test_values,
            processes=processes,
            profile=profile,
            endpoint_url=endpoint_url,
            region=region,
            anonymous=anonymous,
            requester_pays=requester_pays,
        )
        own = [path for path in (output, coverage) if path]
        scanning = local_scan(target, options, state=str(state) if state else None, resume=resume, own_files=own)
        is_live = not quiet and sys.stderr.isatty() and not (out.is_streamed and output is None and sys.stdout.isatty())
        run = _Run(scanning, out, Summary(), over, not_scanned)
        run.to_its_end(Bar(scanning, is_on=is_live))
        out.finish(scanning)
    if not quiet:
        for line in run.summary.lines(scanning):
            print(line, file=sys.stderr)
    if run.error is not None:
        print(f"s3scan: {shown(str(run.error))}", file=sys.stderr)
    raise typer.Exit(run.status)


def _threshold(fail_on: str | None, baseline: Path | None) -> tuple[FailOn, Baseline | None] | None:
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415
    from scanner_tasks.report.fail_on import Baseline, read_fail_on  # noqa: PLC0415

    if fail_on is None:
        if baseline:
            raise InvalidInput("--baseline: it says what is new for --fail-on new:SEVERITY; give that too.")
        return None
    wanted = read_fail_on(fail_on)
    if wanted.only_new != (baseline is not None):
        raise InvalidInput("--fail-on new:…: it needs --baseline FILE, and --baseline needs it.")
    if baseline is None:
        return wanted, None
    with baseline.open(encoding="utf-8", errors="replace") as lines:
        return wanted, Baseline(lines, str(baseline))


class _Run:
    """The scan with all that listens to it."""

    def __init__(
        self,
        scan: LocalScan,
        out: Output,
        summary: Summary,
        over: tuple[FailOn, Baseline | None] | None,
        coverage: IO[str] | None,
    ) -> None:
        self._scan = scan
        self._out = out
        self.summary = summary
        self._over = over
        self._coverage = coverage
        self._is_over = False
        self._is_interrupted = False
        #: Why it ended early, if it did.
        self.error: Exception | None = None

    def to_its_end(self, bar: Bar) -> None:
        """Run it; an error of the listing ends it, with what was found until then."""
        from scanner_tasks.core.errors import InvalidInput, ScannerError  # noqa: PLC0415

        before = self._take_interrupts()
        try:
            with bar.on(), closing(self._scan.run()) as objects:
                self._listen(objects)
        except InvalidInput:
            raise
        except ScannerError as error:
            self.error = error
        finally:
            if before is not None:
                signal.signal(signal.SIGINT, before)

    def _take_interrupts(self) -> Any:
        """Ctrl-C ends the scan in order; a second one ends the process."""

        def stop(number: int, frame: object) -> None:  # noqa: ARG001 (as signal calls it)
            self._is_interrupted = True
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._scan.stop()

        with suppress(ValueError):  # not the main thread
            return signal.signal(signal.SIGINT, stop)
        return None

    def _listen(self, objects: Iterator[Scanned]) -> None:
        from scanner_tasks.report.fail_on import is_over  # noqa: PLC0415

        for scanned in objects:
            self.summary.add(scanned)
            self._out.add(scanned)
            if self._over and not self._is_over:
                self._is_over = any(is_over(finding, *self._over) for finding in scanned.findings)
            if self._coverage and scanned.outcome.kind != "scanned":
                self._coverage.write(_coverage_line(scanned))

    @property
    def status(self) -> int:
        """The exit status."""
        if self._is_interrupted:
            return INTERRUPTED
        if self._is_over:
            return OVER
        return INCOMPLETE if self._scan.is_incomplete else 0


def _coverage_line(scanned: Scanned) -> str:
    from scanner_tasks.report.shapes import object_name  # noqa: PLC0415

    told = {
        "object": object_name(scanned.ref.bucket, scanned.ref.key),
        "outcome": scanned.outcome.kind,
        "reason": scanned.outcome.reason,
        "detail": scanned.detail,
        "size_bytes": scanned.ref.size_bytes,
    }
    return json.dumps(told, ensure_ascii=False) + "\n"

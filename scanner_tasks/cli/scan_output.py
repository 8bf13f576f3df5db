"""Where ``s3scan scan`` puts its result, and in which form: some while objects are done, the others at the end."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, Any

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.report.shapes import about, in_order, object_name

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from scanner_tasks.core.model import Finding
    from scanner_tasks.flow.scan_local.run import LocalScan, Scanned

#: Objects not scanned to their ends that a page holds; the sums beside them are exact.
_UNREAD = 1000
FORMATS = ("table", "jsonl", "csv", "sarif", "html", "parquet")


def output_of(form: str, path: Path | None, stack: ExitStack) -> Output:
    """The output of this form, to the file or to standard output; InvalidInput for a form that there is not."""
    kinds: dict[str, type[Output]] = {
        "table": Table,
        "jsonl": Jsonl,
        "csv": Csv,
        "sarif": Sarif,
        "html": Html,
        "parquet": Parquet,
    }
    if form not in kinds:
        raise InvalidInput(f"--format: one of {', '.join(FORMATS)}.")
    if kinds[form].is_binary:
        if path is None and sys.stdout.isatty():
            raise InvalidInput(f"--format {form}: it is no text for a terminal; give -o FILE.")
        return kinds[form](sys.stdout.buffer if path is None else stack.enter_context(path.open("wb")))
    if path is None:
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")  # type: ignore[union-attr]
        return kinds[form](sys.stdout)
    return kinds[form](stack.enter_context(path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n")))


class Output:
    """Takes objects as they are done."""

    #: Whether it is written while the scan goes on.
    is_streamed = False
    is_binary = False

    def __init__(self, out: IO[Any]) -> None:
        self.out = out

    def add(self, scanned: Scanned) -> None:
        """One more object."""

    def finish(self, scan: LocalScan) -> None:
        """There are no more."""


class Jsonl(Output):
    """A line for each finding, written at once."""

    is_streamed = True

    def add(self, scanned: Scanned) -> None:
        """Its findings."""
        from scanner_tasks.report.jsonl import lines  # noqa: PLC0415

        if scanned.findings:
            self.out.writelines(lines(scanned.findings))
            self.out.flush()


class Collected(Output):
    """Holds findings until the end."""

    def __init__(self, out: IO[Any]) -> None:
        super().__init__(out)
        self.found: list[Finding] = []

    def add(self, scanned: Scanned) -> None:
        """Keep its findings."""
        self.found += scanned.findings


class Csv(Collected):
    """A row for each finding, by object and rule."""

    def finish(self, scan: LocalScan) -> None:
        """Write them."""
        from scanner_tasks.report.csv_rows import rows  # noqa: PLC0415

        self.out.writelines(rows(in_order(self.found), about(scan.rules())))


class Sarif(Collected):
    """One document."""

    def __init__(self, out: IO[Any]) -> None:
        super().__init__(out)
        self._not_scanned: list[tuple[str, str, str]] = []

    def add(self, scanned: Scanned) -> None:
        """Keep its findings, and what became of it if it was not scanned to its end."""
        super().add(scanned)
        if scanned.outcome.kind in {"failed", "partial"} or scanned.detail:
            name = object_name(scanned.ref.bucket, scanned.ref.key)
            self._not_scanned.append((name, str(scanned.outcome), scanned.detail or ""))

    def finish(self, scan: LocalScan) -> None:
        """Write it."""
        from scanner_tasks.report.sarif import sarif, text  # noqa: PLC0415

        findings, known = in_order(self.found), about(scan.rules())
        told = sarif(findings, known, not_scanned=sorted(self._not_scanned), is_complete=not scan.is_incomplete)
        self.out.write(text(told))


class Html(Collected):
    """One page."""

    def __init__(self, out: IO[Any]) -> None:
        super().__init__(out)
        self._unread: list[tuple[str, str, str]] = []

    def add(self, scanned: Scanned) -> None:
        """Keep its findings, and what became of it if it was not scanned to its end."""
        super().add(scanned)
        if scanned.outcome.kind != "scanned" and len(self._unread) < _UNREAD:
            name = object_name(scanned.ref.bucket, scanned.ref.key)
            self._unread.append((name, str(scanned.outcome), scanned.detail or ""))

    def finish(self, scan: LocalScan) -> None:
        """Write it."""
        from scanner_tasks.report.html.data import ReportInput, Unread  # noqa: PLC0415
        from scanner_tasks.report.html.page import page  # noqa: PLC0415
        from scanner_tasks.report.why import why  # noqa: PLC0415

        rules = scan.rules()
        given = ReportInput(
            title=f"Scan of {scan.target.text}",
            facts=[("begun", scan.began_at.strftime("%Y-%m-%d %H:%M:%S UTC")), ("id", str(scan.scan_id))],
            progress=scan.progress,
            is_incomplete=scan.is_incomplete,
            findings=in_order(self.found),
            about=about(rules),
            explain=why(rules),
            unread=[Unread(name=name, outcome=outcome, detail=told) for name, outcome, told in sorted(self._unread)],
        )
        self.out.write(page(given))


class Parquet(Collected):
    """One file of columns."""

    is_binary = True

    def finish(self, scan: LocalScan) -> None:
        """Write it."""
        from scanner_tasks.report.parquet import parquet  # noqa: PLC0415

        self.out.write(parquet(in_order(self.found), about(scan.rules())))


class Table(Collected):
    """For people."""

    def finish(self, scan: LocalScan) -> None:  # noqa: ARG002 (same call as the others)
        """Print it."""
        from rich.console import Console  # noqa: PLC0415
        from rich.table import Table as RichTable  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        from scanner_tasks.cli.screen import shown  # noqa: PLC0415
        from scanner_tasks.report.shapes import object_name, place_of  # noqa: PLC0415

        if not self.found:
            return
        table = RichTable(box=None, pad_edge=False, header_style="bold")
        for column in ("object", "rule", "severity", "confidence", "count", "first place", "masked"):
            table.add_column(column, justify="right" if column == "count" else "left", overflow="fold")
        for finding in in_order(self.found):
            first = finding.occurrences[0]
            values = (object_name(finding.bucket, finding.key), finding.rule_id, finding.severity, finding.confidence)
            row = (*values, finding.count, place_of(first.location), first.masked)
            table.add_row(*(Text(shown(value)) for value in row))
        width = None if self.out is sys.stdout and self.out.isatty() else 400
        Console(file=self.out, width=width, highlight=False).print(table)

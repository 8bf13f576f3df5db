"""What ``s3scan scan`` says beside its result: the bar while it goes on, the sums at its end. All on standard error."""

from __future__ import annotations

import sys
import time
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from scanner_tasks.cli.screen import shown
from scanner_tasks.core.model import Severity
from scanner_tasks.core.progress import eta_s, sums_line
from scanner_tasks.report.shapes import object_name

if TYPE_CHECKING:
    from scanner_tasks.flow.scan_local.run import LocalScan, Scanned

#: Objects that are named at the end, of those that were not scanned to their ends.
_NAMED = 20
_SHOWN_EACH_S = 0.1
_KINDS_TOLD = ("failed", "partial", "skipped")


def size(count: float) -> str:
    """Bytes as people read them.

    Examples:
        >>> size(999), size(23_100_000)
        ('999 B', '23.1 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:  # noqa: PLR2004 (SI)
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


class Bar:
    """A live line; nothing at all where standard error is no terminal."""

    def __init__(self, scan: LocalScan, *, is_on: bool) -> None:
        self._scan = scan
        self._began = time.monotonic()
        self._shown_at = 0.0
        self._live: Any = None
        if is_on:
            from rich.console import Console  # noqa: PLC0415
            from rich.live import Live  # noqa: PLC0415

            console = Console(file=sys.stderr)
            # It asks for the line again by itself, so the clock goes on while a large object is read.
            self._live = Live(
                get_renderable=self.line,
                console=console,
                transient=True,
                refresh_per_second=4,
                redirect_stdout=False,
                redirect_stderr=False,
            )

    def on(self) -> AbstractContextManager[Any]:
        """While this is entered, the line is shown."""
        return self._live if self._live is not None else nullcontext()

    def line(self) -> Any:
        """Share done, objects, bytes, rate, what is left, findings."""
        from rich.progress_bar import ProgressBar  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        told, elapsed = self._scan.progress, max(time.monotonic() - self._began, 0.001)
        is_final = self._scan.is_listed
        left = eta_s(told, elapsed_s=elapsed, total_is_final=is_final)
        total = max(told.bytes_listed, 1) if told.bytes_listed else max(told.listed, 1)
        done = told.bytes_done if told.bytes_listed else told.done
        more = "" if is_final else "+"
        words = (
            f"{told.done:,} of {told.listed:,}{more} objects · "
            f"{size(told.bytes_done)} of {size(told.bytes_listed)}{more} · {size(told.bytes_done / elapsed)}/s · "
            f"{'listing' if left is None else f'{round(left):,} s left'} · {told.findings:,} findings"
        )
        line = Table.grid(padding=(0, 1))
        line.add_row(ProgressBar(total=total, completed=done, width=24), words)
        return line


class Summary:
    """What the scan saw, for its end."""

    def __init__(self) -> None:
        self._severities: Counter[Severity] = Counter()
        self._named: list[Scanned] = []
        self._unnamed = 0
        self._began = time.monotonic()

    def add(self, scanned: Scanned) -> None:
        """Count an object."""
        for finding in scanned.findings:
            self._severities[finding.severity] += 1
        if scanned.detail or scanned.outcome.kind in {"failed", "partial"}:
            if len(self._named) < _NAMED:
                self._named.append(scanned)
            else:
                self._unnamed += 1

    def lines(self, scan: LocalScan) -> list[str]:
        """Sums by outcome, what was not scanned and why, findings by severity."""
        told, elapsed = scan.progress, time.monotonic() - self._began
        lines = [f"{sums_line(told)}; {size(told.bytes_done)} in {elapsed:.1f} s"]
        reasons = [
            f"{count:,} {name}" for name, count in told.outcomes.items() if name.partition("(")[0] in _KINDS_TOLD
        ]
        if reasons:
            lines.append(f"not scanned to their ends: {', '.join(reasons)}")
        for one in self._named:
            name = object_name(one.ref.bucket, one.ref.key)
            lines.append(f"  {one.outcome}  {shown(name)}: {one.detail or 'no more is known'}")
        if self._unnamed:
            lines.append(f"  and {self._unnamed:,} more: --coverage FILE lists them all")
        by_severity = ", ".join(f"{self._severities[s]:,} {s}" for s in reversed(Severity) if self._severities[s])
        places = f" ({by_severity}; {told.occurrences:,} places)" if told.findings else ""
        lines.append(f"{told.findings:,} findings{places}")
        if not scan.has_ended:
            lines.append("The scan is not complete: it was stopped before its end.")
        return lines

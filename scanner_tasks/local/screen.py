"""What the demo prints: progress while it runs, tables at its end."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType

    from scanner_tasks.local.api_client import FoundRule, JobState

#: A line at most that often where there is no terminal to redraw; more seldom while nothing changes.
PLAIN_EVERY_S = 2.0
PLAIN_UNCHANGED_EVERY_S = 20.0


def size(count: float) -> str:
    """Bytes for people.

    Examples:
        >>> size(999), size(21_049_412)
        ('999 B', '21.0 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":  # noqa: PLR2004
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"


class Screen:
    """Lines with the time since the command, a live table of jobs, and the final tables."""

    def __init__(self, started: float, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        if not self.console.is_terminal:
            self.console.width = 120  # a file or a pipe has no edge
        self._started = started

    def since_start_s(self) -> float:
        """Seconds since the command was typed."""
        return time.time() - self._started

    def say(self, line: str) -> None:
        """One line, with the time before it."""
        self.console.print(f"[{self.since_start_s():5.1f} s] {line}", markup=False)

    def progress(self) -> LiveJobs:
        """A context in which jobs are shown as they go on."""
        return LiveJobs(self)

    def findings(self, found: Iterable[FoundRule], truth: Mapping[tuple[str, str], int] | None) -> None:
        """Findings by rule and bucket; with a truth, beside what was put there."""
        occurrences: Counter[tuple[str, str]] = Counter()
        objects: Counter[tuple[str, str]] = Counter()
        examples: dict[str, str] = {}
        for finding in found:
            place = (finding.rule, finding.bucket)
            occurrences[place] += finding.count
            objects[place] += 1
            examples.setdefault(finding.rule, finding.example)
        table = Table(title="Findings", title_justify="left")
        for column in ("rule", "bucket"):
            table.add_column(column, no_wrap=True)
        for column in ("objects", "found", *(["put there"] if truth is not None else [])):
            table.add_column(column, justify="right")
        table.add_column("masked example")
        for place in sorted({*occurrences, *(truth or {})}):
            rule, bucket = place
            count = occurrences[place]
            cells = [rule, bucket, str(objects[place]), f"{count:,}"]
            if truth is not None:
                expected = truth.get(place, 0)
                cells.append(f"{expected:,}" if expected == count else f"{expected:,} differs!")
            table.add_row(*cells, examples.get(rule, ""))
        self.console.print(table)

    def outcomes(self, states: Sequence[JobState]) -> None:
        """Objects by outcome with its reason, and their sum beside what was listed."""
        table = Table(title="Objects", title_justify="left")
        table.add_column("outcome")
        for state in states:
            table.add_column(state.bucket, justify="right")
        for outcome in sorted({o for state in states for o, count in state.outcomes.items() if count}):
            table.add_row(outcome, *(str(state.outcomes.get(outcome, 0)) for state in states))
        table.add_section()
        table.add_row("sum", *(str(sum(state.outcomes.values())) for state in states))
        table.add_row("listed", *(str(state.listed) for state in states))
        table.add_row("bytes", *(size(state.bytes_listed) for state in states))
        table.add_row("job", *(state.status for state in states))
        self.console.print(table)

    def times(self, marks: Mapping[str, float]) -> None:
        """Seconds from the command to each mark."""
        table = Table(title="Times since the command", title_justify="left")
        table.add_column("until")
        table.add_column("seconds", justify="right")
        for mark, seconds in marks.items():
            table.add_row(mark, f"{seconds:.1f}")
        self.console.print(table)


class LiveJobs:
    """Jobs as they go on: a table that is redrawn on a terminal, a line now and then elsewhere."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._live = Live(console=screen.console, auto_refresh=False, transient=True)
        self._is_terminal = screen.console.is_terminal
        self._began = time.monotonic()
        self._said_at = 0.0
        self._said: list[tuple[str, int, int]] = []

    def __enter__(self) -> Self:
        """Begin to draw."""
        if self._is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal clean."""
        if self._is_terminal:
            self._live.stop()

    def show(self, states: Sequence[JobState]) -> None:
        """Draw the jobs as they stand."""
        if self._is_terminal:
            self._live.update(self._table(states), refresh=True)
            return
        now = time.monotonic()
        standing = [(s.status, s.done, s.listed) for s in states]
        pause_s = PLAIN_EVERY_S if standing != self._said else PLAIN_UNCHANGED_EVERY_S
        is_last = all(s.is_final for s in states)
        if now - self._said_at < pause_s and not is_last:
            return
        self._said, self._said_at = standing, now
        line = "; ".join(
            f"{s.bucket} {s.status} {s.done}/{s.listed}{'' if s.total_is_final else '+'} objects, "
            f"{size(s.bytes_done)}, {s.findings} findings, ETA {_eta(s)}"
            for s in states
        )
        self._screen.say(line)

    def _table(self, states: Sequence[JobState]) -> Table:
        seconds = max(time.monotonic() - self._began, 0.1)
        table = Table(title=f"{self._screen.since_start_s():.0f} s", title_justify="left")
        table.add_column("bucket")
        table.add_column("status")
        table.add_column("done")
        for column in ("objects", "bytes", "findings", "objects/s", "ETA"):
            table.add_column(column, justify="right")
        for s in states:
            share = s.done / s.listed if s.listed else 0.0
            table.add_row(
                s.bucket,
                s.status,
                "█" * round(share * 20) + "░" * (20 - round(share * 20)),
                f"{s.done}/{s.listed}{'' if s.total_is_final else '+'}",
                f"{size(s.bytes_done)}/{size(s.bytes_listed)}",
                f"{s.findings:,}",
                f"{s.done / seconds:.0f}",
                _eta(s),
            )
        return table


def _eta(state: JobState) -> str:
    if state.is_final:
        return "-"
    return f"{state.eta_s:.0f} s" if state.eta_s is not None else "?"

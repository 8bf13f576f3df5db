"""What ``s3scan jobs watch`` shows of one job: its pace, a line of it, its live picture (watch_jobs.py watches)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from scanner_tasks.cli.estimate import size_text
from scanner_tasks.cli.screen import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    Job = Mapping[str, Any]

#: Seconds over which the rate is taken.
RATE_S = 180.0
#: How a job ended that did not succeed, and not for its objects.
FAILED = frozenset({"failed", "cancelled"})
_MINUTE, _HOUR = 60, 3600
#: Looks that make a range of rates.
_ENOUGH = 3


class Pace:
    """How fast objects and bytes get done lately, and how long what is left takes."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int, int]] = deque()

    def look(self, now_s: float, job: Job) -> None:
        """Take down how far the job is; what is older than RATE_S is forgotten."""
        self._looks.append((now_s, job["progress"]["objects"]["done"], job["progress"]["bytes"]["done"]))
        while len(self._looks) > _ENOUGH and now_s - self._looks[0][0] > RATE_S:
            self._looks.popleft()

    def rates(self) -> tuple[float, float] | None:
        """Objects and bytes a second; None while nothing can be said."""
        if len(self._looks) < 2 or self._looks[-1][0] <= self._looks[0][0]:  # noqa: PLR2004 (two looks make a rate)
            return None
        (then, objects, size), (now, objects_now, size_now) = self._looks[0], self._looks[-1]
        return max(0, objects_now - objects) / (now - then), max(0, size_now - size) / (now - then)

    def left_s(self, job: Job) -> tuple[float, float] | None:
        """Seconds until the end at the fastest and at the slowest pace of the last minutes.

        None while the listing goes on, or before there are looks enough. Objects and bytes are each reckoned, since
        large objects may come last: the range spans both.
        """
        progress = job["progress"]
        if not progress["total_is_final"] or len(self._looks) < _ENOUGH:
            return None
        left = (
            progress["objects"]["listed"] - progress["objects"]["done"],
            progress["bytes"]["listed"] - progress["bytes"]["done"],
        )
        looks, middle = list(self._looks), len(self._looks) // 2
        told = []
        for first, last in ((looks[0], looks[-1]), (looks[0], looks[middle]), (looks[middle], looks[-1])):
            seconds = last[0] - first[0]
            for n, rest in enumerate(left, start=1):
                done = last[n] - first[n]
                if seconds > 0 and done > 0:
                    told.append(rest * seconds / done)
        return (min(told), max(told)) if told else None


def line_of(job: Job) -> str:
    """How far it is, in one line."""
    counts = job["progress"]["objects"]
    total = "" if job["listed_at"] else "+"
    eta_s = job["progress"]["eta_s"]
    eta = "" if eta_s is None else f", about {round(eta_s):,} s left"
    return (
        f"{job['job_id']} {job['status']}: {counts['done']:,} of {counts['listed']:,}{total} objects, "
        f"{counts['failed']:,} failed, {job['total_findings']:,} findings{eta}"
    )


def name_of(job: Job) -> str:
    """Bucket and prefix."""
    return str(job["bucket"]) + (f"/{job['prefix']}" if job["prefix"] else "")


def picture(job: Job, pace: Pace, fleet: Mapping[str, Any] | None = None) -> RenderableType:
    """The bucket's bar, and beneath it rate, time left, lane, what workers hold, findings, workers alive."""
    from rich.console import Group  # noqa: PLC0415
    from rich.progress_bar import ProgressBar  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    progress, counts = job["progress"], job["progress"]["objects"]
    bar = Table.grid(padding=(0, 2))
    bar.add_row(
        Text(shown(name_of(job))),
        ProgressBar(total=100, completed=progress["percent"], width=40),
        Text(f"{progress['percent']:.1f} %{'' if progress['total_is_final'] else ' of what is listed so far'}"),
    )
    rates = pace.rates()
    rate = "-" if rates is None else f"{rates[0]:,.1f} objects/s, {size_text(rates[1])}/s over the last minutes"
    facts = Table.grid(padding=(0, 2))
    read, listed = size_text(progress["bytes"]["done"]), size_text(progress["bytes"]["listed"])
    for name, value in (
        ("status", job["status"]),
        (
            "objects",
            f"{counts['done']:,} of {counts['listed']:,} done, {counts['failed']:,} failed, {read} of {listed}",
        ),
        ("rate", rate),
        ("time left", _time_left(pace.left_s(job), job)),
        (
            "lane",
            f"{job['lane']}, {progress['batches']['open']:,} batches open, {counts['processing']:,} objects in hand",
        ),
        ("findings", f"{job['total_findings']:,} in {job['total_occurrences']:,} places"),
        *([("workers", workers_text(fleet))] if fleet else []),
    ):
        facts.add_row(Text(name), Text(str(value)))
    return Group(bar, facts)


def _time_left(left: tuple[float, float] | None, job: Job) -> str:
    if job["finished_at"]:
        return "none"
    if left is None:
        return "not known yet" if job["progress"]["total_is_final"] else "not known while the listing goes on"
    return f"{span_text(left)}, by the pace of the last minutes"


def workers_text(fleet: Mapping[str, Any]) -> str:
    """The workers that are alive.

    Examples:
        >>> workers_text({"workers": 2, "slots": 20, "busy": 12, "paused": False})
        '2 workers alive, 12 of 20 slots busy'
        >>> workers_text({"workers": 0, "slots": 0, "busy": 0, "paused": True})
        'no worker alive; THE FLEET IS PAUSED'
    """
    n = fleet["workers"]
    told = f"{n:,} worker{'' if n == 1 else 's'} alive, {fleet['busy']:,} of {fleet['slots']:,} slots busy"
    return (told if n else "no worker alive") + ("; THE FLEET IS PAUSED" if fleet["paused"] else "")


def span_text(left: tuple[float, float]) -> str:
    """A range of times.

    Examples:
        >>> span_text((42, 150))
        '42 s to 2.5 min'
    """
    return f"{_span(left[0])} to {_span(left[1])}"


def _span(seconds: float) -> str:
    """A time as people say it.

    Examples:
        >>> _span(42), _span(150), _span(9000)
        ('42 s', '2.5 min', '2.5 h')
    """
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.1f} min" if seconds < 2 * _HOUR else f"{seconds / _HOUR:.1f} h"

"""``s3scan jobs watch`` of several jobs: a bar for each, and one line with their sum, the lanes and the workers."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

import typer

from scanner_tasks.cli.backend import backend
from scanner_tasks.cli.estimate import size_text
from scanner_tasks.cli.job_lines import check_sums, coverage_word, sums_of
from scanner_tasks.cli.screen import INCOMPLETE, print_json, shown
from scanner_tasks.cli.watch_job import FAILED, Pace, line_of, name_of, picture, span_text, workers_text
from scanner_tasks.core.errors import NotFound, ScannerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from scanner_tasks.cli.backend import Backend, Told

#: Lines of a terminal that bars leave to the sum, to "and n more", and to the cursor.
_OTHER_LINES = 6
_BAR_WIDTH = 24


class Watched:
    """The jobs that are watched, as they were at the last look.

    Args:
        asked: who tells.
        job_ids: which jobs; None: all that have not ended, those too that begin while we watch.
    """

    def __init__(self, asked: Backend, job_ids: Sequence[UUID] | None) -> None:
        self._asked = asked
        self._follows_all = job_ids is None
        self.jobs: dict[str, Told] = {}
        self.paces: dict[str, Pace] = {}
        self._wanted: list[str] = list(dict.fromkeys(map(str, job_ids or ())))

    def look(self, now_s: float) -> None:
        """Ask for every job that had not ended."""
        if self._follows_all:
            active = [job["job_id"] for job in self._asked.jobs(limit=None, active=True)]
            self._wanted += [job_id for job_id in reversed(active) if job_id not in set(self._wanted)]
        for job_id in list(self._wanted):
            if self.jobs.get(job_id, {}).get("finished_at"):
                continue
            try:
                job = self._asked.job(UUID(job_id), real_time=True)
            except NotFound:  # ended and deleted between two looks
                if not self._follows_all:
                    raise
                self._wanted.remove(job_id)
                self.jobs.pop(job_id, None)
                continue
            self.jobs[job_id] = job
            self.paces.setdefault(job_id, Pace()).look(now_s, job)

    def going_on(self) -> list[Told]:
        """Those that have not ended."""
        return [job for job in self.jobs.values() if not job["finished_at"]]

    def rates(self) -> tuple[float, float] | None:
        """Objects and bytes a second of all that have not ended; None while nothing can be said."""
        told = [self.paces[job["job_id"]].rates() for job in self.going_on()]
        known = [rates for rates in told if rates is not None]
        return (sum(one[0] for one in known), sum(one[1] for one in known)) if known else None

    def left_s(self) -> tuple[float, float] | None:
        """Seconds until the last of them ends, at the fastest and at the slowest pace; None while one is not known."""
        told = [self.paces[job["job_id"]].left_s(job) for job in self.going_on()]
        known = [left for left in told if left is not None]
        if not known or len(known) < len(told):
            return None
        return max(one[0] for one in known), max(one[1] for one in known)


def watch_jobs(job_ids: Sequence[UUID] | None, *, every_s: float, as_json: bool) -> None:
    """Watch until all have ended; the exit status is that of the one that ended worst."""
    watched = Watched(backend(), job_ids)
    watched.look(time.monotonic())
    if not watched.jobs:
        if not as_json:
            print("No job is going on: begin one with `s3scan jobs start BUCKET`.")
        return
    if sys.stdout.isatty() and not as_json:
        _show_live(watched, every_s=every_s)
    else:
        _print_lines(watched, every_s=every_s, as_json=as_json)
    _end(watched, as_json=as_json)


def _end(watched: Watched, *, as_json: bool) -> None:
    """Say how each ended. Raises what is wrong with the sums of one, or Exit."""
    wrong: ScannerError | None = None
    status = 0
    for job in watched.jobs.values():
        if not as_json:
            name = "" if len(watched.jobs) == 1 else f"{job['job_id']} {name_of(job)} {job['status']}, "
            print(f"{name}{coverage_word(job)}: {sums_of(job)}")
        try:
            check_sums(job)
        except ScannerError as error:
            wrong = wrong or error
        if job["status"] in FAILED:
            status = 1
        elif job["incomplete"]:
            status = status or INCOMPLETE
    if wrong is not None:
        raise wrong
    raise typer.Exit(status)


def _print_lines(watched: Watched, *, every_s: float, as_json: bool) -> None:
    last: dict[str, dict[str, Any]] = {}
    while True:
        for job_id, job in watched.jobs.items():
            state = {name: value for name, value in job["progress"].items() if name != "eta_s"} | {
                name: job[name] for name in ("status", "finished_at", "total_findings")
            }
            if state != last.get(job_id):
                last[job_id] = state
                if as_json:
                    print_json(job)
                else:
                    print(line_of(job), flush=True)
        if not watched.going_on():
            return
        time.sleep(every_s)
        watched.look(time.monotonic())


def _show_live(watched: Watched, *, every_s: float) -> None:
    from rich.live import Live  # noqa: PLC0415

    asked = backend()
    with Live(auto_refresh=False) as screen:
        while True:
            fleet = asked.fleet()
            most = max(1, screen.console.height - _OTHER_LINES)
            screen.update(picture_of_all(watched, fleet, most=most), refresh=True)
            if not watched.going_on():
                return
            time.sleep(every_s)
            watched.look(time.monotonic())


def picture_of_all(watched: Watched, fleet: Told | None, *, most: int) -> RenderableType:
    """One job: its bar and all about it. Several: a bar for each, ``most`` at most, and their sum in the last line."""
    from rich.console import Group  # noqa: PLC0415
    from rich.progress_bar import ProgressBar  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    jobs = sorted(watched.jobs.values(), key=lambda job: job["finished_at"] is not None)  # stable: as they began
    if len(jobs) == 1:
        return picture(jobs[0], watched.paces[jobs[0]["job_id"]], fleet)
    bars = Table.grid(padding=(0, 2))
    for job in jobs[:most]:
        progress, counts, pace = job["progress"], job["progress"]["objects"], watched.paces[job["job_id"]]
        rates = None if job["finished_at"] else pace.rates()
        bars.add_row(
            Text(shown(name_of(job)), overflow="ellipsis", no_wrap=True),
            ProgressBar(total=100, completed=progress["percent"], width=_BAR_WIDTH),
            Text(f"{progress['percent']:.1f} %{'' if progress['total_is_final'] else ' so far'}", no_wrap=True),
            Text(f"{counts['done']:,} of {counts['listed']:,}{'' if job['listed_at'] else '+'}", no_wrap=True),
            Text("" if rates is None else f"{rates[0]:,.1f}/s", no_wrap=True),
            Text(_state(job, pace), no_wrap=True),
        )
    more = [Text(f"and {len(jobs) - most:,} more jobs")] if len(jobs) > most else []
    return Group(bars, *more, Text(sum_line(watched, fleet)))


def _state(job: Told, pace: Pace) -> str:
    left = None if job["finished_at"] else pace.left_s(job)
    failed = f", {job['progress']['objects']['failed']:,} failed" if job["progress"]["objects"]["failed"] else ""
    until = "" if left is None or job["status"] == "paused" else f", {span_text(left)} left"
    return f"{job['status']}{until}, {job['total_findings']:,} findings{failed}"


def sum_line(watched: Watched, fleet: Told | None) -> str:
    """All jobs together: how many go on, rate, time left, lanes, workers."""
    going_on, rates, left = watched.going_on(), watched.rates(), watched.left_s()
    told = [f"{len(going_on):,} of {len(watched.jobs):,} jobs go on"]
    if rates is not None:
        told.append(f"{rates[0]:,.1f} objects/s, {size_text(rates[1])}/s over the last minutes")
    if going_on:
        told.append("time left not known yet" if left is None else f"{span_text(left)} left")
        told.append(f"lanes {', '.join(sorted({job['lane'] for job in going_on}))}")
    return "; ".join([*told, *([workers_text(fleet)] if fleet else [])])

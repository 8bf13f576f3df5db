"""The live picture of jobs: pace, the range of the time left, what is shown beside the bars; several jobs at once."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console

from scanner_tasks.cli import watch_jobs
from scanner_tasks.cli.backend import backend
from scanner_tasks.cli.watch_job import RATE_S, Pace, picture
from scanner_tasks.cli.watch_jobs import Watched, picture_of_all, sum_line
from scanner_tasks.flow.control import cancel_job
from scanner_tasks.store.engine import execute, transaction
from tests.flow.conftest import System

from .test_commands import Run, run

__all__ = ["run"]
SSN = b"name,ssn\nJane Roe,512-44-1234\n"
FLEET = {"workers": 3, "slots": 30, "busy": 12, "paused": False}


def job(done: int, *, listed: int = 1000, is_final: bool = True, **changes: Any) -> dict[str, Any]:
    return {
        "job_id": "0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11",
        "bucket": "my-bucket",
        "prefix": "",
        "status": "scanning",
        "lane": "scan-3",
        "listed_at": "2026-03-10T05:17:00Z" if is_final else None,
        "finished_at": None,
        "total_findings": 7,
        "total_occurrences": 40,
        "progress": {
            "percent": 100 * done / listed,
            "total_is_final": is_final,
            "objects": {"listed": listed, "done": done, "failed": 1, "processing": 20},
            "bytes": {"listed": listed * 1024, "done": done * 1024},
            "batches": {"total": 10, "open": 4},
        },
        **changes,
    }


def shown(told: dict[str, Any], pace: Pace) -> str:
    console = Console(file=io.StringIO(), width=140)
    console.print(picture(told, pace))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_time_left_is_a_range_from_the_fastest_to_the_slowest_pace() -> None:
    pace = Pace()
    for second, done in ((0, 0), (10, 100), (20, 150)):  # 10 a second, then 5 a second
        pace.look(second, job(done))
    assert pace.rates() == (7.5, 7.5 * 1024)
    assert pace.left_s(job(150)) == (85.0, 170.0)
    assert "85 s to 2.8 min" in shown(job(150), pace)


def test_only_the_last_minutes_count() -> None:
    pace = Pace()
    for second, done in ((0, 0), (10, 500), (RATE_S + 20, 500), (RATE_S + 40, 510), (RATE_S + 60, 520)):
        pace.look(second, job(done))
    rates = pace.rates()
    assert rates is not None
    assert 0 < rates[0] < 1


def test_nothing_is_foretold_while_the_listing_goes_on_or_nothing_moves() -> None:
    pace = Pace()
    assert pace.rates() is None
    for second in (0, 10, 20):
        pace.look(second, job(50, is_final=False))
    assert pace.left_s(job(50, is_final=False)) is None
    assert pace.left_s(job(50)) is None, "nothing got done"
    told = shown(job(50, is_final=False), pace)
    assert "not known while the listing goes on" in told
    assert "of what is listed so far" in told


def test_picture_has_bucket_lane_rate_and_findings_and_no_code_of_a_terminal() -> None:
    pace = Pace()
    for second, done in ((0, 0), (10, 100)):
        pace.look(second, job(done))
    told = shown(job(100, prefix="a\x1b[2Jb/"), pace)
    for words in (
        "my-bucket/",
        "10.0 %",
        "10.0 objects/s",
        "scan-3, 4 batches open",
        "20 objects in hand",
        "7 in 40 places",
    ):
        assert words in told
    assert "\x1b[2J" not in told


class Told:
    """What a backend tells at the look that is next."""

    def __init__(self) -> None:
        self.now: list[dict[str, Any]] = []

    def jobs(self, *, limit: int | None, active: bool) -> Iterator[dict[str, Any]]:
        assert (limit, active) == (None, True)
        return (one for one in reversed(self.now) if not one["finished_at"])

    def job(self, job_id: UUID, *, real_time: bool) -> dict[str, Any]:
        assert real_time
        return next(one for one in self.now if one["job_id"] == str(job_id))


def numbered(n: int, done: int, **changes: Any) -> dict[str, Any]:
    return job(done, bucket=f"bucket-{n}", lane=f"scan-{n % 2}", **changes) | {"job_id": str(UUID(int=n))}


def drawn(watched: Watched, *, most: int = 20, width: int = 140) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(picture_of_all(watched, FLEET, most=most))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_several_jobs_have_a_bar_each_and_one_sum() -> None:
    told = Told()
    watched = Watched(told, None)  # type: ignore[arg-type]
    looks = ([(1, 0), (2, 0)], [(1, 100), (2, 400)], [(1, 150), (2, 800), (3, 0)])
    for second, look in enumerate(looks):
        told.now = [numbered(n, done) for n, done in look]
        watched.look(10 * second)
    lines = drawn(watched)
    assert [line.split()[0] for line in lines[:3]] == ["bucket-1", "bucket-2", "bucket-3"]
    assert "15.0 %" in lines[0]
    assert "7.5/s" in lines[0]
    assert "85 s to 2.8 min left" in lines[0]
    assert "5 s to 5 s left" in lines[1]
    sums = " ".join(" ".join(lines[3:]).split())
    assert "3 of 3 jobs go on; 47.5 objects/s" in sums
    assert "time left not known yet" in sums, "the third has just begun"
    assert "lanes scan-0, scan-1; 3 workers alive, 12 of 30 slots busy" in sums

    told.now = [numbered(1, 200), numbered(2, 1000, finished_at="x", status="succeeded"), numbered(3, 500)]
    watched.look(30)
    told.now = [numbered(1, 250), numbered(3, 1000, finished_at="x", status="succeeded")]
    watched.look(40)
    assert sum_line(watched, None).startswith("1 of 3 jobs go on; 6.2 objects/s")
    assert "100 s to 2.5 min left; lanes scan-1" in sum_line(watched, None)
    assert [line.split()[0] for line in drawn(watched)[:3]] == ["bucket-1", "bucket-2", "bucket-3"]


def test_more_jobs_than_a_screen_has_lines_are_counted_and_those_that_go_on_come_first() -> None:
    told = Told()
    told.now = [numbered(n, 1000, finished_at="x", status="succeeded") for n in range(1, 40)] + [numbered(40, 10)]
    watched = Watched(told, [UUID(one["job_id"]) for one in told.now])  # type: ignore[arg-type]
    watched.look(0)
    lines = drawn(watched, most=5, width=80)
    assert lines[0].startswith("bucket-40")
    assert lines[5].strip() == "and 35 more jobs"
    assert lines[6].startswith("1 of 40 jobs go on")
    assert len(lines) <= 5 + watch_jobs._OTHER_LINES


@pytest.fixture
def alone(system: System) -> None:
    """No job of another file's tests, which share the database, is going on."""
    with transaction(system.engine) as connection:
        execute(connection, "update jobs set finished_at = now() where finished_at is null")


@pytest.fixture
def started(system: System, alone: None) -> Callable[[str], UUID]:
    """Starts a job on a bucket of its own with one object in it."""
    common = system.bucket[:20]

    def start(name: str) -> UUID:
        system.bucket = f"{common}-{name}"
        system.objects.buckets[system.bucket] = {"a.csv": SSN}
        return system.start()

    return start


def test_watching_several_ends_with_the_last_and_tells_the_worst(
    system: System, started: Callable[[str], UUID], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, denied = started("whole"), started("denied")
    system.objects.denied.add((system.bucket, "a.csv"))
    left = [whole, denied]
    monkeypatch.setattr(watch_jobs.time, "sleep", lambda _: system.run(left.pop(0)))
    watched = run("jobs", "watch", whole, denied)
    lines = watched.out.splitlines()
    assert [line.split()[0] for line in lines] == [str(whole), str(denied)] * 3
    assert "complete: 1 listed = 1 scanned" in lines[4]
    assert "incomplete: 1 listed = 1 failed" in lines[5]
    assert watched.status == 3
    cancelled = started("cancelled")
    cancel_job(cancelled, reason="a test", using=system.feeder)
    assert run("jobs", "watch", denied, cancelled, whole).status == 1
    assert run("jobs", "watch", whole, whole).status == 0


def test_without_an_id_all_that_go_on_are_watched_and_those_that_begin_meanwhile(
    system: System, started: Callable[[str], UUID], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.run(started("before"))
    assert run("jobs", "watch").out == "No job is going on: begin one with `s3scan jobs start BUCKET`.\n"
    assert run("jobs", "list", "--active").out == "No job is going on.\n"
    first = started("first")
    later: list[UUID] = []

    def sleep(_: float) -> None:
        if later:
            system.run(later[0])
        else:
            later.append(started("later"))
            system.run(first)

    monkeypatch.setattr(watch_jobs.time, "sleep", sleep)
    told = [json.loads(line) for line in run("jobs", "watch", "--json").out.splitlines()]
    assert [(one["job_id"], one["status"]) for one in told] == [
        *((str(first), "listing"), (str(first), "succeeded")),
        *((str(later[0]), "listing"), (str(later[0]), "succeeded")),
    ]


def test_many_are_started_and_watched(system: System, alone: None, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{system.bucket[:30]}-{n}" for n in (1, 2)]
    for name in names:
        system.objects.buckets[name] = {"a.csv": SSN}

    def work(_: float) -> None:
        for one in backend().jobs(limit=None, active=True):
            system.run(UUID(one["job_id"]))

    monkeypatch.setattr(watch_jobs.time, "sleep", work)
    done = run("jobs", "start-many", *names, "--wait")
    assert done.status == 0, done.err
    assert all(f"{name} succeeded, complete: 1 listed = 1 scanned" in done.out for name in names)


def test_on_a_terminal_bars_are_drawn_until_the_last_job_has_ended(
    system: System, started: Callable[[str], UUID], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = started("first"), started("second")
    left = [first, second]
    monkeypatch.setattr(watch_jobs.time, "sleep", lambda _: system.run(left.pop(0)))
    monkeypatch.setattr(watch_jobs.sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "160")
    told = run("jobs", "watch", first, second)
    assert told.status == 0, told.err
    assert "1 of 2 jobs go on" in told.out
    assert "0 of 2 jobs go on" in told.out
    assert "alive" in told.out
    assert told.out.splitlines()[-1].endswith("-second succeeded, complete: 1 listed = 1 scanned")
    alone = run("jobs", "watch", first)
    assert "100.0 %" in alone.out
    assert "workers" in alone.out

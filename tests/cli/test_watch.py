"""The live picture of a job: its pace, the range of the time left, what is shown beside the bar."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from scanner_tasks.cli.watch_job import RATE_S, Pace, picture


def job(done: int, *, listed: int = 1000, is_final: bool = True, **changes: Any) -> dict[str, Any]:
    return {
        "job_id": "0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11",
        "bucket": "my-bucket",
        "prefix": "",
        "status": "scanning",
        "lane": "scan-3",
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

"""The report with 50,000 findings in a headless Chromium, as a file and live: opening, searching, sorting, scrolling.

Needs playwright (`pip install playwright`) and Debian's chromium, or CHROMIUM_PATH. Opening ends when the table counts
its findings. A search is from the last key to the new count, without the page's own wait of 120 ms for further keys. A
frame is the time between two of the browser's animation frames while the table moves by one screen in each of 200; a
headless browser draws 60 a second (16.7 ms) at best.

Run: python -m benchmarks.bench_report_page [findings]
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

from api_lambda.shapes import Finding as Shape
from scanner_tasks.core.model import Finding
from scanner_tasks.core.progress import SUMMANDS
from scanner_tasks.serve.live import Live
from scanner_tasks.serve.server import PageServer
from tests.report.samples import JOB, about, everything, finding, place
from tests.report.test_html import report

_FRAMES = """async () => {
  const grid = document.getElementById("grid"), times = [];
  let last = await new Promise(requestAnimationFrame);
  for (let n = 0; n < 200; n++) {
    grid.scrollTop += grid.clientHeight;
    const now = await new Promise(requestAnimationFrame);
    times.push(now - last); last = now;
  }
  return times;
}"""
_WORK = """([act, arg]) => {
  const began = performance.now();
  if (act === "search") {
    document.getElementById("q").value = arg;
    document.getElementById("sev").dispatchEvent(new Event("change"));
  } else document.querySelectorAll("#head button")[arg].click();
  document.getElementById("grid").clientHeight;
  return performance.now() - began;
}"""


def findings_of(many: int) -> list[Finding]:
    made = everything()
    return made + [
        finding(f"team-{n % 9}/{n}.csv", bucket=f"bucket-{n % 4}", count=n, places=(place(n),))
        for n in range(1, many - len(made) + 1)
    ]


def job_of(count: int) -> dict[str, Any]:
    objects = {**dict.fromkeys(SUMMANDS, 0), "listed": count, "scanned": count, "done": count}
    progress = {"objects": objects, "outcomes": {"scanned": count}, "bytes": {"listed": 1, "done": 1}}
    progress |= {"batches": {"total": 1, "open": 0}, "percent": 100.0, "eta_s": None, "total_is_final": True}
    job = {"bucket": "logs", "prefix": "", "status": "succeeded", "created_at": "2026-11-30T00:00:00Z"}
    sums = {"total_findings": count, "total_occurrences": count, "total_allowed": 0, "incomplete": False}
    return job | sums | {"progress": progress}


def live_of(findings: list[Finding]) -> Live:
    """An API that holds these findings in memory: what is measured is the page and its server."""
    told = [Shape.of(one).model_dump(mode="json") for one in findings]

    def ask(method: str, target: str, body: object) -> tuple[int, Any]:  # noqa: ARG001 (the API's form)
        path, _, query = target.partition("?")
        if path == "/results":
            begin = int(query.rpartition("cursor=")[2]) if "cursor=" in query else 0
            end = begin + 1000
            return 200, {"results": told[begin:end], "next_cursor": str(end) if end < len(told) else None}
        return 200, {"unread": []} if path.endswith("/coverage") else job_of(len(told))

    return Live(ask=ask, job_id=JOB, about=about, explain=lambda _: ("It has the shape.",), limit=len(told))


def measure(page: Any, url: str, count: int) -> dict[str, float]:
    began = time.monotonic()
    page.goto(url)
    page.locator("#count", has_text=f"{count:,} of {count:,}").wait_for(timeout=120_000)
    told = {"open, s": time.monotonic() - began}
    searches = [page.evaluate(_WORK, ["search", text]) for text in ("team-3/", "us.ssn", "1234", "nothing", "")]
    sorts = [page.evaluate(_WORK, ["sort", column]) for column in (1, 3, 1, 3)]
    frames = page.evaluate(_FRAMES)
    return told | {
        "search, ms (slowest of 5)": max(searches),
        "sort, ms (slowest of 4)": max(sorts),
        "frame while scrolling, ms (median)": median(frames),
        "frame, ms (slowest of 200)": max(frames),
    }


def main() -> None:
    """Print a line for each figure."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    findings = findings_of(many)
    path = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415
    except ImportError:
        print("playwright is not installed: nothing is measured.")
        return
    with sync_playwright() as started, tempfile.TemporaryDirectory() as folder:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        file = Path(folder, "report.html")
        began = time.monotonic()
        file.write_text(report(findings), encoding="utf-8")
        made_s = time.monotonic() - began
        print(f"{many:,} findings; {platform.machine()}, {os.cpu_count()} CPUs, Chromium {browser.version}")
        print(f"file: made in {made_s:.1f} s, {file.stat().st_size / 1e6:.1f} MB")
        results = {"file": measure(browser.new_page(), file.as_uri(), many)}
        with PageServer(live_of(findings)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            results["live"] = measure(browser.new_page(), server.url, many)
            server.shutdown()
        browser.close()
    for name, figures in results.items():
        for words, figure in figures.items():
            print(f"{name}: {words}: {figure:.1f}")


if __name__ == "__main__":
    main()

"""The live page in a real browser: it follows a scan, findings are judged in it, nothing leaves the machine.

Needs playwright (`pip install playwright`, not a requirement) and a Chromium: Debian's, or CHROMIUM_PATH.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner_tasks import results, triage_history
from tests.flow.conftest import System

from .conftest import Serve

CHROMIUM = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium")


@pytest.fixture
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None or not Path(CHROMIUM).exists():
        pytest.skip(f"there is no Chromium {CHROMIUM or 'on PATH'}: set CHROMIUM_PATH")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


def test_page_follows_a_scan_and_findings_are_judged_in_it(
    system: System, serve: Serve, browser: Any, tmp_path: Path
) -> None:
    hostile = "</script><script>alert(1)</script>.csv"
    system.put({hostile: b"name,ssn\nJane Roe,512-44-1234\n", "b.csv": b"name,ssn\nJohn Roe,512-44-1299\n"})
    job_id = system.start()
    served = serve(job_id)
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    own = served.server.url.partition("#")[0]
    page.on("request", lambda request: None if request.url.startswith(own) else said.append(request.url))
    page.goto(served.server.url)
    page.locator("#live", has_text="0 findings").wait_for()
    assert page.url == own  # the token is not left in the address
    page.locator("#count", has_text="0 of 0").wait_for()

    system.run(job_id)
    served.clock[0] += 100
    page.locator("#count", has_text="2 of 2").wait_for()
    page.locator("#live", has_text="succeeded: 100.0 %").wait_for()
    assert page.locator("#map button").count() == 2
    assert page.locator(".row", has_text=hostile).count() == 1

    page.focus("#grid")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()
    page.locator("#mark-save").click()
    page.locator("#mark-said", has_text="Say why").wait_for()
    page.select_option("#mark-as", "false_positive")
    page.fill("#mark-why", "made up")
    page.locator("#mark-save").click()
    page.locator("#marks", has_text="false_positive by ada: made up").wait_for()
    assert page.locator("#one-triage").text_content() == "false_positive"
    page.locator("#mark-allow").click()
    page.locator("#mark-said", has_text="1 of 1 values added to allowed.toml").wait_for()
    assert (tmp_path / "allowed.toml").exists()
    page.keyboard.press("Escape")
    served.clock[0] += 100
    page.locator(".row", has_text="false_positive").wait_for()
    judged = [one for one in results(job_id=job_id) if one.triage == "false_positive"]
    assert [mark.reason for mark in triage_history(judged[0].finding_id)] == ["made up"]

    page.reload()  # the token lives as long as the tab
    page.locator("#count", has_text="2 of 2").wait_for()
    stranger = browser.new_page()
    stranger.goto(own)
    stranger.locator("#live", has_text="token").wait_for()
    assert said == []

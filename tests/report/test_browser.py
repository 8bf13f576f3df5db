"""The report in a real browser: nothing runs that is not ours, 50,000 findings are searched, sorted and read.

Needs playwright (`pip install playwright`, not a requirement) and a Chromium: Debian's, or CHROMIUM_PATH.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner_tasks.report.compare import compare

from .samples import everything, finding, place
from .test_html import report

CHROMIUM = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium")
MANY = 50_000


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The report of 50,000 findings, open; ``said`` is whatever the browser complained of or asked for."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None or not Path(CHROMIUM).exists():
        pytest.skip(f"there is no Chromium {CHROMIUM or 'on PATH'}: set CHROMIUM_PATH")
    findings = everything()
    findings += [
        finding(f"team-{n % 9}/{n}.csv", bucket=f"bucket-{n % 4}", count=n, places=(place(n),))
        for n in range(1, MANY - len(findings) + 1)
    ]
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(report(findings), encoding="utf-8")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_context(offline=True).new_page()
        opened.said = said = []
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        opened.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
        opened.goto(file.as_uri())
        yield opened
        browser.close()


@pytest.fixture(autouse=True)
def quiet(page: Any) -> Iterator[None]:
    """No script of others, no request, no violation of the policy, no error: before, during and after each test."""
    yield
    assert page.said == []


def test_only_rows_in_sight_are_in_the_document(page: Any) -> None:
    page.locator("#count", has_text="50,000 of 50,000").wait_for()
    assert 10 < page.locator(".row").count() < 60
    assert page.locator(".row").first.locator("[role=gridcell]").first.text_content() == "critical"
    assert page.locator("#grid").get_attribute("aria-rowcount") == "50001"


def test_search_and_severity_leave_what_fits(page: Any) -> None:
    page.fill("#q", "team-3/")
    page.locator("#count", has_text="5,551 of 50,000").wait_for()
    page.click("#reset")
    for severity in ("0", "1", "2"):
        page.uncheck(f"#sev input[value='{severity}']")
    page.locator("#count", has_text="1 of 50,000").wait_for()
    page.click("#reset")


def test_columns_sort_both_ways(page: Any) -> None:
    head = page.locator("#head [role=columnheader]", has_text="Count")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert (
        page.locator(".row").first.locator("[role=gridcell]").nth(3).text_content() == f"{MANY - len(everything()):,}"
    )
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"


def test_keys_move_and_open_and_close(page: Any) -> None:
    page.focus("#grid")
    page.keyboard.press("End")
    assert page.locator("#grid").get_attribute("aria-activedescendant") == "r49999"
    assert page.locator("#r49999").get_attribute("aria-selected") == "true"
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="detached")
    page.keyboard.press("Home")
    assert page.locator("#grid").get_attribute("aria-activedescendant") == "r0"


def test_hostile_name_is_shown_as_text(page: Any) -> None:
    page.fill("#q", "</script>")
    page.locator("#count", has_text="4 of").wait_for()
    assert page.locator(".row").first.locator("bdi").text_content() == "s3://logs/</script><script>alert(1)</script>"
    page.fill("#q", "rtl")
    page.locator(".row", has_text="rtl⟨U+202E⟩gpj.exe").first.wait_for()
    page.click("#reset")


def test_box_of_the_map_shows_its_findings(page: Any) -> None:
    box = page.locator("#map button").first
    name = box.locator("bdi").text_content()
    box.click()
    page.locator("#count", has_text=" of 50,000").wait_for()
    assert page.input_value("#q") == name
    page.click("#reset")


def test_theme_changes(page: Any) -> None:
    page.click("#theme")
    assert page.locator("html").get_attribute("data-theme") in {"dark", "light"}


def test_every_part_tells_what_it_should(page: Any, tmp_path: Path) -> None:
    one, two = finding("a.csv", places=(place(1),)), finding("b/c.csv", places=(place(1), place(2)), count=7)
    moved = finding("new/c.csv", places=(place(9),))
    told = compare([finding("gone.csv"), one, finding("old.csv", places=(place(9),))], [one, two, moved])
    file = tmp_path / "report.html"
    file.write_text(report([one, two, moved], comparison=told, compared_with="Since job 1"), encoding="utf-8")
    opened = page.context.new_page()
    opened.on("console", lambda message: page.said.append(message.text))
    opened.goto(file.as_uri())
    opened.locator("#count", has_text="3 of 3").wait_for()
    parts = {name: opened.locator(f"#part-{name}") for name in ("summary", "coverage", "risk", "rules", "columns")}
    assert "Coverage is incomplete" in parts["summary"].inner_text()
    assert "9 listed = 7 scanned + 2 failed" in parts["coverage"].inner_text()
    parts["coverage"].locator("summary").click()
    assert "failed(denied)" in parts["coverage"].locator("details").inner_text()
    assert "of 100, 3 findings" in parts["risk"].inner_text()
    assert "US Social Security number" in parts["rules"].inner_text()
    parts["columns"].locator("summary").click()
    assert "98 %" in parts["columns"].inner_text()
    assert "1 new, 1 fixed, 1 moved" in opened.locator("#part-compared").inner_text()
    opened.select_option("#mark", "moved")
    opened.locator("#count", has_text="1 of 3").wait_for()
    opened.click("#reset")
    opened.locator("#same summary", has_text="in 2 objects").click()
    assert "s3://logs/b/c.csv" in opened.locator("#same").inner_text()
    opened.locator(".row", has_text="b/c.csv").click()
    dialog = opened.locator("dialog").inner_text()
    for words in ("Places, the first 2", "line 3, column 9", "It has the shape.", "98 of 100 rows", "values elsewhere"):
        assert words in dialog
    # Every control has a name that a screen reader can say.
    nameless = "e => [...document.querySelectorAll('button,input,select')].filter(c => !c.hidden && !c.ariaLabel &&"
    nameless += " !c.textContent.trim() && !(c.labels && c.labels.length)).map(c => c.outerHTML)"
    assert opened.evaluate(nameless) == []
    opened.close()

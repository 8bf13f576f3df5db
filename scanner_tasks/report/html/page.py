"""The page put together: what stands in it is escaped by nodes.py or by page.js, which makes text nodes only.

The page's Content-Security-Policy allows its own style and script by their hashes, and nothing else: no other script,
through ``trusted-types 'none'`` no HTML made of text, and no network; the live page may ask the server that it came
from. What the script shows stands in a JSON block in which ``<`` is escaped. All of the file but the table of findings
and the treemap can be read without the script.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from scanner_tasks.report.html.data import page_data
from scanner_tasks.report.html.nodes import Node, el, escaped, to_html
from scanner_tasks.report.html.sections import parts, section

if TYPE_CHECKING:
    from scanner_tasks.report.html.data import ReportInput

_SCRIPT_ENDS: Final = ("\n(() => {\n", "})();\n")


def page(given: ReportInput) -> str:
    """The whole file, or the live page before it has asked for anything."""
    style, script = style_and_script(is_live=given.is_live)
    data = _json(page_data(given))
    body = "".join(map(to_html, _body(given)))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(is_live=given.is_live)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{escaped(given.title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'{body}\n<script type="application/json" id="data">{data}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def policy(*, is_live: bool) -> str:
    """The page's Content-Security-Policy."""
    style, script = style_and_script(is_live=is_live)
    network = "connect-src 'self'; " if is_live else ""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; {network}base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


@cache
def style_and_script(*, is_live: bool) -> tuple[str, str]:
    """What stands in the page's two elements of these names."""
    begin, end = _SCRIPT_ENDS
    own = _asset("page.js") + (_asset("live.js") if is_live else "")
    return _asset("page.css"), f"{begin}{own}{end}"


def _json(data: object) -> str:
    """JSON that ends no script element, whatever is in it."""
    told = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return told.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _body(given: ReportInput) -> tuple[Node, ...]:
    told = parts(given)
    live = (el("p", id="live", role="status", class_="hint"),) if given.is_live else ()
    theme = el("button", "Dark or light", id="theme", type="button", hidden="")
    place = {name: el("div", *inside, id=f"part-{name}") for name, inside in told.items() if name != "facts"}
    facts = el("dl", *told["facts"], class_="facts", id="part-facts")
    treemap = section(
        "map",
        "Findings by prefix",
        el(
            "p",
            "A box is as large as its number of findings; its colour is that of the worst. Choose one to see its "
            "findings.",
            class_="hint",
        ),
        el("div", id="map", role="list"),
    )
    same = section(
        "same",
        "The same value in several objects",
        el("p", "As far as the places that were kept of each finding tell.", class_="hint"),
        el("div", id="same"),
    )
    words = (
        "it asks the server on this machine only." if given.is_live else "this file loads nothing and sends nothing."
    )
    return (
        el("a", "Skip to the findings", class_="skip", href="#findings"),
        el("header", el("div", el("h1", given.title, id="title"), facts, *live), theme),
        el(
            "main",
            *(place[name] for name in ("summary", "coverage", "risk", "rules")),
            treemap,
            place["compared"],
            *_table_of_findings(given),
            same,
            place["columns"],
        ),
        el("footer", f"Made by s3scan. Values are masked; {words}"),
    )


def _table_of_findings(given: ReportInput) -> tuple[Node, ...]:
    if not given.findings and not given.is_live:
        return (section("find", "Findings", el("p", "Nothing was found."), id="findings"),)
    without = el(
        "noscript",
        el("p", "This table needs the page's script; ", el("code", "s3scan export"), " writes all.", class_="note"),
    )
    every = el("option", "all", value="")
    tools = el(
        "div",
        el(
            "label",
            "Search ",
            el(
                "input",
                id="q",
                type="search",
                placeholder="object, rule, masked value",
                autocomplete="off",
                spellcheck="false",
            ),
        ),
        el("fieldset", el("legend", "Severity"), id="sev"),
        el("label", "Rule ", el("select", every, id="rule")),
        el("label", "State ", el("select", every, id="state")),
        el(
            "label",
            "Compared ",
            el("select", every, *(el("option", word) for word in ("new", "moved", "changed")), id="mark"),
            id="mark-label",
            hidden="",
        ),
        el("button", "Show all", type="button", id="reset"),
        class_="tools",
    )
    grid = el(
        "div",
        el("div", id="head", role="row", aria_rowindex="1"),
        el("div", id="body", role="rowgroup"),
        id="grid",
        role="grid",
        aria_label="Findings",
        tabindex="0",
    )
    keys = "Arrow keys, Page Up and Down, Home and End move; Enter shows a finding, Escape closes it."
    dialog = el(
        "dialog",
        el("form", el("button", "Close", id="close"), method="dialog"),
        el("h2", id="one-title"),
        el("div", id="one-body"),
        id="one",
        aria_labelledby="one-title",
    )
    count = el("p", id="count", role="status")
    return (
        section("find", "Findings", without, tools, count, grid, el("p", keys, class_="hint"), id="findings"),
        dialog,
    )

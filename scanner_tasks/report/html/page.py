"""The page put together: everything that stands in it is escaped here or by page.js, which makes text nodes only.

The page's Content-Security-Policy allows its own style and script by their hashes, and nothing else: no network, no
other script, and through ``trusted-types 'none'`` no HTML made of text. What the script shows stands in a JSON block in
which ``<`` is escaped. All but the table of findings and the treemap can be read without the script.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.progress import sums_line
from scanner_tasks.report.html.data import ReportInput, by_rule, columns, page_data, risk_of
from scanner_tasks.report.risk import FORMULA
from scanner_tasks.report.shapes import object_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scanner_tasks.core.model import Finding

#: Characters that change how text around them is shown, or are not shown: controls, marks of direction, separators.
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
#: Rows of a static table.
_MOST: Final = 200


def page(given: ReportInput) -> str:
    """The whole file."""
    style, script = _asset("page.css"), _asset("page.js")
    data = _json(page_data(given))
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    body = "".join(_sections(given))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{_text(given.title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'{body}\n<script type="application/json" id="data">{data}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def shown(text: str) -> str:
    """The text with every character that would not be seen told by its number.

    Examples:
        >>> shown("a\u202eb")
        'a⟨U+202E⟩b'
    """
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def _text(text: object) -> str:
    return html.escape(shown(str(text)))


def _json(data: object) -> str:
    """JSON that ends no script element, whatever is in it."""
    told = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return told.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _sections(given: ReportInput) -> Iterable[str]:
    told = given.progress
    yield '<a class="skip" href="#findings">Skip to the findings</a><header><div>'
    yield f"<h1>{_text(given.title)}</h1><dl class='facts'>"
    yield "".join(f"<div><dt>{_text(name)}</dt><dd><bdi>{_text(value)}</bdi></dd></div>" for name, value in given.facts)
    yield "</dl></div><button id='theme' type='button' hidden>Dark or light</button></header><main>"
    yield "<section aria-labelledby='h-sum'><h2 id='h-sum'>Summary</h2><ul class='cards'>"
    left = told.partial + told.failed
    for number, words, mark in (
        (told.findings, "findings", ""),
        (told.occurrences, "occurrences", ""),
        (told.listed, "objects listed", ""),
        (told.scanned + told.unchanged, "read to their ends", ""),
        (left, "not read, or not to their ends", "warn" if left else ""),
        (told.skipped, "skipped on purpose", ""),
    ):
        yield f"<li class='{mark}'><b>{number:,}</b> {words}</li>"
    yield "</ul>"
    if given.is_incomplete:
        yield "<p class='warn note'>Coverage is incomplete: more may be there than was found. See Coverage.</p>"
    if len(given.findings) < told.findings:
        yield (
            f"<p class='note'>This file holds {len(given.findings):,} of {told.findings:,} findings; tables, risk and "
            "the treemap speak of those. The numbers above are exact.</p>"
        )
    yield "</section>"
    yield from _coverage(given)
    yield from _risk(given)
    yield from _rules(given)
    yield (
        "<section aria-labelledby='h-map'><h2 id='h-map'>Findings by prefix</h2><p class='hint'>A box is as large as "
        "its number of findings; its colour is that of the worst. Choose one to see its findings.</p>"
        "<div id='map' role='list'></div></section>"
    )
    if given.comparison is not None:
        yield from _compared(given)
    yield from _table_of_findings(given)
    yield (
        "<section aria-labelledby='h-same'><h2 id='h-same'>The same value in several objects</h2>"
        "<p class='hint'>As far as the places that were kept of each finding tell.</p><div id='same'></div></section>"
    )
    yield from _columns(given)
    yield "</main><footer>Made by s3scan. Values are masked; this file loads nothing and sends nothing.</footer>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]], caption: str) -> str:
    """A table; numbers stand right."""
    listed = list(rows)
    numbers = {n for row in listed[:1] for n, value in enumerate(row) if isinstance(value, int)}
    cells = "".join(
        "<tr>"
        + "".join(
            f"<td class='n'>{value:,}</td>" if isinstance(value, int) else f"<td><bdi>{_text(value)}</bdi></td>"
            for value in row
        )
        + "</tr>"
        for row in listed
    )
    head = "".join(
        f"<th scope='col'{' class=n' if n in numbers else ''}>{_text(name)}</th>" for n, name in enumerate(heads)
    )
    return (
        f"<div class='scroll'><table><caption>{_text(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{cells}</tbody></table></div>"
    )


def _coverage(given: ReportInput) -> Iterable[str]:
    outcomes = [(name, count) for name, count in given.progress.outcomes.items()]
    yield "<section aria-labelledby='h-cov'><h2 id='h-cov'>Coverage</h2>"
    yield f"<p>{_text(sums_line(given.progress))}</p>"
    yield _table(["Outcome", "Objects"], outcomes, "Every object by what became of it")
    if given.unread:
        some = given.unread[:_MOST]
        rest = f", the first {_MOST}" if len(some) < len(given.unread) else ""
        caption = f"Objects that were not read to their ends{rest}"
        rows = ((one.name, one.outcome, one.detail) for one in some)
        yield f"<details><summary>{caption}</summary>{_table(['Object', 'Outcome', 'Why'], rows, caption)}</details>"
    yield "</section>"


def _risk(given: ReportInput) -> Iterable[str]:
    yield "<section aria-labelledby='h-risk'><h2 id='h-risk'>Risk</h2>"
    yield f"<p class='hint'>{_text(FORMULA)}</p><ul class='risk'>"
    for one in risk_of(given)[:_MOST]:
        meter = f"<meter min='0' max='100' low='25' high='60' optimum='0' value='{one.risk}'>{one.risk}</meter>"
        yield f"<li><bdi>{_text(one.name)}</bdi> {meter} <b>{one.risk}</b> of 100, "
        yield f"{one.findings:,} findings, the worst {one.worst}</li>"
    yield "</ul></section>"


def _rules(given: ReportInput) -> Iterable[str]:
    rows = [(rule.id, rule.name, rule.category, worst.value, n, places) for rule, worst, n, places in by_rule(given)]
    yield "<section aria-labelledby='h-rules'><h2 id='h-rules'>By rule and severity</h2>"
    totals = dict.fromkeys(("critical", "high", "medium", "low"), 0)
    for finding in given.findings:
        totals[finding.severity.value] += 1
    yield "<ul class='cards'>"
    yield "".join(f"<li class='s-{name}'><b>{count:,}</b> {name}</li>" for name, count in totals.items())
    yield "</ul>"
    yield _table(["Rule", "Name", "Category", "Worst severity", "Findings", "Occurrences"], rows, "Findings by rule")
    yield "</section>"


def _compared(given: ReportInput) -> Iterable[str]:
    told = given.comparison
    assert told is not None
    yield "<section aria-labelledby='h-cmp'><h2 id='h-cmp'>Compared with an earlier job</h2>"
    yield f"<p>{_text(given.compared_with)}: {len(told.new):,} new, {len(told.fixed):,} fixed, "
    yield f"{len(told.moved):,} moved, {len(told.changed):,} with another count, {told.same:,} the same.</p>"
    if given.is_incomplete:
        yield "<p class='warn note'>Fixed may also be: not read this time. See Coverage.</p>"
    for name, findings in (("New", told.new), ("Fixed", told.fixed)):
        if findings:
            caption = name + (f", the first {_MOST}" if len(findings) > _MOST else "")
            table = _table(["Object", "Rule", "Severity", "Count"], map(_row, findings[:_MOST]), caption)
            yield f"<details><summary>{name}: {len(findings):,}</summary>{table}</details>"
    if told.moved:
        rows = (
            (_name(pair.before), _name(pair.after), pair.after.rule_id, pair.after.severity.value)
            for pair in told.moved[:_MOST]
        )
        table = _table(["From", "To", "Rule", "Severity"], rows, "Moved")
        yield f"<details><summary>Moved: {len(told.moved):,}</summary>{table}</details>"
    yield "</section>"


def _name(finding: Finding) -> str:
    return object_name(finding.bucket, finding.key)


def _row(finding: Finding) -> tuple[str, str, str, int]:
    return _name(finding), finding.rule_id, finding.severity.value, finding.count


def _columns(given: ReportInput) -> Iterable[str]:
    rows = columns(given, _MOST)
    if rows:
        told = [
            (name, column, rule, size, valid, f"{100 * valid / size:.0f} %") for name, column, rule, size, valid in rows
        ]
        yield "<section aria-labelledby='h-col'><h2 id='h-col'>Columns that hold little else</h2>"
        table = _table(["Object", "Column", "Rule", "Rows", "Valid", "Share"], told, "Column profiles")
        yield f"<details><summary>{len(told):,} columns of tables</summary>{table}</details></section>"


def _table_of_findings(given: ReportInput) -> Iterable[str]:
    yield "<section aria-labelledby='h-find' id='findings'><h2 id='h-find'>Findings</h2>"
    if not given.findings:
        yield "<p>Nothing was found.</p></section>"
        return
    yield "<noscript><p class='note'>This table needs the page's script; <code>s3scan export</code> writes all."
    yield "</p></noscript>"
    yield (
        "<div class='tools'><label>Search <input id='q' type='search' placeholder='object, rule, masked value' "
        "autocomplete='off' spellcheck='false'></label><fieldset id='sev'><legend>Severity</legend></fieldset>"
        "<label>Rule <select id='rule'><option value=''>all</option></select></label>"
        "<label id='mark-label' hidden>Compared <select id='mark'><option value=''>all</option><option>new</option>"
        "<option>moved</option><option>changed</option></select></label>"
        "<button type='button' id='reset'>Show all</button></div><p id='count' role='status'></p>"
        "<div id='grid' role='grid' aria-label='Findings' tabindex='0'>"
        "<div id='head' role='row' aria-rowindex='1'></div><div id='body' role='rowgroup'></div></div>"
        "<p class='hint'>Arrow keys, Page Up and Down, Home and End move; Enter shows a finding, Escape closes it.</p>"
        "</section><dialog id='one' aria-labelledby='one-title'><form method='dialog'>"
        "<button id='close'>Close</button></form><h2 id='one-title'></h2><div id='one-body'></div></dialog>"
    )

"""XML, HTML and JSON as plain text: element paths, and characters written by their numbers."""

from __future__ import annotations

import html
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner_tasks.core.model import Outcome
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.extract.escapes import json_unescaped, markup_unescaped
from scanner_tasks.rules import load_builtin
from tests.unit.extracting import places, run

SSN = "512-44-1235"
XML = f"""<?xml version="1.0"?>
<!DOCTYPE customers [<!ENTITY a "ha">]>
<customers xmlns:x="urn:x"><!-- <ssn> -->
  <customer id="1 > 0"><ssn/><x:ssn>no</x:ssn></customer>
  <customer><ssn>no</ssn><![CDATA[<b>]]><ssn>{SSN}</ssn></customer>
  <customer mail="jane@example.com" other='1'/>
</customers>
"""


@pytest.mark.parametrize("window", [9, 50, 1 << 20])
def test_the_element_of_xml_is_told(window):
    whole = run(XML.encode(), key="a.xml")
    assert places(whole, SSN) == [(5, 46, "/customers/customer[2]/ssn[2]")]
    assert places(whole, "jane@")[0][2] == "/customers/customer[3]/@mail"
    at = 0
    result = run(XML.encode(), key="a.xml", window_bytes=window)
    assert result.text == XML
    for segment in result.segments:  # the same place however it is cut
        for n in range(len(segment.data)):
            assert segment.path_at(n) == whole.segments[0].path_at(at + n)
        at += len(segment.data)


def test_html_whose_tags_are_left_open_keeps_its_paths():
    page = f"<!DOCTYPE html><html><body><p>one<p>two<br><ul><li>a<li>{SSN}</ul><script>if (a<b) x()</script><i>end</i>"
    result = run(page.encode())
    assert places(result, SSN)[0][2] == "/html/body/p[2]/ul/li[2]"
    assert places(result, "end")[0][2] == "/html/body/p[2]/i"


def test_a_long_document_is_told_as_far_as_it_is_kept():
    content = ("<a>" + "".join(f"<r><v>v{n}.</v>{'x' * 80}</r>" for n in range(60_000)) + "</a>").encode()
    result = run(content)
    assert places(result, "v30000.")[0][2] == "/a/r[30001]/v"
    assert places(result, "v59999.")[0][2] == ""


@pytest.mark.parametrize("content", [b"<a" * 400_000, b"<!--" * 300_000, b"<a b='" * 200_000, b"<" * 1_000_000])
def test_markup_that_never_closes_ends_soon(content):
    result = run(content + SSN.encode(), key="a.xml")
    assert len(places(result, SSN)) == 1


def found(content, key):
    detection = Detector(load_builtin(), Fingerprinter(b"a key of the tests", "k")).begin()
    for segment in run(content, key=key).segments:
        detection.feed(segment)
    return {f.rule_id: [(o.location.line, o.location.path) for o in f.occurrences] for f in detection.finish()}


def test_what_is_written_by_its_numbers_is_found_where_it_stands():
    page = "<html><body>\n<p>ssn 512&#45;44&#x2D;1235</p>\n<p>mail <b>jane&#64;example.com</b></p>\n"
    told = found(page.encode(), "a.html")
    assert told["us.ssn"] == [(2, "/html/body/p")]
    assert told["contact.email"] == [(3, "/html/body/p[2]/b")]
    document = '{"a": [0, {"ssn": "\\u0035\\u0031\\u0032-44-1235"}]}'
    assert found(document.encode(), "a.json")["us.ssn"] == [(1, "$.a[1].ssn")]


def test_where_the_text_is_cut_a_reference_is_whole():
    words = "".join(f"<v>&#53;12-44-{n:04d}</v>" for n in range(1000, 1200))
    whole = run(f"<a>{words}</a>".encode(), key="a.xml").text
    assert "<v>512-44-1100    </v>" in whole
    for window in (30, 64, 1000):
        assert run(f"<a>{words}</a>".encode(), key="a.xml", window_bytes=window).text == whole


characters = st.text(st.sampled_from("ab5-@é€ \"'\\/\n<&;"), max_size=30)


@settings(deadline=None)
@given(characters)
def test_nothing_is_longer_or_shorter_and_lines_stay(text):
    for shown, written in (
        (markup_unescaped, "".join(f"&#{ord(c)};" for c in text).encode()),
        (markup_unescaped, html.escape(text).encode()),
        (json_unescaped, json.dumps(text).encode()),
        (json_unescaped, b"".join(b"\\u%04x" % ord(c) for c in text)),
    ):
        result = shown(written)
        assert len(result) == len(written)
        assert result.count(b"\n") == written.count(b"\n")
        result.decode()


@pytest.mark.parametrize("code", [0, 9, 10, 34, 92, 0xD800, 0xFFFF])
def test_what_json_needs_as_it_is_stays(code):
    written = rb'{"a\u%04x": 1}' % code
    assert run(written, key="a.json").outcome is Outcome.SCANNED
    json_unescaped(written).decode()
    assert (json_unescaped(written) == written) is (code != 0xFFFF)


def test_an_entity_of_the_documents_own_is_never_expanded():
    lol = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {c} "{f"&{chr(ord(c) - 1)};" * 10}">' for c in "bcdefghi"
    ) + "]><x>&i;</x>"  # fmt: skip
    assert run(lol.encode()).text == lol
    quadratic = f'<!DOCTYPE x [<!ENTITY a "{"x" * 50_000}">]><x>{"&a;" * 50_000}</x>'
    assert len(run(quadratic.encode()).text) == len(quadratic)

"""Paths in csv and JSON, which stay plain text with exact lines, columns and offsets."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.rules import load_builtin
from tests.formats.making import zipped
from tests.unit.extracting import places, run

SSN = "512-44-1234"
words = st.text(st.sampled_from('ab{}[]:,"\\ \té'), max_size=8)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("key", ["a.csv", "a.txt", "a.csv.gz"])
def test_the_column_of_a_table_is_told(delimiter, key):
    table = [["id", "full name", "ssn"], ["1", f'quoted "{delimiter}" cell', "x"], ["2", "Jane", SSN], ["3", "y", "z"]]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(table)
    content = out.getvalue().encode()
    for window in (1 << 20, 30, 7):
        result = run(content, key=key, window_bytes=window)
        assert result.text == out.getvalue()
    assert places(run(content, key=key), SSN) == [(3, 8, "row 3, ssn")]
    assert places(run(zipped({"b.csv": content}), key="z"), SSN)[0][2] == "z!b.csv!row 3, ssn"


def test_a_table_without_names_tells_the_columns_number():
    assert places(run(f"1,2,Jane\n3,4,{SSN}\n".encode(), key="a.csv"), SSN)[0][2] == "row 2, column 3"
    assert places(run(f"Jane Roe 12345,x\ny,{SSN}\n".encode(), key="a.csv"), SSN)[0][2] == "row 2, column 2"


def test_a_cell_of_several_lines_tells_no_wrong_column():
    content = f'a,b,c\n1,"two\nlines, {SSN}",3\n4,5,{SSN[:-1]}5\n'.encode()
    for window in (1 << 20, 8):
        result = run(content, key="a.csv", window_bytes=window)
        assert result.text == content.decode()
    result = run(content, key="a.csv")
    assert places(result, SSN)[0][2] == "row 3"
    assert places(result, SSN[:-1] + "5")[0][2] == "row 4, c"


@pytest.mark.parametrize("window", [9, 40, 1 << 20])
def test_the_place_is_the_same_wherever_the_table_is_cut(window):
    lines = [f'{n},"x,""{n}",v{n}' for n in range(50)]
    content = ("id,text,value\n" + "\n".join(lines) + "\n").encode()
    for segment in run(content, key="a.csv", window_bytes=window).segments:
        at = segment.data.find(b"v")
        number = segment.data[at + 1 : at + 3]
        if at >= 0 and len(number) == 2 and number.isdigit() and segment.data[at - 1 : at] == b",":
            assert segment.path_at(at) == f"row {int(number) + 2}, value"


@pytest.mark.parametrize("content", ["a, b and c\nd, e and f\n", "no table", "x,y\n1\n2,3,4\n"])
def test_prose_is_no_table(content):
    (segment,) = run(content.encode()).segments
    assert segment.path_at is None


DOCUMENT = {"a b": [1, {"x": "no"}, [["deep", {"ssn": SSN}]]], "after": '"}{[,:', "last": [0, "the end"]}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("window", [5, 30, 1 << 20])
def test_the_path_in_a_json_document_is_told(indent, window):
    content = json.dumps(DOCUMENT, indent=indent).encode()
    result = run(content, key="a.json", window_bytes=window)
    assert result.text == content.decode()
    whole = run(content, key="a.json")
    assert places(whole, SSN)[0][2] == '$["a b"][2][0][1].ssn'
    assert places(whole, "the end")[0][2] == "$.last[1]"
    at = 0
    for segment in result.segments:  # the same place however it is cut
        for n in range(0, len(segment.data), 3):
            assert segment.path_at(n) == whole.segments[0].path_at(at + n)
        at += len(segment.data)


def leaves(value, path="$"):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{n}]")
    else:
        yield value, path


values = st.recursive(words, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3))


@settings(deadline=None)
@given(before=values, after=values, window=st.integers(1, 60))
def test_whatever_stands_around_it_the_path_is_right(before, after, window):
    document = {"p": before, "q": [before, {"r": "MARK"}], "s": after}
    content = json.dumps(document).encode()
    result = run(content, key="a.json")
    assert places(result, "MARK")[0][2] == "$.q[1].r"


def test_json_lines_begin_anew_and_need_no_more_than_their_line():
    lines = [json.dumps({"n": n, "u": {"ssn": f"v{n}."}}) for n in range(3000)]
    content = ("\n".join(lines)).encode()
    result = run(content, window_bytes=1000)
    assert result.text == content.decode()
    for segment in result.segments:
        at = segment.data.find(b'"v')
        if at >= 0:
            assert segment.path_at(at + 1) == "$.u.ssn"
    assert places(run(content), "v2999.") == [(3000, 27, "$.u.ssn")]


def test_a_long_document_is_told_as_far_as_it_is_kept():
    content = json.dumps([{"ssn": f"v{n}.", "x": "y" * 80} for n in range(60_000)]).encode()
    tracemalloc.start()
    try:
        result = run(content, key="a.json", window_bytes=1 << 20)
        assert places(result, "v30000.")[0][2] == "$[30000].ssn"
        assert places(result, "v59999.")[0][2] == ""
    finally:
        tracemalloc.stop()


def test_deep_json_costs_no_memory_and_tells_no_path():
    content = b"[" * 3_000_000 + SSN.encode()
    result = run(content, key="a.json")
    tracemalloc.start()
    try:
        assert places(result, SSN)[0][2] == ""
        assert tracemalloc.get_traced_memory()[1] < 12_000_000
    finally:
        tracemalloc.stop()


def test_what_detection_finds_carries_the_path_and_hides_values_in_it():
    detection = Detector(load_builtin(), Fingerprinter(b"a key of the tests", "k")).begin()
    document = {"customers": [{"ssn": "512-44-1235"}] * 2, "4111 1111 1111 1111": {"email": "jane@example.com"}}
    for segment in run(json.dumps(document).encode(), key="a.json", window_bytes=20).segments:
        detection.feed(segment)
    found = {f.rule_id: [o.location.path for o in f.occurrences] for f in detection.finish()}
    assert found["us.ssn"] == ["$.customers[0].ssn", "$.customers[1].ssn"]
    told = "".join(path for paths in found.values() for path in paths)
    assert "4111" not in told
    assert '$["****' in told

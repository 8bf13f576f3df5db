"""Text in every encoding, cut anywhere, with exact locations."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scanner_tasks.core.errors import ObjectChanged
from scanner_tasks.core.model import Location, Outcome
from scanner_tasks.extract.kind import HEAD_BYTES, sniff
from tests.unit.extracting import cuts, run

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"))
MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


@settings(deadline=None)
@given(text=texts, sizes=cuts, window=st.integers(1, 50))
def test_utf8_comes_out_as_it_went_in(text, sizes, window):
    result = run(text.encode(), sizes=sizes, window_bytes=window, key="a.txt")
    if result.outcome is not Outcome.SKIPPED_UNSUPPORTED:  # control characters alone are no text
        assert result.text == text
        assert result.outcome is Outcome.SCANNED


@pytest.mark.parametrize("encoding", MARKS)
@settings(deadline=None)
@example(text="Zoë\nठठठठठ", sizes=[1], window=1)
@given(text=texts.map("Zoë\n".__add__), sizes=cuts, window=st.integers(1, 50))
def test_a_byte_order_mark_decides_and_is_no_text(encoding, text, sizes, window):
    result = run(MARKS[encoding] + text.encode(encoding), sizes=sizes, window_bytes=window)
    assert result.text == text
    assert result.segments[0].start == Location(line=1, column=1, offset=len(MARKS[encoding]))


@settings(deadline=None)
@given(content=st.binary(max_size=400), sizes=cuts, window=st.integers(1, 60))
@example(content=b"\xe2\x82", sizes=[1], window=1)
@example(content=b"\xf0\x90\x80A\xc3", sizes=[1], window=2)
def test_how_the_source_cuts_its_bytes_changes_no_segment(content, sizes, window):
    whole = run(content, window_bytes=window)
    cut = run(content, sizes=sizes, window_bytes=window)
    assert cut.segments == whole.segments
    assert cut.outcome is whole.outcome


@settings(deadline=None)
@given(content=st.binary(max_size=400), window=st.integers(1, 60))
@example(content=b"caf\xe9 \xc3\xa9\xc3 \xe2\x82\xac", window=3)
def test_the_size_of_the_window_changes_no_character(content, window):
    assert run(content, window_bytes=window).text == run(content).text


@settings(deadline=None)
@given(parts=st.lists(st.tuples(texts, st.sampled_from(["utf-8", "cp1252"])), max_size=8), sizes=cuts)
def test_mixed_encodings_lose_no_line(parts, sizes):
    lines = [text.replace("\n", " ").encode(encoding, "ignore") + b"\n" for text, encoding in parts]
    result = run(b"".join(lines), sizes=sizes, key="a.txt")
    if sniff(b"".join(lines)[:HEAD_BYTES], "a.txt").form != "text":
        return
    got = result.text.split("\n")[:-1]
    assert len(got) == len(lines)
    for line, (_, encoding), text in zip(lines, parts, got, strict=True):
        if encoding == "utf-8":
            assert text + "\n" == line.decode()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"na\xefve caf\xe9", "naïve café"),
        (b"\x80 100 \x93quoted\x94", "€ 100 “quoted”"),
        (b"latin-1 lacks nothing: \x81\x8d\x8f\x90\x9d", "latin-1 lacks nothing: \x81\x8d\x8f\x90\x9d"),
        ("utf-8 ü then cp1252 ".encode() + b"\xfc then utf-8 \xc3\xbc", "utf-8 ü then cp1252 ü then utf-8 ü"),
        (b"cut off at the end \xe2\x82", "cut off at the end â\u201a"),
        (b"no surrogate \xed\xa0\x80 here", "no surrogate í\xa0€ here"),
        (b"overlong \xc0\xaf", "overlong À¯"),
    ],
)
def test_what_is_not_utf8_is_cp1252_byte_by_byte(content, text):
    assert run(content).text == text
    assert run(content, sizes=[1], window_bytes=1).text == text


def test_utf16_with_lone_surrogates_and_an_odd_end_keeps_its_text():
    content = codecs.BOM_UTF16_LE + "före\n".encode("utf-16-le") + b"\x00\xd8" + "efter".encode("utf-16-le") + b"x"
    assert run(content).text == "före\n\ufffdefter\ufffd"


@settings(deadline=None)
@given(text=texts, encoding=st.sampled_from(sorted(MARKS)), window=st.integers(1, 40))
def test_each_segment_says_where_it_begins(text, encoding, window):
    text = f"Zoë\n{text}"
    before = ""
    for n, segment in enumerate(run(MARKS[encoding] + text.encode(encoding), window_bytes=window).segments):
        assert segment.start == Location(
            line=1 + before.count("\n"),
            column=1 + len(before.rpartition("\n")[2]),
            offset=len(MARKS[encoding]) + len(before.encode(encoding)),
        )
        assert segment.continues == (n > 0)
        before += segment.data.decode()
    assert before == text


def test_offsets_count_source_bytes_where_the_source_is_cp1252():
    segments = run(b"\xe9\xe9\n\xe9\xe9\xe9\xe9", window_bytes=5).segments
    # The fifth byte may begin a UTF-8 character, so it waits for the sixth.
    assert [s.data.decode() for s in segments] == ["éé\né", "ééé"]
    assert segments[1].start == Location(line=2, column=2, offset=4)


def test_crlf_and_cr_belong_to_their_line():
    segments = run(b"a\r\nb\rc\nd", window_bytes=7).segments
    assert [s.data for s in segments] == [b"a\r\nb\rc\n", b"d"]
    assert segments[1].start == Location(line=3, column=1, offset=7)


def test_an_empty_object_has_no_segment():
    assert run(b"").segments == []
    assert run(codecs.BOM_UTF8).segments == []
    assert run(b"").outcome is Outcome.SCANNED


def test_a_source_that_fails_is_passed_on():
    def read(_size):
        raise ObjectChanged("The object was overwritten after it was listed.")

    with pytest.raises(ObjectChanged):
        run(read)


SSN = "512-44-1234"


@pytest.mark.parametrize("window_bytes", [64, 1000, 1 << 20])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_that_was_appended_to_other_text_is_read(encoding, window_bytes):
    before = "Zeile für Zeile\n" * 1000
    wide = "Zeile für Zeile\n" * 100 + f"ssn {SSN}\n" * 100
    content = before.encode() + wide.encode(encoding) + b"and bytes again"
    assert run(content, window_bytes=window_bytes).text == before + wide + "and bytes again"


@pytest.mark.parametrize("odd", ["", "x"])
def test_bytes_that_were_appended_to_utf_16_are_read(odd):
    content = codecs.BOM_UTF16_LE + ("ä line\n" * 2000).encode("utf-16-le")
    content += f"{odd}now a program appends bytes: ssn {SSN}\n".encode() + f"ssn {SSN[::-1]}\n".encode("utf-16-le")
    text = run(content, window_bytes=5000).text
    assert SSN in text
    assert SSN[::-1] in text


def test_chinese_in_utf_16_stays_as_it_is():
    text = "中文文本测试、包括标点……以及 一些 ASCII。\n" * 300
    assert run(codecs.BOM_UTF16_LE + text.encode("utf-16-le")).text == text

"""Old Office files: doc, xls, ppt, msg, and whatever streams stand beside."""

from __future__ import annotations

import lzma
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner_tasks.core.model import Outcome
from scanner_tasks.extract.text import RiskyContentError
from tests.formats.compound_making import compound
from tests.formats.making import docx, zipped
from tests.unit.extracting import places, run

SSN = "512-44-1234"
FILES = Path(__file__).parent / "files"


def made(name):
    return lzma.decompress((FILES / f"{name}.xz").read_bytes())


def test_a_word_document_of_libreoffice_is_read_with_its_header_and_comment():
    result = run(made("letter.doc"), key="letter.doc", is_isolated=False)
    assert result.outcome is Outcome.SCANNED
    assert "Zoë 512-44-1234\n" in result.text
    assert "ssn\t512-44-1235\t" in result.text
    assert "hd 512-44-1236" in result.text
    assert "cm 512-44-1240" in result.text
    assert places(result, SSN) == [(1, 5, "")]


def test_a_workbook_of_libreoffice_is_read_with_all_that_is_beside_its_cells():
    result = run(made("table.xls"), key="a.csv")
    assert result.outcome is Outcome.SCANNED
    for value, place in {
        SSN: "Sheet!B2",
        "512441235": "Sheet!C2",  # a number
        "512-44-1237": "Sheet!A4",  # a formula's
        "512-44-1238": "comments and headers",
        "512-44-1241": "comments and headers",
        "512-44-1242": "Hid!C3",  # a hidden sheet
    }.items():
        assert [path for _, _, path in places(result, value)] == [place]
    with pytest.raises(RiskyContentError):
        run(made("table.xls"), is_isolated=False)


def test_a_document_in_the_old_word_of_95_is_read():
    head = bytearray(600)
    struct.pack_into("<HH", head, 0, 0xA5DC, 0x68)
    text = f"Zoë\rssn\x07{SSN}".encode("cp1252")
    struct.pack_into("<II", head, 0x18, 600, 600 + len(text))
    result = run(compound({"WordDocument": bytes(head) + text}))
    assert (result.text, result.outcome) == (f"Zoë\nssn\t{SSN}", Outcome.SCANNED)


def record(kind, data, version=0):
    return struct.pack("<HHI", version, kind, len(data)) + data


def slides():
    inside = zipped({"word/document.xml": "", "[Content_Types].xml": "", "a.txt": "512-44-1239"})
    texts = record(0x0FA0, f"Zoë\r{SSN}".encode("utf-16-le")) + record(0x0FA8, b"notes 512-44-1235")
    return (
        record(0x03E8, record(0x03EE, texts, 0x0F) + record(0x0999, b"\0" * 70_000), 0x0F)
        + record(0x1011, struct.pack("<I", len(inside)) + zlib.compress(inside), 0x10)
        + record(0x1011, inside)
    )


def test_a_presentation_is_read_with_the_documents_in_it():
    result = run(compound({"PowerPoint Document": slides(), "Current User": b"\0" * 20}), key="a.ppt")
    assert result.outcome is Outcome.SCANNED
    assert places(result, SSN) == [(2, 1, "")]
    assert places(result, "512-44-1235") == [(3, 7, "")]
    found = [path for _, _, path in places(result, "512-44-1239")]
    assert found == ["a.ppt!object 1!a.txt", "a.ppt!object 2!a.txt"]


@pytest.mark.parametrize(
    "streams",
    [
        {"EncryptedPackage": b"x" * 5000, "EncryptionInfo": b"x" * 200},
        {"WordDocument": struct.pack("<5xH5xH", 0, 0)[:10] + b"\x00\x01" + bytes(600)},
        {"PowerPoint Document": slides(), "Current User": struct.pack("<IIII", 0, 28, 20, 0xF3D1C4DF)},
    ],
)
def test_what_is_encrypted_is_an_outcome(streams):
    assert run(compound(streams)).outcome is Outcome.FAILED_ENCRYPTED


def wide(text):
    return text.encode("utf-16-le")


def message(html=b"<p>html 512&#45;44-1236</p>"):
    s = "__substg1.0_"
    attached, inner = "__attach_version1.0_#00000000/", "__attach_version1.0_#00000001/__substg1.0_3701000D/"
    return {
        "__properties_version1.0": bytes(64),
        s + "0037001F": wide("Käse"),
        s + "0C1F001E": b"jane@example.com",
        s + "1000001F": wide(f"first\r\nssn: {SSN}"),
        s + "10130102": html,
        "__nameid_version1.0/" + s + "00020102": b"\1\2",
        "__recip_version1.0_#00000000/" + s + "39FE001F": wide("joe@example.com"),
        attached + s + "37010102": zipped({"b.txt": "512-44-1237"}),
        attached + s + "3707001F": wide("Zoë.zip"),
        inner + "__properties_version1.0": bytes(32),
        inner + s + "0037001F": wide("inner 512-44-1238"),
        inner + "__attach_version1.0_#00000000/" + s + "37010102": b"512-44-1239",
    }


def test_an_outlook_message_is_read_with_all_that_is_attached():
    result = run(compound(message()), key="box/mail.msg", is_isolated=False)
    assert result.outcome is Outcome.SCANNED
    assert "Subject: Käse\nFrom address: jane@example.com\n" in result.text
    for value, place in {
        SSN: (2, 6, "mail.msg!body"),
        "512-44-1236": (1, 9, "mail.msg!body.html!/p"),
        "joe@example.com": (1, 10, "recipient 1"),
        "512-44-1237": (1, 1, "mail.msg!Zoë.zip!b.txt"),
        "512-44-1238": (1, 16, "mail.msg!attached message 2!message"),
        "512-44-1239": (1, 1, "mail.msg!attached message 2!attachment 1"),
    }.items():
        assert places(result, value) == [place]


def test_a_body_that_is_packed_rtf_is_read():
    # The example of [MS-OXRTFCP] 4.1.1.
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232 0af32068656c090020627705b06c647d0a800fa0"
    )
    streams = {"__properties_version1.0": bytes(32), "__substg1.0_10090102": packed}
    result = run(compound(streams), key="a.msg")
    assert (result.text, result.outcome) == ("hello world", Outcome.SCANNED)
    damaged = {
        "__properties_version1.0": bytes(32),
        "__substg1.0_10090102": b"damaged",
        "__substg1.0_0037001F": wide("S"),
    }
    assert run(compound(damaged)).outcome is Outcome.PARTIAL_CORRUPT


def test_messages_in_messages_end_by_their_depth():
    at, streams = "", {}
    for n in range(30):
        streams |= {at + "__properties_version1.0": bytes(32), at + "__substg1.0_0037001F": wide(f"level {n}.")}
        at += "__attach_version1.0_#00000000/__substg1.0_3701000D/"
    result = run(compound(streams))
    assert result.outcome is Outcome.PARTIAL_DEPTH
    assert "level 3." in result.text


def test_streams_of_no_known_make_are_members():
    content = compound({"some/Package": docx([SSN]), "\5SummaryInformation": b"\0\0author 512-44-1235\0" + bytes(50)})
    result = run(content, key="a.vsd", is_isolated=False)
    assert places(result, SSN) == [(1, 1, "a.vsd!some/Package!word/document.xml")]
    assert places(result, "512-44-1235")[0][2] == "a.vsd!SummaryInformation!byte 2"


def test_a_damaged_document_is_read_by_its_printable_runs():
    content = made("letter.doc")
    for damaged in (content[:6000], content[:48] + b"\xff" * 28 + content[76:]):
        result = run(damaged)
        assert result.outcome is Outcome.PARTIAL_CORRUPT
        assert result.text
    assert run(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(900)).outcome is Outcome.FAILED_CORRUPT


CONTENTS = [made("letter.doc"), compound(message()), compound({"PowerPoint Document": slides(), "a/b": b"x" * 9000})]


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_no_damage_makes_it_crash_or_hang(data):
    content = bytearray(data.draw(st.sampled_from(CONTENTS)))
    places_of_numbers = st.integers(0, 511) | st.integers(0, len(content) - 1)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(places_of_numbers)
        content[at : at + 4] = data.draw(st.sampled_from([b"\0\0\0\0", b"\1\0\0\0", b"\xff\xff\xff\xff", b"\2\0\0\0"]))
    run(bytes(content))

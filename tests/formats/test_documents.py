"""Office documents, PDF, RTF and mail: the text with its places, faults, bombs."""

from __future__ import annotations

import gzip
import tracemalloc
import zipfile
import zlib
from email.message import EmailMessage

import pytest

from scanner_tasks.core.model import Outcome
from scanner_tasks.extract.text import RiskyContentError
from tests.formats.making import docx, pdf, rows, xlsx, zipped
from tests.unit.extracting import places, run

SSN = "512-44-1234"


def test_the_paragraphs_of_a_docx_are_lines():
    result = run(
        docx(["Dear A &amp; B,", f"your SSN is {SSN[:6]}</w:t></w:r><w:r><w:t>{SSN[6:]}"]), key="a/letter.docx"
    )
    assert result.outcome is Outcome.SCANNED
    assert "Dear A & B,\n" in result.text
    assert places(result, SSN) == [(2, 13, "letter.docx!word/document.xml")]


def test_what_is_embedded_in_a_document_is_read():
    content = docx(["cover"], **{"word/embeddings/a.zip": zipped({"b.txt": SSN}), "docProps/core.xml": "<a>Zoë</a>"})
    result = run(content, key="a.docx")
    assert places(result, SSN) == [(1, 1, "a.docx!word/embeddings/a.zip!b.txt")]
    assert "Zoë" in result.text


def test_slides_and_odt_are_read():
    slides = zipped({"[Content_Types].xml": "", "ppt/slides/slide3.xml": f"<p:sld><a:p><a:t>{SSN}</a:t></a:p></p:sld>"})
    assert places(run(slides, key="a.pptx"), SSN) == [(1, 1, "a.pptx!ppt/slides/slide3.xml")]
    odt = zipped({
        "mimetype": "application/vnd.oasis.opendocument.text",
        "META-INF/manifest.xml": "",
        "content.xml": f"<office:text><text:p>one</text:p><text:p>ssn<text:tab/>{SSN}</text:p></office:text>",
    })  # fmt: skip
    assert places(run(odt, key="a.odt"), SSN) == [(2, 5, "a.odt!content.xml")]


def test_a_paragraph_is_the_same_wherever_it_is_cut():
    paragraphs = [f"{n} &lt;ssn&#58; {SSN}&gt; &unknown; end" for n in range(200)]
    whole = run(docx(paragraphs), key="a").text
    assert f"7 <ssn: {SSN}> &unknown; end\n" in whole
    for window in (1, 7, 100):
        assert run(docx(paragraphs), key="a", window_bytes=window).text == whole


def test_entities_are_never_expanded():
    lol = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {c} "{f"&{chr(ord(c) - 1)};" * 10}">' for c in "bcdefghi"
    ) + "]><w:p><w:t>&i;</w:t></w:p>"  # fmt: skip
    for content in (lol.encode(), zipped({"[Content_Types].xml": "", "word/document.xml": lol})):
        result = run(content)
        assert result.outcome is Outcome.SCANNED
        assert len(result.text) <= len(lol)


def test_the_cells_of_a_workbook_are_told():
    table = [["name", "ssn", "card"], ["Jane", SSN, 4111111111111111], ["Joe", None, 1.5]]
    content = xlsx({"Sheet1": rows([["x"]]), "Übersicht": rows(table)})
    result = run(content, key="a.csv")
    assert result.outcome is Outcome.SCANNED
    assert places(result, SSN) == [(2, 17, "Übersicht!B2")]
    assert places(result, "4111111111111111")[0][2] == "Übersicht!C2"
    assert f"ssn: {SSN}" in result.text
    inside = run(zipped({"b/a.xlsx": content}), key="a.zip")
    assert places(inside, SSN)[0][2] == "a.zip!b/a.xlsx!Übersicht!B2"


def test_what_stands_beside_the_cells_is_read_and_no_cell_twice():
    beside = (
        "<headerFooter><oddHeader>&amp;C512-44-1235</oddHeader></headerFooter><dataValidations><dataValidation>"
        '<formula1>"512-44-1236,b"</formula1></dataValidation></dataValidations>'
    )
    formula = '<row r="9"><c r="A9"><f>"512-44-1237"</f></c><c r="B9"><f>SUM(A1:A3)</f><v>3</v></c></row>'
    content = xlsx({"S": rows([["ssn", SSN]]) + formula + f"</sheetData>{beside}<sheetData>"})
    for window in (1 << 20, 10):
        result = run(content, key="a.xlsx", window_bytes=window)
        assert result.outcome is Outcome.SCANNED
        assert result.text.count("512-44") == 4
        assert "SUM" not in result.text
        assert places(result, "512-44-1235")[0][2] == "a.xlsx!xl/worksheets/sheet1.xml"


def test_sheet_xml_that_never_closes_ends_soon():
    content = xlsx({"S": rows([["ssn", SSN]]) + "</sheetData>" + "<f>" * 300_000 + "<annotation>" * 100_000})
    assert SSN in run(content, key="a.xlsx").text


def test_the_page_headers_and_comments_of_odf_are_read():
    files = {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "META-INF/manifest.xml": "",
        "content.xml": "<text:p>a<office:annotation><text:p>512-44-1235</text:p></office:annotation></text:p>",
        "styles.xml": f"<style:header><text:p>page {SSN}</text:p></style:header>",
    }
    result = run(zipped(files), key="a.odt")
    assert places(result, SSN) == [(1, 6, "a.odt!styles.xml")]
    assert "512-44-1235" in result.text


def test_the_cells_of_an_ods_are_told():
    office, table, text = (f"urn:oasis:names:tc:opendocument:xmlns:{n}:1.0" for n in ("office", "table", "text"))
    cells = "".join(
        "<table:table-row>" + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row
        ) + "</table:table-row>"
        for row in (["name", "ssn"], ["Jane", SSN])
    )  # fmt: skip
    content = zipped({
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "META-INF/manifest.xml": "<manifest/>",
        "content.xml": f'<office:document-content xmlns:office="{office}" xmlns:table="{table}" xmlns:text="{text}">'
        f'<office:body><office:spreadsheet><table:table table:name="S">{cells}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>",
    }, zipfile.ZIP_STORED)  # fmt: skip
    result = run(content, key="a.ods")
    assert (places(result, SSN), result.outcome) == ([(2, 17, "S!B2")], Outcome.SCANNED)


def test_what_is_held_in_memory_is_held_where_it_harms_no_other():
    large = b"From: a\nTo: b\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\n" + b"QUJD\n" * 1_000_000
    for content in (
        large,
        b"{\\rtf1{\\*\\objdata " + b"00" * 5_000_000,
        b"From a 2026\nSubject: b\n\n" + b"x" * 5_000_000,
    ):
        with pytest.raises(RiskyContentError):
            run(content, key="a", is_isolated=False)


def test_a_sheet_without_names_and_with_a_gap_keeps_its_addresses():
    content = xlsx({"S": '<row r="5"><c r="D5" t="inlineStr"><is><t>512-44-1234</t></is></c></row>'})
    assert places(run(content, key="a.xlsx"), SSN)[0][2] == "S!D5"


def test_a_workbook_with_a_cell_far_out_is_read_without_its_empty_ones():
    content = xlsx({"S": rows([["ssn", SSN]]) + '<row r="1048576"><c r="XFD1048576"><v>5</v></c></row>'})
    result = run(content, key="a.xlsx")
    assert result.outcome is Outcome.SCANNED
    assert SSN in result.text


def test_a_million_empty_rows_cost_nothing():
    empty = "".join(f'<row r="{n}"/>' for n in range(2, 200_000))
    content = xlsx({"S": rows([["ssn", SSN]]) + empty})
    tracemalloc.start()
    try:
        result = run(content, key="a.xlsx")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (SSN in result.text, peak < 12_000_000) == (True, True)


def test_the_rows_of_a_workbook_have_a_budget():
    result = run(xlsx({"S": rows([[SSN]] * 50)}), key="a.xlsx", max_rows=20)
    assert result.outcome is Outcome.PARTIAL_ROWS


def test_a_workbook_bomb_ends_by_its_budget():
    content = xlsx({"S": "<row>" + " " * 20_000_000 + "</row>"})
    assert run(content, max_ratio=100, ratio_free_bytes=1_000_000).outcome is Outcome.PARTIAL_RATIO


def test_a_damaged_workbook_is_corrupt():
    content = xlsx({"S": "<row><c"})
    assert run(content, key="a.xlsx").outcome in {Outcome.FAILED_CORRUPT, Outcome.PARTIAL_CORRUPT, Outcome.SCANNED}
    assert run(content[:200], key="a.xlsx").outcome in {Outcome.FAILED_CORRUPT, Outcome.PARTIAL_CORRUPT}


def test_the_pages_of_a_pdf_are_told():
    result = run(pdf(["first", f"ssn: {SSN}"]), key="a.pdf")
    assert result.outcome is Outcome.SCANNED
    assert places(result, SSN) == [(1, 6, "page 2")]
    assert places(run(zipped({"a.pdf": pdf([SSN])}), key="z.zip"), SSN) == [(1, 1, "z.zip!a.pdf!page 1")]


def test_the_pages_of_a_pdf_have_a_budget():
    result = run(pdf(["one", "two", "three"]), max_pages=2)
    assert (result.text, result.outcome) == ("onetwo", Outcome.PARTIAL_PAGES)


def test_a_pdf_that_is_none_is_corrupt():
    assert run(b"%PDF-1\nno").outcome is Outcome.FAILED_CORRUPT


def full_pdf():
    notes = (
        b"[<</Type/Annot/Subtype/Widget/FT/Tx/T(tax id)/V(512-44-1235)/Rect[0 0 9 9]>>"
        b"<</Type/Annot/Subtype/Text/Contents(note 512-44-1236)/Rect[0 0 9 9]>>"
        b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(http://x/?q=512-44-1237)>>>>]"
    )
    outlines = b"/Outlines<</First<</Title(mark 512-44-1238)>>>>/AcroForm<</Fields[]/XFA[(data)99 0 R]>>"
    xfa = b"99 0 obj\n<</Length 29>>stream\n<data><ssn>512-44-1239</ssn>\n\nendstream\nendobj\n"
    content = pdf(["first", f"page {SSN}"])
    content = content.replace(b"/Contents 7 0 R", b"/Contents 7 0 R/Annots" + notes)
    return content.replace(b"/Catalog", b"/Catalog" + outlines).replace(b"xref\n", xfa + b"xref\n", 1)


def test_the_fields_notes_links_and_bookmarks_of_a_pdf_are_read():
    result = run(full_pdf(), key="a.pdf")
    assert result.outcome is Outcome.SCANNED
    for value, place in {
        SSN: (1, 6, "page 2"),
        "512-44-1235": (1, 9, "page 2, fields and notes"),
        "512-44-1236": (2, 6, "page 2, fields and notes"),
        "512-44-1237": (3, 13, "page 2, fields and notes"),
        "512-44-1238": (1, 6, "bookmarks"),
        "512-44-1239": (1, 12, "a.pdf!form data!/data/ssn"),
    }.items():
        assert places(result, value) == [place]


def test_a_pdf_behind_something_else_is_one():
    result = run(b"HTTP header\r\n" + pdf([SSN]) + b"\0\0", key="a.bin")
    assert places(result, SSN)[0][2] == "page 1"


def test_what_is_left_of_a_damaged_pdf_is_read():
    packed = zlib.compress(f"BT (packed {SSN}) Tj ET".encode())
    content = (
        b"%PDF-1.4\n1 0 obj\n<</Author(Jane 512-44-1235)>>\nstream\n" + packed + b"\nendstream\n" + b"\0" * 2_000_000
    )
    content += b"stream\r\n" + packed + b"endstream"
    result = run(content, key="a.pdf")
    assert result.outcome is Outcome.PARTIAL_CORRUPT
    assert places(result, "512-44-1235")[0][2] == "byte 17"
    assert [place[2] for place in places(result, SSN)] == ["a.pdf!stream 1", "a.pdf!stream 2"]


def test_pdf_pages_that_hold_one_another_end():
    loop = pdf(["a"]).replace(b"/Kids[4 0 R]", b"/Kids[2 0 R]")
    assert run(loop).outcome in {Outcome.FAILED_CORRUPT, Outcome.SCANNED, Outcome.PARTIAL_CORRUPT}


def test_a_risky_parser_is_not_called_where_it_could_harm_others():
    for content in (pdf(["a"]), xlsx({"S": ""}), zipped({"a.txt": "a", "b.pdf": pdf(["a"])}), b"SQLite format 3\0"):
        with pytest.raises(RiskyContentError):
            run(content, is_isolated=False)
    assert run(docx(["a"]), is_isolated=False).outcome is Outcome.SCANNED


def test_rtf_is_read():
    content = (
        rb"{\rtf1\ansi{\fonttbl\f0 Helvetica;}{\info{\author Zo\'eb}}\f0\pard one\tab two\par "
        rb"ssn: 512-44-\b 12\b0 34 \u8364?\par}"
    )
    result = run(content)
    assert result.text == "\tZoë\tone\ttwo\nssn: 512-44-1234 €\n"


def message():
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.com", "b@example.com", "Käse"
    mail.set_content(f"größer als\nssn: {SSN}\n", cte="base64", charset="iso-8859-15")
    mail.add_attachment(zipped({"c.txt": SSN}), maintype="application", subtype="zip", filename="Zoë.zip")
    return mail.as_bytes()


def test_a_messages_parts_are_decoded_and_its_attachments_opened():
    result = run(message(), key="box/one.eml")
    assert result.outcome is Outcome.SCANNED
    assert "Subject: Käse" in result.text
    assert "größer als" in result.text
    assert places(result, SSN) == [(2, 6, "one.eml!part 1"), (1, 1, "one.eml!Zoë.zip!c.txt")]


def test_a_mailboxs_messages_are_members():
    start = b"From a@example.com Thu Jan  1 00:00:00 2026\n"
    content = start + message() + b"\n" + start + b"Subject: x\n\nplain " + SSN.encode() + b"\n"
    result = run(content, key="a.mbox", sizes=[1000])
    assert result.outcome is Outcome.SCANNED
    assert places(result, SSN)[-1] == (3, 7, "a.mbox!message 2")
    assert places(result, SSN)[0][2] == "a.mbox!message 1!part 1"


def test_a_plain_message_keeps_its_lines():
    content = b"From: a\nTo: b\nSubject: c\n\nssn: " + SSN.encode()
    assert places(run(content, key="a.eml"), SSN) == [(5, 6, "")]


def test_messages_within_messages_end_by_their_depth():
    nested = b"MIME-Version: 1.0\nFrom: a\nTo: b\nContent-Type: message/rfc822\n\n" * 3000
    assert run(nested, key="a.eml").outcome in {Outcome.PARTIAL_DEPTH, Outcome.SCANNED, Outcome.PARTIAL_MEMBERS}


def test_what_stands_around_the_parts_of_a_message_is_read():
    content = (
        b"From: a\nTo: b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\nbefore 512-44-1235\n"
        b"--b\n\nbody " + SSN.encode() + b"\n--b--\nbehind 512-44-1236 Zo\xc3\xab\n"
    )
    result = run(content, key="a.eml")
    assert places(result, "512-44-1235")[0][2] == "preamble"
    assert places(result, "512-44-1236")[0][2] == "epilogue"
    assert "Zoë" in result.text


def test_a_message_nested_too_deep_keeps_its_printable_runs():
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2000))
    head = b"From: a\nTo: b\nSubject: ssn 512-44-1235\nMIME-Version: 1.0\n"
    result = run(head + parts + b"\nssn: " + SSN.encode() + b"\n", key="a.eml")
    assert result.outcome is Outcome.PARTIAL_DEPTH
    assert "512-44-1235" in result.text
    assert SSN in result.text


def test_a_message_too_large_to_be_held_keeps_its_printable_runs():
    head = b"From: a\nTo: b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n"
    content = head + b"some line of text\n" * 5000 + b"ssn: " + SSN.encode()
    result = run(content, key="a.eml", memory_bytes=20_000)
    assert result.outcome is Outcome.PARTIAL_BYTES
    assert SSN in result.text


def test_a_message_that_is_cut_keeps_what_was_read():
    head = b"From: a\nTo: b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n"
    lines = b"".join(b"%d\n" % (n * n) for n in range(20_000))
    content = gzip.compress(head + b"ssn: " + SSN.encode() + b"\n" + lines)
    result = run(content[: len(content) // 2], key="a.eml.gz")
    assert result.outcome is Outcome.PARTIAL_CORRUPT
    assert SSN in result.text


def test_a_header_in_a_charset_that_cannot_be_stays_as_it_is_written():
    head = b"From: a\nTo: b\nSubject: =?\xefso?q?512-44-1234?=\nMIME-Version: 1.0\n"
    content = head + b"Content-Transfer-Encoding: base64\n\nQQ=="
    result = run(content, key="a.eml")
    assert (result.outcome, SSN in result.text) == (Outcome.SCANNED, True)


@pytest.mark.parametrize("key", ["a.eml", "0001"])
def test_a_message_with_long_headers_is_one(key):
    message = EmailMessage()
    message["Subject"] = "table"
    message.set_content("see below")
    message.add_attachment(zipped({"a.csv": f"ssn\n{SSN}\n"}), maintype="application", subtype="zip", filename="a.zip")
    stamps = b"Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n" * 200
    result = run(b"Return-Path: <a@example.com>\r\nDelivered-To: b\r\n" + stamps + message.as_bytes(), key=key)
    assert places(result, SSN) == [(2, 1, f"{key}!a.zip!a.csv!row 2, ssn")]

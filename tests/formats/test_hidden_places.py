"""Where text stands that many readers pass over: beside pages, in attributes, between members, in old rows."""

from __future__ import annotations

import base64
import io
import random
import sqlite3
import struct
import tarfile
import zipfile
import zlib

import pyarrow as pa
import pytest
from pyarrow import parquet

from scanner_tasks.core.model import Outcome
from tests.formats.compound_making import compound
from tests.formats.making import docx, pdf, xlsx, zipped
from tests.formats.test_binaries import png
from tests.unit.extracting import places, run

SSN = "512-44-1234"


def path_of(result):
    assert result.outcome is Outcome.SCANNED, result.error
    return [path for _, _, path in places(result, SSN)]


# Archives


def test_what_the_directory_of_a_zip_does_not_tell_is_read():
    whole = zipped({"a.txt": "one", "hidden.txt": f"ssn {SSN}", "z.txt": "two"})
    begin, end = whole.find(b"PK\x01\x02"), whole.find(b"PK\x05\x06")
    first, _, last = (b"PK\x01\x02" + part for part in whole[begin:end].split(b"PK\x01\x02")[1:])
    told = first + last
    content = whole[:begin] + told + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 2, 2, len(told), begin, 0)
    assert path_of(run(content, key="a.zip")) == ["a.zip!hidden.txt"]


def test_text_between_the_members_of_a_zip_is_read():
    content = zipped({"a.txt": "one"}, zipfile.ZIP_STORED)
    begin, between = content.find(b"PK\x01\x02"), f"this is between them: {SSN} ".encode()
    moved = bytearray(content[begin:])
    struct.pack_into("<I", moved, moved.find(b"PK\x05\x06") + 16, begin + len(between))
    result = run(content[:begin] + between + moved, key="a.zip")
    assert path_of(result) == [f"a.zip!between the members, byte {begin}"]


def test_comments_of_members_are_read():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("a.txt")
        info.comment = f"ssn {SSN}".encode()
        archive.writestr(info, "one")
    assert path_of(run(out.getvalue(), key="a.zip")) == ["comment of a.txt"]


def test_the_size_in_a_pax_header_counts():
    record = b"13 size=2000\n"
    before, member = tarfile.TarInfo("PaxHeaders/a"), tarfile.TarInfo("a.txt")
    before.type, before.size = b"x", len(record)
    content = before.tobuf(tarfile.USTAR_FORMAT) + record.ljust(512, b"\0") + member.tobuf(tarfile.USTAR_FORMAT)
    content += (b"x" * 1980 + f" {SSN}".encode()).ljust(2048, b"\0") + bytes(1024)
    assert path_of(run(content, key="a.tar")) == ["a.tar!a.txt"]


# Documents


@pytest.mark.parametrize(
    ("member", "xml"),
    [
        ("word/document.xml", f'<w:p><wp:docPr id="1" descr="photo of {SSN}"/></w:p>'),
        ("word/comments.xml", f'<w:comment w:author="{SSN}"><w:p/></w:comment>'),
        ("word/document.xml", f"<w:fldSimple w:instr='MAILTO {SSN}'/>"),
        ("word/diagrams/data1.xml", "<a:r><a:t>512-44-</a:t></a:r><a:r><a:t>1234</a:t></a:r>"),
        ("word/glossary/document.xml", "<w:r><w:t>512-44-</w:t></w:r><w:r><w:t>1234</w:t></w:r>"),
        ("ppt/slideMasters/slideMaster1.xml", "<a:r><a:t>512-</a:t></a:r><a:r><a:t>44-1234</a:t></a:r>"),
        ("word/settings.xml", f'<w:docVar w:name="ssn" w:val="{SSN}"/>'),
    ],
)
def test_text_in_attributes_and_drawings_is_read(member, xml):
    [path] = path_of(run(docx([], **{member: xml}), key="a.docx"))
    assert path.startswith(f"a.docx!{member}")


@pytest.mark.parametrize("beside", [f'<hyperlink ref="A1" tooltip="{SSN}"/>', f'<dataValidation prompt="{SSN}"/>'])
def test_hints_of_a_sheet_are_read_once(beside):
    sheets = xlsx({"S": "<row r='1'><c r='A1'><v>1</v></c></row>"})
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sheets)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"</worksheet>", beside.encode() + b"</worksheet>"))
    result = run(out.getvalue(), key="a.xlsx")
    assert path_of(result) == ["a.xlsx!xl/worksheets/sheet1.xml"]
    assert result.text.count(SSN) == 1


MANIFEST = "META-INF/manifest.xml"


def test_an_odt_is_known_by_its_last_member_too():
    pictures = {f"Pictures/{n}.gif": b"GIF89a\0" for n in range(300)}
    content = zipped({**pictures, "content.xml": "<text:p>512-<text:span>44-1234</text:span></text:p>", MANIFEST: ""})
    assert path_of(run(content, key="a.odt")) == ["a.odt!content.xml"]


def test_an_encrypted_odt_is_encrypted():
    told = '<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>'
    content = zipped({"content.xml": random.Random(1).randbytes(3000), MANIFEST: told})
    assert run(content, key="a.odt").outcome is Outcome.FAILED_ENCRYPTED


def test_rtf_keeps_what_is_no_part_of_its_text_apart():
    head = rb"{\rtf1{\info{\author 512-44-1234}{\title x}}512-44-1299{\footnote 7}{\*\fldinst LINK}9\par}"
    assert run(head).text.split() == ["512-44-1234", "x", "512-44-1299", "7", "LINK", "9"]


def test_what_is_embedded_in_rtf_is_opened():
    inner = zipped({"a.txt": SSN})
    packaged = b"\2\0letter\0C:\\letter\0" + bytes(2) + b"\3\0" + struct.pack("<I", 2) + b"t\0"
    packaged += struct.pack("<I", len(inner)) + inner
    for content in (inner, packaged):
        told = struct.pack("<III", 0x501, 2, 8) + b"Package\0" + bytes(8) + struct.pack("<I", len(content)) + content
        digits = b"\n".join(base64.b16encode(told[at : at + 40]) for at in range(0, len(told), 40))
        rtf = b"{\\rtf1 text{\\object{\\*\\objdata " + digits + b"}}}"
        assert path_of(run(rtf, key="a.rtf", window_bytes=100)) == ["a.rtf!object 1!a.txt"]
    old = compound({"ObjectPool/_1/\1Ole10Native": struct.pack("<I", len(packaged)) + packaged})
    assert path_of(run(old, key="a.doc")) == ["a.doc!ObjectPool/_1/Ole10Native!a.txt"]


def test_a_large_rtf_needs_no_memory():
    content = b"{\\rtf1 " + b"fill fill fill\\par " * 100_000 + SSN.encode() + b"}"
    assert path_of(run(content, key="a.rtf", memory_bytes=100_000)) == [""]


def test_text_behind_very_many_braces_in_rtf_is_read():
    assert SSN in run(b"{\\rtf1 " + b"{" * 30_000 + SSN.encode(), key="a.rtf").text


def test_text_beside_a_page_is_read():
    beside = pdf([SSN]).replace(b"72 720 Td", b"-90 -90 Td")
    assert path_of(run(beside, key="a.pdf")) == ["page 1"]
    cropped = pdf([SSN]).replace(b"/MediaBox[0 0 612 792]", b"/CropBox[0 0 9 9]/MediaBox[0 0 612 792]")
    assert path_of(run(cropped, key="a.pdf")) == ["page 1"]


def test_the_description_of_a_pdf_and_a_pinned_file_are_read():
    packet = f'<?xpacket begin=""?><x:xmpmeta>ssn {SSN}</x:xmpmeta><?xpacket end="w"?>'.encode()
    content = pdf(["x"]).replace(b"xref\n", b"9 0 obj\n<</Type/Metadata>>stream\n" + packet + b"\nendstream\nxref\n", 1)
    assert path_of(run(content, key="a.pdf")) == ["a.pdf!XMP"]
    pinned = (
        b"/Annots[<</Type/Annot/Subtype/FileAttachment/Rect[0 0 9 9]/FS<</Type/Filespec/F(b.txt)/UF(b.txt)"
        b"/EF<</F 9 0 R>>>>>>]/MediaBox[0 0 612 792]"
    )
    file = (
        b"9 0 obj\n<</Type/EmbeddedFile/Length 11/Params<</Size 11>>>>stream\n"
        + SSN.encode()
        + b"\nendstream\nendobj\n"
    )
    content = pdf(["x"]).replace(b"/MediaBox[0 0 612 792]", pinned).replace(b"xref\n", file + b"xref\n", 1)
    assert path_of(run(content.replace(b"startxref", b"none"), key="a.pdf")) == ["a.pdf!page 1, b.txt"]


# Pictures and other binaries


def test_long_texts_and_unknown_chunks_of_a_png_are_read():
    filler = "".join(f"{n} and so on\n" for n in range(200_000))
    for kind, chunk in (
        ("tEXt", b"d\0" + (filler + SSN).encode()),
        ("zTXt", b"d\0\0" + zlib.compress((filler + SSN).encode())),
        ("prVt", b"\0\1" + SSN.encode()),
    ):
        assert path_of(run(png((kind.encode(), chunk)), key="a.png"))[0].startswith(kind)


def test_a_comment_between_the_scans_of_a_jpeg_is_read():
    def part(kind, data):
        return b"\xff" + bytes([kind]) + struct.pack(">H", len(data) + 2) + data

    scan = part(0xDA, bytes(6)) + b"picture\xff\0\xff\xd0" + bytes(70_000) + b"\xff"
    content = b"\xff\xd8" + scan + part(0xFE, SSN.encode()) + scan + b"\xff\xd9"
    assert path_of(run(content, key="a.jpg")) == ["comment"]


@pytest.mark.parametrize("encoding", ["ascii", "utf-16-le"])
def test_a_value_at_a_cut_of_a_very_long_run_is_found(encoding):
    size = 1 << (20 if encoding == "ascii" else 19)
    head = b"\0\1\2\3" * 2500
    text = "a" * (size - len(head) // len("a".encode(encoding)) - 5) + SSN + "b" * size
    result = run(head + text.encode(encoding))
    assert path_of(result) == [] and SSN in result.text  # noqa: PT018 (it stands in two segments)
    assert [segment.continues for segment in result.segments][:2] == [False, True]


# Tables


def test_what_was_deleted_how_it_was_made_and_files_in_a_database_are_read():
    connection = sqlite3.connect(":memory:")
    connection.execute("pragma secure_delete = off")
    connection.execute("create table t (a default 'made 512-44-1299', b)")
    connection.executemany("insert into t values (?, ?)", [("x" * 50, None), (f"ssn {SSN}", None), ("y" * 50, None)])
    connection.execute("insert into t values ('z', ?)", (zipped({"a.txt": "512-44-1298"}),))
    connection.execute("delete from t where a like 'ssn%'")
    connection.commit()
    result = run(connection.serialize(), key="a.db")
    assert [path.rpartition("!")[0] for path in path_of(result)] == ["freed rows"]
    assert places(result, "512-44-1299")[0][2] == "schema"
    assert places(result, "512-44-1298")[0][2] == "a.db!t: row 3, b!a.txt"


def test_a_card_number_that_became_a_number_with_a_point_stands_as_it_was():
    out = io.BytesIO()
    parquet.write_table(pa.table({"card": [4111111111111111.0, None, 0.5, 1e300]}), out)
    assert run(out.getvalue()).text == "card: 4111111111111111\ncard: \ncard: 0.5\ncard: 1e+300\n"


# Damaged files: what can be had of them


def test_a_column_that_is_made_when_read_hides_no_other():
    connection = sqlite3.connect(":memory:")
    connection.execute("create table t (a, b as (hex(zeroblob(400000000))), c as (a || 'x') stored)")
    connection.execute("insert into t (a) values (?)", (SSN,))
    connection.commit()
    assert path_of(run(connection.serialize(), key="a.db"))[0] == "t: row 1, a"


def damaged_database():
    connection = sqlite3.connect(":memory:")
    connection.executescript(f"create table t (a); insert into t values ('ssn {SSN}')")
    content = bytearray(connection.serialize())
    content[100:108] = b"\xff" * 8
    return bytes(content)


def damaged_table():
    out = io.BytesIO()
    parquet.write_table(pa.table({"a": [SSN]}), out, compression="none", use_dictionary=False)
    return out.getvalue()[:-4]


def damaged_book():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "")
        archive.writestr("xl/workbook.xml", "<workbook")
        archive.writestr("xl/comments1.xml", f"<comment>{SSN}</comment>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("a.db", damaged_database()),
        ("a.parquet", damaged_table()),
        ("a.xlsx", damaged_book()),
        ("a.pdf", pdf([f"ssn {SSN}"]).replace(b"/Kids[4 0 R]", b"/Kids[2 0 R]")),
    ],
)
def test_what_stands_in_a_damaged_file_is_found_all_the_same(key, content):
    result = run(content, key=key)
    assert result.outcome is Outcome.PARTIAL_CORRUPT
    assert SSN in result.text


# Streams of old Office


def packed_source(text):
    """As VBA packs it: each eight bytes behind a byte of flags, and one copy of what stands before."""
    data = text.encode()
    chunk = b"".join(b"\0" + data[at : at + 8] for at in range(0, len(data), 8))
    assert len(data) % 8 == 0
    offset_bits = max((len(data) - 1).bit_length(), 4)
    chunk += b"\1" + struct.pack("<H", (len(SSN) - 1) << (16 - offset_bits) | (len(SSN) - 3))
    return b"\1" + struct.pack("<H", 0xB000 | len(chunk) - 1) + chunk


def test_the_source_of_macros_is_read():
    text = f'Attribute VB_Name = "Module1"\r\nConst SSN = "{SSN}"\r\n'
    text += "'" * (-(len(text) + len(SSN)) % 8) + SSN
    module = bytes(200) + b"compiled" + packed_source(text) + b"behind it"
    project = compound({"VBA/Module1": module, "VBA/dir": b"\1" + bytes(90), "PROJECT": b"Name=VBAProject"})
    result = run(zipped({"[Content_Types].xml": "", "word/vbaProject.bin": project}), key="a.docm")
    assert path_of(result) == ["a.docm!word/vbaProject.bin!VBA/Module1"]
    assert text + SSN in result.text


def test_a_workbook_that_is_attached_to_a_message_as_an_object_is_read():
    attached = "__attach_version1.0_#00000000/__substg1.0_3701000D/"
    content = compound({
        "__properties_version1.0": bytes(32),
        "__substg1.0_0037001F": "subject".encode("utf-16-le"),
        attached + "CONTENTS": bytes(9) + SSN.encode() + bytes(9),
        attached + "ObjectPool/x": bytes(9) + b"512-44-1299" + bytes(9),
    })  # fmt: skip
    result = run(content, key="a.msg")
    assert path_of(result) == ["a.msg!attached message 1!CONTENTS!byte 9"]
    assert places(result, "512-44-1299")[0][2] == "a.msg!attached message 1!ObjectPool/x!byte 9"


def test_a_very_long_text_of_a_slide_is_read_to_its_end():
    text = ("a" * 2_000_000 + SSN).encode()
    content = compound({"PowerPoint Document": struct.pack("<HHI", 0, 0x0FA8, len(text)) + text})
    assert SSN in run(content, key="a.ppt").text

"""Objects made to do harm, each small enough to be made in a moment: for bench_bombs.py and bench_worker_memory.py."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import sqlite3
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import fastavro
import pyarrow as pa
from pyarrow import parquet

from tests.formats.making import docx, pdf, rows, xlsx


def zipped(*contents: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for n, content in enumerate(contents):
            archive.writestr(f"{n}.csv", content)
    return file.getvalue()


def tarred(count: int) -> bytes:
    header = tarfile.TarInfo("a.csv").tobuf()
    return header * count + bytes(1024)


def nested(times: int, each: int = 10, inner: bytes = bytes(1_000_000)) -> bytes:
    for _ in range(times):
        inner = zipped(*[inner] * each)
    return inner


def overlapping(entries: int, kernel_bytes: int) -> bytes:
    """Fifield's idea: every entry of the directory tells the same place."""
    kernel = zipped(bytes(kernel_bytes))
    begin = kernel.find(b"PK\x01\x02")
    entry = kernel[begin : kernel.find(b"PK\x05\x06")]
    count = min(entries, 0xFFFF)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(entry) * entries, begin, 0)
    return kernel[:begin] + entry * entries + end


def of_itself(size: int) -> bytes:
    """The first bytes of an endless gzip stream that unpacks to itself, all the way down."""
    made = bytearray(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")
    taken = 0
    while len(made) < size:
        piece = bytes(made[taken : taken + 60_000])  # there is always more of it than was taken
        made += b"\0" + struct.pack("<HH", len(piece), len(piece) ^ 0xFFFF) + piece
        taken += len(piece)
    return bytes(made[:size])


def zstd_rle() -> bytes:
    block = (1 << 17 << 3 | 1 << 1).to_bytes(3, "little") + b"a"
    return b"\x28\xb5\x2f\xfd\x00\x58" + block * 16_000


def laughs() -> str:
    entities = "".join(f'<!ENTITY {c} "{f"&{chr(ord(c) - 1)};" * 10}">' for c in "bcdefghij")
    return f'<!DOCTYPE x [<!ENTITY a "ha">{entities}]><w:p><w:t>&j;</w:t></w:p>'


def strings_workbook() -> bytes:
    """A million cells that all show one text of 32 KB."""
    content = xlsx({"S": "".join(f'<row r="{n}"><c t="s"><v>0</v></c></row>' for n in range(1, 1_000_001))})
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("workbook.xml.rels"):
                kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
                link = b'<Relationship Id="rId99" Type="' + kind + b'" Target="sharedStrings.xml"/>'
                data = data.replace(b"</Relationships>", link + b"</Relationships>")
            new.writestr(name, data)
        main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        new.writestr("xl/sharedStrings.xml", f'<sst xmlns="{main}"><si><t>{"a" * 32_000}</t></si></sst>')
    return out.getvalue()


def numbers_workbook(rows_count: int) -> bytes:
    one = "".join(f'<c r="{c}{{0}}"><v>512441234</v></c>' for c in "ABCDEFGHIJ")
    return xlsx({"S": "".join(f'<row r="{n}">{one.format(n)}</row>' for n in range(1, rows_count + 1))})


def pdf_with(replacements: dict[bytes, bytes], more: bytes = b"") -> bytes:
    content = pdf(["ssn 512-44-1234"])
    for old, new in replacements.items():
        content = content.replace(old, new)
    return content.replace(b"xref\n", more + b"xref\n", 1)


def pdf_packed(times: int) -> bytes:
    """A page whose content is packed several times over: 1 GB of it."""
    data = b"(a) Tj " * 150_000
    packed, filters = data * 1000, b""
    pieces = zlib.compressobj(9)
    packed = b"".join([pieces.compress(data * 10) for _ in range(100)]) + pieces.flush()
    filters = b"/FlateDecode"
    for _ in range(times - 1):
        packed, filters = zlib.compress(packed, 9), filters + b"/FlateDecode"
    content = pdf(["x"])
    begin, end = content.find(b"5 0 obj"), content.find(b"xref")
    body = b"5 0 obj\n<</Length %d/Filter[%s]>>stream\n" % (len(packed), filters) + packed + b"\nendstream\nendobj\n"
    return content[:begin] + body + content[end:]


def pdf_form_loop() -> bytes:
    """A form that draws itself."""
    form = (
        b"9 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 9 0 R>>>>/Length 11>>stream\n"
        b"/X Do /X Do\nendstream\nendobj\n"
    )
    return pdf_with(
        {b"/Font<</F1 3 0 R>>": b"/Font<</F1 3 0 R>>/XObject<</X 9 0 R>>", b" Tj ET": b" Tj ET /X Do"}, form
    )


def pdf_xref_loop() -> bytes:
    content = pdf(["ssn 512-44-1234"])
    table = content.find(b"xref\n")
    return content.replace(b"trailer\n<<", b"trailer\n<</Prev %d" % table)


def pdf_stream_loop() -> bytes:
    """A table of cross-references in which every object stands in a stream of objects that stands in itself."""
    catalog = (
        b"<</Type/Catalog/Pages 2 0 R>><</Type/Pages/Kids[4 0 R]/Count 1>><</Type/Page/Parent 2 0 R/Contents 5 0 R>>"
    )
    stream = b"1 0 2 29 4 63 " + catalog
    held = (
        b"9 0 obj\n<</Type/ObjStm/N 3/First 14/Extends 9 0 R/Length 9 0 R>>stream\n" + stream + b"\nendstream\nendobj\n"
    )
    head = b"%PDF-1.7\n"
    entries = b"".join(
        struct.pack(">BHB", *entry)
        for entry in [(0, 0, 0)] + [(2, 9, n) for n in range(8)] + [(2, 9, 0), (1, len(head) + len(held), 0)]
    )
    table = b"10 0 obj\n<</Type/XRef/Size 11/W[1 2 1]/Root 1 0 R/Prev %d/Length %d>>stream\n" % (
        len(head) + len(held),
        len(entries),
    )
    body = head + held + table + entries + b"\nendstream\nendobj\n"
    return body + b"startxref\n%d\n%%%%EOF" % (len(head) + len(held))


def png(text_bytes: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packed = zlib.compress(b"a" * text_bytes, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"zTXt", b"d\0\0" + packed) * 20 + chunk(b"IEND", b"")


def mail_nested(times: int) -> bytes:
    return b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(times)).replace(
        b"Content", b"From: a\nTo: b\nSubject: c\nMIME-Version: 1.0\nContent", 1
    )


def mail_parts(count: int) -> bytes:
    head = b"From: a\nTo: b\nSubject: c\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    return head + b"--b\n\nx\n" * count + b"--b--\n"


def database(*statements: str) -> bytes:
    connection = sqlite3.connect(":memory:")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    return connection.serialize()


def avro_of_zeros(megabytes: int) -> bytes:
    file = io.BytesIO()
    schema = {"type": "record", "name": "r", "fields": [{"name": "v", "type": "string"}]}
    fastavro.writer(file, schema, [{"v": "0" * 1_000_000}] * megabytes, codec="deflate", sync_interval=1 << 40)
    return file.getvalue()


def parquet_of_one_value(rows_count: int, value_bytes: int) -> bytes:
    values = pa.DictionaryArray.from_arrays(pa.array([0] * rows_count, pa.int32()), pa.array(["a" * value_bytes]))
    file = io.BytesIO()
    parquet.write_table(pa.table({"v": values}), file, compression="zstd")
    return file.getvalue()


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "zip of 300 MB of zeros (1028:1)": ("a.zip", lambda: zipped(bytes(300_000_000))),
    "gzip of 1 GB of zeros": ("a.gz", lambda: gzip.compress(bytes(1 << 30), 9)),
    "xz of 1 GB of zeros": ("a.xz", lambda: lzma.compress(bytes(1 << 30), preset=0)),
    "zstd, 2 GB from 64 KB": ("a.zst", zstd_rle),
    "zips of ten zips, 6 deep (42.zip)": ("a.zip", lambda: nested(6)),
    "zip within zip, 30 deep": ("a.zip", lambda: nested(30, 1, b"x")),
    "zip whose 20,000 members overlap, 10 MB each": ("a.zip", lambda: overlapping(20_000, 10_000_000)),
    "gzip that unpacks to itself": ("a.gz", lambda: of_itself(5_000_000)),
    "tar.gz of 1,000,000 members": ("a.tgz", lambda: gzip.compress(tarred(1_000_000), 1)),
    "zip of 150,000 members": ("a.zip", lambda: zipped(*[b"x"] * 150_000)),
    "json nested 20 million deep": ("a.json", lambda: b"[" * 20_000_000),
    "xml nested 2 million deep": ("a.xml", lambda: b"<a>" * 2_000_000),
    "billion laughs in xml": ("a.xml", lambda: laughs().encode()),
    "billion laughs in a docx": ("a.docx", lambda: docx([], **{"word/header1.xml": laughs()})),
    "quadratic entities, 100 KB x 100,000": (
        "a.xml",
        lambda: b'<!DOCTYPE x [<!ENTITY a "' + b"x" * 100_000 + b'">]><x>' + b"&a;" * 100_000,
    ),
    "xlsx of 1,000,000 empty rows": (
        "a.xlsx",
        lambda: xlsx({"S": "".join(f'<row r="{n}"/>' for n in range(1, 1_000_001))}),
    ),
    "xlsx with a cell at XFD1048576": (
        "a.xlsx",
        lambda: xlsx({"S": rows([["1"]]) + '<row r="1048576"><c r="XFD1048576"><v>5</v></c></row>'}),
    ),
    "xlsx, 1,000,000 cells of one text of 32 KB": ("a.xlsx", strings_workbook),
    "xlsx of 5,000,000 numbers": ("a.xlsx", lambda: numbers_workbook(500_000)),
    "pdf whose pages hold themselves": ("a.pdf", lambda: pdf_with({b"/Kids[4 0 R]": b"/Kids[2 0 R]"})),
    "pdf of 2 billion pages, told": ("a.pdf", lambda: pdf_with({b"/Count 1": b"/Count 2000000000"})),
    "pdf whose cross-references go round": ("a.pdf", pdf_xref_loop),
    "pdf whose streams of objects hold themselves": ("a.pdf", pdf_stream_loop),
    "pdf form that draws itself": ("a.pdf", pdf_form_loop),
    "pdf page of 1 GB, packed three times": ("a.pdf", lambda: pdf_packed(3)),
    "png, 20 texts of 100 MB": ("a.png", lambda: png(100_000_000)),
    "mail, 100,000 parts in one another": ("a.eml", lambda: mail_nested(100_000)),
    "mail of 200,000 parts": ("a.eml", lambda: mail_parts(200_000)),
    "sqlite column of 1 GB, made when read": (
        "a.db",
        lambda: database(
            "create table t (a, b as (hex(zeroblob(400000000))))", "insert into t values ('ssn 512-44-1234')"
        ),
    ),
    "sqlite view that never ends, 10,000 tables": (
        "a.db",
        lambda: database(
            "create view v as with recursive c(x) as (select 1 union all select x + 1 from c) select x from c",
            *(f"create table t{n} (x)" for n in range(10_000)),
        ),
    ),
    "avro block of 1 GB of zeros": ("a.avro", lambda: avro_of_zeros(1000)),
    "parquet, 100,000 rows of one text of 1 MB": ("a.parquet", lambda: parquet_of_one_value(100_000, 1_000_000)),
    "rtf of 20 million open groups": ("a.rtf", lambda: b"{\\rtf1 " + b"{" * 20_000_000),
    "jsonl of 200 MB in one line": ("a.jsonl", lambda: json.dumps(["a" * 100] * 2_000_000).encode()),
}

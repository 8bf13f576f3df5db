"""What content is taken for."""

from __future__ import annotations

import bz2
import codecs
import io
import lzma
import random
import re
import string
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner_tasks.core.model import Outcome
from scanner_tasks.extract.kind import HEAD_BYTES, sniff
from tests.unit.extracting import run


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", "ssn\n")
    return file.getvalue()


def tarred():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo("a.csv")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"ssn\n"))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "JPEG"),
        (b"GIF89a\x01\0\x01\0", "GIF"),
        (zipped(), "zip"),
        (tarred(), "tar"),
        (b"PAR1\x15\x04\x15\0", "Parquet"),
        (b"%PDF-1.7\n% text only", "PDF"),
        (bz2.compress(b"text"), "bzip2"),
        (lzma.compress(b"text"), "xz"),
        (b"SQLite format 3\0", "SQLite"),
        (b"\x7fELF\x02\x01\x01\0", "program"),
        (random.Random(1).randbytes(3000), "unknown"),
        (bytes(500), "unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("key", ["a", "export.parquet"])
def test_binary_content_is_known_and_named_under_any_name(content, name, key):
    kind = sniff(content[:HEAD_BYTES], key)
    assert kind.form != "text"
    assert name in kind.name


@pytest.mark.parametrize("content", [b"7z\xbc\xaf\x27\x1c\0\4", b"Rar!\x1a\x07\1\0", b"\x1f\x9d\x90"])
def test_what_no_reader_opens_is_skipped_and_named(content):
    result = run(content)
    assert (result.outcome, result.segments) == (Outcome.SKIPPED_UNSUPPORTED, [])
    assert sniff(content).name in str(result.error)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["ssn: 512-44-1234\r\n", "Zoë, naïve €100\n" * 40])
def test_wide_text_without_a_mark_is_told_by_its_nuls(encoding, text):
    result = run(text.encode(encoding))
    assert (result.text, result.outcome) == (text, Outcome.SCANNED)


@pytest.mark.parametrize("content", [b"a\0b\0", b"abc\0def\0ghi\0jkl\0" * 9, bytes(64), bytes(range(256)) * 8])
def test_other_nuls_make_no_wide_text(content):
    assert sniff(content).encoding in {None, "utf-8"}


@pytest.mark.parametrize(
    "content",
    [
        b"GIF89a is how such an image begins",
        b"ORC,ELF,WIZARD\n",
        b"MZ,first column\n",
        b"ID3 tags, a history",
        b"Obj. no. 1",
        b"one stray \0 in a line of text",
        b"\x00",
        b"a\x1b[31mred\x1b[0m terminal\tlog\r\n" * 20,
        b"\x0cform feed\x0b\x08",
        "Привет".encode(),
        b"\xff\xfehidden behind a mark that is none: 123-45-6789",
        b"\xff\xfe\0\0hidden behind a mark that is none: 123-45-6789",
        b"\xfe\xffhidden behind a mark that is none, na\xefvely",
    ],
)
def test_text_that_looks_binary_at_first_is_read(content):
    result = run(content)
    assert result.outcome is Outcome.SCANNED
    ascii_part = bytes(b for b in content if b < 0x80).decode()
    assert "".join(c for c in result.text if c.isascii()) == ascii_part


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize(
    "text",
    [
        "plain ASCII",
        "姓名、电话、地址。上海市、张伟\n" * 30,
        "Ünïcödé\r\n",
        "1",
        "ひらがなだけのぶんしょう" * 9,
        "हिन्दी में लिखा\n",
    ],
)
def test_marks_of_real_wide_text_are_believed(encoding, text):
    mark = "\ufeff".encode(encoding)
    assert sniff(mark + text.encode(encoding)).encoding == encoding


def test_a_zip_is_a_zip_even_if_it_is_called_csv():
    assert sniff(zipped(), "export.csv").form == "zip"


def test_a_name_that_promises_text_settles_doubt():
    padded = b"ABC".ljust(4, b"\0") * 100
    assert sniff(padded, "fixed-width.TXT").form == "text"
    assert sniff(padded, "export.csv.gz").form == "text"
    assert sniff(padded, "fixed-width").form == "binary"
    assert sniff(bytes(300), "zeros.txt").form == "binary"


def test_the_kind_is_decided_by_the_head_alone():
    content = b"text\n" * HEAD_BYTES + bytes(100_000) + b"more text"
    assert run(content).text == content.decode()


def test_a_mark_alone_is_believed():
    assert sniff(codecs.BOM_UTF16_LE).encoding == "utf-16-le"
    assert sniff(codecs.BOM_UTF8 + b"PK\x03\x04").encoding == "utf-8"


@settings(deadline=None)
@given(content=st.binary(max_size=300), key=st.text(max_size=10))
def test_no_content_appears_in_the_reason(content, key):
    error = run(content, key=key).error
    told = str(error) if error else ""
    assert set(told) <= set(string.ascii_letters + string.digits + " .,:()[]")
    assert not [found for found in re.findall(r"[!-~]{8,}", content.decode("latin-1")) if found in told]

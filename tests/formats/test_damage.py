"""Cut and flipped files of every format: an outcome, never an error of another make, and never without end."""

from __future__ import annotations

import base64
import functools
import gzip
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner_tasks.core.model import Outcome
from tests.formats.compound_making import compound
from tests.formats.making import docx, pdf, rows, xlsx, zipped
from tests.formats.test_archives import tarred
from tests.formats.test_documents import full_pdf, message
from tests.formats.test_old_office import made
from tests.formats.test_old_office import message as outlook
from tests.formats.test_streams import PACK
from tests.formats.test_tables import avro, columnar, database
from tests.unit.extracting import run

SSN = "512-44-1234"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=")
TABLE = [["name", "ssn"], ["Jane", SSN], ["Joe", 1.5]]

FORMATS = {
    **{name: (lambda pack=pack: pack(f"name,ssn\nJane,{SSN}\n".encode() * 50)) for name, pack in PACK.items()},
    "gzip": lambda: gzip.compress(f"ssn {SSN}\n".encode() * 50),
    "tar": lambda: tarred({"a.txt": SSN.encode(), "b/" + "c" * 120: b"long name"}),
    "zip": lambda: zipped({"a.txt": SSN, "b.zip": zipped({"c.txt": "x"})}),
    "docx": lambda: docx(["one", SSN]),
    "xlsx": lambda: xlsx({"S": rows(TABLE), "T": rows([["x"]])}),
    "doc": lambda: made("letter.doc"),
    "xls": lambda: made("table.xls"),
    "msg": lambda: compound(outlook()),
    "pdf": full_pdf,
    "pages": lambda: pdf(["one", SSN, "three"]),
    "eml": message,
    "rtf": lambda: rb"{\rtf1\ansi one\par ssn: 512-44-1234 \u8364?\'e9}",
    "sqlite": lambda: database(["create table t (a, b)", *[f"insert into t values ('{SSN}', {n})" for n in range(99)]]),
    "avro": avro,
    "parquet": lambda: columnar("parquet"),
    "orc": lambda: columnar("orc"),
    "arrow": lambda: columnar("arrow"),
    "png": lambda: PNG[:33] + b"\0\0\0\x10tEXtd\0ssn 512-44-123crc." + PNG[33:],
    "jpeg": lambda: b"\xff\xd8\xff\xfe\0\x11ssn 512-44-1234\xff\xda\0\2picture\xff\xd9" + SSN.encode(),
    "json": lambda: b'{"a": [1, {"ssn": "512-44-1234", "b": "\\u0035"}]}',
    "xml": lambda: b'<?xml version="1.0"?><a><b c="x">&#52;111</b><!-- c --></a>',
    "utf-16": lambda: f"ssn {SSN}\n".encode("utf-16") * 5,
}
#: The parsers of which a crash is possible run in the child processes of tests/flow, not here.
content_of = functools.cache(lambda form: FORMATS[form]())


@pytest.mark.parametrize("form", FORMATS)
def test_a_cut_file_is_an_outcome_wherever_it_is_cut(form):
    content = content_of(form)
    whole = run(content, key="a")
    assert whole.outcome is Outcome.SCANNED
    for part in range(1, 16):
        run(content[: len(content) * part // 16], key="a")


@pytest.mark.parametrize("form", FORMATS)
@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_flipped_file_is_an_outcome(form, data):
    content = bytearray(content_of(form))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    now = 0.0

    def clock():
        nonlocal now
        now += 0.001
        return now

    run(bytes(content), key="a", clock=clock, max_bytes=50_000_000)


@settings(deadline=None, max_examples=100)
@given(head=st.sampled_from([bytes(content_of(form)[:24]) for form in FORMATS]), rest=st.binary(max_size=200))
def test_rubbish_behind_any_beginning_is_an_outcome(head, rest):
    run(head + rest, key="a")


def test_every_format_that_is_read_is_damaged_here():
    from scanner_tasks.extract.kind import sniff  # noqa: PLC0415

    forms = {sniff(content_of(form)[:8192], "a").form for form in FORMATS}
    assert {"text", "gzip", "zip", "tar", "pdf", "rtf", "ole", "png", "jpeg", "sqlite", "mail", "parquet"} <= forms


def test_the_clock_ends_what_never_ends():
    now = 0.0

    def clock():
        nonlocal now
        now += 1.0
        return now

    assert run(io.BytesIO(bytes(1 << 26)).read, key="a", clock=clock).outcome is Outcome.PARTIAL_TIME

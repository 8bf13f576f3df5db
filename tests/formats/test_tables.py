"""Databases and columnar files: every cell with its row and column, faults, budgets."""

from __future__ import annotations

import io
import sqlite3
import sys

import fastavro
import pyarrow as pa
import pytest
from pyarrow import ipc, orc, parquet

from scanner_tasks.core.model import Outcome
from tests.formats.making import zipped
from tests.unit.extracting import places, run

SSN = "512-44-1234"
ROWS = [
    {"name": "Jane\nRoe", "person": {"ssn": "none", "tags": ["a"]}, "n": 1},
    {"name": None, "person": {"ssn": SSN, "tags": ["b", "x@example.com"]}, "n": 4111111111111111},
]


def database(statements, *, wal=False):
    connection = sqlite3.connect(":memory:")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    content = bytearray(connection.serialize())
    connection.close()
    if wal:
        content[18:20] = b"\2\2"
    return bytes(content)


def avro(codec="deflate"):
    person = {
        "type": "record", "name": "p",
        "fields": [{"name": "ssn", "type": "string"}, {"name": "tags", "type": {"type": "array", "items": "string"}}],
    }  # fmt: skip
    fields = [
        {"name": "name", "type": ["null", "string"]},
        {"name": "person", "type": person},
        {"name": "n", "type": "long"},
    ]
    out = io.BytesIO()
    fastavro.writer(out, {"type": "record", "name": "r", "fields": fields}, ROWS, codec=codec)
    return out.getvalue()


def columnar(form, table=None):
    table = pa.Table.from_pylist(ROWS) if table is None else table
    out = io.BytesIO()
    if form == "parquet":
        parquet.write_table(table, out)
    elif form == "orc":
        orc.write_table(table, out)
    else:
        with ipc.new_file(out, table.schema) as writer:
            writer.write_table(table)
    return out.getvalue()


@pytest.mark.parametrize("wal", [False, True])
def test_the_cells_of_a_database_are_told(wal):
    content = database(
        [
            'create table "odd ""name" (id integer primary key, ssn text, data blob)',
            f"insert into \"odd \"\"name\" values (1, 'none', null), (2, '{SSN}', x'00ff61626364616263640065')",
            "create table empty (a)",
            "create view v as select * from empty",
        ],
        wal=wal,
    )
    result = run(content, key="a.bin")
    assert result.outcome is Outcome.SCANNED
    assert places(result, SSN) == [(2, 12, 'odd "name: row 2, ssn')]
    assert f"ssn: {SSN}\tdata: abcdabcd" in result.text
    assert places(run(zipped({"a.db": content}), key="z"), SSN)[0][2] == 'z!a.db!odd "name: row 2, ssn'


def test_a_damaged_database_keeps_what_can_be_read():
    content = database(["create table t (a)", *(f"insert into t values ('{n} {SSN}')" for n in range(2000))])
    result = run(content[: len(content) // 2])
    assert result.outcome in {Outcome.PARTIAL_CORRUPT, Outcome.FAILED_CORRUPT}
    assert run(content[:1000]).outcome is Outcome.PARTIAL_CORRUPT


def test_a_database_has_budgets():
    content = database(["create table t (a)", *(f"insert into t values ('{n}')" for n in range(100))])
    assert run(content, max_rows=50).outcome is Outcome.PARTIAL_ROWS
    assert run(content, memory_bytes=1000).outcome is Outcome.PARTIAL_BYTES


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_the_fields_of_avro_records_are_told(codec):
    result = run(avro(codec), key="a")
    assert result.outcome is Outcome.SCANNED
    assert places(result, SSN)[0][2] == "row 2, person.ssn"
    assert places(result, "x@example.com")[0][2] == "row 2, person.tags[1]"


def test_a_cut_avro_file_is_corrupt():
    assert run(avro()[:-20]).outcome in {Outcome.PARTIAL_CORRUPT, Outcome.FAILED_CORRUPT}


@pytest.mark.parametrize("form", ["parquet", "orc", "arrow"])
def test_the_columns_of_columnar_files_are_told(form):
    result = run(columnar(form), key="a.csv")
    assert result.outcome is Outcome.SCANNED
    assert places(result, SSN) == [(2, 13, "row 2, person.ssn")]
    assert places(result, "4111111111111111")[0][2] == "row 2, n"
    assert places(result, "x@example.com")[0][2] == "row 2, person.tags"
    assert "name: Jane Roe\nname: \n" in result.text


@pytest.mark.parametrize("form", ["parquet", "orc", "arrow"])
def test_a_cut_columnar_file_is_corrupt(form):
    content = columnar(form)
    assert run(content[: len(content) // 2]).outcome in {Outcome.PARTIAL_CORRUPT, Outcome.FAILED_CORRUPT}


def test_rows_are_counted_over_batches_and_have_a_budget():
    table = pa.table({"ssn": ["none"] * 20_000 + [SSN]})
    content = columnar("parquet", table)
    assert places(run(content), SSN)[0][2] == "row 20001, ssn"
    assert run(content, max_rows=10_000).outcome is Outcome.PARTIAL_ROWS


def test_bytes_that_are_no_text_and_categories_are_read():
    table = pa.table({
        "b": pa.array([b"\xff\xfe", SSN.encode()]),
        "c": pa.array(["x", "y"]).dictionary_encode(),
        "d": pa.array([True, False]),
        "m": pa.array([[("k", "v")], []], pa.map_(pa.string(), pa.string())),
    })  # fmt: skip
    result = run(columnar("parquet", table))
    assert result.outcome is Outcome.SCANNED
    assert places(result, SSN)[0][2] == "row 2, b"
    assert "c: y" in result.text


def test_without_the_extra_a_columnar_file_is_unsupported_and_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = run(columnar("parquet"))
    assert result.outcome is Outcome.SKIPPED_UNSUPPORTED
    assert "s3scan[columnar]" in str(result.error)


def test_an_arrow_stream_is_read_as_the_file_is():
    table = pa.Table.from_pylist(ROWS)
    out = io.BytesIO()
    with ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    result = run(out.getvalue(), key="a.bin")
    assert (result.outcome, places(result, SSN)[0][2]) == (Outcome.SCANNED, "row 2, person.ssn")
    assert run(out.getvalue()[:-100]).outcome is Outcome.FAILED_CORRUPT


def test_an_encrypted_parquet_table_is_an_outcome():
    assert run(b"PARE" + bytes(500) + b"PARE").outcome is Outcome.FAILED_ENCRYPTED


def test_rows_of_a_dropped_table_are_read_from_the_pages_that_they_left():
    connection = sqlite3.connect(":memory:")
    connection.execute("pragma secure_delete = off")
    connection.execute("create table gone (x)")
    connection.execute("create table kept (x)")
    connection.executemany(
        "insert into gone values (?)", [(f"gone 512-44-{n:04d} " + "x" * 200,) for n in range(1000, 1200)]
    )
    connection.execute("drop table gone")
    connection.commit()
    content = connection.serialize()
    connection.close()
    result = run(content)
    assert result.outcome is Outcome.SCANNED
    assert places(result, "512-44-1100")[0][2].startswith("freed pages!byte ")
    looped = bytearray(content)
    first = int.from_bytes(content[32:36], "big")
    looped[(first - 1) * 4096 : (first - 1) * 4096 + 4] = content[32:36]
    assert len(run(bytes(looped)).text) < 60 * len(content)


def test_the_content_of_a_virtual_table_is_read_once_and_no_code_of_others_is_run():
    content = database(
        ["create virtual table f using fts5(x)", f"insert into f values ('{SSN}')", "create table t (x)"]
    )
    result = run(content)
    assert (result.text.count(SSN), result.outcome) == (1, Outcome.SCANNED)


def test_a_database_too_large_for_memory_is_read_by_its_printable_runs():
    rows = [f"insert into t values ('{SSN} {'x' * 900}')" for _ in range(50)]
    result = run(database(["create table t (a)", *rows]), memory_bytes=20_000)
    assert result.outcome is Outcome.PARTIAL_BYTES
    assert result.text.count(SSN) == 50


def test_a_length_that_arrow_trusts_and_that_is_negative_is_damage():
    content = bytearray(columnar("arrow"))
    content[868] ^= 1
    outcomes = set()
    for value in (content, bytearray(columnar("arrow"))[:868] + bytes([0x81]) + bytearray(columnar("arrow"))[869:]):
        outcomes.add(run(bytes(value), key="a.arrow").outcome)
    assert Outcome.FAILED_CRASHED not in outcomes


def test_whatever_pyarrow_raises_of_damage_is_an_outcome(monkeypatch):
    class Damaged:
        nstripes = 1

        def __init__(self, file):
            pass

        def read_stripe(self, number):
            raise pa.lib.ArrowException(f"Unknown error: stripe {number} cannot be unpacked")

    monkeypatch.setattr(orc, "ORCFile", Damaged)
    assert run(columnar("orc")).outcome in {Outcome.PARTIAL_CORRUPT, Outcome.FAILED_CORRUPT}

"""A database larger than what is held in memory is read by its rows, from the spool, which keeps no names."""

from __future__ import annotations

import io
import sqlite3
import tracemalloc
from pathlib import Path

import pytest

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome
from scanner_tasks.extract.budget import Budget
from scanner_tasks.extract.text import extract
from scanner_tasks.flow import spool
from scanner_tasks.flow.spool import SpoolVolume

SSN = "512-44-1234"


@pytest.fixture(scope="module")
def content() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table customers (n integer, name text, ssn text)")
    connection.executemany(
        "insert into customers values (?, ?, ?)", ((n, "Jane Roe" * 20, f"{n:09d}") for n in range(20_000))
    )
    connection.execute("insert into customers values (20000, 'x', ?)", (SSN,))
    connection.commit()
    made = connection.serialize()
    connection.close()
    assert len(made) > 3_000_000
    return made


def read(content: bytes, volume: SpoolVolume, **budget: int) -> tuple[str, str, list[str], Outcome]:
    segments = extract(
        io.BytesIO(content).read,
        key="a.db",
        budget=Budget(**{"max_bytes": 1 << 30, "deadline": 1, "memory_bytes": 1_000_000, **budget}),
        clock=lambda: 0.0,
        spool=volume.file,
    )
    last, place, outcome, detail = b"", "", Outcome.SCANNED, ""
    try:
        for segment in segments:
            at = segment.data.find(SSN.encode())
            if at >= 0:
                last, place = segment.data, segment.path_at(at) if segment.path_at else segment.start.path
    except ExtractError as error:
        outcome, detail = error.outcome, str(error)
    return last.decode(), place, [detail], outcome


def test_large_database_is_read_by_its_rows_in_little_memory_and_leaves_no_name(tmp_path: Path, content: bytes) -> None:
    volume = SpoolVolume(str(tmp_path), most=1 << 30, memory_bytes=100)
    tracemalloc.start()
    text, place, _, outcome = read(content, volume)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (outcome, place, f"ssn: {SSN}" in text) == (Outcome.SCANNED, "customers: row 20001, ssn", True)
    assert peak < 3_000_000
    assert list(tmp_path.iterdir()) == []


def test_its_rows_are_counted(tmp_path: Path, content: bytes) -> None:
    volume = SpoolVolume(str(tmp_path), most=1 << 30, memory_bytes=100)
    assert read(content, volume, max_rows=100)[3] is Outcome.PARTIAL_ROWS


def test_where_no_name_can_be_had_it_is_read_by_its_printable_runs(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(spool.os, "link", refuse)
    text, place, (detail,), outcome = read(content, SpoolVolume(str(tmp_path), most=1 << 30, memory_bytes=100))
    assert (outcome, SSN in text, place.startswith("customers")) == (Outcome.PARTIAL_BYTES, True, False)
    assert "printable runs" in detail


def test_what_is_no_database_is_damaged(tmp_path: Path, content: bytes) -> None:
    volume = SpoolVolume(str(tmp_path), most=1 << 30, memory_bytes=100)
    assert read(content[:100] + b"\xff" * 4000, volume)[3] in {Outcome.FAILED_CORRUPT, Outcome.PARTIAL_CORRUPT}

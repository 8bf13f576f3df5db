"""Images by their text chunks, and everything else by its printable runs."""

from __future__ import annotations

import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner_tasks.core.model import Outcome
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.rules import load_builtin
from tests.unit.extracting import cuts, places, run

SSN = "512-44-1234"


def png(*chunks, end=b""):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", bytes(13))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunk(*c) for c in chunks) + chunk(b"IEND", b"") + end


def test_the_text_chunks_of_a_png_are_read():
    noise = random.Random(1).randbytes(5000)
    content = png(
        (b"tEXt", b"Author\0Zo\xeb"),
        (b"zTXt", b"Comment\0\0" + zlib.compress(f"ssn: {SSN}".encode())),
        (b"iTXt", b"Title\0\0\0de\0\0" + "Grüße".encode()),
        (b"IDAT", noise),
        end=b"behind the picture",
    )
    result = run(content, key="a.csv")
    assert result.outcome is Outcome.SCANNED
    assert result.text == f"Author: Zoë\nComment: ssn: {SSN}\nTitle: Grüße\nbehind the picture\n"
    assert places(result, SSN) == [(1, 15, "zTXt")]


def test_a_bomb_in_a_text_chunk_ends_by_the_budget():
    content = png((b"zTXt", b"a\0\0" + zlib.compress(b"x" * 50_000_000)))
    size, outcome = run(content, keep=False, ratio_free_bytes=1_000_000, max_ratio=100)
    assert (size < 6_000_000, outcome) == (True, Outcome.PARTIAL_RATIO)


def test_the_segments_of_a_jpeg_are_read_and_not_its_picture():
    def part(kind, data):
        return b"\xff" + bytes([kind]) + struct.pack(">H", len(data) + 2) + data

    content = (
        b"\xff\xd8"
        + part(0xE1, b"Exif\0\0II*\0owner 512-44-1234\0")
        + part(0xFE, "Käse".encode())
        + part(0xDA, b"\x01\x01\0\0\x3f\0")
        + b"picture that looks like text"
        + b"\xff\xd9"
        + b"behind it"
    )
    result = run(content, sizes=[7])
    assert result.outcome is Outcome.SCANNED
    assert "picture" not in result.text
    assert "Käse" in result.text
    assert "behind it" in result.text
    assert places(result, SSN)[0][2] == "EXIF"
    assert run(content[:60]).outcome is Outcome.PARTIAL_CORRUPT


def test_the_printable_runs_of_unknown_content_are_read():
    noise = bytes(range(0x80, 0x100)) + bytes(20)
    content = noise + f"ssn: {SSN}".encode() + noise + "wide text".encode("utf-16-le") + noise + b"abcdefg" + noise
    result = run(content)
    assert (result.text, result.outcome) == (f"ssn: {SSN}\nwide text\n", Outcome.SCANNED)
    assert places(result, SSN) == [(1, 6, f"byte {len(noise)}")]


@settings(deadline=None, max_examples=50)
@given(sizes=cuts, seed=st.integers(0, 99))
def test_how_the_source_is_cut_changes_no_run(sizes, seed):
    content = b"\0\1\2\3" + random.Random(seed).randbytes(300)
    assert run(content, sizes=sizes).text == run(content).text


@pytest.mark.parametrize("at", [-20, -5, 0, 3])
def test_a_run_across_two_windows_is_one(at):
    size = 1024 * 1024 + at
    result = run(bytes([1, 0xFF]) * (size // 2) + b" " * (size % 2) + f"ssn: {SSN}".encode() + b"\xff" * 99)
    assert f"ssn: {SSN}\n" in result.text


def test_noise_holds_no_values():
    detection = Detector(load_builtin(), Fingerprinter(b"a key of the tests", "k")).begin()
    for segment in run(b"\0\1\2\3" + random.Random(1).randbytes(3_000_000)).segments:
        detection.feed(segment)
    assert detection.finish() == ()


def test_nothing_in_a_binary_is_scanned_all_the_same():
    assert run(bytes([0xFF, 1]) * 500).outcome is Outcome.SCANNED

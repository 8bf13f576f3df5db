"""Compressed and encrypted content that is told by little: no magic, an optional header, a name; and what says so."""

from __future__ import annotations

import gzip
import io
import lzma
import random
import struct
import zlib
from pathlib import Path

import cramjam
import fastavro
import lz4.block
import lz4.frame
import pytest
import zstandard

from scanner_tasks.core.model import Outcome
from tests.unit.extracting import places, run

SSN = "512-44-1234"
FILES = Path(__file__).parent / "files"
#: No two rows are alike, so that nothing of it stands in the clear in what it is packed to.
TEXT = "".join(f"{random.Random(n).random()}\n" for n in range(3000)) + f"ssn: {SSN}"
SKIPPED = b"\x50\x2a\x4d\x18" + (9).to_bytes(4, "little") + b"\xff" * 9


def snapped(data):
    return bytes(cramjam.snappy.compress_raw(data))


def in_blocks(data, pack, size=20_000, pieces=1):
    """As Hadoop writes them: the block's size, then each piece behind its packed size."""
    out = b""
    for at in range(0, len(data), size):
        block = data[at : at + size]
        step = -(-len(block) // pieces)
        out += struct.pack(">I", len(block))
        for begin in range(0, len(block), step):
            packed = pack(block[begin : begin + step])
            out += struct.pack(">I", len(packed)) + packed
    return out


def java(data):
    pieces = [snapped(data[at : at + 9000]) for at in range(0, len(data), 9000)]
    return b"\x82SNAPPY\0" + struct.pack(">II", 1, 1) + b"".join(struct.pack(">I", len(p)) + p for p in pieces)


def gzip_with(flags, optional):
    return b"\x1f\x8b\x08" + bytes([flags]) + bytes(6) + optional + gzip.compress(TEXT.encode())[10:]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("extra, name and comment", gzip_with(4 | 8 | 16, struct.pack("<H", 300) + b"e" * 300 + b"name\0comment\0")),
        ("a long name", gzip_with(8, b"n" * 3000 + b"\0")),
    ],
)
def test_a_gzip_header_with_optional_parts_is_passed_over(name, content):
    for sizes in ((1,), (7, 100), (1 << 30,)):
        result = run(content, key="a", sizes=sizes)
        assert (result.text, result.outcome) == (TEXT, Outcome.SCANNED), name


@pytest.mark.parametrize("pack", [lz4.frame.compress, zstandard.compress])
def test_frames_that_are_passed_over_may_stand_first_and_between(pack):
    content = SKIPPED + pack(TEXT[:900].encode()) + SKIPPED * 2 + pack(TEXT[900:].encode())
    assert (run(content).text, run(content).outcome) == (TEXT, Outcome.SCANNED)
    assert run(content + SKIPPED[:12]).outcome is Outcome.PARTIAL_CORRUPT


@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("part-0000", in_blocks(TEXT.encode(), snapped)),
        ("part-0000.snappy", in_blocks(TEXT.encode(), snapped)),
        ("whole.snappy", snapped(TEXT.encode())),
        ("part-0000.lz4", in_blocks(TEXT.encode(), lambda data: lz4.block.compress(data, store_size=False), pieces=3)),
        ("kafka.bin", java(TEXT.encode())),
        ("page.z", zlib.compress(TEXT.encode())),
    ],
)
def test_what_has_no_sure_magic_is_unpacked(key, content):
    assert (run(content, key=key).text, run(content, key=key).outcome) == (TEXT, Outcome.SCANNED)
    cut = run(content[: len(content) // 2], key=key)
    assert cut.outcome in {Outcome.PARTIAL_CORRUPT, Outcome.FAILED_CORRUPT}
    assert TEXT.startswith(cut.text)


def test_text_behind_zlib_data_is_read():
    assert run(zlib.compress(b"shown ") + b"hidden text").text == "shown hidden text"


@pytest.mark.parametrize("codec", ["zstandard", "snappy", "lz4"])
def test_avro_is_read_in_every_codec(codec):
    out = io.BytesIO()
    schema = {"type": "record", "name": "r", "fields": [{"name": "ssn", "type": "string"}]}
    fastavro.writer(out, schema, [{"ssn": SSN}], codec=codec)
    assert run(out.getvalue()).text == f"ssn: {SSN}\n"


NOISE = random.Random(3).randbytes(3000)


@pytest.mark.parametrize(
    ("content", "key", "outcome"),
    [
        (b"Salted__" + NOISE, "backup.enc", Outcome.PARTIAL_ENCRYPTED),
        (b"-----BEGIN PGP MESSAGE-----\n\nhQEMA0\n-----END PGP MESSAGE-----\n", "a.asc", Outcome.PARTIAL_ENCRYPTED),
        (b"\x85\x01\x0c\x03" + NOISE, "a.csv.gpg", Outcome.PARTIAL_ENCRYPTED),
        (b"$ANSIBLE_VAULT;1.1;AES256\n3162\n", "secrets.yml", Outcome.PARTIAL_ENCRYPTED),
        (bytes.fromhex("3080") + bytes.fromhex("06092a864886f70d010703") + NOISE, "a.p7m", Outcome.PARTIAL_ENCRYPTED),
        (b"MSCF\0\0\0\0" + NOISE, "a.cab", Outcome.PARTIAL_UNSUPPORTED),
        (b"REDIS0009" + NOISE, "dump.rdb", Outcome.PARTIAL_UNSUPPORTED),
    ],
)  # fmt: skip
def test_what_is_encrypted_or_not_opened_says_so_and_its_runs_are_read(content, key, outcome):
    result = run(content + b"\0\0beside it 512-44-1234", key=key)
    assert result.outcome is outcome
    assert SSN in result.text


@pytest.mark.parametrize("content", [b"x^2 is a square\n\0", b"Salted__ peanuts", b"PACK my bags", b"SEQ. 5", b"LZIP"])
def test_text_that_begins_like_packed_data_is_text(content):
    assert run(content * 3, key="notes.sz").outcome is Outcome.SCANNED


def test_the_rows_of_a_custom_dump_of_postgresql_are_read():
    content = lzma.decompress((FILES / "shop.dump.xz").read_bytes())
    result = run(content, key="shop.dump")
    assert result.outcome is Outcome.SCANNED
    found = {last: places(result, f"512-44-{last}") for last in ("1001", "1002", "1003", "1004", "1005", "1299")}
    assert found == {
        "1001": [(1, 41, "shop.dump!data 1")],
        "1002": [(30, 42, "shop.dump!data 1")],
        "1003": [(60, 42, "shop.dump!data 1")],
        "1004": [(21, 1, "shop.dump!data 3")],
        "1005": [(1, 18, "shop.dump!data 4")],
        "1299": [(27, 43, "byte 1364")],
    }
    cut = run(content[:3500], key="shop.dump")
    assert (cut.outcome, "512-44-1001" in cut.text) == (Outcome.PARTIAL_CORRUPT, True)
    assert run(content[:9]).outcome is Outcome.SCANNED


@pytest.mark.parametrize("pack", [zstandard.compress, lz4.frame.compress])
def test_a_custom_dump_may_be_packed_otherwise(pack):
    packed = pack(TEXT.encode())
    chunks = b"".join(
        b"\0" + struct.pack("<I", len(packed[at : at + 4096])) + packed[at : at + 4096]
        for at in range(0, len(packed), 4096)
    )
    content = b"PGDMP\1\x10\0\4\x08\1" + bytes(50) + b"\1\0\7\0\0\0" + chunks + bytes(5) + b"and behind it\0"
    result = run(content, key="a.dump")
    assert (places(result, SSN)[0][2], result.outcome) == ("a.dump!data 1", Outcome.SCANNED)

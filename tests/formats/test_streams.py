"""Compressed streams other than gzip: several of them, padding, faults, bombs."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tracemalloc
import zipfile

import lz4.block
import lz4.frame
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner_tasks.core.model import Outcome
from scanner_tasks.extract.budget import Budget
from scanner_tasks.extract.text import RiskyContentError, extract
from tests.unit.extracting import cuts, run

TEXT = "".join(f"{n},{random.Random(n).random()},Zoë\n" for n in range(4000))


def zstd_rle(megabytes: int) -> bytes:
    """A frame of blocks of 128 KB of one letter: four bytes each."""
    block = (1 << 17 << 3 | 1 << 1).to_bytes(3, "little") + b"a"
    return b"\x28\xb5\x2f\xfd\x00\x58" + block * (8 * megabytes) + b"\x01\0\0"


def lz4_legacy(data):
    """Blocks of at most 8 MB; small ones are allowed as well."""
    blocks = [lz4.block.compress(data[at : at + 5000], store_size=False) for at in range(0, len(data), 5000)]
    return b"\x02\x21\x4c\x18" + b"".join(len(block).to_bytes(4, "little") + block for block in blocks)


PACK = {
    "bzip2": lambda data: bz2.compress(data, 1),
    "xz": lzma.compress,
    "lz4": lambda data: lz4.frame.compress(data, content_checksum=True, block_size=lz4.frame.BLOCKSIZE_MAX64KB),
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "zstd of unknown size": lambda data: zstandard.ZstdCompressor(write_content_size=False).compress(data),
    "lz4, legacy": lz4_legacy,
}
try:
    import cramjam
except ImportError:  # an environment made before it was asked for
    pass
else:
    PACK["snappy"] = lambda data: bytes(cramjam.snappy.compress(data))
forms = pytest.mark.parametrize("form", PACK)


@forms
@settings(deadline=None, max_examples=20)
@given(parts=st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=1, max_size=4), sizes=cuts)
def test_streams_one_behind_the_other_are_one_text(form, parts, sizes):
    content = b"".join(PACK[form](part.encode()) for part in parts)
    result = run(content, sizes=sizes, window_bytes=16)
    assert (result.text, result.outcome) == ("".join(parts), Outcome.SCANNED)


@forms
def test_a_long_text_is_read_whole_under_any_name(form):
    result = run(PACK[form](TEXT.encode()), key="export.csv", window_bytes=1000)
    assert (result.text, result.outcome) == (TEXT, Outcome.SCANNED)


@forms
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_cut_stream_keeps_what_came_before(form, share):
    text = "".join(f"{n},{random.Random(n).random()},Zoë\n" for n in range(60_000))
    packed = PACK[form](text.encode())
    result = run(packed[: int(len(packed) * share)], window_bytes=10_000)
    assert result.outcome is Outcome.PARTIAL_CORRUPT
    assert text.startswith(result.text)
    assert len(result.text) > len(text) * share * 0.3


@forms
@settings(deadline=None, max_examples=25)
@given(at=st.integers(12, 5000), flip=st.integers(1, 255))
def test_a_damaged_stream_never_crashes(form, at, flip):
    damaged = bytearray(PACK[form](TEXT.encode()))
    damaged[at] ^= flip
    run(bytes(damaged), window_bytes=5000)


def test_a_wrong_checksum_costs_no_text_of_a_zstd_frame():
    packed = bytearray(PACK["zstd"](TEXT.encode()))
    packed[-1] ^= 1
    result = run(bytes(packed))
    assert (result.text, result.outcome) == (TEXT, Outcome.PARTIAL_CORRUPT)


@forms
def test_a_stream_that_gives_nothing_is_corrupt(form):
    assert run(PACK[form](TEXT.encode())[:30]).outcome is Outcome.FAILED_CORRUPT


@forms
def test_text_hidden_behind_the_stream_is_read(form):
    assert run(PACK[form](b"shown ") + b"hidden text").text == "shown hidden text"


def test_old_lzma_is_read():
    assert run(lzma.compress(TEXT.encode(), lzma.FORMAT_ALONE)).text == TEXT


def test_frames_that_hold_no_text_are_passed_over():
    index = b"\x50\x2a\x4d\x18" + (9).to_bytes(4, "little") + b"\xff" * 9
    assert run(PACK["zstd"](b"one ") + index + PACK["zstd"](b"two")).text == "one two"


def test_all_compressions_inside_one_another_are_opened():
    content = TEXT.encode()
    for pack in (*PACK.values(), gzip.compress):
        content = pack(content)
    assert run(content).text == TEXT
    assert run(content, max_depth=5).outcome is Outcome.PARTIAL_DEPTH


BOMBS = {
    "bzip2": lambda: bz2.compress(bytes(b"a" * 30_000_000)),
    "xz": lambda: lzma.compress(b"a" * 30_000_000, preset=0),
    "lz4": lambda: lz4.frame.compress(b"a" * 30_000_000, block_size=lz4.frame.BLOCKSIZE_MAX64KB),
    "zstd": lambda: zstd_rle(60),
}


@pytest.mark.parametrize("form", BOMBS)
@pytest.mark.parametrize("limit", ["bytes", "ratio"])
def test_a_bomb_ends_by_its_budget_in_bounded_memory(form, limit):
    content = BOMBS[form]()
    budget = {"max_bytes": 20_000_000} if limit == "bytes" else {"max_ratio": 50, "ratio_free_bytes": 1_000_000}
    tracemalloc.start()
    try:
        read, outcome = run(content, keep=False, window_bytes=100_000, **budget)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert outcome is (Outcome.PARTIAL_BYTES if limit == "bytes" else Outcome.PARTIAL_RATIO)
    assert read == 20_000_000 if limit == "bytes" else read < 20_000_000
    assert peak < 12_000_000


def test_a_snappy_block_larger_than_it_may_be_is_damage_and_costs_no_memory():
    pytest.importorskip("cramjam")
    start = b"\xff\x06\0\0sNaPpY"
    told = b"\xff\xff\xff\xff\x0f"  # 4 GB, when unpacked
    chunk = b"\0\0\0\0" + told + b"\0a"
    result = run(start + b"\0" + len(chunk).to_bytes(3, "little") + chunk)
    assert result.outcome is Outcome.FAILED_CORRUPT


def test_what_snappy_stores_unpacked_is_read():
    pytest.importorskip("cramjam")
    content = b"\xff\x06\0\0sNaPpY" + b"\xfe\3\0\0pad" + b"\1\x08\0\0" + b"sum!text"
    assert (run(content).text, run(content).outcome) == ("text", Outcome.SCANNED)


def wide() -> dict[str, bytes]:
    text = b"ssn: 512-44-1234\n"
    old_lz4 = b"\x02\x21\x4c\x18" + len(packed := lz4.block.compress(text, store_size=False)).to_bytes(4, "little")
    framed = lz4.frame.LZ4FrameCompressor(block_size=lz4.frame.BLOCKSIZE_MAX4MB)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.txt", text)
    return {
        "a.xz": lzma.compress(text, preset=6),
        "a.lzma": lzma.compress(text, lzma.FORMAT_ALONE, preset=6),
        "a.zst": zstandard_streamed(text, 19),
        "a.lz4": framed.begin() + framed.compress(text) + framed.flush(),
        "old.lz4": old_lz4 + packed,
        "a.zip": zipped.getvalue(),
    }


def zstandard_streamed(text: bytes, level: int) -> bytes:
    packer = zstandard.ZstdCompressor(level=level).compressobj()  # its size not told: the level's window
    return packer.compress(text) + packer.flush()


@pytest.mark.parametrize("name", wide())
def test_decoder_that_needs_much_memory_is_left_to_a_process_of_its_own(name: str) -> None:
    def read(*, is_isolated: bool) -> bytes:
        segments = extract(
            io.BytesIO(wide()[name]).read,
            key=name,
            budget=Budget(max_bytes=1 << 30, deadline=1),
            clock=lambda: 0.0,
            is_isolated=is_isolated,
        )
        return b"".join(segment.data for segment in segments)

    with pytest.raises(RiskyContentError):
        read(is_isolated=False)
    assert read(is_isolated=True) == b"ssn: 512-44-1234\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xz", lzma.compress(b"x", preset=1)),
        ("a.zst", zstandard.ZstdCompressor(level=3).compress(b"x")),
        ("b.zst", zstandard_streamed(b"x", 3)),
        ("a.lz4", lz4.frame.compress(b"x")),
        ("a.bz2", bz2.compress(b"x")),
    ],
)
def test_decoder_that_needs_little_memory_is_used_at_once(name: str, content: bytes) -> None:
    segments = extract(
        io.BytesIO(content).read,
        key=name,
        budget=Budget(max_bytes=1 << 30, deadline=1),
        clock=lambda: 0.0,
        is_isolated=False,
    )
    assert b"".join(segment.data for segment in segments) == b"x"

"""Gzip: members, padding, trailers, faults, bombs."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Location, Outcome
from scanner_tasks.extract import streams
from scanner_tasks.extract.budget import Budget
from scanner_tasks.extract.text import extract
from tests.unit.extracting import cuts, run, source

TEXT = "".join(f"{n},{random.Random(n).random()},Zoë\n" for n in range(400))
WHOLE = gzip.compress(TEXT.encode(), mtime=0)


@settings(deadline=None)
@given(parts=st.lists(st.text(st.characters(categories=["L", "N", "P", "Zs"])), max_size=5), sizes=cuts)
def test_members_are_one_text(parts, sizes):
    content = b"".join(gzip.compress(part.encode(), mtime=0) for part in parts)
    result = run(content, sizes=sizes, window_bytes=16)
    assert result.outcome is Outcome.SCANNED
    assert result.text == "".join(parts)


@pytest.mark.parametrize("key", ["a.gz", "a.txt", "a", "a.csv.gz"])
def test_gzip_is_known_by_its_content_under_any_name(key):
    assert run(WHOLE, key=key).text == TEXT
    assert run(b"not compressed", key=key).text == "not compressed"


def test_locations_count_the_decompressed_text():
    segments = run(WHOLE, window_bytes=len(TEXT[:99].encode())).segments
    assert segments[1].start == Location(
        line=1 + TEXT[:99].count("\n"), column=1 + len(TEXT[:99].rpartition("\n")[2]), offset=len(TEXT[:99].encode())
    )


@settings(deadline=None)
@given(sizes=cuts, padding=st.integers(0, 70))
def test_nul_padding_behind_and_between_members_is_dropped(sizes, padding):
    content = gzip.compress(b"one ") + bytes(padding) + gzip.compress(b"two") + bytes(padding)
    result = run(content, sizes=sizes)
    assert (result.text, result.outcome) == ("one two", Outcome.SCANNED)


@settings(deadline=None)
@given(sizes=cuts)
def test_text_hidden_behind_the_last_member_is_read(sizes):
    result = run(gzip.compress(b"shown ") + b"\0\0hidden\0\0text", sizes=sizes)
    assert (result.text, result.outcome) == ("shown hidden\0\0text", Outcome.SCANNED)


@settings(deadline=None)
@given(
    parts=st.lists(st.binary(max_size=80), min_size=1, max_size=4),
    padding=st.integers(0, 5),
    trailer=st.sampled_from([b"", b"t", b"hidden\0\0text", b"\x1f", b"x\x1f\x8b"]),
    sizes=cuts,
    asked=st.integers(1, 50),
)
@example(parts=[b"one"], padding=3, trailer=b"hidden", sizes=[1], asked=1)
@example(parts=[b"one", b"two"], padding=1, trailer=b"\x1f", sizes=[1], asked=50)
def test_the_reader_gives_the_same_bytes_in_any_pieces(parts, padding, trailer, sizes, asked):
    content = b"".join(gzip.compress(part, mtime=0) + bytes(padding) for part in parts) + trailer
    read = streams.gzip(source(content, sizes))
    assert b"".join(iter(lambda: read(asked), b"")) == b"".join(parts) + trailer


def test_what_zlib_holds_back_is_given_before_the_source_is_asked_again():
    deflate = zlib.compressobj(wbits=31)
    begun = deflate.compress(b"a" * 5000) + deflate.flush(zlib.Z_SYNC_FLUSH)
    # Just enough of it: the last byte holds several symbols, each of which stands for 258 bytes.
    enough = next(n for n in range(len(begun)) if len(zlib.decompressobj(31).decompress(begun[:n])) == 5000)
    pieces = iter([begun[:enough]])

    def read(_size):
        for piece in pieces:
            return piece
        raise ExtractError("enough", Outcome.PARTIAL_BYTES)

    read_on = streams.gzip(read)
    assert b"".join(read_on(1) for _ in range(5000)) == b"a" * 5000
    with pytest.raises(ExtractError, match="enough"):
        read_on(1)


@pytest.mark.parametrize("kept", [20, 1000, 4000, len(WHOLE) - 8, len(WHOLE) - 1])
def test_a_truncated_stream_gives_what_came_before(kept):
    result = run(WHOLE[:kept], window_bytes=1024)
    expected = zlib.decompressobj(31).decompress(WHOLE[:kept]).decode(errors="ignore")
    assert result.text == expected
    assert result.outcome is (Outcome.PARTIAL_CORRUPT if expected else Outcome.FAILED_CORRUPT)
    assert run(WHOLE[:kept], sizes=[7], window_bytes=1024).segments == result.segments


@settings(deadline=None)
@given(at=st.integers(0, len(WHOLE) - 1), flip=st.integers(1, 255))
def test_a_damaged_stream_never_crashes_and_reads_the_same_in_any_pieces(at, flip):
    damaged = bytearray(WHOLE)
    damaged[at] ^= flip
    result = run(bytes(damaged))
    again = run(bytes(damaged), sizes=[1000, 3])
    assert again.segments == result.segments
    assert again.outcome is result.outcome


def test_what_stands_before_the_damage_is_read_but_for_a_small_step():
    damaged = bytearray(WHOLE)
    damaged[-8:-4] = b"\0\0\0\0"  # the checksum: every byte of the text comes before it
    result = run(bytes(damaged))
    assert result.outcome is Outcome.PARTIAL_CORRUPT
    assert TEXT.startswith(result.text)
    assert len(result.text) > 0.9 * len(TEXT)
    text = random.Random(1).randbytes(200_000).hex().encode()
    deflate = zlib.compressobj(wbits=31)
    begun = deflate.compress(text) + deflate.flush(zlib.Z_FULL_FLUSH)
    result = run(begun + b"\xff" * 50)
    assert result.outcome is Outcome.PARTIAL_CORRUPT
    assert text.decode().startswith(result.text)
    assert len(text) - len(result.text) < 4096 * 2.1  # two hexadecimal digits are a byte of input


def test_a_damaged_second_member_leaves_the_first():
    result = run(gzip.compress(b"first") + b"\x1f\x8b\x08\xffrubbish")
    assert (result.text, result.outcome) == ("first", Outcome.PARTIAL_CORRUPT)


def test_a_stream_that_gives_nothing_is_corrupt():
    assert run(WHOLE[:12]).outcome is Outcome.FAILED_CORRUPT
    assert run(b"\x1f\x8b\x08\xff" + b"\xff" * 100).outcome is Outcome.FAILED_CORRUPT


def test_an_empty_stream_is_scanned():
    assert run(gzip.compress(b"")).outcome is Outcome.SCANNED


def nested(content, times):
    for _ in range(times):
        content = gzip.compress(content, mtime=0)
    return content


def test_gzip_in_gzip_is_opened_as_deep_as_the_budget_says():
    assert run(nested(b"deep", 3), max_depth=3).text == "deep"
    result = run(nested(b"deep", 4), max_depth=3)
    assert (result.text, result.outcome) == ("", Outcome.PARTIAL_DEPTH)


def test_a_binary_inside_is_named():
    result = run(gzip.compress(b"7z\xbc\xaf\x27\x1c" + bytes(100)))
    assert result.outcome is Outcome.SKIPPED_UNSUPPORTED
    assert "7z" in str(result.error)


def bomb(megabytes):
    deflate = zlib.compressobj(9, wbits=31)
    pieces = [deflate.compress(b"a" * 1_000_000) for _ in range(megabytes)]
    return b"".join([*pieces, deflate.flush()])


@pytest.mark.parametrize("layers", [0, 1])
def test_a_bomb_ends_by_its_budget_in_bounded_memory(layers):
    content = nested(bomb(60), layers)
    read = 0

    def drain():
        nonlocal read
        budget = Budget(max_bytes=50_000_000, deadline=60.0)
        for segment in extract(source(content), key="k", budget=budget, clock=lambda: 0.0):
            read += len(segment.data)

    tracemalloc.start()
    try:
        with pytest.raises(ExtractError) as caught:
            drain()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.outcome is Outcome.PARTIAL_BYTES
    assert read == 50_000_000
    assert peak < 8_000_000


def test_a_bomb_of_empty_members_ends_by_its_budget():
    result = run(nested(gzip.compress(b"", mtime=0) * 100_000, 1), max_bytes=1_000_000)
    assert (result.text, result.outcome) == ("", Outcome.PARTIAL_BYTES)


def test_a_stream_that_takes_too_long_keeps_what_was_read():
    now = 0.0

    def clock():
        nonlocal now
        now += 1.0
        return now

    result = run(bomb(20), clock=clock, window_bytes=100_000)
    assert result.outcome is Outcome.PARTIAL_TIME
    assert 0 < len(result.text) < 20_000_000
    assert now == 60.0

"""Tar and zip: members with their places, nesting, faults, bombs."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import tarfile
import tracemalloc
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner_tasks.core.model import Outcome
from tests.unit.extracting import cuts, places, run

SSN = "512-44-1234"


def zipped(files, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files, form=tarfile.GNU_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


PACK = {
    "zip": zipped,
    "zip, stored": lambda files: zipped(files, zipfile.ZIP_STORED),
    "zip, bzip2": lambda files: zipped(files, zipfile.ZIP_BZIP2),
    "tar": tarred,
    "tar, pax": lambda files: tarred(files, tarfile.PAX_FORMAT),
    "tar, ustar": lambda files: tarred(files, tarfile.USTAR_FORMAT),
    "tar.gz": lambda files: gzip.compress(tarred(files)),
}
forms = pytest.mark.parametrize("form", PACK)


@forms
def test_each_member_is_a_text_of_its_own_with_its_place(form):
    files = {
        "a.txt": b"no number here: 512-",
        "b/../c.csv": f"name\nssn: {SSN}\n".encode(),
        "empty.txt": b"",
        "é" * 40: gzip.compress(b"compressed inside"),
        "wide.txt": "Zoë".encode("utf-16"),
    }
    content = PACK[form](files)
    result = run(content, key="exports/all.csv", sizes=[1000, 7])
    assert result.outcome is Outcome.SCANNED
    assert [s.data.decode() for s in result.segments] == [
        "no number here: 512-", f"name\nssn: {SSN}\n", "compressed inside", "Zoë",
    ]  # fmt: skip
    assert all(not s.continues for s in result.segments)
    ((line, column, path),) = places(result, SSN)
    assert (line, column) == (2, 6)
    assert path.startswith("all.csv!b/../c.csv")


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_of_tar_are_whole(form):
    name = "folder/" * 30 + "é.txt"
    (segment,) = run(tarred({name: b"text"}, form), key="a.tar").segments
    assert segment.start.path == f"a.tar!{name}"


def nest(pack, times):
    content = b"deep " + SSN.encode()
    for n in range(times):
        content = pack({f"{n}.bin": content})
    return content


@forms
def test_archives_in_archives_are_opened_as_deep_as_the_budget_says(form):
    levels = 2 if form.endswith("gz") else 1
    result = run(nest(PACK[form], 10 // levels), key="a")
    assert (result.text, result.outcome) == ("deep " + SSN, Outcome.SCANNED)
    assert places(result, SSN)[0][2].count("!") == 10 // levels
    result = run(nest(PACK[form], 11), key="a")
    assert (result.text, result.outcome) == ("", Outcome.PARTIAL_DEPTH)


def test_too_deep_a_member_does_not_hide_the_next():
    result = run(zipped({"deep.zip": nest(zipped, 3), "b.txt": b"shown"}), max_depth=2)
    assert (result.text, result.outcome) == ("shown", Outcome.PARTIAL_DEPTH)


def encrypted(content):
    """The same zip archive, its members marked as encrypted."""
    data = bytearray(content)
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + place] |= 1
            at = data.find(signature, at + 4)
    return bytes(data)


def test_an_encrypted_archive_is_an_outcome():
    result = run(encrypted(zipped({"a.txt": b"secret", "b.txt": b"more"})))
    assert (result.text, result.outcome) == ("", Outcome.FAILED_ENCRYPTED)
    assert "2 parts" in str(result.error)


def test_an_encrypted_member_costs_itself_only():
    result = run(zipped({"a.zip": encrypted(zipped({"a": b"secret"})), "b.txt": b"shown"}))
    assert (result.text, result.outcome) == ("shown", Outcome.PARTIAL_ENCRYPTED)


def test_a_member_of_an_unknown_kind_costs_itself_only():
    result = run(zipped({"a.7z": b"7z\xbc\xaf\x27\x1c\0\4", "b.txt": b"shown"}))
    assert (result.text, result.outcome) == ("shown", Outcome.PARTIAL_UNSUPPORTED)
    assert "7z" in str(result.error)


FILES = {f"{n}.txt": (f"{n} " * 2000).encode() for n in range(20)}


@forms
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_cut_archive_keeps_what_came_before(form, share):
    content = PACK[form](FILES)
    result = run(content[: int(len(content) * share)])
    assert result.outcome is Outcome.PARTIAL_CORRUPT
    whole = b"".join(FILES.values()).decode()
    assert whole.startswith(result.text[: int(len(whole) * share * 0.8)])
    assert len(result.text) > len(whole) * share * 0.4


@forms
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_a_damaged_archive_never_crashes(form, data):
    damaged = bytearray(PACK[form]({"a.txt": b"one" * 100, "b.zip": zipped({"c": b"two"})}))
    for _ in range(3):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    whole = run(bytes(damaged))
    assert run(bytes(damaged), sizes=data.draw(cuts)).text == whole.text


def test_a_wrong_checksum_keeps_the_text_and_says_so():
    content = bytearray(zipped({"a.txt": b"first", "b.txt": b"second"}, zipfile.ZIP_STORED))
    content[content.find(b"first")] ^= 2
    result = run(bytes(content))
    assert (result.text, result.outcome) == ("dirstsecond", Outcome.PARTIAL_CORRUPT)


def test_sizes_behind_the_content_are_understood_with_and_without_a_directory():
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *_):
            raise io.UnsupportedOperation

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
    content = out.getvalue()
    assert run(content).text == b"".join(FILES.values()).decode()
    result = run(content[: content.find(b"PK\x01\x02")])
    assert (result.text, result.outcome) == (b"".join(FILES.values()).decode(), Outcome.PARTIAL_CORRUPT)


def test_an_archive_with_64_bit_sizes_is_read():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("a.txt", "w", force_zip64=True) as member:
        member.write(b"text")
    assert run(out.getvalue()).text == "text"


def test_what_stands_behind_the_end_of_a_tar_is_read():
    result = run(tarred({"a": b"shown "}) + tarred({"b": b"hidden"}))
    assert (result.text, result.outcome) == ("shown hidden", Outcome.SCANNED)


def traced(content, **budgets):
    tracemalloc.start()
    try:
        size, outcome = run(content, keep=False, **budgets)
        return size, outcome, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_zip_bomb_ends_by_its_ratio():
    content = zipped({"zeros": b"0" * 30_000_000})
    assert len(content) < 30_000_000 / 1000
    size, outcome, peak = traced(content, max_ratio=200, ratio_free_bytes=1_000_000, window_bytes=100_000)
    assert (outcome, size < 7_000_000, peak < 3_000_000) == (Outcome.PARTIAL_RATIO, True, True)


def test_zips_full_of_zips_end_by_their_bytes():
    content = b"0" * 1_000_000
    for _ in range(5):
        content = zipped({str(n): content for n in range(10)})
    size, outcome, peak = traced(content, max_bytes=20_000_000)
    assert outcome is Outcome.PARTIAL_BYTES
    assert size <= 20_000_000
    assert peak < 12_000_000


@pytest.mark.parametrize("pack", [zipped, lambda files: gzip.compress(tarred(files))], ids=["zip", "tar.gz"])
def test_an_archive_of_very_many_members_ends_by_their_number(pack):
    content = pack({str(n): b"x" for n in range(20_000)})
    size, outcome, peak = traced(content, max_members=2_000)
    assert (size, outcome) == (2_000, Outcome.PARTIAL_MEMBERS)
    assert peak < 4_000_000 + 2 * len(content)


def test_an_archive_that_holds_itself_ends_by_its_depth():
    # What a quine does without end: the same content at every level.
    inner = zipped({"a.txt": b"x"})
    for _ in range(30):
        inner = zipped({"r/r.zip": inner, "b.txt": b"y"})
    result = run(inner)
    assert (result.text, result.outcome) == ("y" * 10, Outcome.PARTIAL_DEPTH)


def test_an_archive_larger_than_the_spool_is_read_as_far_as_it_goes():
    content = zipped({f"{n}.txt": b"text " * 10 for n in range(100)}, zipfile.ZIP_STORED)
    result = run(content, spool_bytes=len(content) // 2)
    assert result.outcome is Outcome.PARTIAL_BYTES
    assert 1000 < len(result.text) < 4500


def test_what_stands_before_and_behind_a_zip_archive_is_read():
    first, second = zipped({"a.txt": b"512-44-1235"}), zipped({"b.txt": SSN.encode()})
    result = run(first + second + b"behind 512-44-1236", key="a.zip")
    assert result.outcome is Outcome.SCANNED
    assert places(result, SSN) == [(1, 1, "a.zip!b.txt")]
    assert places(result, "512-44-1235") == [(1, 1, "a.zip!before the archive!a.txt")]
    assert places(result, "512-44-1236") == [(1, 8, "a.zip!behind the archive")]
    out = io.BytesIO(second)
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = b"comment 512-44-1237"
    assert places(run(out.getvalue(), key="a.zip"), "512-44-1237")[0][2] == "a.zip!behind the archive"


@pytest.mark.parametrize("stub", [b"\x7fELF" + bytes(400), b"MZ" + bytes(400), b"#!/usr/bin/env python3\n"])
def test_a_program_that_unpacks_itself_is_read_as_the_archive_that_it_carries(stub):
    stub += b"text of the program" * (b"\0" in stub)
    result = run(stub + zipped({"a.txt": SSN.encode() * 40}), key="setup.exe")
    assert places(result, SSN)[0][2] == "setup.exe!a.txt"
    assert ("text of the program" in result.text) is (b"\0" in stub)
    assert result.outcome is Outcome.SCANNED


def test_a_program_without_an_archive_is_read_by_its_printable_runs():
    content = b"\x7fELF" + bytes(400) + b"ssn 512-44-1234" + b"\0" * 300_000
    assert places(run(content, key="ls"), SSN)[0][2] == "byte 404"


def lzma_zip(text, with_end):
    """As 7-Zip and others write method 14, which the standard library reads only with an end mark."""
    raw = lzma.compress(text, lzma.FORMAT_ALONE)
    assert raw[5:13] == b"\xff" * 8  # the standard library's has an end mark
    packed = b"\x09\x14\x05\0" + raw[:5] + raw[13:]
    content = bytearray(zipped({"a.txt": packed}, zipfile.ZIP_STORED))
    for signature, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = content.find(signature)
        content[at + place : at + place + 2] = b"\x0e\0"
        content[at + place + 6 : at + place + 10] = zlib.crc32(text).to_bytes(4, "little")
        whole = len(text) if with_end else len(text) - 3
        content[at + place + 14 : at + place + 18] = whole.to_bytes(4, "little")
    return bytes(content)


def test_a_member_packed_by_lzma_ends_where_it_is_told():
    assert run(lzma_zip(b"some text " * 50, True)).text == "some text " * 50
    result = run(lzma_zip(b"some text " * 50, False))
    assert (result.text, result.outcome) == (("some text " * 50)[:-3], Outcome.PARTIAL_CORRUPT)  # its checksum


def test_the_parts_of_a_sparse_file_are_read_under_its_own_name():
    header = tarfile.TarInfo("./GNUSparseFile.1/real.txt")
    header.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "folder/real.txt"}
    header.size = len(SSN)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(header, io.BytesIO(SSN.encode()))
    assert places(run(out.getvalue(), key="a.tar"), SSN) == [(1, 1, "a.tar!folder/real.txt")]


def test_overlapping_members_end_by_their_ratio():
    # A member's content is many entries' (Fifield's bomb): the directory tells the same place again and again.
    kernel = zipped({"0": b"0" * 4_000_000})
    local_end = kernel.find(b"PK\x01\x02")
    entry = kernel[local_end : kernel.find(b"PK\x05\x06")]
    count = 1000
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(entry) * count, local_end, 0)
    content = kernel[:local_end] + entry * count + end
    size, outcome, peak = traced(content, max_ratio=1000, ratio_free_bytes=20_000_000)
    assert outcome is Outcome.PARTIAL_RATIO
    assert (size < 70_000_000, peak < 8_000_000) == (True, True)

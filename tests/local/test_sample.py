"""The sample's truth is true: counted again here by patterns of this file's own."""

from __future__ import annotations

import gzip
import html
import io
import json
import re
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from scanner_tasks.core.model import Outcome
from scanner_tasks.local import sample_values as values
from scanner_tasks.local.sample import BUCKETS, LARGE_BYTES, ODD_KEYS, Sample, make_sample

PATTERNS = {
    values.SSN: r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])",
    values.CARD: r"(?<![\w-])(?:4|53|37|6011)(?:[ -]?\d){11,15}(?![\w-])",
    values.ACCESS_KEY: r"(?<!\w)AKIA[A-Z2-7]{16}(?!\w)",
    values.SECRET_KEY: r'aws_secret_access_key(?: = |": ")([A-Za-z0-9/+]{40})(?![\w/+])',
    values.EMAIL: r"[\w.]+@[\w.]+\.(?:com|org|net)",
    values.PHONE: r"(?:\(\d{3}\) |\+1 \d{3}-)555-01\d{2}(?!\d)",
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make_sample(tmp_path_factory.mktemp("sample"))


def text_of(raw: bytes) -> str:
    if raw.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return "\n".join(html.unescape(text_of(archive.read(name))) for name in archive.namelist())
    while raw.startswith(b"\x1f\x8b"):
        text = b""
        while raw:  # member after member, as far as they go
            member = zlib.decompressobj(wbits=31)
            text += member.decompress(raw)
            raw = member.unused_data
        raw = text
    return raw.decode("utf-16") if raw.startswith(b"\xff\xfe") else raw.decode("utf-8", errors="replace")


def recount(path: Path) -> dict[str, int]:
    text = text_of(path.read_bytes())
    counts = Counter({rule: len(re.findall(pattern, text)) for rule, pattern in PATTERNS.items()})
    cards = (re.sub("[ -]", "", found) for found in re.findall(PATTERNS[values.CARD], text))
    counts[values.CARD] = sum(values.luhn_digit(card[:-1]) == int(card[-1]) for card in cards)
    return {rule: count for rule, count in sorted(counts.items()) if count}


def test_every_count_of_the_truth_is_found_again_by_independent_patterns(sample: Sample) -> None:
    readable = [o for o in sample.objects if o.outcome in {Outcome.SCANNED, Outcome.PARTIAL_CORRUPT}]
    assert {o.key: recount(o.path) for o in readable} == {o.key: o.findings for o in readable}


def test_what_is_not_scanned_holds_nothing_to_be_found(sample: Sample) -> None:
    unread = [o for o in sample.objects if o.outcome not in {Outcome.SCANNED, Outcome.PARTIAL_CORRUPT}]
    assert unread
    assert not [o.key for o in unread if o.findings]


def test_the_sample_has_the_variety_that_the_demo_promises(sample: Sample) -> None:
    assert len(sample.objects) >= 300
    assert {o.bucket for o in sample.objects} == set(BUCKETS)
    assert max(o.size_bytes for o in sample.objects) > 20_000_000
    assert {o.key for o in sample.objects} >= set(ODD_KEYS)
    assert len({(o.bucket, o.key) for o in sample.objects}) == len(sample.objects)
    endings = {o.key.rpartition(".")[2] for o in sample.objects}
    assert endings >= {"csv", "json", "jsonl", "log", "txt", "gz", "png", "zip", "docx", "xlsx", "7z"}
    assert {rule for o in sample.objects for rule in o.findings} == set(PATTERNS)


def test_the_truth_beside_the_objects_names_every_file_with_its_size(sample: Sample) -> None:
    folder = sample.objects[0].path.parents[1]
    truth = json.loads((folder / "truth.json").read_text())
    assert [(t["bucket"], t["key"], t["outcome"], t["findings"]) for t in truth["objects"]] == [
        (o.bucket, o.key, str(o.outcome), o.findings) for o in sample.objects
    ]
    assert all((folder / t["file"]).stat().st_size == t["size_bytes"] for t in truth["objects"])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    first, again, other = (
        make_sample(tmp_path / name, seed=seed, large_bytes=100_000)
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert [o.path.read_bytes() for o in first.objects] == [o.path.read_bytes() for o in again.objects]
    assert [o.findings for o in first.objects] == [o.findings for o in again.objects]
    assert [o.path.read_bytes() for o in first.objects] != [o.path.read_bytes() for o in other.objects]


def test_the_cut_off_archive_keeps_its_values_and_lacks_its_end(sample: Sample) -> None:
    (cut,) = (o for o in sample.objects if o.outcome is Outcome.PARTIAL_CORRUPT)
    assert cut.findings
    with pytest.raises(EOFError):
        gzip.decompress(cut.path.read_bytes())


def test_the_large_object_is_written_in_pieces(sample: Sample) -> None:
    (large,) = (o for o in sample.objects if o.key == "svc/large.log")
    assert large.size_bytes == large.path.stat().st_size >= LARGE_BYTES


def test_spoilt_cards_fail_the_check_and_good_ones_pass() -> None:
    rng = Random(7)
    for wrong_by in range(10):
        digits = re.sub("[ -]", "", values.card(rng, wrong_by=wrong_by))
        assert (values.luhn_digit(digits[:-1]) == int(digits[-1])) is (wrong_by == 0)

"""A text scanned in byte ranges gives what it gives as a whole, wherever it is cut and however it is encoded."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Location, ObjectRange, Outcome, RuleFindings
from scanner_tasks.core.ranges import object_outcome
from scanner_tasks.detect.cards import luhn
from scanner_tasks.detect.engine import Detector
from scanner_tasks.detect.ranges import RangeDetection, first_lines, text_before, text_behind
from scanner_tasks.extract.budget import Budget
from scanner_tasks.extract.kind import HEAD_BYTES, sniff
from scanner_tasks.extract.ranges import range_text, source_bytes
from scanner_tasks.extract.structure import places_in
from scanner_tasks.extract.text import extract
from scanner_tasks.rules import load_builtin

from .test_detect_engine import FINGERPRINTER, WHOLE, texts

FEW = Detector(load_builtin(), FINGERPRINTER, occurrences_kept=2, test_values=True)
CUT = Detector(load_builtin(), FINGERPRINTER, test_values=True, window_bytes=64)
BUDGET = Budget(max_bytes=2**30, deadline=1.0)
NOWHERE = Location(line=0, column=0, offset=0)


def whole(data: bytes, detector: Detector) -> dict[str, RuleFindings]:
    detection = detector.begin()
    for segment in extract(io.BytesIO(data).read, key="a.txt", budget=BUDGET, clock=lambda: 0.0):
        detection.feed(segment)
    return {found.rule_id: found for found in detection.finish()}


def in_one_range(
    data: bytes, wanted: ObjectRange, detector: Detector, *, window_bytes: int = 1 << 20
) -> tuple[RuleFindings, ...]:
    kind = sniff(data[:HEAD_BYTES])
    assert kind.form == "text"
    assert kind.encoding
    line = first_lines(data[kind.mark_bytes :][: 4 * 5000].decode(kind.encoding, "replace").encode())
    first = wanted.first_byte
    before = min(first, source_bytes(text_before(detector), kind.encoding))
    end = wanted.last_byte + 1 + source_bytes(text_behind(detector), kind.encoding)
    detection = RangeDetection(detector, "a.txt", line, is_first=not first)
    for side, segment in range_text(
        io.BytesIO(data[first - before : end]).read,
        kind,
        wanted,
        before_bytes=before,
        is_last=end >= len(data),
        window_bytes=window_bytes,
        places=places_in(data[:HEAD_BYTES], kind, "a.txt"),
    ):
        detection.feed_side(side, segment)
    return detection.finish()


def in_ranges(
    data: bytes, range_bytes: int, detector: Detector, *, window_bytes: int = 1 << 20
) -> dict[str, RuleFindings]:
    """Each range by itself, put together as the ledger does."""
    together: dict[str, RuleFindings] = {}
    for first in range(0, len(data), range_bytes):
        wanted = ObjectRange(first_byte=first, last_byte=min(first + range_bytes, len(data)) - 1, object_batch_no=0)
        for found in in_one_range(data, wanted, detector, window_bytes=window_bytes):
            so_far = together.get(found.rule_id)
            if so_far is not None:
                places = (so_far.occurrences + found.occurrences)[: detector.occurrences_kept]
                together[found.rule_id] = replace(
                    found,
                    count=so_far.count + found.count,
                    occurrences=places,
                    confidence=max(so_far.confidence, found.confidence, key=["low", "medium", "high"].index),
                )
            else:
                together[found.rule_id] = found
    return together


@pytest.mark.parametrize("window_bytes", [200, 1 << 20])
def test_ranges_read_characters_that_are_written_by_their_numbers(window_bytes: int) -> None:
    line = '{"mail": "jane\\u0040example.com", "ssn": "\\u0035\\u00312-44-1234"}'
    data = "".join(line.ljust(95) + "\n" for _ in range(300)).encode()
    found = in_ranges(data, 96 * 50, WHOLE, window_bytes=window_bytes)
    assert {rule: each.count for rule, each in found.items()} == {
        rule: each.count for rule, each in whole(data, WHOLE).items()
    }
    assert found["us.ssn"].count == 300
    assert offsets(found)["us.ssn"][1] == 96 + line.index("\\u0035")


def without_places(found: dict[str, RuleFindings]) -> dict[str, RuleFindings]:
    return {
        rule: replace(
            each, occurrences=tuple(replace(place, location=NOWHERE, evidence=()) for place in each.occurrences)
        )
        for rule, each in found.items()
    }


def offsets(found: dict[str, RuleFindings]) -> dict[str, list[int]]:
    return {rule: [place.location.offset for place in each.occurrences] for rule, each in found.items()}


def size_of(data: bytes, ranges: int) -> int:
    """Bytes of a range when a text is cut into about so many."""
    return max(4, -(-len(data) // ranges // 4) * 4)


some = st.integers(2, 6)
quick = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(texts, some)
@example("name,ssn\n" + "Jane Roe,536228726\n" * 9, 40)
@example("jane.roe@example.com\njane.roe@example.com,4111 1111 1111 1111", 12)
def test_ranges_of_utf8_find_the_same_at_the_same_offsets(text: str, ranges: int) -> None:
    data = text.encode()
    if not data or sniff(data[:HEAD_BYTES]).form != "text":
        return
    for detector in (WHOLE, FEW, CUT):
        expected = whole(data, detector)
        found = in_ranges(data, size_of(data, ranges), detector)
        assert without_places(found) == without_places(expected)
        if sniff(data[:HEAD_BYTES]).encoding == "utf-8" and _is_utf8(data):
            assert offsets(found) == offsets(expected)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@quick
@example("", 9, "utf-8-sig")
@given(texts, some, st.sampled_from(["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "mixed"]))
def test_ranges_of_any_encoding_find_the_same(text: str, ranges: int, encoding: str) -> None:
    text = f"names and numbers, ssn: 536-22-8726\n{text}"
    if encoding == "mixed":
        data = b"".join(
            line.encode("cp1252", "ignore") if n % 2 else line.encode() for n, line in enumerate(text.split(" "))
        )
    else:
        data = text.encode(encoding, "ignore" if encoding == "cp1252" else "strict")
    if sniff(data[:HEAD_BYTES]).form != "text":
        return
    assert without_places(in_ranges(data, size_of(data, ranges), CUT, window_bytes=64)) == without_places(
        whole(data, CUT)
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be", "cp1252"])
def test_offset_is_the_place_in_the_object(encoding: str) -> None:
    text = "naïve “text” " * 40 + "ssn: 536-22-8726" + " ümläut" * 700 + " ssn: 536-22-8727, é"
    data = text.encode(encoding)
    for window_bytes in (32, 1 << 20):
        found = in_ranges(data, 128, WHOLE, window_bytes=window_bytes)["us.ssn"]
        values = [
            data[at:].decode(encoding.replace("-sig", "").replace("16", "16-le"), "ignore")
            for at in (place.location.offset for place in found.occurrences)
        ]
        assert [value[:11] for value in values] == ["536-22-8726", "536-22-8727"]
        assert {place.location.line for place in found.occurrences} == {0}


def test_header_of_the_first_line_counts_in_every_range() -> None:
    rows = "".join(f"{n},Jane Roe,{n % 9000:04d}\n" for n in range(30_000))
    data = f"id,name,ssn\n{rows}90001,Jane Roe,536228726\n".encode()
    found = in_ranges(data, len(data) // 4 // 4 * 4, WHOLE)
    assert found["us.ssn"].count == 1
    assert "column header ssn" in found["us.ssn"].occurrences[0].evidence


def test_character_that_a_cut_divides_is_the_left_ranges() -> None:
    kind, data = sniff(b"text"), "ab\U0001f600cd".encode()
    own = []
    for first, last in ((0, 3), (4, 7)):
        wanted = ObjectRange(first_byte=first, last_byte=last, object_batch_no=0)
        segments = range_text(io.BytesIO(data).read, kind, wanted, before_bytes=first, is_last=True, window_bytes=100)
        own.append(b"".join(segment.data for side, segment in segments if side == "own"))
    assert own == ["ab\U0001f600".encode(), b"cd"]


def test_surrogate_pair_that_a_cut_divides_is_the_left_ranges() -> None:
    data = "a\U0001f600bc".encode("utf-16-le")
    kind = replace(sniff(b"text"), encoding="utf-16-le")
    own = []
    for first, last in ((0, 3), (4, 9)):
        wanted = ObjectRange(first_byte=first, last_byte=last, object_batch_no=0)
        segments = range_text(io.BytesIO(data).read, kind, wanted, before_bytes=first, is_last=True, window_bytes=100)
        own.append(b"".join(segment.data for side, segment in segments if side == "own"))
    assert own == ["a\U0001f600".encode(), b"bc"]


@pytest.mark.parametrize("form", ["csv", "jsonl", "headless"])
def test_columns_that_are_counted_as_a_whole_are_counted_in_their_range_alone(form: str) -> None:
    rows = [
        {"id": f"{n}", "ssn": f"5{n % 40 + 11}-{n % 80 + 11}-{n % 9000 + 1000}", "mail": f"jane.roe{n}@example.com"}
        for n in range(7000)
    ]
    if form == "jsonl":
        text = "".join(json.dumps(row) + "\n" for row in rows)
    else:
        text = "id,ssn,mail\n" * (form == "csv") + "".join(",".join(row.values()) + "\n" for row in rows)
    data = text.encode()
    expected, found = whole(data, FEW), in_ranges(data, len(data) // 3 // 4 * 4, FEW)
    assert expected["us.ssn"].count == expected["contact.email"].count == 7000
    assert {rule: each.count for rule, each in found.items()} == {rule: each.count for rule, each in expected.items()}
    assert offsets(found) == offsets(expected)


def test_numbers_that_pass_by_chance_are_judged_range_by_range() -> None:
    def cards(first: int, count: int, *, valid: bool) -> str:
        numbers = (str(n) for n in range(first, first + 10**9))
        wanted = (n for n in numbers if (luhn(n.encode()) and len(set(n)) > 3) == valid)
        return "".join(f"number {n}\n" for n in islice(wanted, count))

    good, bad = cards(4539_1488_0343_0000, 40, valid=True), cards(4716_1089_9971_0000, 400, valid=False)
    data = (good + bad).encode()
    first = len(good) // 4 * 4
    assert whole(data, WHOLE).get("payment.card") is None, "of 440 candidates 40 pass: as many as by chance"
    assert whole(good.encode(), WHOLE)["payment.card"].count == 40
    found = [
        in_one_range(data, ObjectRange(first_byte=at, last_byte=end - 1, object_batch_no=0), WHOLE)
        for at, end in ((0, first), (first, len(data)))
    ]
    counts = [sum(each.count for each in some if each.rule_id == "payment.card") for some in found]
    assert counts == [40, 0], "what is read before and behind a range does not count against it"


def test_reading_that_breaks_off_gives_what_came_before_it() -> None:
    data, error = b"x" * 100, ExtractError("slow", Outcome.PARTIAL_TIME)

    def read(size: int) -> bytes:
        if pieces:
            return pieces.pop()
        raise error

    pieces = [data]
    wanted = ObjectRange(first_byte=40, last_byte=199, object_batch_no=0)
    segments = range_text(read, sniff(data), wanted, before_bytes=40, is_last=False, window_bytes=30)
    own: list[bytes] = []
    with pytest.raises(ExtractError) as raised:
        own.extend(segment.data for side, segment in segments if side == "own")
    assert raised.value is error
    assert b"".join(own) == b"x" * 60


def test_worst_range_tells_the_objects_outcome_by_kind_then_by_the_order_of_the_table() -> None:
    worse_first = [
        Outcome.FAILED_DENIED,
        Outcome.FAILED_CHANGED_SINCE_LISTING,
        Outcome.FAILED_DEAD_LETTER,
        Outcome.SKIPPED_CANCELLED,
        Outcome.PARTIAL_BYTES,
        Outcome.PARTIAL_TIME,
        Outcome.SCANNED,
    ]
    for n, worst in enumerate(worse_first):
        assert object_outcome(reversed(worse_first[n:])) is worst

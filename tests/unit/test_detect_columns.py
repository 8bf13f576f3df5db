"""What a whole column says: it is one profile, and numbers that pass their check by chance are not told."""

from __future__ import annotations

import random

import pytest

from benchmarks.detection import values
from scanner_tasks.core.model import Column, Confidence, Location, Segment
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.rules import load_builtin

KEY = Fingerprinter(b"a key for the tests", "t")
DETECTORS = [
    Detector(load_builtin(), KEY),
    Detector(load_builtin(), KEY, window_bytes=900),
    Detector(load_builtin(), KEY, filtered=False),
]
LOW = Detector(load_builtin(), KEY, threshold=Confidence.LOW)


def found(detector, text):
    detection = detector.begin()
    detection.feed(Segment(data=text.encode(), start=Location(line=1, column=1, offset=0), continues=False))
    return {finding.rule_id: finding for finding in detection.finish()}


def rows(count, *cells, header=""):
    r = random.Random(5)
    return header + "".join(",".join(str(cell(r, n)) for cell in cells) + "\n" for n in range(count))


@pytest.mark.parametrize("detector", DETECTORS, ids=["whole", "windows", "plain"])
def test_a_column_that_validates_almost_wholly_is_one_profile(detector):
    text = rows(200, lambda _, n: n, lambda r, n: "unknown" if n % 50 == 0 else values.ssn(r), header="id,Staff SSN\n")
    finding = found(detector, text)["us.ssn"]
    assert finding.count == 196
    assert finding.columns == (Column(name="Staff SSN", rows=200, valid=196),)
    assert finding.confidence is Confidence.HIGH
    assert finding.occurrences[0].evidence[-1] == "column Staff SSN: 98 % valid us.ssn, 200 rows"
    assert all("column Staff SSN: " not in line for line in finding.occurrences[1].evidence)


@pytest.mark.parametrize("detector", DETECTORS, ids=["whole", "windows", "plain"])
def test_a_column_without_a_header_has_its_number_and_raises_the_confidence(detector):
    finding = found(detector, rows(60, lambda _, n: n, lambda r, _: values.ssn(r)))["us.ssn"]
    assert finding.columns == (Column(name="2", rows=60, valid=60),)
    assert finding.confidence is Confidence.HIGH


@pytest.mark.parametrize("detector", DETECTORS, ids=["whole", "windows", "plain"])
def test_keys_of_json_lines_are_columns(detector):
    r = random.Random(5)
    text = "".join(f'{{"n": "{n}", "who": "{values.email(r)}"}}\n' for n in range(40))
    assert found(detector, text)["contact.email"].columns == (Column(name="who", rows=40, valid=40),)


@pytest.mark.parametrize("detector", DETECTORS, ids=["whole", "windows", "plain"])
def test_few_rows_and_mixed_columns_are_no_profile(detector):
    assert found(detector, rows(12, lambda _, n: n, lambda r, _: values.ssn(r)))["us.ssn"].columns == ()
    mixed = rows(90, lambda _, n: n, lambda r, n: values.ssn(r) if n % 3 else "none")
    assert found(detector, mixed)["us.ssn"].columns == ()


def sixteen(r, _):
    return "4" + "".join(str(r.randrange(10)) for _ in range(15))


@pytest.mark.parametrize("detector", DETECTORS, ids=["whole", "windows", "plain"])
@pytest.mark.parametrize("separator", [",", "\t", " "])
def test_numbers_that_pass_by_chance_are_not_told(detector, separator):
    text = rows(400, lambda _, n: n, sixteen).replace(",", separator)
    assert "payment.card" not in found(detector, text)
    low = found(LOW, text)["payment.card"]
    assert (low.confidence, low.count > 20) == (Confidence.LOW, True)


@pytest.mark.parametrize("detector", DETECTORS, ids=["whole", "windows", "plain"])
def test_a_column_of_cards_beside_a_column_of_random_numbers_is_told(detector):
    text = rows(120, sixteen, lambda r, _: values.card_number(r))
    finding = found(detector, text)["payment.card"]
    assert finding.count == 120
    assert [column.name for column in finding.columns] == ["2"]


@pytest.mark.parametrize("detector", DETECTORS, ids=["whole", "windows", "plain"])
def test_a_card_with_its_keyword_is_told_among_random_numbers(detector):
    text = " ".join(sixteen(random.Random(n), 0) for n in range(300)) + " paid with card 4539 5116 1954 3489 today"
    assert found(detector, text)["payment.card"].count == 1


def test_a_columns_name_is_masked():
    r = random.Random(5)
    text = "".join(f'{{"jane@example.com": "{values.ssn(r)}"}}\n' for n in range(40))
    (column,) = found(DETECTORS[0], text)["us.ssn"].columns
    assert "jane" not in column.name


@pytest.mark.parametrize("detector", DETECTORS, ids=["whole", "windows", "plain"])
def test_cards_with_a_keyword_in_their_cell_are_told_beside_numbers_that_miss_their_check_digit(detector):
    # A log with commas looks like a table: its "column" of vouchers says nothing about the charges in it.
    r = random.Random(5)
    lines = [f"INFO voucher {sixteen(r, 0)} void, status=ok" for _ in range(200)]
    lines[20::20] = [f"INFO charge card={values.card_number(r)}, status=ok" for _ in lines[20::20]]
    assert found(detector, "\n".join(lines))["payment.card"].count == 9


@pytest.mark.parametrize("text", ["ssn: 536-22-8726, Jane\nnext, 219441234\n", "SSN 536 22 8726;Jane\n219441234;y\n"])
def test_a_first_line_that_holds_values_is_no_header(text):
    (value,) = [value for value in DETECTORS[0].find_all(text, tell=True) if value.rule_id == "us.ssn"]
    assert (value.line, value.evidence[2][:11]) == (1, "keyword ssn")

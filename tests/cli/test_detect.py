"""`s3scan detect` answers line by line, in code points, with every occurrence."""

from __future__ import annotations

import io
import json

import pytest

from scanner_tasks.cli import program
from scanner_tasks.cli.detect import detector, findings_of, jsonl
from scanner_tasks.core.model import Confidence, Location, Segment

DETECTOR = detector()


def spans(text, using=DETECTOR):
    return [(f["rule"], text[f["start"] : f["end"]]) for f in findings_of(using, text)]


def test_offsets_are_code_points_and_every_occurrence_is_told():
    text = "".join(f"é漢😀 ssn 536-22-{n:04}\n" for n in range(1000, 1100))
    assert spans(text) == [("us.ssn", f"536-22-{n:04}") for n in range(1000, 1100)]


def test_each_occurrence_has_its_own_confidence():
    text = "ssn 536-22-8727" + "." * 300 + "536-22-8728"
    assert [f["confidence"] for f in findings_of(DETECTOR, text)] == ["high", "medium"]


def test_test_values_are_told_only_on_request():
    text = "card 4111 1111 1111 1111, AKIAIOSFODNN7EXAMPLE, ssn 078-05-1120"
    assert spans(text) == []
    found = spans(text, detector(test_values=True))
    assert [rule for rule, _ in found] == ["payment.card", "aws.access_key_id", "us.ssn"]


def test_lines_are_answered_in_order_and_a_wrong_one_is_named():
    out = io.StringIO()
    lines = [json.dumps({"id": n, "text": f"é jane{n}@corp.example"}) for n in range(3)]
    assert jsonl(DETECTOR, io.StringIO("\n".join([lines[0], "nonsense", '{"id": 1}', *lines[1:]])), out) == 2
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [a["id"] for a in answers] == [0, None, 1, 1, 2]
    assert answers[-1]["findings"] == [
        {"rule": "contact.email", "start": 2, "end": 20, "confidence": "high", "masked": "j****@corp.example"}
    ]


@pytest.mark.parametrize("text", ["", "\ud800 jane@corp.example", "\0\r\n"])
def test_odd_texts_are_answered(text):
    assert all(f["rule"] == "contact.email" for f in findings_of(DETECTOR, text))


def test_text_is_answered_with_lines_and_columns(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("é\né 536-22-8727".encode())))
    assert program.run(["detect"]) == 0
    assert capsys.readouterr().out == "2:3\tus.ssn\tmedium\t***-**-8727\n"


def test_the_header_of_a_table_is_context_for_its_rows():
    table = "id,ssn,order_id\n" + "1,536228727,536-22-8728\n" * 2
    found = findings_of(DETECTOR, table)
    assert [(f["start"], f["confidence"]) for f in found] == [(18, "high"), (42, "high")]
    assert findings_of(DETECTOR, "id,name,order\n1,536228727,x\n") == []


def test_evidence_tells_what_made_the_score():
    detection = detector(threshold=Confidence.LOW).begin()
    text = "Name,SSN\nx,536228727\n" + "." * 400 + "\nssn: 536-22-8728 " + "." * 400 + " 536-22-8729"
    detection.feed(Segment(data=text.encode(), start=Location(line=1, column=1, offset=0), continues=False))
    (found,) = detection.finish()
    assert [o.evidence for o in found.occurrences] == [
        ("weak pattern", "validator us_ssn", "column header ssn", "confidence high"),
        ("pattern", "validator us_ssn", "keyword ssn, 2 before", "confidence high"),
        ("pattern", "validator us_ssn", "no keyword within 50", "confidence medium"),
    ]

"""The engine: the same findings wherever a text is cut, exact counts, and nothing in the clear."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scanner_tasks.core.model import Confidence, Location, Segment, Severity
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.detect.ruleset import Ruleset, parse_rules
from scanner_tasks.rules import load_builtin

FINGERPRINTER = Fingerprinter(b"a key for the tests", "t")
START = Location(line=1, column=1, offset=0)
WHOLE = Detector(load_builtin(), FINGERPRINTER, test_values=True)
SMALL = Detector(load_builtin(), FINGERPRINTER, test_values=True, window_bytes=64)
EVERYTHING = Detector(load_builtin(), FINGERPRINTER, 10_000, test_values=True)
ODD = Detector(load_builtin(), FINGERPRINTER, test_values=True, window_bytes=1009)

VALUES = [
    "4111 1111 1111 1111",
    "5555-5555-5555-4444",
    "378282246310005",
    "536-22-8726",
    "536 22 8726",
    "536228726",
    "(415) 555-2671",
    "+44 20 7946 0958",
    "4155552671",
    "jane.roe@example.com",
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "078-05-1120",
    "4111 1111 1111 1112",
    "order 4111111111111111",
    "123e4567-e89b-12d3-a456-426614174000",
]
WORDS = [
    "ssn",
    "card",
    "phone",
    "aws_secret_access_key",
    "order",
    "secret",
    "é",
    "漢字",
    "😀",
    "12",
    "1234",
    "x@",
    "a.b",
]
GLUE = [" ", "\n", ",", ": ", "=", '"', "-", ".", "\\n", "\r\n", "/", "", "\t", "@", "     "]
LONG = ["0" * 300, "1234 " * 60, "Aa1" * 200, "é" * 400, "x" * 700, "a." * 300, "\n" * 50]
texts = st.lists(
    st.one_of(
        st.sampled_from(VALUES),
        st.sampled_from(GLUE),
        st.sampled_from(WORDS),
        st.sampled_from(LONG),
        st.text(max_size=12).filter(lambda t: t.isprintable()),
    ),
    max_size=60,
).map("".join)


def segments(text, cuts, *, start=START):
    """The text cut before these code points, each piece with its true location."""
    pieces, line, column, offset = [], start.line, start.column, start.offset
    edges = sorted({0, *(cut % (len(text) + 1) for cut in cuts), len(text)})
    for first, last in pairwise(edges):
        piece = text[first:last]
        where = Location(line=line, column=column, offset=offset)
        pieces.append(Segment(data=piece.encode(), start=where, continues=first > 0))
        offset += len(piece.encode())
        line += piece.count("\n")
        column = len(piece) - piece.rfind("\n") if "\n" in piece else column + len(piece)
    return pieces


def detect(detector, pieces):
    detection = detector.begin()
    for piece in pieces:
        detection.feed(piece)
    return detection.finish()


def found(text, detector=WHOLE):
    return {f.rule_id: f for f in detect(detector, segments(text, []))}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts, st.lists(st.integers(0, 5000), max_size=30))
@example("1234 " * 300 + "4111 1111 1111 1111\nssn 536228726 " + "é" * 900 + "536-22-8726", [7, 1507, 1512, 1600])
@example("x" * 5000 + "jane@example.com" + "y" * 10 + "@" * 600, [5003])
def test_cuts_and_windows_never_change_findings(text, cuts):
    expected = detect(WHOLE, segments(text, []))
    assert detect(WHOLE, segments(text, cuts)) == expected
    assert detect(SMALL, segments(text, cuts)) == expected
    assert detect(ODD, segments(text, cuts)) == expected


def own_rules(pattern, **more):
    table = {"id": "own.rule", "name": "Own", "category": "custom", "severity": "low", "confidence": "low"}
    table |= {"pattern": pattern, "references": ["x"], "examples": ["x"], "negative_examples": ["x"], **more}
    return Ruleset(parse_rules({"rule": [table]}, source="own.toml"))


def test_a_match_complete_in_a_window_never_hides_a_longer_one_that_begins_before_it():
    rules = own_rules("a[a-z]{20}b|xyz")
    text = "-" * 900 + "a" + "m" * 5 + "xyz" + "m" * 12 + "b" + "-" * 900
    for window in range(16, 64):
        detector = Detector(rules, FINGERPRINTER, threshold=Confidence.LOW, window_bytes=window)
        assert [o.masked for f in detect(detector, segments(text, [])) for o in f.occurrences] == ["*" * 22]


def test_a_literal_that_stands_alone_never_cuts_the_match_after_it_short():
    detector = Detector(own_rules("@[a-z]{2,4}", literal="@"), FINGERPRINTER, threshold=Confidence.LOW)
    assert [o.masked for f in detect(detector, segments("@ @abcd @", [])) for o in f.occurrences] == ["@****"]


def test_overlapping_candidates_are_masked_whole():
    assert Detector(own_rules("[ab]{3}"), FINGERPRINTER).context.hide("-abab-") == "-****-"


def test_text_cut_at_every_code_point_gives_the_same_findings():
    text = "".join(f"é {value} :\n" for value in VALUES) * 3
    pieces = segments(text, range(len(text)))
    assert detect(SMALL, pieces) == detect(WHOLE, pieces) == detect(WHOLE, segments(text, []))


@settings(max_examples=200, deadline=None)
@given(
    texts,
    texts,
    st.sampled_from(["4111 1111 1111 1111", "jane.roe@example.com", "AKIAIOSFODNN7EXAMPLE", "536-22-8726"]),
)
def test_location_points_at_the_value(before, after, value):
    text = f"{before}\n\n{value}\n\n{after}"
    at = len(before) + 2
    places = [o.location for f in detect(EVERYTHING, segments(text, [at + 3])) for o in f.occurrences]
    line_start = text.rfind("\n", 0, at) + 1
    assert (
        Location(line=text.count("\n", 0, at) + 1, column=at - line_start + 1, offset=len(text[:at].encode())) in places
    )


@settings(max_examples=200, deadline=None)
@given(texts)
def test_no_value_is_shown_in_a_mask_or_a_context(text):
    # Every value planted has the shape of some rule's value, so none may stand in the clear beside another.
    for finding in detect(WHOLE, segments(text, [])):
        for occurrence in finding.occurrences:
            for value in VALUES:
                assert value not in occurrence.context
                assert value not in occurrence.masked
            assert len(occurrence.context) <= len(occurrence.masked) + 80
            assert "\n" not in occurrence.context
            assert "\0" not in occurrence.context


def test_context_masks_other_rules_and_rejected_candidates():
    (only,) = found("void 078-05-1120, jane@example.com, card 4111 1111 1111 1112")["contact.email"].occurrences
    assert only.masked == "j***@example.com"
    assert only.context == "void ***-**-****, j***@example.com, card **** **** **** ****"


def test_context_masks_a_candidate_that_it_holds_only_in_part():
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    (only,) = found(f"{secret} {'.' * 20} jane@example.com {'.' * 20} {secret}")["contact.email"].occurrences
    assert not any(c.isalnum() for c in only.context.replace("j***@example.com", ""))


def test_mask_hides_what_another_rule_would_find_in_it():
    (only,) = found("to john@4111111111111111.com")["contact.email"].occurrences
    assert "1111" not in only.masked


def test_counts_are_exact_and_the_first_occurrences_are_kept():
    text = "".join(f"{n:05} 536-22-{1000 + n}\n" for n in range(5000))
    for detector in (WHOLE, SMALL):
        finding = found(text, detector)["us.ssn"]
        assert finding.count == 5000
        assert [o.location.line for o in finding.occurrences] == list(range(1, 11))
        assert all(o.location.column == 7 for o in finding.occurrences)


def test_a_segment_that_does_not_continue_begins_a_new_text():
    detection = WHOLE.begin()
    detection.feed(Segment(data=b"4111 1111 ", start=START, continues=False))
    where = Location(line=7, column=3, offset=100)
    detection.feed(Segment(data=b"1111 1111 536-22-8726", start=where, continues=False))
    (finding,) = detection.finish()
    assert (finding.rule_id, finding.count) == ("us.ssn", 1)
    assert finding.occurrences[0].location == Location(line=7, column=13, offset=110)


def test_values_that_touch_two_texts_are_both_found():
    detection = WHOLE.begin()
    detection.feed(Segment(data=b"536-22-8726", start=START, continues=False))
    detection.feed(Segment(data=b"536-22-8727", start=START, continues=False))
    assert [f.count for f in detection.finish()] == [2]


def test_finish_without_text_finds_nothing_and_may_be_repeated():
    detection = WHOLE.begin()
    assert detection.finish() == ()
    detection.feed(Segment(data=b"", start=START))
    detection.feed(Segment(data=b"536-22-8726", start=START))
    assert detection.finish() == detection.finish()
    assert detection.finish()[0].count == 1


def test_finding_carries_the_rules_words_and_a_keyed_fingerprint():
    finding = found("SSN 536-22-8726 and 536 22 8726")["us.ssn"]
    assert (finding.severity, finding.confidence) == (Severity.HIGH, Confidence.HIGH)
    assert {o.fingerprint for o in finding.occurrences} == {FINGERPRINTER.fingerprint(b"536228726")}
    assert found("x 536-22-8726")["us.ssn"].confidence is Confidence.MEDIUM


def test_confidence_is_the_highest_of_all_occurrences_in_any_order():
    far = "." * 200
    assert found(f"536-22-8726 {far} ssn 536-22-8727")["us.ssn"].confidence is Confidence.HIGH
    assert found(f"ssn 536-22-8726 {far} {far} 536-22-8727")["us.ssn"].confidence is Confidence.HIGH


@pytest.mark.parametrize("filler", [b"lorem ipsum dolor sit amet 12.5 ", b"1" * 32, b"Aa1+" * 8, b"a.b@c" * 7])
def test_memory_is_bounded_by_the_window(filler):
    detector = Detector(load_builtin(), FINGERPRINTER, window_bytes=16 * 1024)
    data = filler * 128
    detector.prepare()
    tracemalloc.start()
    try:
        detection = detector.begin()
        for n in range(400):
            detection.feed(Segment(data=data, start=START, continues=n > 0))
        detection.finish()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 400_000


def test_bytes_that_are_not_utf8_do_no_harm():
    detection = SMALL.begin()
    detection.feed(Segment(data=b"\xff\xfe 536-22-8726 \x80\x80" * 50, start=START, continues=False))
    assert detection.finish()[0].count == 50

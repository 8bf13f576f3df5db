"""What stands around values is searched once, in pieces: the pieces never change what is found."""

from hypothesis import given, settings
from hypothesis import strategies as st

from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.candidates import Candidates
from scanner_tasks.detect.engine import Detector
from scanner_tasks.rules import load_builtin

DETECTOR = Detector(load_builtin(), Fingerprinter(b"a key for the tests", "t"))
DETECTOR.prepare()
PARTS = ["ssn 536-22-8726, ", "4111 1111 1111 1111\n", "jane@example.com;", "password=hunter2hunter2 ", "é", "x" * 200]


def every_match(text, first, last):
    """As it is meant: each rule, from each byte, with nothing of the text left out."""
    for rule in DETECTOR.rules:
        at = first
        while (found := rule.regex.search(text, at)) is not None and found[0][0] < last:
            yield rule.span(found)[:2]
            at = found[0][0] + 1


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=12), st.data())
def test_pieces_that_are_asked_for_in_any_order_hold_every_match_that_begins_in_them(parts, data):
    text = "".join(parts).encode()
    places = st.integers(0, len(text))
    for chosen in (DETECTOR.filter_for(bytes(2000)), None):
        candidates = Candidates(DETECTOR.rules, chosen, text)
        for _ in range(3):
            first, last = sorted((data.draw(places), data.draw(places)))
            assert sorted(candidates.begun(first, last)) == sorted(every_match(text, first, last))


def test_a_candidate_wider_than_a_piece_is_found_whole():
    text = b" " * 250 + b"token=" + b"eyJhbGciOiJIUzI1NiJ9." + b"eyJzdWIiOiIx" * 60 + b"." + b"c2ln" * 11 + b" end"
    candidates = Candidates(DETECTOR.rules, DETECTOR.filter_for(bytes(2000)), text)
    assert (256, len(text) - 4) in set(candidates.begun(250, 260))

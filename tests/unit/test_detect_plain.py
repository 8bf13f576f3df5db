"""Bare numbers are refused all together just as each would be by itself."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from scanner_tasks.core.model import Confidence, Location, Segment
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.cards import misses_check_digit
from scanner_tasks.detect.compiled import CompiledRule
from scanner_tasks.detect.engine import Detector
from scanner_tasks.detect.plain import plain_cards
from scanner_tasks.rules import load_builtin

KEY = Fingerprinter(b"a key for the tests", "t")
CARD = CompiledRule(next(rule for rule in load_builtin().rules if rule.id == "payment.card"))
FILTERED, SMALL, UNFILTERED = (
    Detector(load_builtin(), KEY, threshold=Confidence.LOW, **more)
    for more in ({}, {"window_bytes": 700}, {"filtered": False})
)
FILTERED.prepare()
SMALL.prepare()
numbers = st.one_of(
    st.from_regex("[3-6][0-9]{11,19}", fullmatch=True),
    st.from_regex("4[0-9]{15}", fullmatch=True),
    st.sampled_from(["4532015112830366", "4532 0151 1283 0366", "4532", "371449635398431", "6011"]),
)
between = st.sampled_from([" ", "\n", ",", "-", "/", " - ", "é", "x", "\\n", "%41", ", card ", "; id ", "|", "\t"])
texts = st.lists(st.tuples(numbers, between), max_size=25).map(lambda pairs: "".join(a + b for a, b in pairs))


@settings(max_examples=30, deadline=None)
@given(texts, st.integers(0, 300), st.integers(0, 900))
def test_what_is_refused_is_a_match_that_would_be_judged_to_be_none(text, first, last):
    data = ("a list of numbers: " + text).encode()
    ends = sorted({match[0][1] for match in matches(data)})
    plain = plain_cards(data, ends, first, last)
    judged = {match[0][0]: match for match in matches(data)}
    for begin in plain.refused:
        match = judged[begin]
        assert first <= begin <= last
        assert CARD.judge(data, match, None) is None
        start, end, weak = CARD.span(match)
        assert (start, weak) == (begin + 1, False)
        assert misses_check_digit(data[start:end]) == (begin in plain.missed)
        assert not any(other < begin < match_end - 1 for other, match_end in spans(judged, begin))
    assert set(ends) - set(plain.ends) == {judged[begin][0][1] for begin in plain.refused}
    for end, begin in plain.begins.items():
        assert judged[begin][0][1] == end


def spans(judged, begin):
    """Other matches."""
    return [match[0] for at, match in judged.items() if at != begin]


def matches(data):
    """From every start."""
    at = 0
    while (found := CARD.find(data, at, len(data) + 1)) is not None:
        yield found
        at = found[0][0] + 1


@settings(max_examples=12, deadline=None)
@given(texts.map(lambda text: text * 4))
def test_the_filter_and_windows_never_change_what_is_found_among_numbers(text):
    data = ("a text of numbers that is not short: " + text + " " * 1100).encode()
    found = [told(detector, data) for detector in (FILTERED, SMALL, UNFILTERED)]
    assert found[0] == found[1] == found[2]


def told(detector, data):
    detection = detector.begin()
    detection.feed(Segment(data=data, start=Location(line=1, column=1, offset=0), continues=False))
    return [finding for finding in detection.finish() if finding.rule_id == "payment.card"]

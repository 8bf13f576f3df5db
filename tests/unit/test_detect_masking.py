"""No candidate's value, of any rule and told or not, shows in the context of any occurrence."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.detection import values
from scanner_tasks.core.model import Confidence, Location, Segment
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.rules import load_builtin

EVERYTHING = Detector(
    load_builtin(),
    Fingerprinter(b"a key for the tests", "t"),
    occurrences_kept=1000,
    threshold=Confidence.LOW,
    test_values=True,
)
#: Each rule's own examples, and values made of every kind: what stands beside one must hide in the other's context.
EXAMPLES = [example for rule in load_builtin().rules for example in rule.examples if len(example) < 200]
MADE = [
    make(random.Random(n))
    for n in range(6)
    for make in (values.ssn, values.card, values.phone, values.email, values.foreign_phone, values.iban, values.jwt)
]
WORDS = [
    "ssn ",
    "card: ",
    "phone ",
    "order ",
    "token=",
    "é ",
    "漢字",
    "the ",
    "a,",
    "\n",
    "; ",
    "=",
    " ",
    '"',
    "(",
    ")",
]
texts = st.lists(
    st.one_of(st.sampled_from(EXAMPLES), st.sampled_from(MADE), st.sampled_from(WORDS), st.text(max_size=5)),
    min_size=2,
    max_size=14,
).map(" ".join)
#: What a mask may show of a value: its last four digits, an access key's beginning, a domain.
_LONGEST_SHOWN = 4


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts)
def test_no_candidate_shows_in_any_context(text):
    data = text.encode("utf-8", "replace")
    detection = EVERYTHING.begin()
    detection.feed(Segment(data=data, start=Location(line=1, column=1, offset=0), continues=False))
    contexts = [o.context for found in detection.finish() for o in found.occurrences]
    for start, end in candidates(data):
        # A part of a value that is longer than a mask shows is that value's, wherever it stands.
        for part in re.findall(
            r"[0-9]{6,}|(?=\w*[0-9])(?=\w*[A-Za-z])\w{8,}", data[start:end].decode("utf-8", "replace")
        ):
            for context in contexts:
                assert part not in context


def candidates(data):
    """Every match of every rule's pattern, judged or not, from every start."""
    for rule in EVERYTHING.rules:
        at = 0
        while found := rule.regex.search(data, at):
            start, end, _ = rule.span(found)
            yield start, end
            at = found[0][0] + 1


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("a.db!customers: row 10003, ssn", None),
        ("row 94105, zip", None),
        ("$.orders[20500].lines[10001]", None),
        ("a.bin!byte 512441234", None),
        ("a.zip!512-44-1234.txt!page 10001", "a.zip!***-**-****.txt!page 10001"),
        ("row 12, 512-44-1234", "row 12, ***-**-****"),
        ("512441234 byte 3", "********* byte 3"),
    ],
)
def test_a_path_keeps_the_numbers_that_we_count_by_and_shows_no_value(path, shown):
    assert EVERYTHING.context.hide_path(path) == (shown or path)

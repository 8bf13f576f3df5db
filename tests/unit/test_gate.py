"""Ignore words, entropy, needed texts, paths, allow lists: judged alike wherever a text is cut, and told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scanner_tasks.core.errors import RuleError
from scanner_tasks.core.model import Confidence, Location, Segment, Severity
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.detect.gate import AllowList
from scanner_tasks.detect.ruleset import Rule, Ruleset
from scanner_tasks.rules import load_builtin

OLD, NEW = Fingerprinter(b"the key of last year", "k1"), Fingerprinter(b"the key of this year", "k2")
START = Location(line=1, column=1, offset=0)
RULE = Rule(
    id="custom.ticket",
    name="Ticket",
    category="custom",
    severity=Severity.LOW,
    confidence=Confidence.MEDIUM,
    pattern=r"T-(?P<value>[0-9a-z]{4,12})",
)


def detect(rules, text, *, name="", key=NEW, former=(), **more):
    detector = Detector(Ruleset(tuple(rules)), key, 1000, former=former, **more)
    detection = detector.begin(name)
    detection.feed(Segment(data=text.encode(), start=START, continues=False))
    return detection.finish(), detection.allowed


def count(rule, text, **more):
    found, allowed = detect([rule], text, **more)
    return sum(each.count for each in found), allowed


def test_a_value_with_an_ignored_word_is_none_and_case_matters():
    assert count(replace(RULE, ignore=("000",)), "T-10001 T-1234 T-0000") == (1, 0)
    assert count(replace(RULE, ignore=("AB",)), "T-abcd") == (1, 0)


def test_a_value_needs_more_entropy_than_the_rule_says():
    rule = replace(RULE, entropy=2.0)
    assert count(rule, "T-aaaa T-abcd T-abcde") == (1, 0)


@pytest.mark.parametrize(("distance", "found"), [(0, 1), (395, 1), (500, 0)])
def test_a_needed_text_stands_within_reach_on_either_side(distance, found):
    rule = replace(RULE, contains=("acme",))
    assert count(rule, "ACME" + " " * distance + "T-1234") == (found, 0)
    assert count(rule, "T-1234" + " " * distance + "Acme") == (found, 0)


@pytest.mark.parametrize(("name", "found"), [("a/main.tf", 1), ("main.tf.json", 0), ("", 0)])
def test_a_rule_with_paths_looks_only_into_objects_that_are_named_so(name, found):
    assert count(replace(RULE, paths=(r"\.tf$",)), "T-1234", name=name) == (found, 0)


def test_a_path_within_an_object_counts_as_its_name():
    detector = Detector(Ruleset((replace(RULE, paths=(r"\.tf$",)),)), NEW)
    detection = detector.begin("a.zip")
    for path in ("main.tf", "main.py"):
        detection.feed(Segment(data=b"T-1234", start=replace(START, path=path), continues=False))
    assert [each.count for each in detection.finish()] == [1]


@pytest.mark.parametrize(
    ("allow", "text", "expected"),
    [
        (AllowList(name="x", regexes=("^12",)), "T-1234 T-0124", (1, 1)),
        (AllowList(name="x", regexes=("^T-12",)), "T-1234", (1, 0)),
        (AllowList(name="x", regexes=("^T-12",), target="match"), "T-1234", (0, 1)),
        (AllowList(name="x", regexes=("nocheck$",), target="line"), "T-1234 # nocheck\nT-1235\nnocheck", (1, 1)),
        (AllowList(name="x", words=("ab",)), "T-1abc T-xaby T-wxyz", (1, 2)),
        (AllowList(name="x", paths=("^vendor/",)), "T-1234 T-1235", (0, 2)),
        (AllowList(name="x", words=("zz",), paths=("^vendor/",)), "T-1234", (0, 1)),
        (AllowList(name="x", words=("zz",), paths=("^vendor/",), needs_all=True), "T-1234 T-1zz4", (1, 1)),
    ],
)
def test_an_allowed_occurrence_is_not_counted_but_told(allow, text, expected):
    assert count(replace(RULE, allow=(allow,)), text, name="vendor/a.txt") == expected


def test_a_value_is_allowed_by_its_keyed_hash_in_every_spelling():
    ssn = next(rule for rule in load_builtin().rules if rule.id == "us.ssn")
    allow = AllowList(name="ours", values=(NEW.fingerprint(b"536228726"),))
    text = "ssn 536-22-8726, ssn 536 22 8726, ssn 536228726, ssn 536-22-8727"
    found, allowed = detect([replace(ssn, allow=(allow,))], text)
    assert [(each.count, each.allowed) for each in found] == [(1, 3)]
    assert allowed == 3


def test_a_list_of_a_former_key_keeps_working_while_that_key_is_given():
    allow = AllowList(name="ours", values=(OLD.fingerprint(b"1234"), NEW.fingerprint(b"5678")))
    rule = replace(RULE, allow=(allow,))
    assert count(rule, "T-1234 T-5678 T-9999", former=(OLD,)) == (1, 2)
    with pytest.raises(RuleError, match="allow list 'ours': its values were made with key 'k1', which is not here"):
        count(rule, "T-1234")


def test_all_allowed_is_no_finding_but_is_told():
    allow = AllowList(name="ours", words=("12",))
    assert detect([replace(RULE, allow=(allow,))], "T-1234 T-1212") == ((), 2)


@pytest.mark.parametrize(
    ("occurrences", "severity"), [(1, "low"), (9, "low"), (10, "medium"), (99, "medium"), (100, "high")]
)
def test_severity_grows_with_the_count(occurrences, severity):
    rule = replace(RULE, severity_by_count=((10, Severity.MEDIUM), (100, Severity.HIGH)))
    (found,), _ = detect([rule], "T-1234 " * occurrences)
    assert (found.count, found.severity) == (occurrences, severity)


def test_a_rule_that_is_off_finds_nothing_and_masks_all_the_same():
    off = replace(RULE, enabled=False, pattern="Jane Roe|T-[0-9]{4}")
    on = replace(RULE, id="custom.other", pattern="K[0-9]{4}")
    (found,), _ = detect([off, on], "Jane Roe K1234 " * 400, window_bytes=200)
    assert (found.rule_id, found.count) == ("custom.other", 400)
    assert "Jane" not in found.occurrences[0].context
    assert "Jane" in detect([on], "Jane Roe K1234")[0][0].occurrences[0].context


def test_a_rule_has_its_own_threshold():
    low = replace(RULE, confidence=Confidence.LOW)
    assert count(low, "T-1234") == (0, 0)
    assert count(replace(low, threshold=Confidence.LOW), "T-1234") == (1, 0)
    assert count(replace(RULE, threshold=Confidence.HIGH), "T-1234", threshold=Confidence.LOW) == (0, 0)


ALL = replace(
    RULE,
    pattern=r"(?i)T-(?P<value>[0-9a-z]{4,12})|K(?P<value2>[0-9]{5})",
    ignore=("00",),
    contains=("acme", "emca"),
    entropy=1.0,
    allow=(
        AllowList(name="line", regexes=("nocheck",), target="line"),
        AllowList(name="hash", values=(NEW.fingerprint(b"12345"),)),
    ),
)
PIECES = st.sampled_from(
    ["T-1234", "K12345", "K54321", " acme ", "\n", "# nocheck", "T-0012", "x" * 390, "é", "T-aaaa", "emca"]
)


@pytest.mark.parametrize("rule", [replace(ALL, allow=()), replace(ALL, contains=())], ids=["screen", "gate"])
@settings(max_examples=40, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join), st.integers(64, 700), st.booleans())
@example("T-1234" + "x" * 390 + "acme" + " " * 900, 100, False)
@example("T-1234" + "x" * 390 + "nocheck" + " " * 900, 100, True)
def test_where_a_text_is_cut_changes_nothing(rule, text, window, filtered):
    # One rule at a time: none that reads further hides how far it reads.
    whole = detect([rule], text, filtered=False)
    assert detect([rule], text, window_bytes=window, filtered=filtered) == whole

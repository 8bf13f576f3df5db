"""Rule files are read strictly, patterns must have a bound, and the hash covers what influences findings."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from scanner_tasks.core.errors import RuleError
from scanner_tasks.core.model import Confidence, Severity
from scanner_tasks.detect import ruleset
from scanner_tasks.detect.compiled import CompiledRule
from scanner_tasks.detect.gate import AllowList
from scanner_tasks.detect.regex import Regex
from scanner_tasks.detect.ruleset import Rule, Ruleset, parse_rules
from scanner_tasks.detect.width import Unbounded, max_width, min_width
from scanner_tasks.rules import load_builtin

TABLE = {
    "id": "custom.ticket",
    "name": "Ticket",
    "category": "custom",
    "severity": "low",
    "confidence": "medium",
    "pattern": r"(?P<value>TICKET-\d{4})|(?P<weak>\d{4})",
    "keywords": ["ticket"],
    "proximity": 20,
    "references": ["none"],
    "examples": ["TICKET-1234"],
    "negative_examples": ["TICKET-123"],
}
RULE = parse_rules({"rule": [TABLE]}, source="own.toml")[0]


def test_a_table_becomes_a_rule():
    assert (RULE.id, RULE.severity, RULE.confidence) == ("custom.ticket", Severity.LOW, Confidence.MEDIUM)
    assert (RULE.keywords, RULE.keyword_required, RULE.mask, RULE.normaliser) == (("ticket",), False, "all", "text")


@pytest.mark.parametrize("name", ruleset._REQUIRED)
def test_missing_field_is_named(name):
    table = {k: v for k, v in TABLE.items() if k != name}
    with pytest.raises(RuleError, match=rf"own\.toml: rule .*: field {name}: missing"):
        parse_rules({"rule": [table]}, source="own.toml")


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("colour", "red", "unknown field"),
        ("id", "Ticket", "must be dotted"),
        ("id", 7, "must be a text"),
        ("name", "", "must be a text that is not empty"),
        ("category", "secret", "'secret' does not exist: one of credentials, custom"),
        ("severity", "huge", "one of low, medium, high, critical"),
        ("confidence", "sure", "one of low, medium, high"),
        ("validator", "luck", "'luck' does not exist"),
        ("normaliser", "luck", "'luck' does not exist"),
        ("mask", "luck", "'luck' does not exist"),
        ("keywords", "ticket", "must be a list of texts"),
        ("keywords", [""], "must be a list of texts"),
        ("keywords", ["a", "a"], "has an entry twice"),
        ("keywords", [], "a pattern with a weak group needs them"),
        ("proximity", 0, "keywords need a distance"),
        ("proximity", 401, "must be a whole number from 0 to 400"),
        ("proximity", True, "must be a whole number"),
        ("keyword_required", "yes", "must be true or false"),
        ("examples", [], "at least one is needed"),
        ("negative_examples", [], "at least one is needed"),
        ("references", [], "at least one is needed"),
        ("pattern", "a(?=b)", r"RE2 refuses it: invalid perl operator: \(\?="),
        ("pattern", r"(a)\1", "RE2 refuses it"),
        ("pattern", "(", "RE2 refuses it: missing"),
        ("pattern", "a+", r"'\+' at 1 has no upper bound"),
        ("pattern", "(?:a{1,900}){5}", "RE2 refuses it|may match 4500 bytes"),
        ("pattern", "a?", "matches the empty text"),
        ("pattern", "(?P<other>a)", "group 'other' has no meaning"),
    ],
)
def test_wrong_field_is_named(name, value, what):
    with pytest.raises(RuleError, match=rf"^own\.toml: rule .*: field {name}: (?:{what})"):
        parse_rules({"rule": [{**TABLE, name: value}]}, source="own.toml")


@pytest.mark.parametrize(
    ("document", "what"),
    [({}, r"no \[\[rule\]\]"), ({"rule": []}, r"no \[\[rule\]\]"), ({"rules": [TABLE]}, "unknown table 'rules'")],
)
def test_a_document_without_rules_is_refused(document, what):
    with pytest.raises(RuleError, match=rf"own\.toml: {what}"):
        parse_rules(document, source="own.toml")


@pytest.mark.parametrize("name", ["keyword_required", "keyword_confidence"])
def test_keyword_fields_need_keywords(name):
    table = {**TABLE, "pattern": "abc", name: True if name == "keyword_required" else "high"}
    del table["keywords"]
    with pytest.raises(RuleError, match=f"field {name}: there are no keywords"):
        parse_rules({"rule": [table]}, source="own.toml")


def test_ids_are_unique():
    with pytest.raises(RuleError, match=r"custom\.ticket: field id: used twice"):
        Ruleset((RULE, RULE))


CHANGES = {
    "id": "custom.other",
    "severity": Severity.HIGH,
    "confidence": Confidence.LOW,
    "pattern": "(?P<weak>abc)",
    "keywords": ("other",),
    "proximity": 21,
    "proximity_after": 3,
    "keyword_required": True,
    "keyword_confidence": Confidence.HIGH,
    "against": ("order",),
    "validator": "email",
    "normaliser": "lower",
    "mask": "last4",
    "ignore": ("x",),
    "severity_by_count": ((10, Severity.HIGH),),
    "threshold": Confidence.LOW,
    "entropy": 3.5,
    "contains": ("x",),
    "paths": ("x",),
    "enabled": False,
    "yields": True,
    "allow": (AllowList(name="ours", words=("x",)),),
}


def test_hash_changes_with_every_field_that_influences_findings_and_with_no_other():
    before = Ruleset((RULE,)).content_hash
    assert len(before) == 64
    for field in fields(Rule):
        if field.name in CHANGES:
            assert Ruleset((replace(RULE, **{field.name: CHANGES[field.name]}),)).content_hash != before, field.name
        else:
            value = ("x",) if isinstance(getattr(RULE, field.name), tuple) else "x"
            assert Ruleset((replace(RULE, **{field.name: value}),)).content_hash == before, field.name


def test_hash_is_stable_and_ignores_the_order_of_rules(monkeypatch):
    rules = load_builtin().rules
    before = Ruleset(rules).content_hash
    assert Ruleset(tuple(reversed(rules))).content_hash == before
    monkeypatch.setattr(ruleset, "ENGINE_VERSION", ruleset.ENGINE_VERSION + 1)
    assert Ruleset(rules).content_hash != before


@pytest.mark.parametrize(
    ("pattern", "width"),
    [
        ("abc", 3),
        ("é", 2),
        ("a|bcd|ef", 3),
        (r"\d{3}-?\d{2,4}", 8),
        (r"[^a]", 4),
        (r"[a-z\x{2013}]{2}", 8),
        (r"(?:ab|c)??d", 3),
        (r"(?i:k)", 4),
        (r"(?i)k", 4),
        (r"\bx\B^$\A\z", 1),
        (r".\D\pL\p{Greek}\PN", 20),
        (r"[]a][[:alpha:]\]]", 2),
        (r"\x41\x{1F600}\.\\", 7),
        (r"(?P<value>a)(b)", 2),
        (r"(?:)*a", 1),
    ],
)
def test_width_of_a_pattern(pattern, width):
    assert max_width(pattern) == width
    assert min_width(pattern) <= width


@pytest.mark.parametrize(
    ("pattern", "width"),
    [
        (r"(?:^|[^0-9])\d{3}-?\d{2,4}(?:$|x)", 5),
        (r"(?:abc|de?)f{0,3}", 1),
        (r"é{2}", 4),
        (r"(?i:k){3}", 3),
        (r"\pL.[^a]{0,9}", 2),
        (r"\x{1F600}?", 0),
        (r"(|ab)\b", 0),
    ],
)
def test_least_width_of_a_pattern(pattern, width):
    assert min_width(pattern) == width


def test_no_match_of_an_example_is_shorter_or_longer_than_told():
    for rule in load_builtin().rules:
        compiled = CompiledRule(rule)
        for text in rule.examples:
            start, end = compiled.regex.search(text.encode())[0]
            assert compiled.shortest <= end - start <= compiled.width, rule.id


@pytest.mark.parametrize("pattern", ["a*", "(?:ab)+", "a{2,}", r"[a]+?", r"\Qa\E", "(a", "[a", "a)"])
def test_a_pattern_without_bound_or_end_is_refused(pattern):
    with pytest.raises(Unbounded):
        max_width(pattern)


@given(st.text(alphabet="ab-1é \n", max_size=40), st.integers(0, 40))
def test_regex_finds_what_the_library_finds(text, start):
    data = text.encode()
    for pattern in (r"(?:^|[^a])(a1?)(?:$|[^1])", r"\b(b)|(1)\b", "é|-a"):
        ours = Regex(pattern).search(data, min(start, len(data)))
        theirs = re2.compile(pattern.encode()).search(data, min(start, len(data)))
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert list(ours) == [theirs.span(n) for n in range(len(ours))]

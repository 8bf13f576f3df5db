"""Packs in every form: features are carried, what cannot be is named, what is wrong is refused by file, rule, field."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scanner_tasks.core.errors import RuleError
from scanner_tasks.core.model import Confidence, Location, Segment, Severity
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.rules import load_builtin
from scanner_tasks.rules.check import check_packs
from scanner_tasks.rules.load import combine, read_source
from scanner_tasks.rules.pack import Source

DOCUMENT = Path(__file__).parents[2] / "docs" / "custom-rules.md"
KEY = Fingerprinter(b"a key for the tests", "k1")
OWN = """
[[rule]]
id = "custom.ticket"
name = "Ticket"
category = "custom"
severity = "low"
confidence = "medium"
pattern = 'TICKET-\\d{4}'
references = ["none"]
examples = ["TICKET-1234"]
negative_examples = ["TICKET-123"]
"""


def load(*packs, builtin=False):
    """Packs given as (name, text)."""
    return combine((Source(name=name, content=text.encode()) for name, text in packs), builtin=builtin)


def found(loaded, text, *, name=""):
    """Rule, value and confidence of all that is found."""
    detector = Detector(loaded.ruleset, KEY)
    return [(f.rule_id, text[f.start : f.end], f.confidence.value) for f in detector.find_all(text, name=name)]


def notes(loaded):
    return [str(note) for note in loaded.notes]


GITLEAKS = r"""
title = "ours"
minVersion = "8"
[extend]
useDefault = true
path = "base.toml"
disabledRules = ["generic-api-key"]

[[rules]]
id = "acme-token"
description = "ACME token"
regex = '''(?i)acme_token\s*[=:]\s*["']?(acme_[a-z0-9]{16,})'''
keywords = ["ACME_"]
entropy = 2.5
tags = ["key"]
[[rules.allowlists]]
description = "placeholders"
regexTarget = "line"
regexes = ['# nocheck']
stopwords = ["Example"]
[[rules.allowlists]]
condition = "AND"
paths = ['^test/']
regexes = ['^acme_0000']

[[rules]]
id = "pair"
regex = '''user=(\w+) pass=(\w+)'''
secretGroup = 2
path = '''\.conf$'''
[rules.allowlist]
regexTarget = "match"
regexes = ['user=guest']

[[rules]]
id = "file-only"
path = '''\.p12$'''

[[rules]]
id = "composite"
regex = "x{5}"
[[rules.required]]
id = "pair"

[[rules]]
id = "odd"
regex = "odd{5}"
verify = true

[[allowlists]]
description = "vendored"
targetRules = ["acme-token", "file-only"]
paths = ['^vendor/']
commits = ["abcdef"]
[[allowlists]]
condition = "AND"
commits = ["abcdef"]
regexes = ["x"]
"""
TOKEN = "acme_k3f9q27xw81zpt64"


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        (f"ACME_TOKEN = '{TOKEN}'", "a", [("gitleaks.acme_token", TOKEN, "medium")]),
        ("acme_token: acme_aaaaaaaaaaaaaaaaaaaa", "a", []),
        (f"acme_token: {TOKEN} # nocheck", "a", []),
        (f"acme_token: {TOKEN}\n# nocheck", "a", [("gitleaks.acme_token", TOKEN, "medium")]),
        ("acme_token: acme_exAMPle3f9q27xw81z", "a", []),
        ("acme_token: acme_0000k3f9q27xw81zpt64", "test/a", []),
        (
            "acme_token: acme_0000k3f9q27xw81zpt64",
            "a",
            [("gitleaks.acme_token", "acme_0000k3f9q27xw81zpt64", "medium")],
        ),
        (f"acme_token: {TOKEN}", "vendor/a", []),
        ("user=me pass=word", "a.conf", [("gitleaks.pair", "word", "medium")]),
        ("user=me pass=word", "a.txt", []),
        ("user=guest pass=word", "a.conf", []),
        ("user=me pass=word", "vendor/a.conf", [("gitleaks.pair", "word", "medium")]),
        ("odddddd", "a", [("gitleaks.odd", "odddddd", "medium")]),
        ("xxxxx", "a", []),
    ],
)
def test_a_gitleaks_pack_finds_what_it_says(text, name, values):
    assert found(load(("g.toml", GITLEAKS)), text, name=name) == values


def test_what_of_a_gitleaks_pack_is_not_carried_is_named():
    told = notes(load(("g.toml", GITLEAKS)))
    for words in (
        "[extend] useDefault",
        "[extend] path: not followed",
        "disabledRules: not carried (generic-api-key)",
        "acme-token: tags are not carried",
        "acme-token: repeats without upper bound are read up to",
        "file-only: not carried: it has no regex",
        "composite: not carried: it requires other rules near it",
        "odd: field 'verify' has no meaning here",
        "targetRules names 'file-only', which is not carried",
        "allow list: commits are not carried",
        "allow list: not carried: its condition needs commits",
        "keywords are looked for within 400 bytes",
    ):
        assert [each for each in told if words in each], words


PRESIDIO = r"""
supported_languages: [en]
recognizers:
  - CreditCardRecognizer
  - name: Badge recognizer
    supported_entity: BADGE
    supported_languages:
      - language: en
        context: [badge, pass]
      - language: de
        context: [Ausweis]
    patterns:
      - {name: strong, regex: '\bB\d{5}\b', score: 0.5}
      - {name: weak, regex: '\b\d{5}\b', score: 0.05}
  - name: Titles
    supported_entity: TITLE
    deny_list: [Dr., Prof., "Dr. med."]
  - {name: Idle, supported_entity: X, enabled: false, patterns: [{regex: a, score: 1}]}
  - {name: Spacy, type: predefined}
  - {name: Flags, supported_entity: F, global_regex_flags: 0, patterns: [{regex: 'ABC\d', score: 0.9}], version: 2}
"""


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("B12345", [("presidio.badge_strong", "B12345", "medium")]),
        ("badge b12345", [("presidio.badge_strong", "b12345", "high")]),
        ("Ausweis 12345", [("presidio.badge_weak", "12345", "medium")]),
        ("number 12345", []),
        ("by Prof. and DR. MED. x", [("presidio.title", "Prof.", "high"), ("presidio.title", "DR. MED.", "high")]),
        ("Dr. Dr. x, xDr. y", [("presidio.title", "Dr.", "high"), ("presidio.title", "Dr.", "high")]),
        ("ABC1 abc1", [("presidio.f", "ABC1", "high")]),
    ],
)
def test_presidios_recognisers_find_what_they_say(text, values):
    assert found(load(("p.yaml", PRESIDIO)), text) == values


def test_what_of_presidios_recognisers_is_not_carried_is_named():
    told = notes(load(("p.yaml", PRESIDIO)))
    for words in (
        "CreditCardRecognizer: not carried: it names code of Presidio's",
        "Badge recognizer: languages are not told apart",
        "Idle: not carried: it is not enabled",
        "Spacy: not carried",
        "Flags: field 'version' has no meaning here",
    ):
        assert [each for each in told if words in each], words


MACIE = """{"customDataIdentifiers": [{"name": "Employee ID", "regex": "E-[0-9]{6}", "keywords": ["employee"],
 "ignoreWords": ["E-000"], "maximumMatchDistance": 20, "arn": "arn:x", "extra": 1,
 "severityLevels": [{"occurrencesThreshold": 2, "severity": "LOW"}, {"occurrencesThreshold": 3, "severity": "HIGH"}]},
 {"name": "Bare", "regex": "BARE-(?:[0-9]){4}"}]}"""


def test_macies_identifiers_find_what_they_say():
    loaded = load(("m.json", MACIE))
    text = "employee E-123456, E-000001, " + "." * 30 + " E-123457 BARE-1234"
    assert found(loaded, text) == [("macie.employee_id", "E-123456", "high"), ("macie.bare", "BARE-1234", "high")]
    rule = next(rule for rule in loaded.ruleset.rules if rule.id == "macie.employee_id")
    assert [rule.severity_at(n) for n in (1, 2, 3)] == [Severity.LOW, Severity.LOW, Severity.HIGH]
    told = notes(loaded)
    for words in ("field 'extra' has no meaning here", "Macie measures to its end", "fewer than 2 occurrences"):
        assert [each for each in told if words in each], words


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("g.toml", "[[rules]]\nid = 'a'\nregex = '(?<=a)b'", "g.toml: rule 'a': .* lookbehind"),
        ("g.toml", "[[rules]]\nid = 'a'\nregex = 'b'\nsecretGroup = 1", "g.toml: rule 'a': .* 0 groups"),
        ("g.toml", "[[rules]]\nid = 'a'\nregex = 'b'\nsecretGroup = 'x'", "secretGroup must be a whole number"),
        ("g.toml", "[[rules]]\nid = 'a'\nregex = 'b'\nentropy = 'x'", "entropy must be a number"),
        ("g.toml", "[[rules]]\nid = 'a'\nregex = 'b'\nkeywords = 'x'", "keywords must be a list of texts"),
        ("g.toml", "[[rules]]\nid = 'a'\nregex = 'b'\npath = '('", "rule 'a': a pattern of its allow list or path"),
        ("g.toml", "[[rules]]\nid = 'a'\nregex = 'b?'", "rule 'a': field pattern: matches the empty text"),
        (
            "g.toml",
            "[[rules]]\nid = 'a'\nregex = 'b'\n[[rules]]\nid = 'A'\nregex = 'b'",
            "becomes gitleaks.a, and so does",
        ),
        (
            "g.toml",
            "[[rules]]\nid = 'a'\nregex = 'b'\n[rules.allowlist]\nregexTarget='x'",
            "one of secret, match, line",
        ),
        ("g.toml", "rules = 7", "must be tables"),
        ("p.yaml", "recognizers: 7", "must be a list"),
        ("p.yaml", "a: 7", "no recognizers in it"),
        ("p.yaml", "a: [", "not YAML at line"),
        (
            "p.yaml",
            "recognizers: [{name: n, supported_entity: N, patterns: [{regex: 'a(?!b)', score: 1}]}]",
            "lookahead",
        ),
        ("p.yaml", "recognizers: [{name: n, supported_entity: N, patterns: [{regex: a, score: 2}]}]", "from 0 to 1"),
        ("p.yaml", "recognizers: [{name: n, patterns: [{regex: a, score: 1}]}]", "supported_entity is missing"),
        (
            "p.yaml",
            "recognizers: [{name: n, supported_entity: N, global_regex_flags: 64, patterns: [{regex: a, score: 1}]}]",
            "flag re.VERBOSE is not RE2's",
        ),
        ("p.yaml", "recognizers: [{name: n, supported_entity: N, deny_list: [yes]}]", "yes, no, on, off in quotes"),
        ("m.json", "{}", "each with a regex"),
        ("m.json", "{", "not JSON"),
        ("m.json", '{"name": "n", "regex": "a", "severityLevels": [{"severity": "LOW"}]}', "severityLevels"),
        ("o.toml", "", "nothing in it"),
        ("o.toml", "x = [", "not TOML"),
        ("o.toml", "[[colour]]\nx = 1", "unknown table 'colour'"),
        ("o.toml", "[allow]\nname = 'x'", r"write \[\[allow\]\]"),
        ("o.toml", "[[allow]]\nname = 'x'", "allow x: field values: give values, regexes, words or paths"),
        (
            "o.toml",
            "[[allow]]\nname = 'x'\nvalues = ['536-22-8726']",
            "allow x: field values: holds what is no fingerprint",
        ),
        ("o.toml", "[[allow]]\nregexes = ['a']", "allow 1: field name: missing"),
        ("o.toml", "[[allow]]\nname = 'x'\nregexes = ['a(?=b)']", "field regexes: RE2 refuses it"),
        ("o.toml", "[[allow]]\nname = 'x'\nwords = ['a']\ntarget = 'file'", "field target: one of value, match, line"),
        ("o.toml", "[[allow]]\nname = 'x'\nwords = ['a']\nrules = ['us.nope']", "'us.nope' names no rule"),
        ("o.toml", "[[allow]]\nname = 'x'\nword = ['a']", "field word: unknown field"),
        ("o.toml", "[[override]]\nenabled = false", "override 1: field rules: missing"),
        ("o.toml", "[[override]]\nrules = ['us.ssn']", "nothing is changed"),
        ("o.toml", "[[override]]\nrules = ['us.nope']\nenabled = false", "'us.nope' names no rule"),
        ("o.toml", "[[override]]\nrules = ['us.ssn']\nseverity = 'x'", "field severity: one of low, medium"),
        ("o.toml", "[[override]]\nrules = ['us.ssn']\nenabled = 1", "field enabled: must be true or false"),
        ("o.toml", "[[override]]\nrules = ['us.ssn']\nseverity_by_count = { 0 = 'low' }", "whole numbers from 1"),
        ("o.toml", OWN + "severity_by_count = { x = 'low' }", "field severity_by_count: counts are whole numbers"),
        ("o.toml", OWN + "entropy = -1", "field entropy: must be a number"),
        ("o.toml", OWN + "paths = ['(']", "field paths: RE2 refuses it"),
        ("o.toml", OWN.replace("custom.ticket", "us.ssn"), "rule us.ssn: field id: used twice: it is in built-in too"),
        ("o.txt", OWN, "its form is told by its name"),
        ("o.toml", "x = " + "[" * 100_000, "nested too deeply|not TOML"),
        ("o.toml", "\udcff", "not UTF-8"),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(name, text, words):
    with pytest.raises(RuleError, match=f"^{re.escape(name)}: .*(?:{words.removeprefix(f'{name}: ')})"):
        combine([Source(name=name, content=text.encode("utf-8", "surrogateescape"))])


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(RuleError, match=r"^none\.toml: cannot be read: No such file"):
        read_source(tmp_path / "none.toml")


def test_overrides_turn_rules_off_and_on_and_weigh_them_otherwise():
    loaded = load(
        (
            "o.toml",
            OWN
            + """
[[override]]
rules = ["*"]
enabled = false
[[override]]
rules = ["us.*", "custom.ticket"]
enabled = true
[[override]]
rules = ["us.ssn"]
severity = "low"
severity_by_count = { 10 = "critical" }
threshold = "low"
""",
        ),
        builtin=True,
    )
    rules = {rule.id: rule for rule in loaded.ruleset.rules if rule.enabled}
    assert set(rules) == {"custom.ticket", *(rule.id for rule in load_builtin().rules if rule.id.startswith("us."))}
    assert "contact.email" in loaded.disabled
    assert (rules["us.ssn"].severity_at(9), rules["us.ssn"].severity_at(10)) == (Severity.LOW, Severity.CRITICAL)
    assert rules["us.ssn"].threshold is Confidence.LOW
    assert loaded.origins["custom.ticket"] == "o.toml"
    assert loaded.origins["us.ssn"] == "built-in"


def test_one_severity_replaces_steps_that_were_given_before():
    pack = OWN + 'severity_by_count = { 5 = "high" }\n[[override]]\nrules = ["custom.*"]\nseverity = "critical"\n'
    (rule,) = load(("o.toml", pack)).ruleset.rules
    assert rule.severity_at(100) is Severity.CRITICAL
    assert rule.severity_by_count == ()


CHANGES = {
    "a rule": OWN.replace("\\d{4}", "\\d{5}").replace("1234", "12345"),
    "severity": OWN + '[[override]]\nrules = ["custom.ticket"]\nseverity = "high"',
    "severity by count": OWN + '[[override]]\nrules = ["custom.ticket"]\nseverity_by_count = { 9 = "high" }',
    "threshold": OWN + '[[override]]\nrules = ["custom.ticket"]\nthreshold = "low"',
    "enabled": OWN + '[[override]]\nrules = ["us.ssn"]\nenabled = false',
    "allowed word": OWN + '[[allow]]\nname = "x"\nwords = ["a"]',
    "allowed value": OWN + f'[[allow]]\nname = "x"\nvalues = ["k1:{"0" * 32}"]',
    "allowed path": OWN + '[[allow]]\nname = "x"\npaths = ["a"]',
    "allowed line": OWN + '[[allow]]\nname = "x"\nregexes = ["a"]\ntarget = "line"',
    "ignore": OWN + 'ignore = ["a"]',
    "another pack": "[[allow]]\nname = 'x'\nwords = ['b']",
}


def test_the_hash_changes_with_whatever_changes_findings_and_not_with_names():
    base = load(("o.toml", OWN), builtin=True).ruleset.content_hash
    hashes = {name: load(("o.toml", text), builtin=True).ruleset.content_hash for name, text in CHANGES.items()}
    assert len({base, *hashes.values()}) == len(hashes) + 1
    renamed = CHANGES["allowed word"].replace('name = "x"', 'name = "y"\nreason = "so"')
    assert load(("o.toml", renamed), builtin=True).ruleset.content_hash == hashes["allowed word"]


def test_packs_are_proven_as_they_are_written(tmp_path):
    good = tmp_path / "good.toml"
    good.write_text(
        OWN + '[[allow]]\nname = "x"\nregexes = ["TICKET"]\n[[override]]\nrules = ["us.ssn"]\nenabled = false\n'
    )
    assert check_packs([good]) == ([], ())
    bad = tmp_path / "bad.toml"
    bad.write_text(OWN.replace('examples = ["TICKET-1234"]', 'examples = ["TICKET-12"]', 1) + 'ignore = ["9"]\n')
    (problem,), _ = check_packs([bad])
    assert (problem.rule_id, problem.field) == ("custom.ticket", "examples")
    foreign = tmp_path / "g.toml"
    foreign.write_text("[[rules]]\nid = 'a'\nregex = 'b'")
    problems, told = check_packs([foreign])
    assert problems == []
    assert [str(note) for note in told] == ["g.toml: gitleaks.a: it has no examples: nothing proves it"]


def blocks():
    text = DOCUMENT.read_text()
    for number, (form, block) in enumerate(re.findall(r"```(toml|yaml|json)\n(.*?)```", text, re.DOTALL)):
        yield pytest.param(f"example.{form}", block, id=f"{form}-{number}")


@pytest.mark.parametrize(("name", "text"), list(blocks()))
def test_every_example_of_the_document_loads(name, text, tmp_path):
    pack = tmp_path / name
    pack.write_text(text)
    problems, _ = check_packs([pack])
    assert problems == []


def test_a_foreign_pack_finds_the_same_with_and_without_the_filter():
    loaded = load(("g.toml", GITLEAKS), ("p.yaml", PRESIDIO), ("m.json", MACIE), builtin=True)
    text = f"employee E-123456 badge B12345 acme_token={TOKEN} user=a pass=b Prof. X\n" * 40
    results = []
    for filtered in (True, False):
        detection = Detector(loaded.ruleset, KEY, filtered=filtered).begin("a.conf")
        detection.feed(Segment(data=text.encode(), start=Location(line=1, column=1, offset=0), continues=False))
        results.append(detection.finish())
    assert results[0] == results[1]
    assert {found.rule_id for found in results[0]} >= {"gitleaks.acme_token", "presidio.title", "macie.employee_id"}

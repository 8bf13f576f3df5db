"""What is taken over under changed rules is what a whole scan under them finds."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scanner_tasks.core.model import Confidence, Location, RuleFindings, Segment, Severity
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.core.rule_changes import change_of
from scanner_tasks.detect.engine import Detector
from scanner_tasks.detect.gate import AllowList
from scanner_tasks.detect.ruleset import Rule, Ruleset
from scanner_tasks.flow.load_rules import ruleset_parts
from scanner_tasks.rules import load_builtin
from scanner_tasks.settings import Settings

OURS = Settings(fingerprint_key="a key for the tests")
KEY = Fingerprinter(b"a key for the tests", "t")
_WANTED = {"payment.card", "us.ssn", "contact.email", "aws.access_key_id", "github.token", "generic.password"}
_WANTED |= {"generic.api_key", "aws.secret_access_key"}
BUILTIN = {rule.id: rule for rule in load_builtin().rules if rule.id in _WANTED}
ACME = Rule(
    id="acme.number",
    name="n",
    category="custom",
    severity=Severity.LOW,
    confidence=Confidence.MEDIUM,
    pattern=r"AC-[0-9]{6}",
    keywords=("acme",),
    proximity=20,
    keyword_confidence=Confidence.HIGH,
)
RULES = {**BUILTIN, ACME.id: ACME, "acme.owner": replace(ACME, id="acme.owner", pattern=r"Tr4v3l-[0-9a-zA-Z]{3}")}
VALUES = (
    *(
        "512-44-1234",
        "519-72-4836",
        "4539148803436467",
        "4485 2757 4230 8327",
        "4111 1111 1111 1111",
        "5500005555555559",
        "4012888888881881",
        "4111111111111112",
    ),
    *("jane.roe@corp.example.net", "AKIAZ9P3Q7XK2LMN4RTV", "AKIAIOSFODNN7EXAMPLE", "AC-123456", "Tr4v3l-9xQ"),
    *("ghp_0123456789abcdefghijklmnopqrstuvwxyz", "kWcrlUX5JEDGM/LtmEENI/aVmYvHNif5zB9rXy12"),
)
LABELS = ("", "ssn: ", "password=", "api_key=", "card ", "acme ", "aws secret key ", "order #")
_value = st.sampled_from(VALUES)
_encoded = st.tuples(st.sampled_from(LABELS), _value).map(lambda two: base64.b64encode("".join(two).encode()).decode())
_line = st.tuples(st.sampled_from(LABELS), st.one_of(_value, _encoded)).map("".join)
_TABLES = ("ssn", "card", "id", "email")
_table = st.tuples(
    st.sampled_from(_TABLES), st.lists(st.tuples(_value, st.one_of(_value, _encoded)), min_size=1, max_size=60)
).map(lambda t: f"{t[0]},note\n" + "\n".join(",".join(row) for row in t[1]))
texts = st.one_of(st.lists(_line, max_size=30).map("\n".join), _table)
_allow = st.sampled_from(
    [
        AllowList(name="test", words=("4111",)),
        AllowList(name="these", regexes=("512-44|9xQ",)),
        AllowList(name="lines", regexes=("ssn",), target="line"),
    ]
)


def _removed(_: Rule) -> tuple[Rule, ...]:
    return ()


def _with(**fields: object) -> Callable[[Rule], tuple[Rule, ...]]:
    return lambda rule: (replace(rule, **fields),)  # type: ignore[arg-type]


_changes = st.one_of(
    st.sampled_from(
        [
            _removed,
            _with(enabled=False),
            _with(severity=Severity.LOW, severity_by_count=((2, Severity.CRITICAL),)),
            _with(severity=Severity.CRITICAL, severity_by_count=()),
            _with(mask="all"),
        ]
    ),
    st.sampled_from(list(Confidence)).map(lambda each: _with(threshold=each)),
    _allow.map(lambda each: lambda rule: (replace(rule, allow=(*rule.allow, each)),)),
)


@st.composite
def rulesets(draw: st.DrawFn) -> tuple[Ruleset, Ruleset]:
    """Two of which the second comes of the first by some changes."""

    def changed(rules: list[Rule]) -> list[Rule]:
        for _ in range(draw(st.integers(0, 2))):
            at = draw(st.integers(0, len(rules) - 1))
            rules = [*rules[:at], *draw(_changes)(rules[at]), *rules[at + 1 :]]
        return rules

    old = changed([*RULES.values()])
    return Ruleset(tuple(old)), Ruleset(tuple(changed(old)))


def scan(ruleset: Ruleset, text: str) -> dict[str, RuleFindings]:
    detection = Detector(ruleset, KEY, filtered=False).begin("k")
    detection.feed(Segment(data=text.encode(), start=Location(line=1, column=1, offset=0), continues=False))
    return {finding.rule_id: finding for finding in detection.finish()}


def hides_as_much(kept: str, scanned: str) -> bool:
    return len(kept) == len(scanned) and all(k in {s, "*"} for k, s in zip(kept, scanned, strict=True))


@settings(max_examples=150, deadline=None)
@given(rulesets(), texts)
def test_what_is_taken_over_is_what_a_whole_scan_finds(two: tuple[Ruleset, Ruleset], text: str) -> None:
    old, new = two
    change = change_of(ruleset_parts(old, OURS), ruleset_parts(new, OURS))
    assume(change.refusal is None)
    before, after = scan(old, text), scan(new, text)
    if not before.keys().isdisjoint({*change.narrowed} - {*change.gone}):
        return  # it is read again
    kept = {
        rule_id: replace(finding, severity=new.severity_at(rule_id, finding.count))
        for rule_id, finding in before.items()
        if rule_id not in change.gone
    }
    assert kept.keys() == after.keys()
    is_gone = {rule.id for rule in old.rules} - {rule.id for rule in new.rules}
    for rule_id, finding in kept.items():
        told, scanned = finding, after[rule_id]
        if is_gone:  # a context hides what a rule that is gone would have hidden
            pairs = list(zip(told.occurrences, scanned.occurrences, strict=True))
            assert all(hides_as_much(a.context, b.context) and hides_as_much(a.masked, b.masked) for a, b in pairs)
            told, scanned = _without_texts(told), _without_texts(scanned)
        assert told == scanned


def _without_texts(finding: RuleFindings) -> RuleFindings:
    return replace(finding, occurrences=tuple(replace(o, context="", masked="") for o in finding.occurrences))


def changed(old: dict[str, Rule], new: dict[str, Rule], **budgets: float) -> object:
    was = ruleset_parts(Ruleset(tuple(old.values())), OURS)
    now = ruleset_parts(Ruleset(tuple(new.values())), OURS)
    return change_of(was, replace(now, budgets={**now.budgets, **budgets}))


def test_what_only_the_content_tells_takes_nothing_over() -> None:
    ssn = RULES["us.ssn"]
    for new, why in (
        ({**RULES, "a.new": replace(ACME, id="a.new")}, "new or on again"),
        ({**RULES, "us.ssn": replace(ssn, proximity=7)}, "have changed"),
        ({**RULES, "us.ssn": replace(ssn, threshold=Confidence.LOW)}, "have changed"),
        ({name: rule for name, rule in RULES.items() if name != "us.ssn"}, "turned off by an override"),
        # Fewer cards may be what makes the others count: they are judged by how many fail their check.
        ({**RULES, "payment.card": replace(RULES["payment.card"], threshold=Confidence.HIGH)}, "have changed"),
    ):
        assert why in str(changed(RULES, new).refusal)
    off = {**RULES, "us.ssn": replace(ssn, enabled=False)}
    assert "on again" in str(changed(off, RULES).refusal)
    assert changed(off, {**off, "us.ssn": replace(ssn, enabled=False, proximity=7)}).refusal
    assert changed(RULES, RULES, whole_max_bytes=1.0).refusal
    assert changed(RULES, RULES, text_max_bytes=1.0).refusal
    parts = ruleset_parts(Ruleset((ssn,)), OURS)
    assert change_of(None, parts).refusal
    assert "scanner itself" in str(change_of(parts, replace(parts, code="other")).refusal)


def test_what_a_change_cannot_touch_is_taken_over() -> None:
    card, generic = RULES["payment.card"], RULES["generic.password"]
    change = changed(
        RULES,
        {
            **{name: rule for name, rule in RULES.items() if name != "generic.api_key"},
            "us.ssn": replace(RULES["us.ssn"], enabled=False),
            "payment.card": replace(card, severity=Severity.LOW),
            "generic.password": replace(generic, allow=(AllowList(name="a", words=("x",)),)),
        },
        text_max_bytes=2.0**60,
        ranges_above_bytes=1000.0,
        occurrences_kept=3.0,
    )
    assert change.refusal is None
    assert (change.gone, change.reweighed) == (("generic.api_key", "us.ssn"), ("payment.card",))
    assert (change.narrowed, change.narrows_all, change.up_to_bytes) == (("generic.password",), True, 1000)
    assert change.grown == ("text_max_bytes",)
    assert all(word in str(change.note) for word in ("us.ssn", "payment.card", "generic.password", "1,000 bytes"))


@pytest.mark.parametrize(
    "told", [{"enabled": False}, {"threshold": Confidence.HIGH}, {"allow": (AllowList(name="a", words=("tr4",)),)}]
)
def test_a_rule_that_is_not_told_keeps_its_values_from_generic_ones_inside_base64_too(told: dict[str, object]) -> None:
    inside = base64.b64encode(b"the key is Tr4v3l-9xQ ok").decode()
    owner = RULES["acme.owner"]
    for text in ("password=Tr4v3l-9xQ", f"password={inside}"):
        assert "generic.password" in scan(Ruleset((BUILTIN["generic.password"],)), text)
        assert scan(Ruleset((BUILTIN["generic.password"], replace(owner, **told))), text) == {}

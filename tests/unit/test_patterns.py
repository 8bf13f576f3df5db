"""Foreign patterns: the same finds with a bound, the value in its group, and what RE2 lacks refused by name."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner_tasks.detect.patterns import CannotCarry, carry
from scanner_tasks.detect.regex import Regex
from scanner_tasks.detect.width import max_width


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        (r"a(?=b)", r"lookahead \(\?=…\)"),
        (r"a(?!b)", r"negative lookahead"),
        (r"(?<=a)b", r"lookbehind \(\?<=…\)"),
        (r"(?<!a)b", "negative lookbehind"),
        (r"(?>a)b", "atomic group"),
        (r"(a)(?(1)b|c)", "condition"),
        (r"(a)\1", "reference to a group"),
        (r"(?P<n>a)(?P=n)", "reference to a group"),
        (r"(a)\g<1>", r"\\g"),
        (r"a++b", "possessive repeat"),
        (r"a{2,3}+b", "possessive repeat"),
        (r"a(?#told)b", "comment"),
        (r"(?x) a b", "flag 'x'"),
        (r"(?u:a)", "flag 'u'"),
        (r"a(?R)?", "recursion"),
        (r"a\Z", r"\\Z \(write \\z\)"),
        (r"\u00e9", r"\\u"),
    ],
)
def test_what_re2_lacks_is_refused_by_its_name(pattern, named):
    with pytest.raises(CannotCarry, match=rf"{named}.* is not RE2's"):
        carry(pattern, max_bytes=4096)


@pytest.mark.parametrize("pattern", [r"[(?=]b", r"\(?=x", r"\\1", r"\Q(?=\Ea", r"[\]\)]++"[:-1], "a{,3}"])
def test_what_only_looks_like_it_is_carried(pattern):
    assert re2.compile(carry(pattern, max_bytes=4096).pattern)


@pytest.mark.parametrize(
    ("pattern", "words"), [("(", "not closed"), ("a{3000}", "RE2 refuses"), ("(a{900}){5}", "RE2|bytes")]
)
def test_what_re2_or_the_width_refuses_is_told(pattern, words):
    with pytest.raises(CannotCarry, match=words):
        carry(pattern, max_bytes=4096)


@pytest.mark.parametrize(
    ("pattern", "group", "text", "value"),
    [
        (r"key=(\w+)", 0, b"key=abc", b"abc"),
        (r"(?:key)=\w+", 0, b"key=abc", b"key=abc"),
        (r"(a)|(b)c", 0, b"bc", b"b"),
        (r"(k)=(v)", 2, b"k=v", b"v"),
        (r"(?P<k>k)=(?P<v>v)", 2, b"k=v", b"v"),
        (r"(k)?=((v)w)", 0, b"=vw", b"vw"),
        (r"[(]\((v)", 0, b"((v", b"v"),
    ],
)
def test_the_value_stands_in_the_group_that_holds_it(pattern, group, text, value):
    from scanner_tasks.core.model import Confidence, Severity  # noqa: PLC0415
    from scanner_tasks.detect.compiled import CompiledRule  # noqa: PLC0415
    from scanner_tasks.detect.ruleset import Rule  # noqa: PLC0415

    carried = carry(pattern, group=group, max_bytes=4096).pattern
    rule = Rule(
        id="a.b", name="x", category="custom", severity=Severity.LOW, confidence=Confidence.HIGH, pattern=carried
    )
    compiled = CompiledRule(rule)
    start, end, _ = compiled.span(compiled.find(text, 0, len(text)))
    assert text[start:end] == value


def test_a_group_that_is_not_there_is_told():
    with pytest.raises(CannotCarry, match="it has 1 groups, and the value is to stand in group 3"):
        carry("(a)", group=3, max_bytes=4096)


def test_a_bound_is_as_large_as_fits():
    assert carry(r"a+", max_bytes=4096) == (r"a{1,1000}", 1000)
    assert carry(r"[^a]+", max_bytes=4096) == (r"[^a]{1,1000}", 1000)
    assert carry(r"[^a]+[^b]+", max_bytes=4096).bound == 500
    assert carry(r"a{2,}?", max_bytes=4096).pattern == "a{2,1000}?"
    with pytest.raises(CannotCarry):
        carry(r"(?:(?:a+b)+c)+", max_bytes=4096)


ATOMS = st.sampled_from(["a", "b", "[ab]", "[^a]", r"\w", r"\s", ".", r"\.", "(a)", "(?:ab|b)", "(b|c)"])
REPEATS = st.sampled_from(["", "*", "+", "?", "{2,}", "{1,3}", "+?", "*?"])
PATTERNS = st.lists(st.tuples(ATOMS, REPEATS).map("".join), min_size=1, max_size=4).map("".join)


@settings(max_examples=50)
@given(PATTERNS, st.text(alphabet="abc. \né", max_size=30))
def test_a_bound_changes_nothing_in_texts_that_are_shorter(pattern, text):
    carried = carry(pattern, max_bytes=1 << 20)
    max_width(carried.pattern)
    theirs = re2.compile(pattern.encode()).search(text.encode())
    ours = Regex(carried.pattern).search(text.encode())
    assert (theirs is None) == (ours is None)
    if theirs is not None:
        assert tuple(ours[0]) == theirs.span()

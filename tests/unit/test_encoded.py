"""Secrets in base 64 are found at the place of their run, wherever the text is cut, and never shown."""

from __future__ import annotations

import base64
import re
import textwrap
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner_tasks.core.model import Confidence, Location, RuleFindings, Segment
from scanner_tasks.detect import encoded
from scanner_tasks.detect.encoded import MOST_BYTES, Runs, run_at
from scanner_tasks.detect.engine import Detector
from scanner_tasks.detect.explain import explain
from scanner_tasks.detect.gate import AllowList
from scanner_tasks.detect.ruleset import Ruleset
from scanner_tasks.rules import load_builtin

from .test_detect_engine import EVERYTHING, FINGERPRINTER, ODD, SMALL, WHOLE, segments
from .test_ranges import in_ranges, offsets, whole, without_places

SSN = "536-22-8726"
AKID = "AKIAQ3EGRIZJ7PLMNB5T"
SECRET = "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"
PEM = (
    "-----BEGIN PRIV\u0041TE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIV\u0041TE KEY-----\n"
)


def b64(text: str, encoding: str = "utf-8") -> str:
    return base64.b64encode(text.encode(encoding)).decode()


def found(text: str) -> list[tuple[str, str]]:
    """Rule and the text at the finding's place."""
    return [(each.rule_id, text[each.start : each.end]) for each in WHOLE.find_all(text)]


def places(text: str, run: str, rule: str) -> bool:
    return (rule, run) in found(text)


@pytest.mark.parametrize(
    ("text", "run", "rule"),
    [
        ("ssn: {}", b64(SSN), "us.ssn"),
        ("data:\n  AWS_ACCESS_KEY_ID: {}\n", b64(AKID), "aws.access_key_id"),
        ("data:\n  AWS_SECRET_ACCESS_KEY: {}\n", b64(SECRET), "aws.secret_access_key"),
        ('{{"data":{{"credentials":"{}"}}}}', b64(f"[x]\naws_secret_access_key = {SECRET}\n"), "aws.secret_access_key"),
        ("é: {}", b64(f"the key is: é {AKID}"), "aws.access_key_id"),
        ("tls.key: {}\n", b64(PEM), "crypto.private_key"),
        ("data:text/plain;base64,{}", b64(f"my ssn is {SSN}"), "us.ssn"),
        ("https://x.example/cb?state={}&y=1", b64('{"ssn":"536-22-8726"}').rstrip("="), "us.ssn"),
        ("powershell -enc {}", b64(f"$k='{AKID}'", "utf-16-le"), "aws.access_key_id"),
        ("a\\n{}\\n", b64(f"key {AKID}"), "aws.access_key_id"),
        ("Cookie: s%3D{}", b64(f"key {AKID}"), "aws.access_key_id"),
        (".dockerconfigjson: {}", b64(f'{{"auths":{{"r":{{"auth":"{b64("ci:" + AKID)}"}}}}}}'), "aws.access_key_id"),
    ],
)
def test_a_value_in_base64_is_found_at_the_place_of_its_run(text: str, run: str, rule: str) -> None:
    assert places(text.format(run), run, rule)


def test_url_alphabet_and_missing_padding_are_read() -> None:
    run = base64.urlsafe_b64encode(f"?>?>?> {AKID}".encode()).decode().rstrip("=")
    assert "-" in run or "_" in run
    assert places(f"t={run};", run, "aws.access_key_id")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n    ", "\\n", "\\r\\n", "\n> "])
def test_lines_of_one_length_are_one_run(end: str) -> None:
    run = end.join(textwrap.wrap(b64("x" * 40 + f" key {AKID} and ssn {SSN} " + "y" * 90), 64))
    text = f"body:\n{run}\nThe end.\n"
    assert {rule for rule, at in found(text) if at == run} == {"aws.access_key_id", "us.ssn"}


def test_a_word_on_the_next_line_is_no_part_of_a_run() -> None:
    run = b64(f"key {AKID}" + "." * 21)
    assert len(run) >= 40
    assert len(run) % 4 == 0
    assert "=" not in run
    assert found(f"a: {run}\ndata\n") == [("aws.access_key_id", run)]


@pytest.mark.parametrize(
    "text",
    [
        "usr/share/python/lib/site/packages/module",
        base64.b64encode(bytes(range(256))).decode(),
        f"eyJhbGciOiJIUzI1NiJ9.{b64(f'ssn {SSN}')}.c2lnbmF0dXJl",
        b64("nothing to see in here, move on"),
        b64("\x00\x01" + AKID),
        b64(f"{AKID}\x07"),
    ],
)
def test_what_holds_nothing_or_is_no_text_is_passed_over(text: str) -> None:
    assert "aws.access_key_id" not in dict(found(text))
    assert "us.ssn" not in dict(found(text))


def test_words_outside_of_a_run_vouch_only_for_its_own_value() -> None:
    assert found(f"social security: {b64('536228726 is it')}")
    assert not found(f"number: {b64('536228726 is it')}")
    assert len(found(f"ssn {b64('536228726 is it')}\n{'-' * 60}\nid: {b64('536228727 is it')}")) == 1


def test_values_and_words_around_a_run_are_not_told_twice() -> None:
    text = f"jane@corp.example {AKID} {b64('nothing to see in here')} jane@corp.example"
    assert [rule for rule, _ in found(text)] == ["contact.email", "aws.access_key_id", "contact.email"]


def test_what_a_run_says_is_told_instead_of_a_nameless_secret() -> None:
    text = f"password: {b64(AKID)}"
    assert [rule for rule, _ in found(text)] == ["aws.access_key_id"]
    assert [rule for rule, _ in found(f"password: {b64('Tr4v3l-9x-more')}")] == ["generic.password"]


def test_nothing_of_a_value_is_shown_and_the_evidence_says_that_it_is_encoded() -> None:
    run = b64(SSN)
    detection = Detector(load_builtin(), FINGERPRINTER).begin()
    text = f"mail jane@corp.example ssn {run} end"
    detection.feed(Segment(data=text.encode(), start=Location(line=1, column=1, offset=0), continues=False))
    told = {each.rule_id: each for each in detection.finish()}
    (place,) = told["us.ssn"].occurrences
    assert place.masked == "***-**-8726"
    assert place.location.offset == text.index(run)
    assert run not in place.context + told["contact.email"].occurrences[0].context
    assert "inside base64" in place.evidence
    assert place.fingerprint == FINGERPRINTER.fingerprint(b"536228726")
    assert "base 64" in " ".join(part.text for part in explain(place.evidence, Confidence.HIGH, None).parts)


def test_every_value_in_a_run_is_counted() -> None:
    run = b64("\n".join(f"ssn 536-22-{number}" for number in range(1000, 1100)))
    detection = WHOLE.begin()
    detection.feed(Segment(data=run.encode(), start=Location(line=1, column=1, offset=0), continues=False))
    counts = {each.rule_id: (each.count, len(each.occurrences)) for each in detection.finish()}
    assert counts["us.ssn"] == (100, 10)


def test_an_allow_list_speaks_for_encoded_values() -> None:
    rules = load_builtin()
    allow = (AllowList(name="ours", regexes=("^AKIA",)),)
    some = Ruleset(tuple(replace(rule, allow=allow) for rule in rules.rules if rule.id == "aws.access_key_id"))
    detection = Detector(some, FINGERPRINTER).begin()
    text = f"{AKID} {b64('key ' + AKID)}"
    detection.feed(Segment(data=text.encode(), start=Location(line=1, column=1, offset=0), continues=False))
    assert detection.finish() == ()
    assert detection.allowed == 2


def test_a_run_longer_than_a_piece_is_read_to_its_end() -> None:
    filler = "plain words and nothing else. " * (MOST_BYTES // 30)
    text = "x: " + b64(f"{filler} {AKID} {filler} {AKID[:-1]}A")
    assert len(text) > 2 * MOST_BYTES
    detection = WHOLE.begin()
    detection.feed(Segment(data=text.encode(), start=Location(line=1, column=1, offset=0), continues=False))
    assert [each.count for each in detection.finish() if each.rule_id == "aws.access_key_id"] == [2]


def test_encoding_is_followed_to_its_depth_and_no_further() -> None:
    layers = AKID
    for depth in range(1, 5):
        layers = b64(f"key: {layers}")
        assert bool(found(layers)) == (depth <= 3)


class _Counted:
    """A pattern that counts the bytes that it went over."""

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self.pattern = pattern
        self.bytes = 0

    def match(self, *where) -> re.Match[bytes] | None:
        matched = self.pattern.match(*where)
        self.bytes += len(matched[0]) if matched else 0
        return matched


@pytest.mark.parametrize(
    "text",
    [
        b"QUJDQUJDQUJDQUJDQUJD/" * 4000,
        b"QUJDQUJDQUJDQUI/" * 6000 + b"////",
        b"QUJDQUJDQUJDQUJDQUJD_" * 4000,
        b"QUJDQUJDQUJDQUJDQUJD-" * 4000,
        b"/" * 100_000,
    ],
)
def test_each_byte_is_gone_over_a_bounded_number_of_times(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    standard, url = _Counted(encoded._STANDARD), _Counted(encoded._URL)
    monkeypatch.setattr(encoded, "_STANDARD", standard)
    monkeypatch.setattr(encoded, "_URL", url)
    list(Runs().find(text, is_end=True))
    assert standard.bytes + url.bytes < 4 * len(text)


@pytest.mark.parametrize("text", [b"", b"a", b"QUJD", b"QUJDQUJDQUJDQU"])
def test_short_texts_hold_no_run_or_one(text: bytes) -> None:
    assert [run.start for run in Runs().find(text, is_end=True)] == ([0] if len(text) > 12 else [])
    assert (run_at(text, 0, 400) is not None) == (len(text) > 12)


PIECES = st.one_of(
    st.sampled_from(
        [
            SSN,
            AKID,
            SECRET,
            "ssn ",
            "aws secret ",
            "jane@corp.example",
            "\n",
            " ",
            ": ",
            "é",
            "😀",
            '"',
            "/",
            "=",
            ".",
            "x" * 70,
        ]
    ),
    st.text(max_size=8).filter(str.isprintable),
)
some_base64 = (
    st.lists(PIECES, max_size=12)
    .map("".join)
    .map(lambda text: base64.b64encode(text.encode("utf-8", "replace")).decode())
)
wrapped = st.tuples(some_base64, st.sampled_from([40, 64, 76]), st.sampled_from(["\n", "\r\n", "\\n", "\n  "])).map(
    lambda three: three[2].join(textwrap.wrap(three[0], three[1]))
)
texts = st.lists(st.one_of(PIECES, some_base64, wrapped, some_base64.map(b64)), max_size=14).map("".join)
quick = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def detected(detector: Detector, text: str, cuts=()) -> tuple[RuleFindings, ...]:
    detection = detector.begin()
    for segment in segments(text, cuts):
        detection.feed(segment)
    return detection.finish()


@quick
@given(texts, st.lists(st.integers(0, 10_000), max_size=4))
def test_windows_change_nothing(text: str, cuts: list[int]) -> None:
    text = text.encode("utf-8", "replace").decode()
    expected = detected(WHOLE, text)
    assert detected(SMALL, text, cuts) == expected
    assert detected(ODD, text, cuts) == expected


@quick
@given(texts, st.integers(2, 5))
def test_ranges_change_nothing(text: str, ranges: int) -> None:
    data = ("plain text to begin with\n" + text).encode("utf-8", "replace")
    size = max(4, -(-len(data) // ranges // 4) * 4)
    expected, together = whole(data, EVERYTHING), in_ranges(data, size, EVERYTHING)
    assert without_places(together) == without_places(expected)
    assert offsets(together) == offsets(expected)

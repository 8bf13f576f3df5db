"""The filter and the cells settled together change the speed and nothing else."""

from __future__ import annotations

import json
import random
import sys

import hyperscan
import pytest
import re2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.detection import values
from scanner_tasks.core.model import Confidence, Location, Segment
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.compiled import CompiledRule
from scanner_tasks.detect.engine import Detector
from scanner_tasks.detect.filter import Filter
from scanner_tasks.detect.translate import Untranslatable, translate, translate_parts
from scanner_tasks.rules import load_builtin

FINGERPRINTER = Fingerprinter(b"a key for the tests", "t")
START = Location(line=1, column=1, offset=0)


def detector(**more):
    return Detector(load_builtin(), FINGERPRINTER, **{"occurrences_kept": 2, **more})


PLAIN = detector(filtered=False)
FILTERED = detector()
SMALL = detector(window_bytes=700)
MIDDLE = detector(window_bytes=6000)
LOW_PLAIN = detector(filtered=False, threshold=Confidence.LOW, test_values=True, occurrences_kept=0)
LOW = detector(threshold=Confidence.LOW, test_values=True, window_bytes=300, occurrences_kept=0)

EXAMPLES = [example for rule in load_builtin().rules for example in (*rule.examples, *rule.negative_examples)]
MADE = [
    make(random.Random(n))
    for n in range(12)
    for make in (values.ssn, values.card, values.phone, values.email, values.foreign_phone)
]
WORDS = ["ssn", "card", "phone ", "order", "12", "1234 ", "4111 ", "é", "漢", "x@", ",x5", "://", "a.b"]
GLUE = [",", ",", ",", "\n", "\n", ";", "|", '"', '","', " ", "\t", ": ", "-", ".", "\r\n", "'", "@", "/"]
pieces = st.one_of(
    st.sampled_from(MADE), st.sampled_from(GLUE), st.sampled_from(EXAMPLES), st.sampled_from(WORDS), st.text(max_size=6)
)
cells = st.lists(st.sampled_from(MADE), min_size=3, max_size=12).map(lambda row: ",".join(row) + "\n")
texts = st.lists(st.one_of(pieces, cells), min_size=5, max_size=60).map("".join)
HEADERS = [
    "",
    "ein;passport;x\n",
    "# a title\n\nphone | EIN | ssn\n1 | 2 | 3\n",
    "ssn       phone     EIN\n7         8         9\n",
    "id,email,ssn\n",
    "order,card number,phone\n",
    "phone;ssn;x\n",
    "no header, really: 1\n",
]


def detect(some, text):
    detection = some.begin()
    detection.feed(Segment(data=text.encode("utf-8", "replace"), start=START, continues=False))
    return detection.finish()


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(HEADERS), texts)
def test_the_filter_never_changes_what_is_found(header, text):
    text = header + text + " " * 1024  # long enough for the filter
    assert detect(FILTERED, text) == detect(SMALL, text) == detect(PLAIN, text)
    assert detect(LOW, text) == detect(LOW_PLAIN, text)


def tables():
    """Tables of every notation, with rows that are none, cells that are no values, keywords and labels beside them."""
    r = random.Random(3)
    rows = [
        [
            values.person(r),
            values.email(r) if n % 7 else "none@" + values.person(r),
            values.ssn(r) if n % 5 else "".join(str(r.randrange(10)) for _ in range(9)),
            values.phone(r) if n % 4 else values.foreign_phone(r),
            values.card(r),
            values.card_number(r)[:-1] + str(n % 10),
            str(r.randrange(2 * 10**9, 10**10)),
            r.choice(("", "", "card", "order", "phone", "tel. 4", "x,y")),
        ]
        for n in range(160)
    ]
    names = ["name", "email", "ssn", "phone", "card", "order_id", "mobile", "note"]
    for delimiter in (",", ";", "|", "\t"):
        lines = [delimiter.join(f'"{cell}"' if "," in cell else cell for cell in row) for row in rows]
        lines[50] = "a line of text, which is no row: ssn 536-22-8726"
        yield f"plain {delimiter!r}", "\n".join(lines)
        yield f"header {delimiter!r}", "\n".join([delimiter.join(names), *lines]) + "\n"
        yield f"windows {delimiter!r}", "\r\n".join([delimiter.join(names[::-1]), *lines]) + "\r\n"
    yield "quoted", "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows)
    yield "rows that end early", "\n".join(",".join(row[: 8 - (n % 3 == 0)]) for n, row in enumerate(rows))
    for separators in ((", ", ": "), (",", ":")):
        some = [json.dumps(dict(zip(names, row, strict=True)), separators=separators) for row in rows]
        yield f"JSON lines {separators}", "\n".join(some)
        other = [
            json.dumps(dict(zip(["a", "b", "c", "d", "e"], row, strict=False)), separators=separators) for row in rows
        ]
        yield f"JSON lines, other keys {separators}", "\n".join(other)


TABLES = dict(tables())


@pytest.mark.parametrize("name", TABLES)
def test_a_dense_table_is_counted_the_same(name):
    text = TABLES[name]
    expected = detect(PLAIN, text)
    assert detect(FILTERED, text) == expected
    assert detect(SMALL, text) == expected
    assert detect(MIDDLE, text) == expected


@pytest.mark.parametrize("name", ["plain ','", "header '\\t'", "quoted", "JSON lines (', ', ': ')"])
def test_cells_are_settled_together(monkeypatch, name):
    judged = []
    judge = CompiledRule.judge
    monkeypatch.setattr(CompiledRule, "judge", lambda *args, **more: judged.append(1) or judge(*args, **more))
    found = detect(MIDDLE, TABLES[name])
    alone, judged = len(judged), judged.clear() or judged
    assert detect(PLAIN, TABLES[name]) == found
    assert alone < 0.6 * len(judged)


def test_without_the_library_the_same_is_found(monkeypatch):
    FILTERED.prepare()
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    bare = detector()
    text = "\n".join(EXAMPLES) * 3
    assert detect(bare, text) == detect(PLAIN, text) == detect(FILTERED, text)
    assert bare.filter_for(text.encode()) is None
    assert FILTERED.filter_for(text.encode()) is not None


@pytest.mark.parametrize("most", [4, 40])
@pytest.mark.parametrize(
    "pattern",
    [rule.pattern for rule in load_builtin().rules]
    + [r"(?i)skfe{2,90}", r"\bé[^a]{1,3}\z", r"[\x{a0}\x{2010}-\x{2013}]\d|[^\d]x", r"(?m)^a$", r".\W[[:alpha:]é]"],
)
def test_every_end_that_re2_finds_is_reported(pattern, most):
    try:
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        database.compile(expressions=[translate(pattern, most=most)], ids=[0], elements=1)
    except hyperscan.error:
        assert most > 4, "what is too large for the library is small enough without the bounds of its repeats"
        return
    scratch = hyperscan.Scratch(database)
    compiled = re2.compile(pattern.encode())
    for text in [*EXAMPLES, *MADE, "SKFEE \u212a\u017fkfeee", "xé12é", "\u2011" + "7é", "b\na\nx"]:
        data = text.encode()
        ends = set()

        def on_match(_pattern, _start, end, _flags, _context, ends=ends):
            ends.add(end)

        database.scan(data, match_event_handler=on_match, scratch=scratch)
        for at in range(len(data)):
            found = compiled.search(data, at)
            if found is None:
                break
            assert found.end() in ends


def test_unknown_syntax_is_refused():
    with pytest.raises(Untranslatable):
        translate(r"\p{Greek}")


def test_a_pattern_in_two_parts_reports_the_ends_of_both():
    rule = next(rule for rule in FILTERED.rules if rule.rule.id == "generic.password")
    assert len(translate_parts(rule.regex.pattern, most=24)) == 2
    ends = Filter(hyperscan, [rule]).scan(b"password=correct-horse, or the password for staging is battery-staple ")[0][
        0
    ]
    assert {22, 69} <= set(ends)


@given(st.lists(st.sampled_from(["a", "b", "c", "x", "d", "e", "f", "z", "dddddde"]), max_size=12).map("".join))
def test_two_parts_match_together_what_the_whole_does(text):
    pattern = "a(?:b|c(?:x|d[^e]{1,20}?e))f|z"
    parts = [re2.compile(part) for part in translate_parts(pattern, most=40)]
    whole = re2.compile(pattern.encode())
    assert any(part.fullmatch(text.encode()) for part in parts) == bool(whole.fullmatch(text.encode()))


def test_every_keyword_is_reported_where_it_ends():
    # Behind no letter in any case; as a capital or in capitals behind anything; a plural or a sign may follow.
    filter_ = FILTERED.filter_for(bytes(2048))
    for number, compiled in enumerate(FILTERED.rules):
        text, ends = b"", []
        for word in compiled.rule.keywords:
            plain = word.removesuffix("*")
            glued = "".join(part.capitalize() for part in plain.split(" "))
            forms = [plain, plain.replace(" ", "_")] + [plain.upper(), f"my{glued}"] * plain.isascii()
            if word == plain and plain.isalpha() and plain.isascii():
                forms += [f"{plain}s", f"{plain.lower()}Value"]
            for line in (f"x {form} 5\n".encode() for form in forms):
                if (end := compiled._keywords.last_end(line)) >= 0:
                    ends.append(len(text) + end)
                text += line
        if ends:
            told = filter_.scan(text).words[number]
            assert not [end for end in ends if not any(end - 1 <= at <= end + 2 for at in told)], compiled.rule.id


def test_the_library_takes_every_built_in_rules_pattern_so_that_the_filter_can_be_kept(monkeypatch):
    built = []
    build = Filter._build
    monkeypatch.setattr(Filter, "_build", lambda self, patterns: built.append(len(patterns)) or build(self, patterns))
    kept = Filter(hyperscan, FILTERED.rules).dump()
    assert len(built) == 4
    assert kept


def test_a_pattern_that_the_library_refuses_is_made_smaller(monkeypatch):
    monkeypatch.setattr("scanner_tasks.detect.filter._LONG", 10**6)
    chosen = Filter(hyperscan, [rule for rule in FILTERED.rules if rule.rule.id == "generic.password"])
    assert chosen._refused[0] == []
    assert 22 in chosen.scan(b"password=correct-horse")[0][0]

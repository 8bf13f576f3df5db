"""Evidence is kept short, and comes back as it was, whatever the engine says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scanner_tasks.store.evidence import pack, unpack

KNOWN = st.sampled_from(
    [
        "pattern",
        "weak pattern",
        "validator us_ssn",
        "doubtful neighbours or range",
        "keyword ss no, 12 before",
        "keyword a, 1 before, 2 after",
        "keyword x, 007 before",
        "column header ssn",
        "no keyword within 50",
        "published test value",
        "confidence high",
        "column profile: 98 % of 12,431 values are valid",
        "",
    ]
)


@given(st.lists(st.one_of(KNOWN, st.text(), st.text(alphabet="|\\p=vhnbad 0"))).map(tuple))
def test_what_is_packed_comes_back(evidence):
    assert unpack(pack(evidence)) == evidence


def test_usual_evidence_takes_a_third_of_its_words():
    evidence = ("pattern", "validator us_ssn", "keyword ssn, 2 before", "confidence high")
    assert pack(evidence) == "p|v us_ssn|b2 ssn|Ch"
    assert len(pack(evidence)) * 3 < len(str(list(evidence)))

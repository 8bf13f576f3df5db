"""Secrets that source code joins from parts are found, wherever the text is cut."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .test_detect_engine import EVERYTHING, ODD, SMALL, WHOLE
from .test_encoded import AKID, SECRET, detected
from .test_ranges import in_ranges, offsets, whole, without_places

A, B = SECRET[:20], SECRET[20:]


def found(text: str) -> list[tuple[str, str]]:
    return [(each.rule_id, text[each.start : each.end]) for each in WHOLE.find_all(text)]


JOINTS = [
    '" + "',
    '" +\n    "',
    '"\n    + "',
    "' . '",
    '" &\n"',
    "'\n  '",
    '" ..\n"',
    "' || '",
    '" \\\n  "',
    "\\\n",
    "\\\r\n  ",
]


@pytest.mark.parametrize("joint", JOINTS)
def test_a_key_in_two_parts_is_found(joint: str) -> None:
    assert found(f'aws_secret_access_key = "{A}{joint}{B}"') == [("aws.secret_access_key", f"{A}{joint}{B}")]


def test_a_key_in_many_parts_is_found_once() -> None:
    parts = '" + "'.join(AKID[at : at + 5] for at in range(0, 20, 5))
    assert found(f'id = "{parts}";') == [("aws.access_key_id", parts)]


@pytest.mark.parametrize(
    "text",
    [
        f'aws secret: ["{A}", "{B}"]',
        f'aws secret: "{A}" "{B}"',
        f'aws secret: "{A} " + "{B}"',
        f'aws secret: "{A}"\n\n"{B}"',
        f"aws secret: {A}\n{B}",
    ],
)
def test_lists_and_lines_join_nothing(text: str) -> None:
    assert "aws.secret_access_key" not in dict(found(text))


def test_a_value_in_one_part_is_not_told_twice() -> None:
    assert found(f'x = "{AKID}" + "/more"') == [("aws.access_key_id", AKID)]


def test_the_parts_are_not_shown_in_the_context_of_others() -> None:
    (place,) = next(
        each
        for each in detected(WHOLE, 'mail jane@corp.example k="AKIAQ3EG" + "RIZJ7PLMNB5T"')
        if each.rule_id == "contact.email"
    ).occurrences
    assert "AKIA" not in place.context
    assert "PLMN" not in place.context


PIECES = st.sampled_from(
    [
        A,
        B,
        AKID[:9],
        AKID[9:],
        '" + "',
        '"\n"',
        "\\\n",
        '"',
        " ",
        "\n",
        "aws secret ",
        "é",
        "x" * 600,
        "jane@corp.example",
    ]
)
texts = st.lists(PIECES, max_size=16).map("".join)
quick = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(texts, st.lists(st.integers(0, 10_000), max_size=4))
def test_windows_change_nothing(text: str, cuts: list[int]) -> None:
    expected = detected(WHOLE, text)
    assert detected(SMALL, text, cuts) == expected
    assert detected(ODD, text, cuts) == expected


@quick
@given(texts, st.integers(2, 5))
def test_ranges_change_nothing(text: str, ranges: int) -> None:
    data = ("plain text to begin with\n" + text).encode()
    size = max(4, -(-len(data) // ranges // 4) * 4)
    expected, together = whole(data, EVERYTHING), in_ranges(data, size, EVERYTHING)
    assert without_places(together) == without_places(expected)
    assert offsets(together) == offsets(expected)

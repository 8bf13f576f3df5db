"""What a sample says of all: right on average, sure of as much as it says, and never surer than what was counted."""

from __future__ import annotations

import random

import pytest

from scanner_tasks.core.choosing import Stratum
from scanner_tasks.core.model import Outcome
from scanner_tasks.core.sampling import Drawn, sample_totals


def counted(kind: str, population: int, drawn: int, *, prefix: str = "", each_bytes: int = 10) -> list[Stratum]:
    numbers = {Outcome.PENDING: drawn, Outcome.SKIPPED_NOT_SAMPLED: population - drawn}
    return [
        Stratum(prefix=prefix, kind=kind, outcome=outcome, objects=n, size_bytes=n * each_bytes)
        for outcome, n in numbers.items()
        if n
    ]


def found(kind: str, values: list[int], *, prefix: str = "") -> Drawn:
    return Drawn(
        prefix=prefix,
        kind=kind,
        with_findings=sum(value > 0 for value in values),
        findings=sum(values),
        occurrences=10 * sum(values),
        findings_squared=float(sum(value**2 for value in values)),
        occurrences_squared=float(sum((10 * value) ** 2 for value in values)),
    )


def test_strata_are_weighed_by_what_was_counted_not_by_what_was_drawn() -> None:
    # Chance drew 50 of 1,000 texts with 2 findings each, and 10 of 100 tables with 30 each.
    strata = counted("text", 1000, 50) + counted("table", 100, 10)
    told = sample_totals(strata, [found("text", [2] * 50), found("table", [30] * 10)], by_bytes=False)
    assert told is not None
    assert (told.population, told.drawn) == (1100, 60)
    assert told.findings.estimate == pytest.approx(2000 + 3000)
    assert (told.findings.low, told.findings.high) == (pytest.approx(5000), pytest.approx(5000)), "all alike: no doubt"
    assert told.with_findings.estimate == 1100


def test_what_is_left_out_for_another_reason_is_no_part_of_it() -> None:
    other = Stratum(prefix="", kind="text", outcome=Outcome.SKIPPED_EXCLUDED_KEY, objects=10_000, size_bytes=9)
    told = sample_totals([*counted("text", 100, 10), other], [found("text", [1] * 10)], by_bytes=False)
    assert told is not None
    assert (told.population, told.findings.estimate) == (100, 100)


def test_nothing_found_leaves_what_the_rule_of_three_leaves() -> None:
    told = sample_totals(counted("text", 10_000, 100), [], by_bytes=False)
    assert told is not None
    assert (told.findings.estimate, told.findings.high) == (0, 300)
    whole = sample_totals(counted("text", 100, 100), [], by_bytes=False)
    assert whole is not None
    assert whole.findings.high == 0


def test_strata_of_which_too_few_were_drawn_stand_with_their_neighbours() -> None:
    strata = (
        counted("text", 500, 1, prefix="a/") + counted("text", 500, 9, prefix="b/") + counted("text", 5, 0, prefix="c/")
    )
    told = sample_totals(strata, [found("text", [1] * 9, prefix="b/"), found("text", [1], prefix="a/")], by_bytes=False)
    assert told is not None
    assert (told.population, told.findings.estimate) == (1005, pytest.approx(1005))
    assert sample_totals(counted("text", 50, 0), [], by_bytes=False) is None


def test_sample_of_everything_is_exact() -> None:
    told = sample_totals(counted("text", 4, 4), [found("text", [0, 1, 5, 2])], by_bytes=False)
    assert told is not None
    assert told.findings.to_json() == {"estimate": 8, "low": 8, "high": 8}
    assert told.occurrences.to_json() == {"estimate": 80, "low": 80, "high": 80}


def test_bytes_weigh_where_findings_grow_with_size() -> None:
    strata = [
        Stratum(prefix="", kind="text", outcome=Outcome.PENDING, objects=2, size_bytes=100),
        Stratum(prefix="", kind="text", outcome=Outcome.SKIPPED_NOT_SAMPLED, objects=2, size_bytes=900),
    ]
    told = sample_totals(strata, [found("text", [5, 5])], by_bytes=True)
    assert told is not None
    assert told.findings.estimate == pytest.approx(100)


def test_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    chance = random.Random(7)
    values = {
        "text": [chance.choice((0, 0, 0, 1, 3)) for _ in range(3000)],
        "table": [chance.randint(0, 9) for _ in range(800)],
    }
    truth = sum(map(sum, values.values()))
    held = 0
    for _ in range(300):
        strata, drawn = [], []
        for kind, every in values.items():
            picked = [value for value in every if chance.random() < 0.1]
            strata += counted(kind, len(every), len(picked))
            drawn.append(found(kind, picked))
        told = sample_totals(strata, drawn, by_bytes=False)
        assert told is not None
        held += told.findings.low <= truth <= told.findings.high
    assert 0.91 <= held / 300 <= 0.99

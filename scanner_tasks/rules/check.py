"""Rules that prove themselves: every example must be found, every negative example must not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner_tasks.core.errors import RuleError
from scanner_tasks.core.model import Confidence, Location, Segment
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.detect.ruleset import Rule, Ruleset
from scanner_tasks.rules import load_files
from scanner_tasks.rules.load import BUILTIN, combine, read_source
from scanner_tasks.rules.pack import Note

if TYPE_CHECKING:
    from collections.abc import Iterable

# Only to run examples, whose values are public: their fingerprints go nowhere.
_FINGERPRINTER: Final = Fingerprinter(b"examples hold no secrets", "check")
_START: Final = Location(line=1, column=1, offset=0)


class Problem(NamedTuple):
    """What is wrong with a rule: empty rule id and field if a file cannot be read as rules at all."""

    rule_id: str
    field: str
    message: str


def check(rules: Ruleset | Iterable[Path]) -> list[Problem]:
    """Every problem of a ruleset, or of the rules in these files; an empty list proves them.

    Files are first read strictly (fields, unique ids, patterns that RE2 takes and that have a bound); one that fails
    there is the only problem told.
    """
    if not isinstance(rules, Ruleset):
        try:
            rules = load_files(tuple(Path(path) for path in rules))
        except RuleError as error:
            return [Problem("", "", str(error))]
    return [problem for rule in rules.rules for problem in _check_rule(rule)]


def check_packs(paths: Iterable[Path]) -> tuple[list[Problem], tuple[Note, ...]]:
    """Every problem of these packs, whatever their form, and what is to be said of them.

    Overrides and allow lists are read against the built-in rules, which they may name.
    """
    try:
        loaded = combine(read_source(Path(path)) for path in paths)
    except RuleError as error:
        return [Problem("", "", str(error))], ()
    own = [rule for rule in loaded.ruleset.rules if loaded.origins[rule.id] != BUILTIN]
    # A rule is proven as it is written: what its users allow or look away from is another matter.
    bare = [replace(rule, allow=(), paths=(), threshold=None, enabled=True) for rule in own]
    unproven = [rule for rule in own if not rule.examples]
    notes = [
        *loaded.notes,
        *(Note(loaded.origins[rule.id], rule.id, "it has no examples: nothing proves it") for rule in unproven),
    ]
    return [problem for rule in bare for problem in _check_rule(rule)], tuple(notes)


def _check_rule(rule: Rule) -> list[Problem]:
    # Examples may be published values; a negative example may be one that is not reported because it was published.
    detector = Detector(Ruleset((rule,)), _FINGERPRINTER, threshold=Confidence.LOW, test_values=True)
    strict = Detector(Ruleset((rule,)), _FINGERPRINTER, threshold=Confidence.LOW)
    problems = []
    for number, example in enumerate(rule.examples, 1):
        if not count(detector, example):
            problems.append(Problem(rule.id, "examples", f"example {number} is not found"))
    for number, example in enumerate(rule.negative_examples, 1):
        if count(strict, example):
            problems.append(Problem(rule.id, "negative_examples", f"negative example {number} is found"))
    return problems


def count(detector: Detector, text: str) -> int:
    """Number of occurrences of all the detector's rules in a text."""
    detection = detector.begin()
    detection.feed(Segment(data=text.encode(), start=_START, continues=False))
    return sum(found.count for found in detection.finish())

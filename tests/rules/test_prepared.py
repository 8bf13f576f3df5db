"""What the filter was compiled to is kept for the next process, in a directory that is this user's alone."""

from __future__ import annotations

import pytest

from scanner_tasks.core.model import Location, Segment
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect import filter as filters
from scanner_tasks.detect.engine import Detector
from scanner_tasks.detect.ruleset import Ruleset
from scanner_tasks.rules import load_builtin
from scanner_tasks.rules.prepared import prepare

SOME = Ruleset(tuple(rule for rule in load_builtin().rules if rule.id in {"us.ssn", "github.token", "us.passport"}))
TEXT = b"ssn 536-22-8726, passport C01234567 " * 60


def found(directory):
    filters._made.clear()
    detector = Detector(SOME, Fingerprinter(b"a key for the tests", "t"))
    prepare(detector, directory)
    detection = detector.begin()
    detection.feed(Segment(data=TEXT, start=Location(line=1, column=1, offset=0), continues=False))
    return [(finding.rule_id, finding.count) for finding in detection.finish()]


@pytest.fixture
def compiled(monkeypatch):
    """How often a database was compiled."""
    times = []
    compile_one = filters.Filter._compile
    monkeypatch.setattr(filters.Filter, "_compile", lambda *args: times.append(1) or compile_one(*args))
    yield times
    filters._made.clear()


def test_a_second_process_compiles_nothing_and_finds_the_same(tmp_path, compiled):
    first = found(tmp_path / "mine")
    assert dict(first) == {"us.passport": 60, "us.ssn": 60}
    assert compiled
    compiled.clear()
    assert found(tmp_path / "mine") == first
    assert not compiled


def test_what_is_damaged_or_of_other_rules_is_compiled_anew(tmp_path, compiled):
    first = found(tmp_path / "mine")
    (file,) = (tmp_path / "mine").iterdir()
    for content in (b"", file.read_bytes()[:-9] + b"somethin!", b"s3scan filter 2\n" + bytes(64) + b"x"):
        file.write_bytes(content)
        compiled.clear()
        assert found(tmp_path / "mine") == first
        assert compiled


def test_a_directory_that_others_can_write_is_left_alone(tmp_path, compiled):
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    assert found(open_to_all)
    assert compiled
    assert not list(open_to_all.iterdir())
    assert found(tmp_path / "missing" / "deep")


def test_what_the_library_refuses_is_remembered_and_found_all_the_same(tmp_path, compiled, monkeypatch):
    expected = found(tmp_path / "whole")
    build, refused = filters.Filter._build, []

    def refusing(self, patterns):
        if any(number == 0 for number, _, _ in patterns):
            refused.append(1)
            raise self._hyperscan.error("Pattern is too large.")
        return build(self, patterns)

    monkeypatch.setattr(filters.Filter, "_build", refusing)
    assert found(tmp_path / "short") == expected
    assert refused
    refused.clear()
    compiled.clear()
    assert found(tmp_path / "short") == expected
    assert not refused
    assert not compiled

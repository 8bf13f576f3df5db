"""What only looks like data: no rule may find anything in it, and none may be slow on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner_tasks.core.model import Confidence, Location, Segment
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.rules import load_builtin

FILES = sorted((Path(__file__).parent / "look_alikes").glob("*.txt"))
DETECTOR = Detector(load_builtin(), Fingerprinter(b"a key for the tests", "t"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_is_found_in_what_only_looks_like_data(path):
    detection = DETECTOR.begin()
    start = Location(line=1, column=1, offset=0)
    detection.feed(Segment(data=path.read_bytes(), start=start, continues=False))
    reported = [
        (found.rule_id, occurrence.location.line)
        for found in detection.finish()
        if found.confidence is not Confidence.LOW
        for occurrence in found.occurrences
    ]
    assert reported == []


def test_there_are_look_alikes_of_every_kind():
    kinds = {
        "base64",
        "hashes",
        "lock_files",
        "orders",
        "placeholders",
        "source_code",
        "timestamps",
        "uuids",
        "versions",
    }
    assert kinds == {path.stem for path in FILES}

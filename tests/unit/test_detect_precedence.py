"""A value that a specific rule owns is not told again by a generic one, wherever a window ends."""

from __future__ import annotations

import pytest

from scanner_tasks.core.model import Location, Segment
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.rules import load_builtin

RULES = load_builtin()
KEY = Fingerprinter(b"a key for the tests", "t")
WHOLE = Detector(RULES, KEY)
SMALL = Detector(RULES, KEY, window_bytes=500)
PLAIN = Detector(RULES, KEY, filtered=False)
OWNED = {
    "GITHUB_TOKEN=ghp_" + "0123456789abcdefghijklmnopqrstuvwxyz": "github.token",
    "SECRET_KEY=kWcrlUX5JEDGM/LtmEENI/aVmYvHNif5zB9rXy12 # aws": "aws.secret_access_key",
    "password=AKIAZ9P3Q7XK2LMN4RTV": "aws.access_key_id",
    "auth_token=eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlMTIzNDU2Nzg5MA": "token.jwt",
}


def found(detector, text):
    detection = detector.begin()
    detection.feed(Segment(data=text.encode(), start=Location(line=1, column=1, offset=0), continues=False))
    return {finding.rule_id: finding.count for finding in detection.finish()}


@pytest.mark.parametrize("text", OWNED)
@pytest.mark.parametrize("before", [0, 300, 1500])
def test_the_specific_rule_alone_tells_a_value(text, before):
    text = "." * before + "\n" + text + "\n" + "." * 1500
    for detector in (WHOLE, SMALL, PLAIN):
        assert found(detector, text) == {OWNED[text.strip(".\n")]: 1}


def test_a_generic_rule_tells_what_no_other_knows():
    text = "api_key=4f9a1c7e20b83d65af10\npassword=Tr4v3l-9xQ\n" + " " * 1200
    for detector in (WHOLE, SMALL, PLAIN):
        assert found(detector, text) == {"generic.api_key": 1, "generic.password": 1}

"""Masks show little, fingerprints are keyed, and a secret does not print."""

from __future__ import annotations

import hashlib
import hmac
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.redact import MASKS, Fingerprinter, Secret, mask

KEY = b"sixteen bytes ok"


@pytest.mark.parametrize(
    ("value", "style", "masked"),
    [
        ("4111-1111-1111-1111", "last4", "****-****-****-1111"),
        ("536228726", "last4", "*****8726"),
        ("(415) 555-2671", "last4", "(***) ***-2671"),
        ("415-555-2671 x12", "last4", "***-***-**71 *12"),
        ("12345678", "last4", "********"),
        ("jane.roe+x@example.com", "email", "j***.***+*@example.com"),
        ("j@example.com", "email", "*@example.com"),
        ("no address", "email", "** *******"),
        ("AKIAIOSFODNN7EXAMPLE", "aws_key", "AKIA************MPLE"),
        ("AKIA", "aws_key", "****"),
        ("x" * 40, "secret", "‹40 chars›"),
        ("Ünï-1", "all", "***-*"),
    ],
)
def test_mask_keeps_shape_and_little_else(value, style, masked):
    assert mask(value, style) == masked


def test_unknown_style_is_refused():
    with pytest.raises(InvalidInput, match="No mask style 'none': use one of all, aws_key"):
        mask("x", "none")


@given(st.text(alphabet="0123456789 -.()+xé", max_size=40))
def test_last4_never_shows_more_than_four_digits_and_keeps_the_length(value):
    masked = mask(value, "last4")
    assert len(masked) == len(value)
    assert sum(c.isalnum() for c in masked) <= 4


@given(st.text(max_size=60), st.sampled_from(sorted(set(MASKS) - {"email", "last4", "aws_key"})))
def test_strict_styles_show_no_letter_of_a_long_value(value, style):
    shown = mask(value, style).removesuffix("chars›") if style == "secret" else mask(value, style)
    assert not any(c.isalpha() for c in shown)


def test_fingerprint_is_the_key_id_and_half_an_hmac():
    expected = hmac.new(KEY, b"536228726", hashlib.sha256).hexdigest()[:32]
    assert Fingerprinter(KEY, "k1").fingerprint(b"536228726") == f"k1:{expected}"


def test_fingerprints_differ_by_key_and_value():
    prints = {Fingerprinter(key, "k").fingerprint(v) for key in (KEY, KEY + b"2") for v in (b"a", b"b")}
    assert len(prints) == 4


@pytest.mark.parametrize("key", [b"", b"fifteen bytes !"])
def test_short_fingerprint_key_is_refused_without_being_told(key):
    with pytest.raises(InvalidInput, match="S3SCAN_FINGERPRINT_KEY to at least 16") as caught:
        Fingerprinter(key, "k1")
    assert "fifteen bytes !" not in str(caught.value)


@pytest.mark.parametrize("key_id", ["", "K1", "a:b", "x" * 17])
def test_bad_key_id_is_refused(key_id):
    with pytest.raises(InvalidInput, match="key id"):
        Fingerprinter(KEY, key_id)


def test_fingerprinter_and_secret_neither_print_nor_pickle():
    for thing in (Fingerprinter(KEY, "k1"), Secret("hunter2hunter2!!")):
        for text in (repr(thing), str(thing), f"{thing}", repr([thing])):
            assert "hunter2" not in text
            assert "sixteen" not in text
        with pytest.raises(TypeError, match="in the clear"):
            pickle.dumps(thing)
    assert repr(Secret("hunter2hunter2!!")) == "Secret(‹16 chars›)"
    assert Secret("a").reveal() == "a"

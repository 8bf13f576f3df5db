from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.names import KEY_MAX_BYTES, check_bucket, check_key


@pytest.mark.parametrize("name", ["abc", "a-b", "logs.example.com", "1.2.3", "a" * 63, "0-9", "1.2.3.4.5"])
def test_bucket_names_that_s3_allows_pass(name):
    assert check_bucket(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ab",
        "a" * 64,
        "Upper",
        "under_score",
        "-lead",
        "trail-",
        ".lead",
        "trail.",
        "two..dots",
        "192.168.5.4",
        "s3://bucket",
        "arn:aws:s3:::bucket",
        "bucket/prefix",
        "sp ace",
        "bücket",
        "new\nline",
        "trailing\n",
        "nul\0",
    ],
)
def test_bucket_names_that_s3_refuses_are_refused(name):
    with pytest.raises(InvalidInput, match=r"^bucket: "):
        check_bucket(name)


@pytest.mark.parametrize("key", ["", "a//b", "/lead", "trail/", "x/../y", "new\nline", "é" * (KEY_MAX_BYTES // 2)])
def test_keys_of_any_shape_pass_as_they_are(key):
    assert check_key(key, "prefix") == key


@pytest.mark.parametrize("key", ["a" * (KEY_MAX_BYTES + 1), "é" * (KEY_MAX_BYTES // 2) + "a", "nul\0", "\ud800"])
def test_keys_that_s3_or_the_ledger_cannot_hold_are_refused(key):
    with pytest.raises(InvalidInput, match=r"^prefix: "):
        check_key(key, "prefix")


def refusal_of(check, text) -> str:
    try:
        assert check(text) == text
    except InvalidInput as refusal:
        return str(refusal)
    return ""


@given(st.text())
def test_no_text_breaks_the_checks_or_is_repeated(text):
    assert len(refusal_of(check_bucket, text)) < 200
    assert len(refusal_of(lambda value: check_key(value, "key"), text)) < 200

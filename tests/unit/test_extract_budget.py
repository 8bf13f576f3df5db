"""Budgets end an object where they say, and what came before is kept."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner_tasks.core.model import Outcome
from tests.unit.extracting import cuts, run

TEXT = "0123456789é" * 50


@settings(deadline=None)
@given(max_bytes=st.integers(3, 700), sizes=cuts, window=st.integers(1, 300), packed=st.booleans())
def test_exactly_the_budgeted_bytes_are_read(max_bytes, sizes, window, packed):
    content = gzip.compress(TEXT.encode(), 0) if packed else TEXT.encode()
    result = run(content, max_bytes=max_bytes, sizes=sizes, window_bytes=window)
    if max_bytes >= len(content):
        assert (result.text, result.outcome) == (TEXT, Outcome.SCANNED)
    else:
        assert result.outcome is Outcome.PARTIAL_BYTES
        assert TEXT.startswith(result.text)
        if not packed:
            assert result.text == TEXT.encode()[:max_bytes].decode(errors="ignore")


def test_a_text_of_exactly_the_budget_is_read_to_its_end():
    assert run(b"12345", max_bytes=5).outcome is Outcome.SCANNED
    assert run(b"123456", max_bytes=5).outcome is Outcome.PARTIAL_BYTES


@pytest.mark.parametrize("deadline_at_read", [1, 3, 10])
def test_time_is_looked_at_before_every_read(deadline_at_read):
    now = 0.0
    reads = given_bytes = 0

    def read(size):
        nonlocal now, reads, given_bytes
        reads += 1
        if reads == deadline_at_read:
            now = 60.0
        given_bytes += min(size, 1000)
        return b"x" * min(size, 1000)

    result = run(read, clock=lambda: now, window_bytes=1000)
    assert result.outcome is Outcome.PARTIAL_TIME
    assert reads == deadline_at_read
    assert result.text == "x" * given_bytes


def test_a_source_is_never_asked_for_more_than_a_piece_at_a_time():
    asked = []

    def read(size):
        asked.append(size)
        return b"x" * size if len(asked) < 40 else b""

    run(read)
    assert max(asked) <= 128 * 1024

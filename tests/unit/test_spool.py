"""The spool's bound, over all files of a process."""

from __future__ import annotations

import pytest

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome
from scanner_tasks.extract.budget import Budget
from scanner_tasks.extract.text import extract
from scanner_tasks.flow.spool import SpoolVolume
from tests.formats.test_archives import zipped
from tests.unit.extracting import source


def test_files_share_the_bound_and_give_back_what_they_held(tmp_path):
    volume = SpoolVolume(str(tmp_path), most=100, memory_bytes=10)
    with volume.file() as first:
        first.write(b"a" * 60)
        with volume.file() as second:
            with pytest.raises(ExtractError) as caught:
                second.write(b"b" * 50)
            assert caught.value.outcome is Outcome.PARTIAL_BYTES
            second.write(b"c" * 40)
        first.write(b"d" * 40)
        first.seek(0)
        assert first.read() == b"a" * 60 + b"d" * 40
    with volume.file() as again:
        again.write(b"e" * 100)
        again.close()
        again.close()
    assert volume._used == 0
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit_is_read_as_far_as_it_was_put_aside():
    content = zipped({f"{n}.txt": b"text %d " % n * 3000 for n in range(100)}, 0)
    volume = SpoolVolume(None, most=len(content) // 2, memory_bytes=1000)
    budget, found = Budget(max_bytes=1 << 40, deadline=60.0), []
    with pytest.raises(ExtractError) as caught:
        found.extend(extract(source(content), key="a", budget=budget, clock=lambda: 0.0, spool=volume.file))
    assert caught.value.outcome is Outcome.PARTIAL_BYTES
    assert volume._used == 0

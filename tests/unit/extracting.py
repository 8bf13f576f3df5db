"""Helpers of the extraction tests: a source that cuts its bytes as told, and everything an extraction gave."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, repeat

from hypothesis import strategies as st

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract.budget import Budget
from scanner_tasks.extract.text import extract

#: Ways in which a source may cut what it is asked for.
cuts = st.lists(st.integers(1, 40), min_size=1, max_size=20)


def source(content: bytes, sizes=(1 << 30,)):
    """A ``read`` that gives pieces of these sizes in turn, the last size for ever."""
    position = 0
    pieces = chain(sizes, repeat(sizes[-1]))

    def read(size: int) -> bytes:
        nonlocal position
        assert size > 0
        piece = content[position : position + min(size, next(pieces))]
        position += len(piece)
        return piece

    return read


@dataclass
class Extracted:
    segments: list[Segment]
    error: ExtractError | None

    @property
    def text(self) -> str:
        return b"".join(s.data for s in self.segments).decode()

    @property
    def outcome(self) -> Outcome:
        return self.error.outcome if self.error else Outcome.SCANNED


def run(
    content,
    *,
    sizes=(1 << 30,),
    key="k",
    clock=lambda: 0.0,
    max_bytes=1 << 40,
    window_bytes=1 << 20,
    max_depth=10,
    is_isolated=True,
    keep=True,
    **budgets,
):
    """Extract everything; ``content`` may be a ``read`` of the test's own. Without ``keep``: size and outcome only."""
    read = content if callable(content) else source(content, sizes)
    budget = Budget(max_bytes=max_bytes, deadline=60.0, window_bytes=window_bytes, max_depth=max_depth, **budgets)
    result = Extracted([], None)
    size = 0
    try:
        for segment in extract(read, key=key, budget=budget, clock=clock, is_isolated=is_isolated):
            size += len(segment.data)
            if keep:
                result.segments.append(segment)
    except ExtractError as error:
        result.error = error
    return result if keep else (size, result.outcome)


def places(result, value):
    """Where a value stands: (line, column, path) as detection would tell them."""
    found = []
    for segment in result.segments:
        data = segment.data
        at = data.find(value.encode())
        if at >= 0:
            start = segment.start
            path = segment.path_at(at) if segment.path_at else start.path
            line = start.line + data.count(b"\n", 0, at)
            begin = data.rfind(b"\n", 0, at) + 1
            column = len(data[begin:at].decode()) + (1 if begin else start.column)
            found.append((line, column, path))
    return found

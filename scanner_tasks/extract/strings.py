"""Unknown binary content: its printable runs of eight characters and more, as ``strings -n 8`` finds them.

ASCII, and ASCII in UTF-16 (little endian). Each run is a line; the path tells the byte at which it begins. With four
characters, as ``strings`` has it by default, noise makes mail addresses: two in 30 MB of random bytes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace

from scanner_tasks.core.model import Location, Segment
from scanner_tasks.extract.budget import Read, read_window
from scanner_tasks.extract.walk import Layer, Walk

_WINDOW_BYTES = 1024 * 1024
#: A run that reaches a window's end waits for the next window, unless it is as long as this.
_LONG_RUN = 64 * 1024
_OF_RUNS = b"\0\t" + bytes(range(0x20, 0x7F))
#: It begins with one character alone, so that `re` passes over the others in a loop of its own.
_RUN = re.compile(rb"[\t\x20-\x7e](?:(?:\0[\t\x20-\x7e]){7,}\0?|[\t\x20-\x7e]{7,})")

#: What a run goes on with that was cut.
_REST_OF_RUN = re.compile(rb"\0?(?:[\t\x20-\x7e]\0?)*+")


def strings_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """The runs of a whole layer."""
    del walk
    return runs(layer.read, layer)


def printable(data: bytes) -> str:
    """The runs of a small value, a line each."""
    return "\n".join(found[0].replace(b"\0", b"").decode() for found in _RUN.finditer(data))


def runs(read: Read, layer: Layer, *, at: int = 0) -> Iterator[Segment]:
    """The runs of what ``read`` gives, whose first byte is the layer's byte ``at``."""
    location, kept, is_last, goes_on = Location(line=1, column=1, offset=0), b"", False, False
    while not is_last:
        data, error = read_window(read, _WINDOW_BYTES)
        is_last = len(data) < _WINDOW_BYTES
        data = kept + data
        end = len(data) if is_last else _end_of_runs(data)
        lines: list[bytes] = []
        starts: list[int] = []
        begin = 0
        if goes_on and (found := _REST_OF_RUN.match(data, 0, end)):
            lines, starts, begin = [found[0].replace(b"\0", b"")], [at], found.end()
        for found in _RUN.finditer(data, begin, end):
            lines.append(found[0].replace(b"\0", b""))
            starts.append(at + found.start())
            begin = found.end()
        # A run that is too long to wait for its end is cut, and is one line all the same.
        goes_on = not is_last and bool(lines) and begin == end == len(data)
        if lines:
            segment = _segment(lines, starts, layer, location, goes_on=goes_on)
            yield segment
            location = after(location, segment.data)
        kept, at = data[end:], at + end
        if error:
            raise error


def _end_of_runs(data: bytes) -> int:
    """Where the run begins that reaches the end, since more of it may come."""
    tail = data[-_LONG_RUN:]
    at = len(tail.rstrip(_OF_RUNS))
    return len(data) - len(tail) + at if at else len(data)


def _segment(lines: list[bytes], starts: list[int], layer: Layer, start: Location, *, goes_on: bool) -> Segment:
    data = b"\n".join(lines) + (b"" if goes_on else b"\n")
    begins: list[int] = []

    def path_at(position: int) -> str:
        if not begins:
            begin = 0
            for run in lines:
                begins.append(begin)
                begin += len(run) + 1
        n = bisect_right(begins, position) - 1
        return layer.inside(f"byte {starts[n]}")

    return Segment(data=data, start=start, continues=start.offset > 0, path_at=path_at)


def after(location: Location, data: bytes) -> Location:
    """Where the text behind ``data`` begins."""
    lines = data.count(b"\n")
    text = data[data.rfind(b"\n") + 1 :].decode()
    column = 1 + len(text) if lines else location.column + len(text)
    return replace(location, line=location.line + lines, column=column, offset=location.offset + len(data))

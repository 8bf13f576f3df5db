"""Old presentations (ppt): the texts of slides, notes and comments, and the documents in them ([MS-PPT])."""

from __future__ import annotations

from collections.abc import Iterator

from scanner_tasks.extract import streams
from scanner_tasks.extract.budget import Read
from scanner_tasks.extract.compound import corrupt

_CHARACTERS, _BYTES, _STRING, _OBJECT = 0x0FA0, 0x0FA8, 0x0FBA, 0x1011
_CONTAINER = 0x0F
_SKIP_BYTES = 64 * 1024
_MOST_TEXT = 1024 * 1024
_SIGNS = {0x0B: "\n", 0x0D: "\n", 0xA0: " "}


def slide_texts(read: Read) -> Iterator[str | Read]:
    """Each text as it comes, and each embedded document's bytes, which are to be read before going on."""
    while head := read(8):
        if len(head) < 8:  # noqa: PLR2004
            raise corrupt()
        kind, left = int.from_bytes(head[2:4], "little"), int.from_bytes(head[4:8], "little")
        if head[0] & _CONTAINER == _CONTAINER:
            continue
        if kind in {_CHARACTERS, _BYTES, _STRING}:
            while data := read(min(left, _MOST_TEXT)):
                left -= len(data)
                yield data.decode("latin-1" if kind == _BYTES else "utf-16-le", "replace").translate(_SIGNS)
            yield "\n"
        elif kind == _OBJECT:
            source = _Part(read, left)
            if head[0] >> 4 | head[1]:  # packed
                source.read(4)
                yield streams.zlib(source.read)
            else:
                yield source.read
            left = source.left
        while left > 0:
            data = read(min(left, _SKIP_BYTES))
            if not data:
                raise corrupt()
            left -= len(data)


class _Part:
    """The next ``left`` bytes."""

    def __init__(self, source: Read, left: int) -> None:
        self._source = source
        self.left = left

    def read(self, size: int) -> bytes:
        data = self._source(min(size, self.left))
        self.left -= len(data)
        return data

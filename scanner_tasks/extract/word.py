"""Old Word documents (doc): the text of all their parts, as [MS-DOC] tells where its pieces are."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome
from scanner_tasks.extract.budget import Read
from scanner_tasks.extract.compound import Compound, corrupt

_ENCRYPTED, _SECOND_TABLE = 0x0100, 0x0200
_WORD_97 = 0xC1
_PIECE_BYTES = 64 * 1024
#: Paragraphs, lines and pages end a line, cells of a table are tabs; marks of fields and pictures are no text.
_SIGNS = {0x07: "\t", 0x0B: "\n", 0x0C: "\n", 0x0D: "\n", 0x0E: "\n", 0x1E: "-", 0x1F: None, 0xA0: " "} | dict.fromkeys(
    b"\1\2\3\4\5\x08\x13\x14\x15", " "
)


def word_text(file: Compound, whole_of: Callable[[Read], bytes]) -> Iterator[str]:
    """Body, notes, headers, comments, text boxes, in the order in which the file numbers its characters.

    ``whole_of`` gives a stream as a whole, within its budget.
    """
    stream = file.streams[("WordDocument",)]
    head = file.open(stream)(512)
    flags = _int(head, 0x0A, 2)
    if flags & _ENCRYPTED:
        raise ExtractError("The Word document is encrypted.", Outcome.PARTIAL_ENCRYPTED)
    whole = whole_of(file.open(stream))
    if _int(head, 2, 2) < _WORD_97:
        yield _told(whole[_int(head, 0x18, 4) : _int(head, 0x1C, 4)], "cp1252")
        return
    table_stream = file.streams.get(("1Table" if flags & _SECOND_TABLE else "0Table",))
    if table_stream is None:
        raise corrupt()
    table = whole_of(file.open(table_stream))
    at, size = _int(head, 0x01A2, 4), _int(head, 0x01A6, 4)
    for start, length, is_wide in _pieces(table[at : at + size]):
        step = _PIECE_BYTES * 2 if is_wide else _PIECE_BYTES
        for begin in range(start, min(start + length, len(whole)), step):
            data = whole[begin : min(begin + step, start + length)]
            yield _told(data, "utf-16-le" if is_wide else "cp1252")


def _pieces(table: bytes) -> Iterator[tuple[int, int, bool]]:
    """Where in the stream each piece of the text begins, its bytes, and whether it is in UTF-16."""
    at = 0
    while table[at : at + 1] == b"\x01":  # properties
        at += 3 + _int(table, at + 1, 2)
    if table[at : at + 1] != b"\x02":
        raise corrupt()
    plc = table[at + 5 : at + 5 + _int(table, at + 1, 4)]
    count = (len(plc) - 4) // 12
    for n in range(count):
        characters = _int(plc, 4 * n + 4, 4) - _int(plc, 4 * n, 4)
        place = _int(plc, 4 * (count + 1) + 8 * n + 2, 4)
        is_wide = not place & 0x40000000
        place &= 0x3FFFFFFF
        if characters > 0:
            yield (place, 2 * characters, True) if is_wide else (place // 2, characters, False)


def _told(data: bytes, encoding: str) -> str:
    return data.decode(encoding, "replace").translate(_SIGNS)


def _int(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")

"""What old workbooks (xls) hold beside their cells: comments, text boxes, page headers ([MS-XLS])."""

from __future__ import annotations

from collections.abc import Iterator

from scanner_tasks.extract.budget import Read

_HEADER, _FOOTER, _NOTE, _LINK, _TEXT, _MORE = 0x14, 0x15, 0x1C, 0x1B8, 0x1B6, 0x3C


def beside_the_cells(read: Read) -> Iterator[str]:
    """Each text of a workbook's stream that no cell holds."""
    is_text, left = False, 0
    while len(head := read(4)) == 4:  # noqa: PLR2004
        kind, size = int.from_bytes(head[:2], "little"), int.from_bytes(head[2:], "little")
        data = read(size)
        if kind == _TEXT and len(data) >= 12:  # noqa: PLR2004
            is_text, left = True, int.from_bytes(data[10:12], "little")
        elif kind == _MORE and is_text and left > 0:
            text = _characters(data, left)
            left -= len(text)
            yield text + "\n" * (left <= 0)
        elif kind in {_HEADER, _FOOTER} and len(data) > 3:  # noqa: PLR2004
            yield _characters(data[2:], int.from_bytes(data[:2], "little")) + "\n"
        elif kind == _LINK:
            yield data.decode("utf-16-le", "ignore").translate(_UNSEEN) + "\n"
        is_text = is_text and kind in {_TEXT, _MORE}


_UNSEEN = dict.fromkeys(range(0x20), " ") | {0x7F: " "}


def _characters(data: bytes, count: int) -> str:
    if data[:1] == b"\1":
        return data[1 : 1 + 2 * count].decode("utf-16-le", "replace")
    return data[1 : 1 + count].decode("latin-1")

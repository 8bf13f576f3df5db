r"""Texts that source code joins: a key in parts, over lines or with an operator between them.

    key = "hT4kW9zQ2mN7bV1xC5jL" +        two literals and an operator: one run, hT4kW9zQ2mN7bV1xC5jL8pR3sD6f…
          "8pR3sD6fG0aYeUiOqXwZ"
    AWS_SECRET_ACCESS_KEY=hT4kW9zQ2mN7\   a line that goes on
    bV1xC5jL8pR3sD6fG0aYeUiOqXwZ
    words = ["first", "second"]           a list joins nothing

Only parts without spaces, four characters or more on both sides, are joined; what stands in one part is found without
this. The joined text is searched as what is encoded is (detect/inside.py), and a value must reach over a joint.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner_tasks.detect.encoded import AFTER_BYTES, Run
from scanner_tasks.detect.regex import Regex

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPERATOR: Final = r"(?:\+|\.{1,2}|&|\|\||<>)"
#: What stands between two parts.
_JOINT: Final = (
    rf"(?:[\"'`][ \t]{{0,8}}(?:(?:{_OPERATOR}|\\)[ \t]{{0,8}}(?:\\?\r?\n[ \t]{{0,64}})?"
    rf"|\r?\n[ \t]{{0,64}}(?:{_OPERATOR}[ \t]{{0,8}})?)[\"'`]|\\\r?\n[ \t]{{0,64}})"
)
_PART: Final = r"[0-9A-Za-z+/_\-.=]"
_GATE: Final = Regex(rf"{_PART}{{4}}{_JOINT}{_PART}{{4}}")
#: Parts joined on one line, in RE2's syntax.
SHAPE: Final = rf"(?:{_PART}{{4,64}}{_JOINT}){{1,4}}{_PART}{{4,64}}"
_NEXT: Final = re.compile(_JOINT.encode())
_CHARACTERS: Final = re.compile(_PART.encode() + b"*")
_LAST: Final = re.compile(_PART.encode() + rb"*\Z")
#: Most bytes that the gate reads; of a part; of a run.
_GATE_BYTES: Final = 256
_MOST_PART: Final = 512
_MOST_BYTES: Final = 4096


class Joints:
    """The joined texts of one text, window by window.

    Args:
        room: Bytes behind a run that are in the window when it is told, unless the text ends.
    """

    __slots__ = ("_room", "at")

    def __init__(self, room: int = 0) -> None:
        self._room = max(room, AFTER_BYTES) + _GATE_BYTES + _MOST_PART
        #: Where the search stands in the window.
        self.at = 0

    def find(self, text: bytes, *, is_end: bool) -> Iterator[Run]:
        """The joined texts that are decided from where the search stands; more may follow unless ``is_end``.

        Examples:
            >>> [run.text for run in Joints().find(b'k = "abcd" + "efgh" .  "ijkl";', is_end=True)]
            [b'abcdefghijkl']
        """
        size = len(text)
        while (found := _GATE.search(text, self.at)) is not None:
            first = found[0][0]
            parts = [text[_LAST.search(text, max(0, first - _MOST_PART), first).start() : first]]  # type: ignore[union-attr]
            start, end = first - len(parts[0]), first
            joints = []
            while True:
                part = _CHARACTERS.match(text, end, end + _MOST_PART)[0]  # type: ignore[index]
                parts.append(part)
                end += len(part)
                joint = _NEXT.match(text, end, end + _GATE_BYTES)
                if joint is None or not part or end - start > _MOST_BYTES:
                    break
                joints.append(sum(map(len, parts)))
                end = joint.end()
            if not is_end and end + self._room > size:
                self.at = max(self.at, start)
                return
            self.at = max(end, first + 1)
            yield Run(start, end, b"".join(parts), tuple(joints))
        self.at = size if is_end else max(self.at, size - _GATE_BYTES)

"""RTF: the text between its control words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from scanner_tasks.core.model import Segment
from scanner_tasks.extract.table import running_text
from scanner_tasks.extract.walk import Layer, Walk

_TOKEN = re.compile(
    r"\\'([0-9a-fA-F]{2})|\\u(-?\d{1,6}) ?(?:\\'[0-9a-fA-F]{2}|\?)?"
    r"|\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\(.)|([{}])|([^\\{}\r\n]+)",
    re.DOTALL,
)
_BREAKS = {"par": "\n", "line": "\n", "row": "\n", "page": "\n", "sect": "\n", "tab": "\t", "cell": "\t"}
#: Groups without text of the document's.
_FURNITURE = frozenset({"fonttbl", "colortbl", "stylesheet", "pict", "objdata", "themedata", "colorschememapping"})
#: Of these, a segment is made.
_PIECES = 10_000
_SIGNS = {"~": " ", "-": "", "_": "-"}


def rtf_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """The document as one text; each paragraph is a line."""
    pieces = _pieces(walk.whole(layer.read).decode("cp1252", "replace"))
    yield from running_text(walk, layer, "", iter(lambda: "".join(islice(pieces, _PIECES)), ""))


def _pieces(content: str) -> Iterator[str]:
    hidden = False
    around = bytearray()  # a byte for each open group: there may be millions
    for token in _TOKEN.finditer(content):
        byte, code, word, number, sign, brace, plain = token.groups("")
        if brace == "{":
            around.append(hidden)
        elif brace == "}":
            hidden = bool(around.pop()) if around else False
        elif word:
            hidden = hidden or word in _FURNITURE
            if not hidden and word in _BREAKS and number != "0":
                yield _BREAKS[word]
        elif not hidden:
            if byte:
                yield bytes.fromhex(byte).decode("cp1252", "replace")
            elif code:
                yield chr(int(code) % 0x10000)
            else:
                yield plain or _SIGNS.get(sign, sign if sign in "\\{}" else "")

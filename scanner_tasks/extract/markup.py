"""The text between the tags of office XML, paragraph by paragraph.

There is no parser to attack: tags are cut out, the five entities that XML knows and numbered characters are read,
every other entity stays as it is written and is never expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from scanner_tasks.core.model import Location, Segment
from scanner_tasks.extract.places import Places
from scanner_tasks.extract.plain import decode
from scanner_tasks.extract.table import after
from scanner_tasks.extract.walk import Layer, Walk

_TAG = re.compile(r"<(/?)(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)?[^<>]*?(/?)>")
_ENTITY = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
#: Elements behind which a line / a cell ends (docx, pptx, odf, xlsx).
_LINES = frozenset({"p", "br", "cr", "tr", "row", "h", "table-row", "line-break", "si", "comment"})
_CELLS = frozenset({"tab", "tc", "table-cell", "c", "s"})
#: A tag that is longer is text.
_MOST_TAG = 64 * 1024
_MOST_ENTITY = 10


def markup_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """The layer's text without its tags; each paragraph and each table row is a line."""
    assert layer.kind.encoding is not None
    location = Location(line=1, column=1, offset=0, path=layer.path)
    continues, kept = False, ""
    for segment in decode(
        layer.read,
        layer.kind.encoding,
        mark_bytes=layer.kind.mark_bytes,
        window_bytes=walk.budget.window_bytes,
        places=Places(),
    ):
        text = kept + segment.data.decode()
        cut = _end_of_whole(text)
        kept, text = text[cut:], text[:cut]
        if data := _stripped(text):
            yield Segment(data=data, start=location, continues=continues)
            location, continues = after(location, data), True
    if data := _stripped(kept):
        yield Segment(data=data, start=location, continues=continues)


def _end_of_whole(text: str) -> int:
    """Where the tag or entity begins that the text's end cuts; its length where none is cut."""
    tag, entity = text.rfind("<"), text.rfind("&", max(0, len(text) - _MOST_ENTITY))
    open_at = [at for at, end in ((tag, ">"), (entity, ";")) if at >= 0 and text.find(end, at) < 0]
    cut = min(open_at, default=len(text))
    return cut if len(text) - cut < _MOST_TAG else len(text)


def _stripped(text: str) -> bytes:
    return _ENTITY.sub(_entity, _TAG.sub(_tag, text)).encode("utf-8", "replace")


def _tag(found: re.Match[str]) -> str:
    closes, name, is_empty = found.groups()
    if closes or is_empty:
        if name in _LINES:
            return "\n"
        if name in _CELLS:
            return "\t"
    return ""


def _entity(found: re.Match[str]) -> str:
    decimal, hexadecimal, name = found.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(code) if 0 < code < 0x110000 else "\ufffd"  # noqa: PLR2004

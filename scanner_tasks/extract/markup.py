"""The text between the tags of office XML, paragraph by paragraph; of sheets, what stands beside their cells.

There is no parser to attack: tags are cut out, the five entities that XML knows and numbered characters are read,
every other entity stays as it is written and is never expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from scanner_tasks.core.model import Location, Segment
from scanner_tasks.extract.places import Places
from scanner_tasks.extract.plain import decode
from scanner_tasks.extract.strings import after
from scanner_tasks.extract.table import running_text
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
#: Attributes in which people put text: descriptions of pictures, names, hints, links, choices.
_ATTRIBUTE = re.compile(
    r"\s(?:[A-Za-z][\w.-]*:)?(?:descr|title|alt|author|tooltip|display|displayText|prompt|promptTitle|error|errorTitle|instr"
    r"|href|string-value|description)\s*=\s*(?:\"([^\"]+)\"|'([^']+)')"
)
#: What of a sheet no cell shows: formulas that hold a text, page headers, choices, comments.
_BESIDE = re.compile(
    r"<(?:\w+:)?(f|formula[12]?|(?:odd|even|first)(?:Header|Footer)|annotation|header|footer|custom-shape|text-box"
    r"|covered-table-cell|table-cell(?![^<>]*value-type))(?:\s[^<>]*)?(?<!/)>"
)
#: Elements of a sheet whose attributes tell something.
_HINTS = re.compile(r"<(?:\w+:)?(?:dataValidation|hyperlink|a)\s[^<>]*>")
_FORMULAS = frozenset({"f", "formula", "formula1", "formula2"})
_QUOTE = ('"', "&quot;")


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


def beside_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """What stands beside the cells of a sheet's XML, a line each."""
    assert layer.kind.encoding is not None
    segments = decode(
        layer.read,
        layer.kind.encoding,
        mark_bytes=layer.kind.mark_bytes,
        window_bytes=walk.budget.window_bytes,
        places=Places(),
    )
    return running_text(walk, layer, "", _beside(segment.data.decode() for segment in segments))


def _beside(texts: Iterable[str]) -> Iterator[str]:
    kept = ""
    for text in chain(texts, ("",)):
        is_last = not text
        whole, end = kept + text, 0
        open_ones: set[str] = set()  # those whose end has not come: it is not looked for again
        for found in _BESIDE.finditer(whole):
            name = found[1]
            if found.start() < end or name in open_ones:
                continue
            close = re.compile(rf"</(?:\w+:)?{name}>").search(whole, found.end())
            if close is None:
                open_ones.add(name)
                continue
            end = close.end()
            content = whole[found.end() : close.start()]
            if name not in _FORMULAS or any(quote in content for quote in _QUOTE):
                yield _stripped(content).decode().strip("\n") + "\n"
        keep_at = len(whole) if is_last else max(end, len(whole) - _MOST_TAG)
        for found in _HINTS.finditer(whole):
            # One that began in what was kept is met again.
            if told := _attributes(found[0]) if found.start() < keep_at else "":
                yield _stripped(told).decode().strip("\t") + "\n"
        kept = whole[keep_at:]


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
    told = _attributes(found[0]) if not closes and "=" in found[0] else ""
    if closes or is_empty:
        if name in _LINES:
            return told + "\n"
        if name in _CELLS:
            return told + "\t"
    return told


def _attributes(tag: str) -> str:
    """What the tag's attributes tell, between tabs."""
    found = ["".join(values) for values in _ATTRIBUTE.findall(tag)]
    return "\t" + "\t".join(found) + "\t" if found else ""


def _entity(found: re.Match[str]) -> str:
    decimal, hexadecimal, name = found.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(code) if 0 < code < 0x110000 else "\ufffd"  # noqa: PLR2004

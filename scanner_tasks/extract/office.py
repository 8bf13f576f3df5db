"""Zip archives that are documents: docx, pptx, odt and their kin as text, xlsx and ods as sheets."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import IO

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract import zip as zips
from scanner_tasks.extract.budget import Read, read_window
from scanner_tasks.extract.magics import Form
from scanner_tasks.extract.plain import NOT_UTF8
from scanner_tasks.extract.sheets import sheets_text
from scanner_tasks.extract.strings import runs
from scanner_tasks.extract.table import texts
from scanner_tasks.extract.walk import Layer, Walk

#: Members whose text stands between their tags; all others are read as members of any archive.
_BODY = re.compile(
    r"word/(?:[^/]+/)*(?:document|header|footer|footnotes|endnotes|comments)\w*\.xml"
    r"|(?:word|ppt|xl)/(?:diagrams|drawings|charts|comments|threadedComments)/[^/]+\.xml"
    r"|ppt/(?:slide|notes|handout)\w+/[^/]+\.xml"
    r"|xl/(?:comments\d*|sharedStrings|(?:work|chart|dialog)sheets/[^/]+)\.xml"
    r"|(?:.*/)?content\.xml"
)
#: Members that tell what an archive is.
_BOOKS, _ODF = frozenset({"xl/workbook.xml", "xl/workbook.bin"}), frozenset({"META-INF/manifest.xml", "content.xml"})
_TYPES = "[Content_Types].xml"
_ENCRYPTED, _MOST_MANIFEST = b"encryption-data", 1024 * 1024
#: Members of a workbook that its sheets have shown, or that are never text of a user.
_SHEETS = re.compile(r"xl/(?:worksheets/[^/]+|sharedStrings)\.(?:xml|bin)|content\.xml")
_FURNITURE = re.compile(
    r".*(?:styles|theme\d*|presProps|viewProps|tableStyles|fontTable|webSettings|numbering)\.xml|xl/calcChain\.xml"
)
_CELL = re.compile(rb'<(?:\w+:)?c [^<>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
_SHARED = re.compile(rb't="s"[^<>]*><v>([0-9]{1,9})</v>')
#: What a cell costs in memory (measured: 80 MB for a million numbers), and how many budgets of memory a book may cost.
_CELL_BYTES, _BUDGETS = 80, 3
_MOST_STRINGS = 10_000_000
_LONGEST_CELL = 200
_SCAN_BYTES = 256 * 1024


def zip_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """The text of a document, or of each member of an archive."""
    with walk.spooled(layer.read) as (file, cut):
        yield from _archive(walk, layer, file, cut)


def program_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """A program's printable runs; where it carries a zip archive, as those that unpack themselves do, that too."""
    with walk.spooled(layer.read) as (file, cut):
        if not cut and zips.end_of(file) is not None and next(zips.members(file), None):
            yield from _archive(walk, layer, file, cut)
        else:
            file.seek(0)
            yield from runs(file.read, layer)
        if cut:
            raise cut


def _archive(walk: Walk, layer: Layer, file: IO[bytes], cut: ExtractError | None) -> Iterator[Segment]:
    names = _telling_names(walk, file)
    is_book = bool(names & _BOOKS) or _is_ods(file)
    is_odf = names >= _ODF
    is_document = is_book or is_odf or _TYPES in names
    if is_odf:
        _refuse_encrypted(walk, file)
    shown = False
    if is_book and not cut:
        walk.isolate()
        shown = _is_dense(walk, layer, file)
        try:
            yield from sheets_text(walk, layer, file) if shown else ()
        except ExtractError as error:
            walk.note(error)
            shown = False  # the sheets are read as other members are
    extents = zips.Extents()
    try:
        for member in zips.members(file):
            extents.add(file, member)
            form = _form(member.name, shown=shown, is_odf=is_odf) if is_document else None
            if member.comment:
                yield from texts(walk, layer, f"comment of {member.name}", _told(member.comment))
            if form != "unread":
                yield from zips.member_text(walk, layer, file, member, form=form)
    except ExtractError as error:
        if cut and error.outcome is Outcome.PARTIAL_CORRUPT:
            raise cut from error  # the directory did not arrive
        raise
    if cut:
        raise cut
    yield from _between(walk, layer, file, extents)
    yield from _around(walk, layer, file, extents.first)


def _telling_names(walk: Walk, file: IO[bytes]) -> set[str]:
    """Names of members that tell what an archive is; the manifest of a text with many pictures is its last member."""
    told = _BOOKS | _ODF | {_TYPES}
    try:
        return {m.name for m in islice(zips.members(file), walk.budget.max_members) if m.name in told}
    except ExtractError:
        return set()  # a damaged archive: whatever it was, its members are read


def _refuse_encrypted(walk: Walk, file: IO[bytes]) -> None:
    manifest = next(m for m in zips.members(file) if m.name == "META-INF/manifest.xml")
    told, _ = read_window(zips.content(file, manifest, walk.elsewhere), _MOST_MANIFEST)
    if _ENCRYPTED in told:
        raise ExtractError("The document is encrypted.", Outcome.PARTIAL_ENCRYPTED)


def _between(walk: Walk, layer: Layer, file: IO[bytes], extents: zips.Extents) -> Iterator[Segment]:
    """What the directory does not tell of: members that were taken out of it, or anything else."""
    directory = zips.directory_of(file)
    for begin, end in extents.gaps(directory) if directory is not None else ():
        is_member = False
        for member in zips.members_between(file, begin, end):
            is_member = True
            yield from zips.member_text(walk, layer, file, member)
        if not is_member:
            yield from walk.member(
                layer, f"between the members, byte {begin}", zips.Slice(file, begin, end - begin).read
            )


def _told(text: bytes) -> str:
    return text.decode("utf-8", NOT_UTF8)


def _around(walk: Walk, layer: Layer, file: IO[bytes], first: int) -> Iterator[Segment]:
    """What stands before the first member and behind the last record, where no tool looks."""
    length, end = file.seek(0, 2), zips.end_of(file)
    if 0 < first < length:
        yield from walk.member(layer, "before the archive", zips.Slice(file, 0, first).read)
    if end is not None and end < length:
        yield from walk.member(layer, "behind the archive", zips.Slice(file, end, length - end).read)


def _form(name: str, *, shown: bool, is_odf: bool) -> Form | None:
    """What reads a document's member: "unread" what holds no text of a user, None what any archive may hold."""
    if shown and _SHEETS.fullmatch(name):
        return "beside" if name.endswith(".xml") and "sharedStrings" not in name else "unread"
    if is_odf and name == "styles.xml":  # page headers and footers
        return "beside" if shown else "markup"
    if _FURNITURE.fullmatch(name):
        return "unread"
    return "markup" if _BODY.fullmatch(name) else None


def _is_ods(file: IO[bytes]) -> bool:
    file.seek(0)
    return b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet" in file.read(200)


def _is_dense(walk: Walk, layer: Layer, file: IO[bytes]) -> bool:
    """False where the library would hold more than memory has room for: it keeps a sheet's every cell, empty ones too.

    Other budgets are held to as well.
    """
    most = _BUDGETS * walk.budget.memory_bytes
    sheets = [member for member in zips.members(file) if _SHEETS.fullmatch(member.name)]

    def opened(member: zips.Member) -> Read:
        return walk.meter.layer(zips.content(file, member, walk.elsewhere), layer.depth + 1).read

    lengths = array("I")
    for member in sheets:
        if "sharedStrings" in member.name:
            lengths.extend(islice(_lengths(opened(member)), _MOST_STRINGS))
    all_of_them = sum(lengths)
    return all(_cost(opened(member), lengths) + all_of_them < most for member in sheets)


def _lengths(read: Read) -> Iterator[int]:
    """Bytes of each shared string, its markup included."""
    length = 0
    for data in _pieces(read, b"</si>"):
        length += len(data) - 5 * data.endswith(b"</si>")
        if data.endswith(b"</si>"):
            yield length
            length = 0


def _pieces(read: Read, end: bytes) -> Iterator[bytes]:
    """What ``read`` gives, cut behind each ``end``, and wherever it becomes long."""
    kept = b""
    while data := read(_SCAN_BYTES):
        *whole, kept = (kept + data).split(end)
        yield from (piece + end for piece in whole)
        if len(kept) > _SCAN_BYTES:
            yield kept[: -len(end)]
            kept = kept[-len(end) :]
    yield kept


def _cost(read: Read, lengths: Sequence[int]) -> int:
    """Bytes of memory that a sheet's cells need."""
    low, high = [1 << 30, 1 << 30], [0, 0]
    kept, texts = b"", 0
    while data := read(_SCAN_BYTES):
        data = kept + data
        cut = data.rfind(b"<") if len(data) > _SCAN_BYTES // 2 else len(data)
        data, kept = data[: cut + 1], data[cut:][-_LONGEST_CELL:]
        for letters, digits in _CELL.findall(data):
            column = 0
            for letter in letters:
                column = column * 26 + letter - 64
            place = int(digits), column
            low = [min(a, b) for a, b in zip(low, place, strict=True)]
            high = [max(a, b) for a, b in zip(high, place, strict=True)]
        texts += sum(lengths[n] for n in map(int, _SHARED.findall(data)) if n < len(lengths))
    return _CELL_BYTES * max(0, high[0] - low[0] + 1) * max(0, high[1] - low[1] + 1) + texts

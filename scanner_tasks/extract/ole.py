"""Old Office files: doc, xls, ppt, msg by their own structure, and whatever other streams stand in the same file."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract.compound import Compound
from scanner_tasks.extract.embedded import opened
from scanner_tasks.extract.old_sheets import beside_the_cells
from scanner_tasks.extract.outlook import message_text
from scanner_tasks.extract.sheets import sheets_text
from scanner_tasks.extract.slides import slide_texts
from scanner_tasks.extract.strings import runs
from scanner_tasks.extract.table import running_text
from scanner_tasks.extract.walk import Layer, Walk
from scanner_tasks.extract.word import word_text

_BOOKS = (("Workbook",), ("Book",))
_DOCUMENT, _SLIDES, _MESSAGE = ("WordDocument",), ("PowerPoint Document",), ("__properties_version1.0",)
_ENCRYPTED = ("EncryptedPackage",)
#: Of a presentation's current user: its slides are encrypted.
_ENCRYPTED_SLIDES = b"\xdf\xc4\xd1\xf3"


def ole_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """The document's text, then each of its other streams as a member; of a damaged file its printable runs."""
    with walk.spooled(layer.read) as (file, cut):
        try:
            compound = Compound(file)
            _refuse_encrypted(compound)
            known = yield from _known(walk, layer, compound)
            for path, stream in compound.streams.items():
                if path not in known and stream.size:
                    yield from walk.member(layer, stream.name, opened(walk, compound, stream))
        except ExtractError as error:
            if error.outcome is not Outcome.PARTIAL_CORRUPT:
                raise
            file.seek(0)
            yield from runs(file.read, layer)
            raise (cut or error) from error
        if cut:
            raise cut


def _refuse_encrypted(compound: Compound) -> None:
    if _ENCRYPTED in compound.streams or compound.head("Current User", 16)[12:] == _ENCRYPTED_SLIDES:
        raise ExtractError("The Office document is encrypted.", Outcome.PARTIAL_ENCRYPTED)


def _known(walk: Walk, layer: Layer, compound: Compound) -> Generator[Segment, None, set[tuple[str, ...]]]:
    """The text that stands in streams of known make, and which these are."""
    streams = compound.streams
    if book := next((path for path in _BOOKS if path in streams), None):
        walk.isolate()
        yield from sheets_text(walk, layer, compound.file)
        beside = beside_the_cells(compound.open(streams[book]))
        yield from running_text(walk, layer, "comments and headers", beside)
        return set(_BOOKS)
    if _DOCUMENT in streams:
        yield from running_text(walk, layer, "", word_text(compound, walk.whole))
        return {_DOCUMENT}
    if _SLIDES in streams:
        yield from _slides(walk, layer, compound)
        return {_SLIDES}
    if _MESSAGE in streams:
        yield from message_text(walk, layer, compound)
        return set(streams)
    return set()


def _slides(walk: Walk, layer: Layer, compound: Compound) -> Iterator[Segment]:
    stream = compound.streams[_SLIDES]
    told = (part for part in slide_texts(compound.open(stream)) if isinstance(part, str))
    yield from running_text(walk, layer, "", told)
    objects = (part for part in slide_texts(compound.open(stream)) if not isinstance(part, str))
    for number, read in enumerate(objects, 1):
        yield from walk.member(layer, f"object {number}", read)

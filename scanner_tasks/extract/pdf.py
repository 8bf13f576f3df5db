"""PDF: the text layer page by page, fields, notes and attachments, what its maker told. A risky parser: pdfium.

Of a document that pdfium refuses, the printable runs and whatever of its streams can be unpacked are read.
"""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Iterator
from io import BytesIO
from typing import IO, Any

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract import streams
from scanner_tasks.extract.pdf_parts import attached_to, bookmarks, fields_and_notes, forms, scripts
from scanner_tasks.extract.strings import runs
from scanner_tasks.extract.table import running_text, texts
from scanner_tasks.extract.walk import Layer, Walk
from scanner_tasks.extract.zip import Slice

#: A stream that zlib packed, by its first two bytes.
_PACKED = re.compile(rb"stream\r?\n(?=[\x08-\x78][\x01\x5e\x9c\xda])")
#: What stands around a description in XMP.
_PACKET = re.compile(rb"<\?xpacket (begin|end)")
_SEARCH_BYTES = 1024 * 1024
#: Less than a match, so that none is met twice.
_OVERLAP = 7


def pdf_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """The text of each page."""
    walk.isolate()
    pdfium: Any = importlib.import_module("pypdfium2")
    with walk.spooled(layer.read) as (file, cut):
        try:
            document = pdfium.PdfDocument(file)
        except pdfium.PdfiumError as error:
            is_locked = "password" in str(error).lower() or "security" in str(error).lower()
            if is_locked:
                raise ExtractError("The PDF document is encrypted.", Outcome.PARTIAL_ENCRYPTED) from error
            yield from _remains(walk, layer, file)
            raise (cut or ExtractError("The PDF document is damaged.", Outcome.PARTIAL_CORRUPT)) from error
        damaged = walk.unread
        try:
            yield from _document(walk, layer, pdfium, document)
        finally:
            document.close()
        if walk.unread > damaged:
            yield from _remains(walk, layer, file)
        for begin, end in _packets(file):
            yield from walk.member(layer, "XMP", Slice(file, begin, end - begin).read)
        if cut:
            raise cut


def _document(walk: Walk, layer: Layer, pdfium: Any, document: Any) -> Iterator[Segment]:
    told = "\n".join(f"{name}: {value}" for name, value in document.get_metadata_dict(skip_empty=True).items())
    yield from texts(walk, layer, "document properties", told)
    yield from running_text(walk, layer, "bookmarks", bookmarks(document))
    logging.getLogger("pypdfium2").setLevel(logging.ERROR)  # it warns of every XFA form
    document.init_forms()
    for number in range(len(document)):
        walk.meter.page()
        try:
            page = document[number]
        except pdfium.PdfiumError:
            walk.note(ExtractError("A page of the PDF document is damaged.", Outcome.PARTIAL_CORRUPT))
            continue
        try:
            yield from _page(walk, layer, pdfium, page, f"page {number + 1}")
        finally:
            page.close()
    for name, content in forms(pdfium.raw, document):
        yield from walk.member(layer, name, BytesIO(content).read)
    yield from running_text(walk, layer, "scripts", scripts(pdfium.raw, document))
    for number in range(document.count_attachments()):
        attached = document.get_attachment(number)
        name, content = str(attached.get_name()), bytes(attached.get_data())
        yield from walk.member(layer, name or f"attachment {number + 1}", BytesIO(content).read)


def _page(walk: Walk, layer: Layer, pdfium: Any, page: Any, place: str) -> Iterator[Segment]:
    try:
        text_page = page.get_textpage()
        try:
            # All of it, also what stands beside the page, where nobody sees it.
            text = str(text_page.get_text_range()).replace("\r\n", "\n")
        finally:
            text_page.close()
    except pdfium.PdfiumError:
        walk.note(ExtractError("A page of the PDF document is damaged.", Outcome.PARTIAL_CORRUPT))
    else:
        yield from texts(walk, layer, place, text)
    beside = fields_and_notes(pdfium.raw, page, page.formenv)
    yield from running_text(walk, layer, f"{place}, fields and notes", beside)
    for name, content in attached_to(pdfium.raw, page):
        yield from walk.member(layer, f"{place}, {name}", BytesIO(content).read)


def _packets(file: IO[bytes]) -> Iterator[tuple[int, int]]:
    """Where the document's own description stands, and those of its pictures, which are not compressed as a rule."""
    at, begin = 0, -1
    while True:
        file.seek(at)
        data = file.read(_SEARCH_BYTES)
        for found in _PACKET.finditer(data):
            if found[1] == b"begin":
                begin = at + found.start()
            elif begin >= 0:
                yield begin, at + found.end()
                begin = -1
        if len(data) < _SEARCH_BYTES:
            return
        at += len(data) - _OVERLAP


def _remains(walk: Walk, layer: Layer, file: IO[bytes]) -> Iterator[Segment]:
    """What can be read of a damaged document: its printable runs, and those of the streams that can be unpacked."""
    file.seek(0)
    yield from runs(file.read, layer)
    at, number = 0, 0
    while True:
        file.seek(at)
        data = file.read(_SEARCH_BYTES)
        for found in _PACKED.finditer(data):
            number += 1
            read = streams.zlib(Slice(file, at + found.end(), 1 << 40).read)
            yield from walk.member(layer, f"stream {number}", read)
        if len(data) < _SEARCH_BYTES:
            return
        at += len(data) - _OVERLAP

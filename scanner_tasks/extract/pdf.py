"""PDF: the text layer page by page, what its maker told of it, and its attachments. A risky parser: pdfium."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract.table import texts
from scanner_tasks.extract.walk import Layer, Walk


def pdf_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """The text of each page."""
    walk.isolate()
    pdfium: Any = importlib.import_module("pypdfium2")
    with walk.spooled(layer.read) as (file, cut):
        try:
            document = pdfium.PdfDocument(file)
        except pdfium.PdfiumError as error:
            if cut:
                raise cut from error
            is_locked = "password" in str(error).lower() or "security" in str(error).lower()
            raise ExtractError(
                f"The PDF document is {'encrypted' if is_locked else 'damaged'}.",
                Outcome.PARTIAL_ENCRYPTED if is_locked else Outcome.PARTIAL_CORRUPT,
            ) from error
        try:
            yield from _document(walk, layer, pdfium, document)
        finally:
            document.close()
        if cut:
            raise cut


def _document(walk: Walk, layer: Layer, pdfium: Any, document: Any) -> Iterator[Segment]:
    told = "\n".join(f"{name}: {value}" for name, value in document.get_metadata_dict(skip_empty=True).items())
    yield from texts(walk, layer, "document properties", told)
    for number in range(len(document)):
        walk.meter.page()
        try:
            text = _page(document, number)
        except pdfium.PdfiumError:
            walk.note(ExtractError("A page of the PDF document is damaged.", Outcome.PARTIAL_CORRUPT))
            continue
        yield from texts(walk, layer, f"page {number + 1}", text)
    for number in range(document.count_attachments()):
        attached = document.get_attachment(number)
        name, content = str(attached.get_name()), bytes(attached.get_data())
        yield from walk.member(layer, name or f"attachment {number + 1}", BytesIO(content).read)


def _page(document: Any, number: int) -> str:
    page = document[number]
    try:
        text_page = page.get_textpage()
        try:
            return str(text_page.get_text_bounded()).replace("\r\n", "\n")
        finally:
            text_page.close()
    finally:
        page.close()

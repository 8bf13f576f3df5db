"""What a PDF holds beside the text of its pages: form fields, notes, links, bookmarks, XFA forms. Through pdfium."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

_NAME, _VALUE = b"T", b"V"
_STRINGS = (b"Contents", b"RC", b"Subj")
_MOST_XFA = 64 * 1024 * 1024
_MOST_TOLD = 16 * 1024 * 1024


def fields_and_notes(raw: Any, page: Any, form: Any) -> Iterator[str]:
    """A line for each field, note and link of the page; ``form`` is None where the document has no form."""
    for number in range(raw.FPDFPage_GetAnnotCount(page)):
        note = raw.FPDFPage_GetAnnot(page, number)
        if not note:
            continue
        try:
            name, value = _string(raw, note, _NAME), _string(raw, note, _VALUE)
            if form:
                name = _wide(lambda *room, n=note: raw.FPDFAnnot_GetFormFieldName(form, n, *room)) or name
                value = _wide(lambda *room, n=note: raw.FPDFAnnot_GetFormFieldValue(form, n, *room)) or value
                label = _wide(lambda *room, n=note: raw.FPDFAnnot_GetFormFieldAlternateName(form, n, *room))
                name = f"{name} {label}" if label else name
            if name or value:
                yield f"{name}: {value}\n"
            for told in _STRINGS:
                if text := _string(raw, note, told):
                    yield text + "\n"
            if uri := _uri(raw, page, note):
                yield uri + "\n"
        finally:
            raw.FPDFPage_CloseAnnot(note)


def attached_to(raw: Any, page: Any) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file that is pinned to the page."""
    for number in range(raw.FPDFPage_GetAnnotCount(page)):
        note = raw.FPDFPage_GetAnnot(page, number)
        if not note:
            continue
        try:
            file = raw.FPDFAnnot_GetFileAttachment(note)
            if not file:
                continue
            name = _wide(lambda *room, f=file: raw.FPDFAttachment_GetName(f, *room))
            length = ctypes.c_ulong()
            if not raw.FPDFAttachment_GetFile(file, None, 0, ctypes.byref(length)):
                continue
            content = ctypes.create_string_buffer(length.value)
            if raw.FPDFAttachment_GetFile(file, content, len(content), ctypes.byref(length)):
                yield name or f"attachment {number + 1}", content.raw
        finally:
            raw.FPDFPage_CloseAnnot(note)


def scripts(raw: Any, document: Any) -> Iterator[str]:
    """The document's scripts that have a name."""
    for number in range(max(0, raw.FPDFDoc_GetJavaScriptActionCount(document))):
        script = raw.FPDFDoc_GetJavaScriptAction(document, number)
        if not script:
            continue
        try:
            yield _wide(lambda *room, s=script: raw.FPDFJavaScriptAction_GetScript(s, *room)) + "\n"
        finally:
            raw.FPDFDoc_CloseJavaScriptAction(script)


def forms(raw: Any, document: Any) -> Iterator[tuple[str, bytes]]:
    """The parts of an XFA form, by their names."""
    for number in range(max(0, raw.FPDF_GetXFAPacketCount(document))):
        size = raw.FPDF_GetXFAPacketName(document, number, None, 0)
        name = ctypes.create_string_buffer(max(size, 1))
        raw.FPDF_GetXFAPacketName(document, number, name, size)
        length = ctypes.c_ulong()
        if not raw.FPDF_GetXFAPacketContent(document, number, None, 0, ctypes.byref(length)):
            continue
        content = ctypes.create_string_buffer(min(length.value, _MOST_XFA))
        if raw.FPDF_GetXFAPacketContent(document, number, content, len(content), ctypes.byref(length)):
            yield f"form {name.value.decode('utf-8', 'replace')}", content.raw


def bookmarks(document: Any) -> Iterator[str]:
    """The titles of the outline, a line each."""
    for mark in document.get_toc():
        yield f"{mark.get_title()}\n"


def _string(raw: Any, note: Any, key: bytes) -> str:
    return _wide(lambda *room: raw.FPDFAnnot_GetStringValue(note, key, *room))


def _uri(raw: Any, page: Any, note: Any) -> str:
    link = raw.FPDFAnnot_GetLink(note)
    action = raw.FPDFLink_GetAction(link) if link else None
    if not action:
        return ""
    document = page.pdf
    size = raw.FPDFAction_GetURIPath(document, action, None, 0)
    if not 0 < size < _MOST_TOLD:
        return ""
    told = ctypes.create_string_buffer(size)
    raw.FPDFAction_GetURIPath(document, action, told, size)
    return told.value.decode("utf-8", "replace")


def _wide(call: Callable[..., int]) -> str:
    """What a function of pdfium tells in UTF-16: asked for its length first."""
    size = call(None, 0)
    if not 2 < size < _MOST_TOLD:  # noqa: PLR2004  # an end mark alone
        return ""
    room = (ctypes.c_ushort * (size // 2 + 1))()
    call(room, size)
    return bytes(room)[: size - 2].decode("utf-16-le", "replace")

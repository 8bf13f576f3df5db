"""Messages (eml) and mailboxes (mbox): headers, bodies and attachments, decoded; each part is a member."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.errors import MessageError
from email.feedparser import BytesFeedParser
from email.header import decode_header, make_header
from email.message import Message
from io import BytesIO
from typing import IO

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract.strings import runs
from scanner_tasks.extract.table import texts
from scanner_tasks.extract.walk import LARGE, Layer, Walk

_READ_BYTES = 64 * 1024
_NEXT = re.compile(rb"\nFrom \S[^\n]*\d{4}\r?\n")


def mail_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """The message's headers, then each part as a member; what cannot be parsed is read by its printable runs."""
    with walk.spooled(layer.read) as (file, cut):
        try:
            message = _parsed(walk, file)
            parts = list(message.walk())
        except RecursionError:
            error = ExtractError(
                "The message's parts are nested too deep: it was read by its printable runs.", Outcome.PARTIAL_DEPTH
            )
        except ExtractError as too_large:
            error = too_large
        else:
            yield from _message(walk, layer, message, parts)
            if cut:
                raise cut
            return
        file.seek(0)
        yield from runs(file.read, layer)
        raise cut or error


def _parsed(walk: Walk, file: IO[bytes]) -> Message:
    parser, size = BytesFeedParser(), 0
    while data := file.read(_READ_BYTES):
        size += len(data)
        if size > LARGE:
            walk.isolate()
        if size > walk.budget.memory_bytes:
            raise ExtractError(
                "The message is too large to be held in memory: it was read by its printable runs.",
                Outcome.PARTIAL_BYTES,
            )
        parser.feed(data)
    return parser.close()


def mbox_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """Each message as a member."""
    kept, number, is_last = bytearray(), 1, False
    while not is_last:
        data = layer.read(_READ_BYTES)
        is_last = not data
        kept += data
        begin = max(0, len(kept) - len(data) - 1000)
        while (found := _NEXT.search(kept, begin)) or (is_last and kept):
            end = found.start() + 1 if found else len(kept)
            yield from walk.member(layer, f"message {number}", BytesIO(_without_from(bytes(kept[:end]))).read)
            del kept[:end]
            number, begin = number + 1, 0
        if len(kept) > LARGE:
            walk.isolate()
        if len(kept) > walk.budget.memory_bytes:
            raise ExtractError("A message of the mailbox is too large to be held in memory.", Outcome.PARTIAL_BYTES)


def _without_from(message: bytes) -> bytes:
    return message.partition(b"\n")[2] if message.startswith(b"From ") else message


def _message(walk: Walk, layer: Layer, message: Message, parts: list[Message]) -> Iterator[Segment]:
    for number, part in enumerate(parts):
        place = "headers" if part is message else f"part {number} headers"
        yield from texts(walk, layer, place, _headers(part))
        for beside in ("preamble", "epilogue"):
            text = str(getattr(part, beside) or "").encode("utf-8", "surrogateescape")
            yield from texts(walk, layer, beside, text.decode("utf-8", "replace"))
        if not part.is_multipart():
            name = part.get_filename() or (f"part {number}" if number else "body")
            content = BytesIO(_content(part))
            part.set_payload("")  # memory
            yield from walk.member(layer, _decoded(str(name)), content.read)


def _headers(part: Message) -> str:
    return "".join(f"{name}: {_decoded(str(value))}\n" for name, value in part.items())


def _decoded(value: str) -> str:
    """Encoded words as their text."""
    if "=?" not in value:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (MessageError, LookupError, ValueError):
        return value


def _content(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    charset = part.get_content_charset() or "utf-8"
    if part.get_content_maintype() != "text" or charset in {"utf-8", "us-ascii", "iso-8859-1", "windows-1252"}:
        return content
    try:
        return content.decode(charset, "replace").encode("utf-8", "replace")
    except (LookupError, ValueError):
        return content

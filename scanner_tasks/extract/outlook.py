"""Outlook messages (msg): subject, people, headers, body, attachments, and the messages attached ([MS-OXMSG])."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import TypeAlias

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Segment
from scanner_tasks.extract.compound import Compound, corrupt
from scanner_tasks.extract.embedded import opened
from scanner_tasks.extract.table import texts
from scanner_tasks.extract.walk import Layer, Walk

_PROPERTY = re.compile(r"__substg1\.0_([0-9A-F]{4})([0-9A-F]{4})(?:-[0-9A-F]{8})?")
_STORAGE = re.compile(r"__(recip|attach)_version1\.0_#([0-9A-Fa-f]{8})")
_OURS, _NAMES_OF_PROPERTIES = ("__substg1.0_", "__properties_version1.0"), "__nameid_version1.0"
_UTF16, _BYTES, _BINARY = "001F", "001E", "0102"
_MANY = 0x1000
_BODY, _HTML, _RTF, _ATTACHED, _ATTACHED_MESSAGE = "1000", "1013", "1009", "3701", "__substg1.0_3701000D"
_FILE_NAMES = ("3707", "3704", "3001")
#: What the other properties are called; the rest go by their number.
_NAMES = {
    "0037": "Subject", "0C1A": "From", "0C1F": "From address", "5D01": "From address", "0E04": "To", "0E03": "Cc",
    "0E02": "Bcc", "007D": "Headers", "3001": "Name", "3003": "Address", "39FE": "Address", "3707": "File",
}  # fmt: skip
#: Copies of what others tell, and names of classes.
_DULL = frozenset({"001A", "3002", "0070", "0E1D", "3704", "370E", "0064", "0065", "0075", "0076", "0077", "0078"})
#: What compressed RTF may refer to before its own first byte ([MS-OXRTFCP]).
_RTF_START = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor "
    rb"MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_PACKED, _STORED = b"LZFu", b"MELA"
_WINDOW = 4096


def message_text(walk: Walk, layer: Layer, file: Compound, at: tuple[str, ...] = ()) -> Iterator[Segment]:
    """The message in the storage ``at``, and all that is attached to it."""
    walk.meter.member()
    told: list[str] = []
    bodies: dict[str, str] = {}
    properties, storages, others = _parts(file, at)
    for path, number, kind in properties:
        if number in {_BODY, _HTML, _RTF}:
            bodies[number] = kind
        elif line := _line(walk, file, path, number, kind):
            told.append(line)
    yield from texts(walk, layer, "message", "".join(told))
    yield from _body(walk, layer, file, at, bodies)
    for storage in storages:
        if found := _STORAGE.fullmatch(storage[-1]):
            number_told = int(found[2], 16) + 1
            if found[1] == "recip":
                lines = [
                    line
                    for path in file.streams
                    if path[:-1] == storage
                    and (p := _PROPERTY.fullmatch(path[-1]))
                    and (line := _line(walk, file, path, *p.groups()))
                ]
                yield from texts(walk, layer, f"recipient {number_told}", "".join(lines))
            else:
                yield from _attached(walk, layer, file, storage, number_told)
    for path in others:  # of a document that is attached as one of its own
        yield from walk.member(layer, "/".join(path[len(at) :]), opened(walk, file, file.streams[path]))


_Path: TypeAlias = "tuple[str, ...]"


def _parts(file: Compound, at: _Path) -> tuple[list[tuple[_Path, str, str]], list[_Path], list[_Path]]:
    """What stands in a message: its properties with number and kind, storages of others, streams of no message's."""
    properties: list[tuple[_Path, str, str]] = []
    storages: dict[_Path, None] = {}
    others: list[_Path] = []
    for path in file.streams:
        if path[: len(at)] != at or len(path) == len(at):
            continue
        first, is_stream = path[len(at)], len(path) == len(at) + 1
        if is_stream and (found := _PROPERTY.fullmatch(first)):
            properties.append((path, found[1], found[2]))
        elif not is_stream and _STORAGE.fullmatch(first):
            storages.setdefault((*at, first))
        elif first != _NAMES_OF_PROPERTIES and not (is_stream and first.startswith(_OURS)):
            others.append(path)
    return properties, list(storages), others


def _body(walk: Walk, layer: Layer, file: Compound, at: tuple[str, ...], bodies: dict[str, str]) -> Iterator[Segment]:
    """The body as text, as HTML, or, where there is neither, as RTF."""
    for number, name in ((_BODY, "body"), (_HTML, "body.html"), (_RTF, "body.rtf")):
        if number not in bodies or (number == _RTF and len(bodies) > 1):
            continue
        path = (*at, f"__substg1.0_{number}{bodies[number]}")
        read = file.open(file.streams[path])
        if bodies[number] == _BINARY and number != _RTF:
            yield from walk.member(layer, name, read)
        else:
            content = walk.whole(read)
            if number == _RTF:
                try:
                    content = _rtf(content, walk.budget.memory_bytes)
                except ExtractError as error:
                    walk.note(error)
                    continue
            elif bodies[number] == _UTF16:
                content = content.decode("utf-16-le", "replace").encode()
            yield from walk.member(layer, name, BytesIO(content).read)


def _attached(walk: Walk, layer: Layer, file: Compound, storage: tuple[str, ...], number: int) -> Iterator[Segment]:
    if any(path[: len(storage) + 1] == (*storage, _ATTACHED_MESSAGE) for path in file.streams):
        path = layer.member(f"attached message {number}")
        if layer.depth + len(storage) > walk.budget.max_depth:
            raise walk.too_deep()
        inner = replace(layer, path=path, root=path)
        yield from message_text(walk, inner, file, (*storage, _ATTACHED_MESSAGE))
        return
    content = file.streams.get((*storage, f"__substg1.0_{_ATTACHED}{_BINARY}"))
    if content is None:
        return
    names = (_value(walk, file, (*storage, f"__substg1.0_{n}{k}"), k) for n in _FILE_NAMES for k in (_UTF16, _BYTES))
    name = next((name for name in names if name), f"attachment {number}")
    yield from walk.member(layer, name, file.open(content))


def _line(walk: Walk, file: Compound, path: tuple[str, ...], number: str, kind: str) -> str:
    is_text = int(kind, 16) & ~_MANY in {int(_UTF16, 16), int(_BYTES, 16)}
    if not is_text or number in _DULL:
        return ""
    value = _value(walk, file, path, kind)
    return f"{_NAMES.get(number, number)}: {value}\n" if value else ""


def _value(walk: Walk, file: Compound, path: tuple[str, ...], kind: str) -> str:
    if path not in file.streams:
        return ""
    data = walk.whole(file.open(file.streams[path]))
    is_wide = int(kind, 16) & ~_MANY == int(_UTF16, 16)
    return data.decode("utf-16-le" if is_wide else "cp1252", "replace").rstrip("\0")


def _rtf(data: bytes, most: int) -> bytes:
    """RTF as Outlook packs it."""
    kind, size = data[8:12], min(int.from_bytes(data[4:8], "little"), most)
    if kind == _STORED:
        return data[16 : 16 + size]
    if kind != _PACKED:
        raise corrupt()
    out, at = bytearray(_RTF_START), 16
    end = len(out) + size
    while len(out) < end and at < len(data):
        flags = data[at]
        at += 1
        for bit in range(8):
            if len(out) >= end or at >= len(data):
                break
            if not flags >> bit & 1:
                out.append(data[at])
                at += 1
                continue
            told = int.from_bytes(data[at : at + 2], "big")
            at += 2
            back = (len(out) - (told >> 4)) % _WINDOW
            if not back:
                at = len(data)  # the end
                break
            for _ in range((told & 15) + 2):
                out.append(out[-back] if back <= len(out) else 0x20)
    return bytes(out[len(_RTF_START) :])

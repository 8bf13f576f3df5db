"""What old Office wraps around a document that is embedded in another: OLE 1 ([MS-OLEDS]), and packages of files."""

from __future__ import annotations

from io import BytesIO

from scanner_tasks.extract.budget import Read
from scanner_tasks.extract.compound import Compound, Stream
from scanner_tasks.extract.macros import source_of
from scanner_tasks.extract.walk import Walk

#: What the packager makes of a file, and where macros stand; the marks before such names are left out.
_PACKAGED, _MACROS = "Ole10Native", "VBA"
_EMBEDDED = 2
_PACKAGE_KIND = 2


def opened(walk: Walk, compound: Compound, stream: Stream) -> Read:
    """The stream's bytes; of a file that was put into the document, the file's; of a macro, its source."""
    is_macro = _MACROS in stream.path[:-1]
    if stream.size > walk.budget.memory_bytes or not (is_macro or stream.path[-1] == _PACKAGED):
        return compound.open(stream)
    content = walk.whole(compound.open(stream))
    return BytesIO((source_of(content) if is_macro else of_package(content)) or content).read


def of_ole1(data: bytes) -> bytes:
    """The document in an object as RTF has it; what is no such object as it is."""
    if _int(data, 4, 4) != _EMBEDDED:
        return data
    at = 8
    for _ in range(3):  # class, topic and item
        at += 4 + _int(data, at, 4)
    content = data[at + 4 : at + 4 + _int(data, at, 4)]
    return of_package(content) or content or data


def of_package(data: bytes) -> bytes:
    """The file in a package of Windows' packager (a stream ``Ole10Native``, its size before it or not); b"" in none."""
    for begin in (0, 4):
        if _int(data, begin, 2) != _PACKAGE_KIND:
            continue
        at = begin + 2
        for _ in range(2):  # its label, where it was
            at = data.find(b"\0", at) + 1
            if not at:
                return b""
        at += 4
        at += 4 + _int(data, at, 4)  # where it was put meanwhile
        size = _int(data, at, 4)
        if 0 < size <= len(data) - at - 4:
            return data[at + 4 : at + 4 + size]
    return b""


def _int(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")

"""What an object's content is, by its first bytes; its name only settles doubt.

In this order:

1. gzip, by its magic.
2. Unicode with a byte order mark: UTF-8, UTF-32, UTF-16. A UTF-16 or UTF-32 mark before bytes of which most are
   printable ASCII is not believed: it would turn plain text into nonsense that no rule matches.
3. A known binary format, by its magic. Magics that could also begin a text (``GIF8``, ``ORC`` …) count only when bytes
   follow that a text never holds.
4. Unknown binary: more than 5 % control characters (30 % under a name that promises text), as in programs, images,
   compressed or encrypted data, or text padded with NUL to a fixed width. At least 4 of them: a stray NUL makes no
   binary.
5. Everything else is text: UTF-8, with cp1252 wherever it is not (``extract.text``).
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Literal

#: Bytes that the decision is made from.
HEAD_BYTES = 8192

GZIP_MAGIC = b"\x1f\x8b\x08"

#: Control characters that no text holds: not TAB, LF, VT, FF, CR, ESC or backspace.
_CONTROL = bytes({*range(0x20), 0x7F} - set(b"\b\t\n\v\f\r\x1b"))
_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t\n\r"
_WIDE_PRINTABLE_SHARE = 0.9
_WIDE_NUL_SHARE = 0.005
_LEAST_CONTROL = 4
_CONTROL_SHARE = 0.05
_CONTROL_SHARE_OF_NAMED_TEXT = 0.30
_TEXT_NAMES = (".csv", ".tsv", ".psv", ".txt", ".log", ".json", ".jsonl", ".ndjson", ".sql", ".xml", ".yaml", ".yml")

_MARKS = (  # the longer first: UTF-32's little endian mark begins with UTF-16's
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

#: Offset, magic, name, and whether no text can begin so.
_MAGICS: tuple[tuple[int, bytes, str, bool], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "PNG image", True),
    (0, b"\xff\xd8\xff", "JPEG image", True),
    (0, b"GIF8", "GIF image", False),
    (0, b"II*\0", "TIFF image", True),
    (0, b"MM\0*", "TIFF image", True),
    (0, b"RIFF", "RIFF media", False),
    (0, b"OggS", "Ogg media", False),
    (0, b"fLaC", "FLAC audio", False),
    (0, b"ID3", "MP3 audio", False),
    (4, b"ftyp", "MP4 media", False),
    (0, b"%PDF-", "PDF document", True),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Office document", True),
    (0, b"PK\x03\x04", "zip archive or Office document", True),
    (0, b"PK\x05\x06", "zip archive", True),
    (257, b"ustar", "tar archive", False),
    (0, b"7z\xbc\xaf\x27\x1c", "7z archive", True),
    (0, b"Rar!\x1a\x07", "RAR archive", True),
    (0, b"BZh", "bzip2 data", False),
    (0, b"\xfd7zXZ\0", "xz data", True),
    (0, b"\x28\xb5\x2f\xfd", "zstd data", True),
    (0, b"\x04\x22\x4d\x18", "lz4 data", True),
    (0, b"\xff\x06\0\0sNaPpY", "snappy data", True),
    (0, b"PAR1", "Parquet table", False),
    (0, b"ORC", "ORC table", False),
    (0, b"Obj\x01", "Avro table", True),
    (0, b"ARROW1\0\0", "Arrow table", True),
    (0, b"SQLite format 3\0", "SQLite database", True),
    (0, b"\x7fELF", "program", True),
    (0, b"MZ", "program", False),
    (0, b"\xca\xfe\xba\xbe", "program", True),
    (0, b"\0asm", "WebAssembly program", True),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What the content is."""

    form: Literal["gzip", "text", "binary"]
    #: Python codec of a text, after its mark; None elsewhere. UTF-8 stands for "UTF-8, or cp1252 where it is not".
    encoding: str | None = None
    #: Bytes of the byte order mark, which is no text.
    mark_bytes: int = 0
    #: Name of a binary kind, for people.
    name: str = ""


def sniff(head: bytes, key: str = "") -> Kind:
    r"""The kind of an object whose first HEAD_BYTES (fewer only when it is shorter) are ``head``.

    Examples:
        >>> sniff(b"name,ssn\n").form, sniff(b"\x1f\x8b\x08\0").form
        ('text', 'gzip')
        >>> sniff(b"\xff\xfea\0").encoding
        'utf-16-le'
        >>> sniff(b"PK\x03\x04\x14\0\0\0", "report.csv").name
        'zip archive or Office document'
    """
    if head.startswith(GZIP_MAGIC):
        return Kind("gzip")
    mark, encoding = next((m for m in _MARKS if head.startswith(m[0])), (b"", ""))
    if mark and _is_plausible(head[len(mark) :], encoding):
        return Kind("text", encoding, len(mark))
    control = len(head) - len(head.translate(None, _CONTROL))
    for offset, magic, name, sure in _MAGICS:
        if head.startswith(magic, offset) and (sure or control):
            return Kind("binary", name=name)
    share = _CONTROL_SHARE_OF_NAMED_TEXT if key.lower().removesuffix(".gz").endswith(_TEXT_NAMES) else _CONTROL_SHARE
    if control >= _LEAST_CONTROL and control > share * len(head):
        return Kind("binary", name="unknown binary data")
    return Kind("text", "utf-8")


def _is_plausible(content: bytes, encoding: str) -> bool:
    """False for a mark of wide characters before what are bytes of ASCII.

    In real UTF-16 every space, digit, line end and Latin letter brings a NUL. Scripts without any of these are told by
    their other bytes: of hiragana, the nearest to ASCII, some 87 % are printable.
    """
    if encoding == "utf-8" or content.count(0) >= _WIDE_NUL_SHARE * len(content):
        return True
    return len(content.translate(None, _PRINTABLE)) >= (1 - _WIDE_PRINTABLE_SHARE) * len(content)

"""What an object's content is, by its first bytes; its name only settles doubt.

In this order:

1. gzip, by its magic.
2. Unicode with a byte order mark: UTF-8, UTF-32, UTF-16. A UTF-16 or UTF-32 mark before bytes of which most are
   printable ASCII is not believed: it would turn plain text into nonsense that no rule matches.
3. A known binary format, by its magic. Magics that could also begin a text (``GIF8``, ``ORC`` …) count only when bytes
   follow that a text never holds. A tar archive is known by its header's checksum.
4. UTF-16 and UTF-32 without a mark, by where their NULs stand.
5. Unknown binary: more than 5 % control characters (30 % under a name that promises text), as in programs, images,
   compressed or encrypted data, or text padded with NUL to a fixed width. At least 4 of them: a stray NUL makes no
   binary.
6. Everything else is text: UTF-8, with cp1252 wherever it is not (``extract.plain``).
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

#: What reads it: ``extract.readers``. "unread" is known, and no reader for it; "binary" is everything else.
Form: TypeAlias = Literal[
    "text", "gzip", "bzip2", "xz", "lzma", "lz4", "lz4_legacy", "zstd", "snappy", "zip", "tar", "pdf", "rtf", "ole",
    "png", "jpeg", "parquet", "orc", "arrow", "avro", "sqlite", "mail", "mbox", "markup", "beside", "program", "unread",
    "binary",
]  # fmt: skip

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
#: Bytes of a character, codec, and in which of them ASCII has its NULs.
_WIDE = (
    (4, "utf-32-le", (1, 2, 3)),
    (4, "utf-32-be", (0, 1, 2)),
    (2, "utf-16-le", (1,)),
    (2, "utf-16-be", (0,)),
)
_LEAST_UNITS = 4
_WIDE_SHARE = 0.6
_TEXT_NAMES = (".csv", ".tsv", ".psv", ".txt", ".log", ".json", ".jsonl", ".ndjson", ".sql", ".xml", ".yaml", ".yml")

_MARKS = (  # the longer first: UTF-32's little endian mark begins with UTF-16's
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

#: Offset, magic, form, name, and whether no text can begin so.
_MAGICS: tuple[tuple[int, bytes, Form, str, bool], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "png", "PNG image", True),
    (0, b"\xff\xd8\xff", "jpeg", "JPEG image", True),
    (0, b"GIF8", "binary", "GIF image", False),
    (0, b"II*\0", "binary", "TIFF image", True),
    (0, b"MM\0*", "binary", "TIFF image", True),
    (0, b"RIFF", "binary", "RIFF media", False),
    (0, b"OggS", "binary", "Ogg media", False),
    (0, b"fLaC", "binary", "FLAC audio", False),
    (0, b"ID3", "binary", "MP3 audio", False),
    (4, b"ftyp", "binary", "MP4 media", False),
    (0, b"%PDF-", "pdf", "PDF document", True),
    (0, b"{\\rtf", "rtf", "RTF document", True),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole", "old Office document", True),
    (0, b"PK\x03\x04", "zip", "zip archive", True),
    (0, b"PK\x05\x06", "zip", "zip archive", True),
    (0, b"PK\x07\x08PK\x03\x04", "zip", "zip archive", True),
    (0, b"7z\xbc\xaf\x27\x1c", "unread", "7z archive", True),
    (0, b"Rar!\x1a\x07", "unread", "RAR archive", True),
    (0, b"BZh", "bzip2", "bzip2 data", False),
    (0, b"\xfd7zXZ\0", "xz", "xz data", True),
    (0, b"\x28\xb5\x2f\xfd", "zstd", "zstd data", True),
    (0, b"\x04\x22\x4d\x18", "lz4", "lz4 data", True),
    (0, b"\x02\x21\x4c\x18", "lz4_legacy", "lz4 data of the legacy format", True),
    (0, b"\xff\x06\0\0sNaPpY", "snappy", "snappy data", True),
    (0, b"\x1f\x9d", "unread", "compress data", True),
    (0, b"PAR1", "parquet", "Parquet table", False),
    (0, b"PARE", "parquet", "Parquet table", False),
    (0, b"ORC", "orc", "ORC table", False),
    (0, b"Obj\x01", "avro", "Avro table", True),
    (0, b"ARROW1\0\0", "arrow", "Arrow table", True),
    (0, b"SQLite format 3\0", "sqlite", "SQLite database", True),
    (0, b"\x7fELF", "program", "program", True),
    (0, b"MZ", "program", "program", False),
    (0, b"\xca\xfe\xba\xbe", "binary", "program", True),
    (0, b"\0asm", "binary", "WebAssembly program", True),
)
_LZMA_ALONE = re.compile(rb"\x5d\0\0.[\0-\x08](?:\xff{8}|.{5}\0{3})", re.DOTALL)
_TAR_BLOCK = 512
_ARROW = b"\xff\xff\xff\xff"
_MOST_SCHEMA = 1 << 26
_PDF = re.compile(rb"[\r\n]%PDF-[12]\.\d[\r\n]")
_PDF_WITHIN = 1024
_MBOX = re.compile(rb"From \S[^\n]*\d{4}\r?\n")
_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]*:[ \t]")
_HEADERS = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]*:[^\n]*\n(?:[ \t][^\n]*\n)*+)++")
_HEADER_NAME = re.compile(rb"^([A-Za-z][A-Za-z0-9-]*):", re.MULTILINE)
_MAIL_NAMES = frozenset(
    (
        b"from to cc subject date message-id mime-version received return-path content-type delivered-to reply-to"
        b" content-transfer-encoding"
    ).split()
)
_LEAST_MAIL_NAMES = 3
_ENCODED = re.compile(
    rb"^content-type:\s*(?:multipart/|message/)|^content-transfer-encoding:\s*(?:base64|quoted-printable)|=\?[\w-]+\?[bq]\?",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What the content is."""

    form: Form
    #: Python codec of a text, after its mark; None elsewhere. UTF-8 stands for "UTF-8, or cp1252 where it is not".
    encoding: str | None = None
    #: Bytes of the byte order mark, which is no text.
    mark_bytes: int = 0
    #: Name of a binary kind, for people.
    name: str = ""


def sniff(head: bytes, key: str = "") -> Kind:  # noqa: PLR0911
    r"""The kind of an object whose first HEAD_BYTES (fewer only when it is shorter) are ``head``.

    Examples:
        >>> sniff(b"name,ssn\n").form, sniff(b"\x1f\x8b\x08\0").form
        ('text', 'gzip')
        >>> sniff(b"\xff\xfea\0").encoding
        'utf-16-le'
        >>> sniff(b"PK\x03\x04\x14\0\0\0", "report.csv").name
        'zip archive'
    """
    if head.startswith(GZIP_MAGIC):
        return Kind("gzip")
    mark, encoding = next((m for m in _MARKS if head.startswith(m[0])), (b"", ""))
    if mark and _is_plausible(head[len(mark) :], encoding):
        return Kind("text", encoding, len(mark))
    control = len(head) - len(head.translate(None, _CONTROL))
    for offset, magic, form, name, sure in _MAGICS:
        if head.startswith(magic, offset) and (sure or control):
            return Kind(form, name=name)
    if _is_arrow_stream(head):
        return Kind("arrow", name="Arrow stream")
    if is_tar_header(head[:_TAR_BLOCK]):
        return Kind("tar", name="tar archive")
    if _LZMA_ALONE.match(head):
        return Kind("lzma", name="lzma data")
    if control and (wide := _unmarked(head)):
        return Kind("text", wide)
    if mail := _mail(head, key):
        return Kind(mail, name="message")
    return _pdf_within(head) or _rest(head, key, control)


def _pdf_within(head: bytes) -> Kind | None:
    """A PDF document that something stands before, as its readers allow it."""
    is_pdf = _PDF.search(head, 0, _PDF_WITHIN) and len(head) > len(head.translate(None, _CONTROL))
    return Kind("pdf", name="PDF document") if is_pdf else None


def _rest(head: bytes, key: str, control: int) -> Kind:
    """Binary or text, by the share of control characters."""
    share = _CONTROL_SHARE_OF_NAMED_TEXT if key.lower().removesuffix(".gz").endswith(_TEXT_NAMES) else _CONTROL_SHARE
    if control >= _LEAST_CONTROL and control > share * len(head):
        form: Form = "program" if b"PK\x03\x04" in head else "binary"  # one that carries an archive
        return Kind(form, name="unknown binary data")
    return Kind("text", "utf-8")


def _mail(head: bytes, key: str) -> Literal["mail", "mbox"] | None:
    """A message that must be decoded, or a mailbox; a message of plain text is read as plain text."""
    if found := _MBOX.match(head):
        return "mbox" if _HEADER.match(head, found.end()) else None
    fields = _HEADERS.match(head)
    if fields is None:
        return None
    names = {name.lower() for name in _HEADER_NAME.findall(fields[0])} & _MAIL_NAMES
    if len(names) < (1 if key.lower().endswith(".eml") else _LEAST_MAIL_NAMES):
        return None
    return "mail" if _ENCODED.search(fields[0]) else None


def _is_arrow_stream(head: bytes) -> bool:
    """A message's mark, its size, and a table of flatbuffers that begins within it."""
    size, table = int.from_bytes(head[4:8], "little"), int.from_bytes(head[8:12], "little")
    return head.startswith(_ARROW) and size % 8 == 0 and 0 < table < size < _MOST_SCHEMA and len(head) > 12  # noqa: PLR2004


def is_tar_header(block: bytes) -> bool:
    """True when the checksum of a tar archive's header is right, of whichever of its dialects."""
    if len(block) < _TAR_BLOCK:
        return False
    told = block[148:156].strip(b" \0")
    if not told or told.translate(None, b"01234567"):
        return False
    return int(told, 8) == sum(block) - sum(block[148:156]) + 8 * 0x20


def _unmarked(head: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark, told by where its NULs stand: nearly all in the same places."""
    for width, encoding, places in _WIDE:
        whole = head[: len(head) // width * width]
        units = len(whole) // width
        if units < _LEAST_UNITS or len(head) % 2:
            continue
        nuls = [whole[at::width].count(0) for at in range(width)]
        if all(
            (nuls[at] >= _WIDE_SHARE * units) if at in places else (nuls[at] <= (1 - _WIDE_SHARE) / 4 * units)
            for at in range(width)
        ):
            text = whole.decode(encoding, "replace")
            if sum(c.isprintable() or c in "\t\r\n\f" for c in text) >= _WIDE_PRINTABLE_SHARE * len(text):
                return encoding
    return None


def _is_plausible(content: bytes, encoding: str) -> bool:
    """False for a mark of wide characters before what are bytes of ASCII.

    In real UTF-16 every space, digit, line end and Latin letter brings a NUL. Scripts without any of these are told by
    their other bytes: of hiragana, the nearest to ASCII, some 87 % are printable.
    """
    if encoding == "utf-8" or content.count(0) >= _WIDE_NUL_SHARE * len(content):
        return True
    return len(content.translate(None, _PRINTABLE)) >= (1 - _WIDE_PRINTABLE_SHARE) * len(content)

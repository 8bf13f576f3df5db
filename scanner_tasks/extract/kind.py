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
import zlib
from dataclasses import dataclass

from scanner_tasks.extract.blocks import is_hadoop_lz4, is_hadoop_snappy, is_raw_snappy
from scanner_tasks.extract.magics import MAGICS, Form
from scanner_tasks.extract.streams import is_skipped

__all__ = ["HEAD_BYTES", "Form", "Kind", "sniff"]

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

_SNAPPY_NAMES, _PGP_NAMES = (".snappy", ".sz"), (".gpg", ".pgp", ".asc")
#: A session key for a public key or a passphrase, with its version: how an encrypted message begins (RFC 9580).
_PGP = re.compile(rb"(?:\x84.|\x85..|\xc1.)[\3\6]|(?:\x8c.|\xc3.)[\4\5\6]", re.DOTALL)
#: Enveloped data (RFC 5652), which is found so near its beginning.
_PKCS7_SEALED, _PKCS7_WITHIN = bytes.fromhex("06092a864886f70d010703"), 32
_LZ4_MAGIC = b"\x04\x22\x4d\x18"
_LZMA_ALONE = re.compile(rb"\x5d\0\0.[\0-\x08](?:\xff{8}|.{5}\0{3})", re.DOTALL)
_TAR_BLOCK = 512
#: zlib data has a magic of one byte and a half: so much of it can be unpacked, or all.
_LEAST_UNPACKED = 256
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
        b" content-transfer-encoding dkim-signature authentication-results x-received arc-seal arc-message-signature"
    ).split()
)
_LEAST_MAIL_NAMES = 3
#: Of a message (RFC 5322).
_LONGEST_LINE = 1000
_ENCODED = re.compile(
    rb"^content-type:\s*(?:multipart/|message/)|^content-transfer-encoding:\s*(?:base64|quoted-printable)|=\?[\w-]+\?[bq]\?",
    re.IGNORECASE | re.MULTILINE,
)


#: The magics that do not stand at the beginning, and those that can match a content by its first byte.
_ELSEWHERE = tuple(magic for magic in MAGICS if magic[0])
_BY_FIRST_BYTE = {
    first: tuple(magic for magic in MAGICS if magic[0] or magic[1][:1] == first)
    for first in {magic[1][:1] for magic in MAGICS}
}


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
    for offset, magic, form, name, sure in _BY_FIRST_BYTE.get(head[:1], _ELSEWHERE):
        if head.startswith(magic, offset) and (sure or control):
            return Kind(form, name=name)
    if _is_arrow_stream(head):
        return Kind("arrow", name="Arrow stream")
    if is_tar_header(head[:_TAR_BLOCK]):
        return Kind("tar", name="tar archive")
    if packed := _packed(head, key.lower()) if control else None:
        return packed
    if control and (wide := _unmarked(head)):
        return Kind("text", wide)
    if mail := _mail(head, key):
        return Kind(mail, name="message")
    return _pdf_within(head) or _rest(head, key, control)


def _packed(head: bytes, name: str) -> Kind | None:  # noqa: PLR0911
    """What is compressed or encrypted and has no magic, or none that is sure."""
    if _LZMA_ALONE.match(head):
        return Kind("lzma", name="lzma data")
    if _is_zlib(head):
        return Kind("zlib", name="zlib data")
    if is_skipped(head):  # what stands behind it tells
        return Kind("lz4" if _LZ4_MAGIC in head[8:] else "zstd", name="zstd data")
    if is_hadoop_snappy(head):
        return Kind("hadoop_snappy", name="snappy data")
    if name.endswith(_SNAPPY_NAMES) and is_raw_snappy(head):
        return Kind("raw_snappy", name="snappy data")
    if name.endswith(".lz4") and is_hadoop_lz4(head):
        return Kind("hadoop_lz4", name="lz4 data")
    if _PKCS7_SEALED in head[:_PKCS7_WITHIN] or (name.endswith(_PGP_NAMES) and _PGP.match(head)):
        return Kind("sealed", name="message of S/MIME or PGP")
    return Kind("packed", name="brotli data") if name.endswith(".br") else None


def _is_zlib(head: bytes) -> bool:
    if head[:1] != b"x" or int.from_bytes(head[:2], "big") % 31 or head[1] & 0x20:
        return False
    decoder = zlib.decompressobj()
    try:
        return len(decoder.decompress(head, _LEAST_UNPACKED)) == _LEAST_UNPACKED or decoder.eof
    except zlib.error:
        return False


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


def _mail(head: bytes, key: str) -> Form | None:
    """A message that must be decoded, or a mailbox; a message of plain text is read as plain text."""
    if found := _MBOX.match(head):
        return "mbox" if _HEADER.match(head, found.end()) else None
    fields = _HEADERS.match(head)
    if fields is None:
        return None
    names = {name.lower() for name in _HEADER_NAME.findall(fields[0])} & _MAIL_NAMES
    is_named = key.lower().endswith(".eml")
    if len(head) == HEAD_BYTES and fields.end() > HEAD_BYTES - _LONGEST_LINE:  # what tells may stand behind them
        return "mail" if names or is_named else None
    if len(names) < (1 if is_named else _LEAST_MAIL_NAMES):
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

"""The kinds of files of the sample: each makes its lines one after the other and counts what it puts into them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import struct
import zipfile
import zlib
from collections import Counter
from html import escape
from typing import TYPE_CHECKING, TypeAlias

from scanner_tasks.local import sample_values as values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

#: Makes lines of text, without their line ends; the counts grow while the lines are taken.
Lines: TypeAlias = "Callable[[Random, int, Counter[str]], Iterator[str]]"


def csv_lines(rng: Random, rows: int, counts: Counter[str]) -> Iterator[str]:
    """A table of customers: every column a kind of data, some cells look-alikes or empty."""
    yield "id,name,email,phone,ssn,card,created_at,note"
    for _ in range(rows):
        row = [
            values.uuid4(rng),
            values.name(rng),
            _count(counts, values.EMAIL, values.email(rng)),
            _sometimes(rng, counts, values.PHONE, values.phone, "n/a"),
            _sometimes(rng, counts, values.SSN, values.ssn, values.impossible_ssn(rng)),
            _sometimes(rng, counts, values.CARD, values.card, values.card(rng, wrong_by=1)),
            values.moment(rng).iso,
            values.look_alike(rng),
        ]
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(row)
        yield line.getvalue()


def jsonl_lines(rng: Random, rows: int, counts: Counter[str]) -> Iterator[str]:
    """Events, one JSON object a line."""
    for number in range(rows):
        event: dict[str, object] = {
            "event_id": values.uuid4(rng),
            "ts": values.moment(rng).milliseconds,
            "user": {"name": values.name(rng), "email": _count(counts, values.EMAIL, values.email(rng))},
            "message": values.look_alike(rng),
        }
        if number % 3 == 0:
            event["phone"] = _count(counts, values.PHONE, values.phone(rng))
        if number % 5 == 0:
            event["ssn"] = _count(counts, values.SSN, values.ssn(rng))
        if number % 7 == 0:
            event["card_number"] = _count(counts, values.CARD, values.card(rng))
        yield json.dumps(event, ensure_ascii=False)


def json_lines(rng: Random, rows: int, counts: Counter[str]) -> Iterator[str]:
    """One JSON document over many lines: settings with credentials, and contacts."""
    document = {
        "generated_at": values.moment(rng).iso,
        "aws": {
            "aws_access_key_id": _count(counts, values.ACCESS_KEY, values.access_key(rng)),
            "aws_secret_access_key": _count(counts, values.SECRET_KEY, values.secret_key(rng)),
        },
        "contacts": [
            {
                "id": values.uuid4(rng),
                "email": _count(counts, values.EMAIL, values.email(rng)),
                "phone": _count(counts, values.PHONE, values.phone(rng)),
                "remark": values.look_alike(rng),
            }
            for _ in range(rows)
        ],
    }
    yield from json.dumps(document, indent=2, ensure_ascii=False).splitlines()


def log_lines(rng: Random, rows: int, counts: Counter[str]) -> Iterator[str]:
    """A service's log: mostly look-alikes, a value in every tenth line."""
    for number in range(rows):
        head = f"{values.moment(rng).iso} INFO svc[{rng.randrange(100, 999)}]: "
        if number % 10 != 0:
            yield f"{head}{values.look_alike(rng)}; took {rng.randrange(1, 900)} ms"
        elif number % 40 == 0:
            yield f"{head}charge card={_count(counts, values.CARD, values.card(rng))}, status=ok"
        elif number % 40 == 10:  # noqa: PLR2004
            yield f"{head}login email={_count(counts, values.EMAIL, values.email(rng))}, status=ok"
        elif number % 40 == 20:  # noqa: PLR2004
            yield f"{head}verify ssn={_count(counts, values.SSN, values.ssn(rng))}, status=ok"
        else:
            yield f"{head}callback phone={_count(counts, values.PHONE, values.phone(rng))}, status=ok"


def text_lines(rng: Random, rows: int, counts: Counter[str]) -> Iterator[str]:
    """Letters and notes, with a block of credentials as people leave them."""
    for number in range(rows):
        if number % 12 == 0:
            yield f"Dear {values.name(rng)},"
        elif number % 12 == 2:  # noqa: PLR2004
            yield f"your SSN: {_count(counts, values.SSN, values.ssn(rng))} is on file."
        elif number % 12 == 4:  # noqa: PLR2004
            yield f"Write to {_count(counts, values.EMAIL, values.email(rng))} for help."
        elif number % 12 == 6:  # noqa: PLR2004
            yield f"Call {_count(counts, values.PHONE, values.phone(rng))} between nine and five."
        elif number % 12 == 8:  # noqa: PLR2004
            yield f"Credit card: {_count(counts, values.CARD, values.card(rng))}, expires soon."
        elif number % 24 == 10:  # noqa: PLR2004
            yield f"aws_access_key_id = {_count(counts, values.ACCESS_KEY, values.access_key(rng))}"
            yield f"aws_secret_access_key = {_count(counts, values.SECRET_KEY, values.secret_key(rng))}"
        else:
            yield f"For the record: {values.look_alike(rng)}."


def harmless_lines(rng: Random, rows: int, counts: Counter[str]) -> Iterator[str]:
    """Nothing but look-alikes."""
    del counts
    for _ in range(rows):
        yield f"{values.moment(rng).iso} {values.look_alike(rng)}; {values.look_alike(rng)}"


def early_lines(rng: Random, rows: int, counts: Counter[str]) -> Iterator[str]:
    """Values in the first lines, then look-alikes, at last letters only: a cut in them leaves no half number behind."""
    yield from text_lines(rng, 48, counts)
    yield from harmless_lines(rng, rows, counts)
    for _ in range(rows):
        yield " ".join(values.characters(rng, "abcdefghijklmnopqrstuvwxyz", 6) for _ in range(12))


def encoded(lines: Iterator[str], encoding: str = "utf-8") -> Iterator[bytes]:
    """The lines as bytes in pieces of some 64 KB."""
    piece: list[str] = []
    size = 0
    for line in lines:
        piece.append(line)
        size += len(line) + 1
        if size >= 1 << 16:
            yield ("\n".join(piece) + "\n").encode(encoding)
            piece, size = [], 0
    yield ("\n".join(piece) + "\n" if piece else "").encode(encoding)


def gzipped(pieces: Iterator[bytes], *, member_bytes: int = 1 << 30) -> Iterator[bytes]:
    """The same as gzip, in several members when longer than ``member_bytes``; the same bytes at every run."""
    member = bytearray()
    for piece in pieces:
        member += piece
        if len(member) >= member_bytes:
            yield gzip.compress(bytes(member), 6, mtime=0)
            member.clear()
    yield gzip.compress(bytes(member), 6, mtime=0)


def zipped(rng: Random, counts: Counter[str]) -> bytes:
    """An archive of a table, a log, and an archive of letters; the same bytes at every run."""
    inner = _archive({"letters/one.txt": text_lines(rng, 30, counts)})
    return _archive(
        {"crm.csv": csv_lines(rng, 20, counts), "logs/a.log": log_lines(rng, 80, counts)}, {"old.zip": inner}
    )


def docx(rng: Random, counts: Counter[str]) -> bytes:
    """A letter of one paragraph a line."""
    paragraphs = "".join(f"<w:p><w:r><w:t>{escape(line)}</w:t></w:r></w:p>" for line in text_lines(rng, 40, counts))
    document = f'<?xml version="1.0"?><w:document xmlns:w="w"><w:body>{paragraphs}</w:body></w:document>'
    return _archive({}, {"[Content_Types].xml": b"<Types/>", "word/document.xml": document.encode()})


def xlsx(rng: Random, counts: Counter[str]) -> bytes:
    """A workbook of one sheet of customers."""
    rows = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row) + "</row>"
        for row in csv.reader(csv_lines(rng, 30, counts))
    )
    main, rel = (f"http://schemas.openxmlformats.org/{n}" for n in ("spreadsheetml/2006/main", "officeDocument/2006"))
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    link = f'<Relationships xmlns="{package}"><Relationship Id="rId1" Type="{rel}/relationships/%s" Target="%s"/>'
    parts = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": link % ("officeDocument", "xl/workbook.xml") + "</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{rel}/relationships"><sheets>'
        '<sheet name="Customers" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": link % ("worksheet", "worksheets/sheet1.xml") + "</Relationships>",
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
    }
    return _archive({}, {name: f'<?xml version="1.0"?>{part}'.encode() for name, part in parts.items()})


def _archive(texts: dict[str, Iterator[str]], more: dict[str, bytes] | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, lines in texts.items():
            archive.writestr(zipfile.ZipInfo(name), b"".join(encoded(lines)), zipfile.ZIP_DEFLATED)
        for name, content in (more or {}).items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def png(rng: Random, side: int = 48) -> bytes:
    """A picture of noise: a file that holds no text at all."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + rng.randbytes(side * 3) for _ in range(side))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _count(counts: Counter[str], rule: str, value: str) -> str:
    counts[rule] += 1
    return value


def _sometimes(rng: Random, counts: Counter[str], rule: str, make: Callable[[Random], str], otherwise: str) -> str:
    return _count(counts, rule, make(rng)) if rng.random() < 0.7 else otherwise  # noqa: PLR2004

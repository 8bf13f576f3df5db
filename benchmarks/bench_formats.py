"""Extraction's throughput for each format on one core: the table of docs/formats.md.

MB (10**6 bytes) of text that comes out for each second of CPU time, without detection; the best of three runs.

Run: python -m benchmarks.bench_formats [PART OF A NAME]
"""

from __future__ import annotations

import bz2
import csv
import gzip
import html
import io
import json
import lzma
import random
import sqlite3
import struct
import sys
import tarfile
import time
import zipfile
from email.message import EmailMessage

import cramjam
import fastavro
import lz4.block
import lz4.frame
import pyarrow as pa
import zstandard
from pyarrow import ipc, orc, parquet

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.extract.budget import Budget
from scanner_tasks.extract.text import extract
from tests.formats.compound_making import compound
from tests.formats.making import docx, pdf, rows, xlsx

ROWS = 40_000


def table() -> list[dict[str, object]]:
    r = random.Random(7)
    return [
        {
            "id": n,
            "name": f"{r.choice(('Jane', 'Joe', 'Zoë'))} {r.choice(('Roe', 'Doe'))}",
            "email": f"u{r.randrange(10**6)}@example.com",
            "ssn": f"536-{r.randint(10, 99)}-{r.randint(1000, 9999)}",
            "note": "".join(r.choices("abcdefghij klmnop", k=60)),
        }
        for n in range(ROWS)
    ]


def measured(content: bytes, key: str, **budgets: float) -> tuple[int, float, str]:
    """Bytes of text, CPU seconds, outcome."""
    budget = Budget(max_bytes=2 * 1024**3, deadline=time.monotonic() + 900, **budgets)
    size, outcome, began = 0, "scanned", time.process_time()
    try:
        for segment in extract(io.BytesIO(content).read, key=key, budget=budget, clock=time.monotonic):
            size += len(segment.data)
    except ExtractError as error:
        outcome = str(error.outcome)
    return size, time.process_time() - began, outcome


def formats() -> dict[str, tuple[str, bytes]]:
    data = table()
    out = io.StringIO()
    writer = csv.DictWriter(out, list(data[0]))
    writer.writeheader()
    writer.writerows(data)
    text = out.getvalue().encode()
    arrow = pa.Table.from_pylist(data)
    made: dict[str, tuple[str, bytes]] = {
        "csv": ("a.csv", text),
        "csv in UTF-16, unmarked": ("a.csv", text.decode("utf-8", "ignore").encode("utf-16-le")),
        "json": ("a.json", json.dumps(data).encode()),
        "jsonl": ("a.jsonl", "\n".join(json.dumps(row) for row in data).encode()),
        "xml": ("a.xml", xml(data)),
        "xml, a reference a row": ("a.xml", xml(data).replace(b"536-", b"&#53;36-")),
        "json, an escape a row": ("a.json", json.dumps(data).encode().replace(b"@", b"\\u0040")),
        "snappy": ("a.sz", bytes(cramjam.snappy.compress(text))),
        "msg": ("a.msg", outlook(text[:1_500_000])),
        "ppt": ("a.ppt", presentation(text[:1_500_000])),
        "gzip": ("a.gz", gzip.compress(text)),
        "bzip2": ("a.bz2", bz2.compress(text)),
        "xz": ("a.xz", lzma.compress(text)),
        "lz4": ("a.lz4", lz4.frame.compress(text)),
        "lz4, legacy": ("a.lz4", lz4_legacy(text)),
        "zstd": ("a.zst", zstandard.compress(text)),
        "tar": ("a.tar", tarred(text)),
        "zip": ("a.zip", zipped(text)),
        "docx": ("a.docx", docx([line.decode() for line in text.splitlines()])),
        "xlsx": ("a.xlsx", xlsx({"S": rows([list(data[0]), *([*row.values()] for row in data)])})),
        "rtf": ("a.rtf", b"{\\rtf1 " + text.replace(b"\n", b"\\par\n") + b"}"),
        "pdf": ("a.pdf", pdf([line.decode("ascii", "ignore") for line in text.splitlines()[:3000]])),
        "eml": ("a.eml", mail(text)),
        "sqlite": ("a.db", database(data)),
        "avro": ("a.avro", avro(data)),
        "unknown binary": ("a.bin", bytes(4096) + text.replace(b"\n", b"\0\1")),
    }
    made["program, media (random bytes)"] = ("a.bin", random.Random(1).randbytes(8_000_000))
    for form in ("parquet", "orc", "arrow"):
        file = io.BytesIO()
        if form == "parquet":
            parquet.write_table(arrow, file)
        elif form == "orc":
            orc.write_table(arrow, file)
        else:
            with ipc.new_file(file, arrow.schema) as sink:
                sink.write_table(arrow)
        made[form] = (f"a.{form}", file.getvalue())
    return made


def tarred(*contents: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for n, content in enumerate(contents):
            info = tarfile.TarInfo(f"{n}.csv")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def zipped(*contents: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for n, content in enumerate(contents):
            archive.writestr(f"{n}.csv", content)
    return file.getvalue()


def lz4_legacy(text: bytes) -> bytes:
    size = 8 * 1024 * 1024
    blocks = [lz4.block.compress(text[at : at + size], store_size=False) for at in range(0, len(text), size)]
    return b"\x02\x21\x4c\x18" + b"".join(len(block).to_bytes(4, "little") + block for block in blocks)


def mail(text: bytes) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", "table"
    message.set_content("see the table")
    message.add_attachment(text, maintype="text", subtype="csv", filename="a.csv")
    return message.as_bytes()


def database(data: list[dict[str, object]]) -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table t (id, name, email, ssn, note)")
    connection.executemany("insert into t values (:id, :name, :email, :ssn, :note)", data)
    connection.commit()
    return connection.serialize()


def avro(data: list[dict[str, object]]) -> bytes:
    fields = [{"name": name, "type": "long" if name == "id" else "string"} for name in data[0]]
    file = io.BytesIO()
    fastavro.writer(file, {"type": "record", "name": "r", "fields": fields}, data, codec="deflate")
    return file.getvalue()


def xml(data: list[dict[str, object]]) -> bytes:
    rows_of = ("".join(f"<{name}>{html.escape(str(value))}</{name}>" for name, value in row.items()) for row in data)
    return ("<rows>" + "".join(f"<row>{row}</row>\n" for row in rows_of) + "</rows>").encode()


def outlook(text: bytes) -> bytes:
    name = "__substg1.0_"
    attached = "__attach_version1.0_#00000000/"
    return compound({
        "__properties_version1.0": bytes(64),
        name + "1000001F": text.decode("utf-8", "ignore").encode("utf-16-le"),
        attached + name + "37010102": text,
        attached + name + "3707001F": "a.csv".encode("utf-16-le"),
    })  # fmt: skip


def presentation(text: bytes) -> bytes:
    lines = (line.decode("utf-8", "ignore").encode("utf-16-le") for line in text.splitlines())
    records = b"".join(struct.pack("<HHI", 0, 0x0FA0, len(line)) + line for line in lines)
    return compound({"PowerPoint Document": records})


def main() -> None:
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    print("| format | stored MB | text MB | MB/s of text |\n|---|---|---|---|")
    for name, (key, content) in formats().items():
        if wanted not in name:
            continue
        runs = [measured(content, key) for _ in range(3)]
        size, seconds, outcome = min(runs, key=lambda run: run[1])
        assert outcome == "scanned", (name, outcome)
        print(f"| {name} | {len(content) / 1e6:.1f} | {size / 1e6:.1f} | {size / 1e6 / seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()

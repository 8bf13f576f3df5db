"""Extraction's throughput for each format on one core, and what bombs cost: the tables of docs/formats.md.

MB (10**6 bytes) of text that comes out for each second of CPU time, without detection; the best of three runs. Bombs
are measured each in a process of its own: peak resident memory beyond that before it began (Linux only), and seconds.

Run: python -m benchmarks.bench_formats
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import random
import sqlite3
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import fastavro
import lz4.frame
import pyarrow as pa
import zstandard
from pyarrow import ipc, orc, parquet

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.extract.budget import Budget
from scanner_tasks.extract.text import extract
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
        "csv in UTF-16, unmarked": ("a.csv", text.decode().encode("utf-16-le")),
        "json": ("a.json", json.dumps(data).encode()),
        "jsonl": ("a.jsonl", "\n".join(json.dumps(row) for row in data).encode()),
        "gzip": ("a.gz", gzip.compress(text)),
        "bzip2": ("a.bz2", bz2.compress(text)),
        "xz": ("a.xz", lzma.compress(text)),
        "lz4": ("a.lz4", lz4.frame.compress(text)),
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


def nested(times: int) -> bytes:
    content = b"0" * 1_000_000
    for _ in range(times):
        content = zipped(*[content] * 10)
    return content


def zstd_rle() -> bytes:
    block = (1 << 17 << 3 | 1 << 1).to_bytes(3, "little") + b"a"
    return b"\x28\xb5\x2f\xfd\x00\x58" + block * 16_000


BOMBS: dict[str, Callable[[], bytes]] = {
    "empty object": lambda: b"",
    "zip of 300 MB of zeros (1028:1)": lambda: zipped(b"0" * 300_000_000),
    "zstd, 2 GB from 64 KB": zstd_rle,
    "zips of ten zips, 6 deep": lambda: nested(6),
    "zip within zip, 30 deep": lambda: nest_deep(30),
    "tar.gz of 150,000 members": lambda: gzip.compress(tarred(*[b""] * 150_000), 1),
    "zip of 150,000 members": lambda: zipped(*[b"x"] * 150_000),
    "json nested 20 million deep": lambda: b"[" * 20_000_000,
    "billion laughs in a docx": lambda: docx([], **{"word/header1.xml": laughs()}),
    "xlsx of 1,000,000 empty rows": lambda: xlsx({"S": "".join(f'<row r="{n}"/>' for n in range(1, 1_000_001))}),
    "xlsx with a cell at XFD1048576": lambda: xlsx(
        {"S": '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>5</v></c></row>'}
    ),
    "pdf whose pages hold themselves": lambda: pdf(["a"]).replace(b"/Kids[4 0 R]", b"/Kids[2 0 R]"),
}


def laughs() -> str:
    entities = "".join(f'<!ENTITY {c} "{f"&{chr(ord(c) - 1)};" * 10}">' for c in "bcdefghij")
    return f'<!DOCTYPE x [<!ENTITY a "ha">{entities}]><w:p><w:t>&j;</w:t></w:p>'


def nest_deep(times: int) -> bytes:
    content = b"x"
    for _ in range(times):
        content = zipped(content)
    return content


def memory_kb(field: str) -> int:
    """From /proc: VmRSS is now, VmHWM the peak."""
    with Path("/proc/self/status").open(encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field))


def bomb(name: str) -> None:
    """In a process of its own, whose standard input is the bomb."""
    content = sys.stdin.buffer.read()
    measured(zipped(b"x"), "warm.zip")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    before = memory_kb("VmRSS")
    size, seconds, outcome = measured(content, "bomb")
    peak = memory_kb("VmHWM") - before
    print(f"| {name} | {len(content) / 1e6:.2f} | {outcome} | {size / 1e6:.1f} | {peak / 1024:.0f} | {seconds:.1f} |")


def main() -> None:
    if len(sys.argv) > 1:
        bomb(sys.argv[1])
        return
    tell_speed()
    tell_bombs()


def tell_speed() -> None:
    print("| format | stored MB | text MB | MB/s of text |\n|---|---|---|---|")
    for name, (key, content) in formats().items():
        runs = [measured(content, key) for _ in range(3)]
        size, seconds, outcome = min(runs, key=lambda run: run[1])
        assert outcome == "scanned", (name, outcome)
        print(f"| {name} | {len(content) / 1e6:.1f} | {size / 1e6:.1f} | {size / 1e6 / seconds:.0f} |", flush=True)


def tell_bombs() -> None:
    print("\n| bomb | stored MB | outcome | text MB | peak MB | s |\n|---|---|---|---|---|---|", flush=True)
    for name, make in BOMBS.items():
        command = [sys.executable, "-m", "benchmarks.bench_formats", name]
        done = subprocess.run(command, input=make(), capture_output=True, check=False)
        print(done.stdout.decode().strip() or f"| {name} | | ended by status {done.returncode} | | | |", flush=True)


if __name__ == "__main__":
    main()

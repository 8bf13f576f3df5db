"""How fast an S3 Inventory report becomes rows of the ledger: a million rows in ten files, CSV, Parquet and ORC.

The real Feed on a real PostgreSQL with fsync on; the report lies in memory, so that a GET costs nothing; nothing is
scanned. Each job is checked: every key of the report is in the ledger once.

    python -m benchmarks.bench_inventory [--rows 1000000] [--files 10] [--forms CSV Parquet ORC]
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import importlib
import io
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.postgres.machine import machine
from benchmarks.postgres.server import DURABLE, migrate, quiet
from scanner_tasks.core.model import JobStatus
from scanner_tasks.flow.read_results import get_job
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.store.engine import execute, make_engine, transaction
from tests.flow.conftest import System

SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass"
FOLDER = "daily/2026-11-01T01-00Z/manifest."
DEADLINE_S = 600.0


def _key(number: int) -> str:
    return f"tenant-{number % 97:02d}/dt=2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}/part-{number:09d}.json.gz"


def _rows(bucket: str, numbers: range) -> list[tuple[Any, ...]]:
    rows = []
    for key, number in sorted((_key(number), number) for number in numbers):
        etag = hashlib.md5(b"%d" % number, usedforsecurity=False).hexdigest()
        rows.append((bucket, key, "", True, False, 1000 + number % 9999, "2026-10-31T00:00:00.000Z", etag, "STANDARD"))
    return rows


def _csv(rows: list[tuple[Any, ...]]) -> bytes:
    told = io.StringIO()
    for bucket, key, version, _, _, size, modified, etag, storage_class in rows:
        quoted = key.replace("=", "%3D")
        values = (bucket, quoted, version, "true", "false", size, modified, etag, storage_class)
        told.write(",".join(f'"{value}"' for value in values) + "\n")
    return gzip.compress(told.getvalue().encode(), 6)


def _columnar(rows: list[tuple[Any, ...]], form: str) -> bytes:
    arrow, writer = importlib.import_module("pyarrow"), importlib.import_module(f"pyarrow.{form.lower()}")
    flags = ["is_latest", "is_delete_marker"]
    names = ["bucket", "key", "version_id", *flags, "size", "last_modified_date", "e_tag", "storage_class"]
    out = io.BytesIO()
    writer.write_table(arrow.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))), out)
    return out.getvalue()


def _publish(system: System, form: str, rows: int, files: int) -> None:
    made = {}
    for number in range(files):
        some = _rows(system.bucket, range(number * rows // files, (number + 1) * rows // files))
        made[f"data/{number}"] = _csv(some) if form == "CSV" else _columnar(some, form)
    manifest = {
        "sourceBucket": system.bucket,
        "fileFormat": form,
        "fileSchema": SCHEMA,
        "files": [
            {"key": key, "size": len(data), "MD5checksum": hashlib.md5(data, usedforsecurity=False).hexdigest()}
            for key, data in made.items()
        ],
    }
    text = json.dumps(manifest).encode()
    checksum = hashlib.md5(text, usedforsecurity=False).hexdigest().encode()
    system.objects.buckets["reports"] = {FOLDER + "json": text, FOLDER + "checksum": checksum, **made}


def _run(system: System, form: str, rows: int) -> str:
    job_id = start_job(system.bucket, inventory=f"s3://reports/{FOLDER}json", using=system.feeder).job_id
    began, cpu, turns = time.perf_counter(), time.process_time(), 0
    while get_job(job_id, real_time=True, using=system.feeder).job.status is JobStatus.LISTING:
        system.feed(job_id)
        turns += 1
        if time.perf_counter() - began > DEADLINE_S:
            raise AssertionError("The time is over.")
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    with transaction(system.engine) as connection:
        seen = execute(
            connection,
            "select sum(objects) objects, count(distinct k) keys from job_batches b join jobs j using (job_no)"
            " cross join unnest(b.keys) k where j.job_id = :job_id",
            job_id=job_id,
        ).one()
    if seen.keys != rows:
        raise AssertionError(f"{seen.keys} keys of {rows}.")
    megabytes = sum(len(data) for data in system.objects.buckets["reports"].values()) / 1e6
    return (
        f"| {form} | {megabytes:,.1f} | {seconds:,.1f} | {rows / seconds:,.0f} | {cpu * 1e6 / rows:.1f} "
        f"| {turns} | {rows - seen.keys} |"
    )


def main() -> int:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--forms", nargs="+", default=["CSV", "Parquet", "ORC"], choices=["CSV", "Parquet", "ORC"])
    options = parser.parse_args()
    quiet()
    folder = Path(tempfile.mkdtemp(prefix="s3scan-bench-"))
    folder.chmod(0o755)
    postgres = LocalPostgres(folder / "postgres", settings=DURABLE)
    try:
        postgres.start()
        migrate(postgres.url())
        engine = make_engine(postgres.url(), pool_size=8)
        print("| report | MB | s | rows/s | processor, µs a row | turns | wrong |\n|---|---|---|---|---|---|---|")
        for form in options.forms:
            system = System(engine, feed_high_water=2**31 - 1)
            _publish(system, form, options.rows, options.files)
            print(_run(system, form, options.rows), flush=True)
            system.worker.leases.stop()
        print()
        print(", ".join(f"{name} {value}" for name, value in machine(engine).items()), end=", ")
        print(f"{options.rows:,} rows in {options.files} files, load average {os.getloadavg()[0]:.1f} at the end.")
        engine.dispose()
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

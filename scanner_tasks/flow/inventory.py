"""A job from S3 Inventory: its report's files are read in the place of a listing, page by page, from where it stands.

The cursor is ``file:rows``: the file's place in the manifest, and how many of its rows are recorded. A turn that dies
is repeated from there; a file is read from its start again then, and checked again. Nothing of a file is used before
its MD5 is that of the manifest.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import importlib
import importlib.util
import io
import tempfile
from contextlib import closing
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from scanner_tasks.core.choosing import choose_page
from scanner_tasks.core.errors import InvalidInput, ObjectError, ObjectGone
from scanner_tasks.core.inventory import (
    CSV,
    MANIFEST_MAX_BYTES,
    PARQUET,
    Manifest,
    read_address,
    read_manifest,
    ref_of,
    row_of_columnar,
)
from scanner_tasks.core.model import ObjectRef
from scanner_tasks.store import feeding
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner_tasks.core.model import Job
    from scanner_tasks.core.ports import Objects
    from scanner_tasks.flow.parts import Feeder

#: Rows of a page, as many as a listing has keys.
_PAGE_ROWS = 1000
#: Bytes of a report's file that stay in memory; larger ones go to a temporary file.
_IN_MEMORY, _PIECE = 32 * 1024**2, 1024**2


def check_inventory(url: str, *, bucket: str, objects: Objects) -> Manifest:
    """The manifest at this address, whole and of this bucket; InvalidInput says what is wrong with it."""
    at, key = read_address(url)
    try:
        data = _read(objects, objects.head(at, key))
        told = _read(objects, objects.head(at, key.removesuffix("json") + "checksum")).decode(errors="replace").strip()
    except ObjectGone:
        raise InvalidInput("inventory: there is no manifest.json with its manifest.checksum at this address.") from None
    except ObjectError as error:
        raise InvalidInput(f"inventory: its manifest cannot be read. {error}") from None
    if told.lower() != hashlib.md5(data, usedforsecurity=False).hexdigest():
        raise InvalidInput("inventory: the manifest is not what its manifest.checksum says.")
    manifest = read_manifest(data, bucket=at)
    if manifest.source_bucket != bucket:
        raise InvalidInput(f"inventory: it is of the bucket {manifest.source_bucket!r}; give that as bucket.")
    if manifest.file_format != CSV and importlib.util.find_spec("pyarrow") is None:
        raise InvalidInput(
            f"inventory: its files are {manifest.file_format}, which needs the extra s3scan[columnar]; "
            "or let S3 Inventory write CSV."
        )
    return manifest


def _read(objects: Objects, ref: ObjectRef) -> bytes:
    if ref.size_bytes > MANIFEST_MAX_BYTES:
        raise InvalidInput(f"inventory: its manifest is larger than {MANIFEST_MAX_BYTES:,} bytes.")
    with objects.open(ref) as body:
        return b"".join(iter(lambda: body.read(_PIECE), b""))


class InventoryPages:
    """Pages of the report for one turn of Feed, from wherever the job stands."""

    def __init__(self, using: Feeder) -> None:
        self._using = using
        self._pages: Iterator[tuple[tuple[ObjectRef, ...], str, bool]] | None = None
        self._cursor: str | None = None

    def record_next(self, job: Job) -> int:
        """Record the next page; how many objects it had, 0 when another turn recorded it first."""
        if self._pages is None or self._cursor != job.cursor:
            self._pages = _pages(job, self._using.objects.through(job.access))
        refs, cursor, is_last = next(self._pages)
        chosen = choose_page(refs, job.selection, self._using.settings.policy, below=job.prefix, taken=job.taken)
        with transaction(self._using.engine) as connection:
            is_ours = feeding.add_batches(
                connection,
                job,
                chosen.batches,
                cursor=cursor,
                is_last=is_last or chosen.is_full,
                strata=chosen.strata,
                taken=chosen.taken,
            )
        self._cursor = cursor
        return len(refs) if is_ours else 0


def _pages(job: Job, objects: Objects) -> Iterator[tuple[tuple[ObjectRef, ...], str, bool]]:
    """Objects of a page, the cursor behind it, and whether it is the last."""
    assert job.inventory is not None
    manifest = check_inventory(job.inventory, bucket=job.bucket, objects=objects)
    first, skip = (int(part) for part in (job.cursor or "0:0").split(":"))
    for number in range(first, len(manifest.files)):
        is_last_file = number + 1 == len(manifest.files)
        with closing(_fetch(objects, manifest, number)) as opened:
            rows, at = _rows(opened, manifest), 0
            for _ in islice(rows, skip if number == first else 0):
                at += 1
            while some := list(islice(rows, _PAGE_ROWS)):
                at += len(some)
                refs = [ref_of(row, bucket=job.bucket, is_encoded=manifest.file_format == CSV) for row in some]
                below = [ref for ref in refs if ref is not None and ref.key.startswith(job.prefix)]
                yield tuple(sorted(below, key=lambda ref: ref.key)), f"{number}:{at}", False
        yield (), f"{number + 1}:0", is_last_file
    if first >= len(manifest.files):
        yield (), f"{first}:0", True


def _fetch(objects: Objects, manifest: Manifest, number: int) -> IO[bytes]:
    """The file, read to its end and checked, at its start."""
    file = manifest.files[number]
    spool: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 (the caller closes it)
    digest = hashlib.md5(usedforsecurity=False)
    ref = ObjectRef(bucket=manifest.bucket, key=file.key, size_bytes=file.size_bytes, etag="")
    try:
        with objects.open(ref) as body:
            while piece := body.read(_PIECE):
                digest.update(piece)
                spool.write(piece)
    except ObjectError as error:
        spool.close()
        raise InvalidInput(f"inventory: its file {number + 1} cannot be read. {error}") from None
    if digest.hexdigest() != file.md5:
        spool.close()
        raise InvalidInput(f"inventory: its file {number + 1} is not what the manifest's checksum says.")
    spool.seek(0)
    return spool


def _rows(opened: IO[bytes], manifest: Manifest) -> Iterator[dict[str, Any]]:
    if manifest.file_format == CSV:
        try:
            with gzip.open(opened) as unpacked, io.TextIOWrapper(unpacked, encoding="utf-8", newline="") as text:
                for values in csv.reader(text):
                    yield dict(zip(manifest.columns, values, strict=True))
        except (ValueError, OSError, EOFError, csv.Error):
            raise InvalidInput("inventory: a file of it is no gzipped CSV with the manifest's columns.") from None
        return
    name = "pyarrow.parquet" if manifest.file_format == PARQUET else "pyarrow.orc"
    arrow: Any = importlib.import_module(name)
    if manifest.file_format == PARQUET:
        batches = arrow.ParquetFile(opened).iter_batches(batch_size=_PAGE_ROWS)
    else:
        table = arrow.ORCFile(opened)
        batches = (table.read_stripe(n) for n in range(table.nstripes))
    for batch in batches:
        for row in batch.to_pylist():
            yield row_of_columnar(row)

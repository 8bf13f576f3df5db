"""A job from S3 Inventory: its report's files are read in the place of a listing, several at a time.

Each file is a range of the listing (store/key_ranges.py): its cursor is how many of its rows are recorded, its lease
says which turn reads it. A turn that dies leaves its files to the next when their leases end; a file that was begun
is then read from its start and checked again, and its recorded rows are passed over. Nothing of a file is used before
its MD5 is that of the manifest.

    Three files, turn A. A has recorded 2,000 rows of file 0 and 5,000 of file 1, and dies. Turn B, a minute later,
    takes files 0, 1 and 2, passes over 2,000 rows of file 0 and 5,000 of file 1, and records the rest.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import hashlib
import importlib
import importlib.util
import io
import queue
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from operator import attrgetter
from typing import IO, TYPE_CHECKING, Any, Self

from scanner_tasks.core.errors import InvalidInput, ObjectError, ObjectGone
from scanner_tasks.core.inventory import (
    CSV,
    MANIFEST_MAX_BYTES,
    PARQUET,
    SNAKE,
    Manifest,
    Rows,
    read_address,
    read_manifest,
)
from scanner_tasks.core.listing.plan import Found
from scanner_tasks.core.model import ObjectRef
from scanner_tasks.flow.list_bucket import PAGES_AT_ONCE, UNBOUNDED, ListedPage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from scanner_tasks.core.ports import Objects

#: Rows of a page, as many as a listing has keys.
_PAGE_ROWS = 1000
#: Bytes of a report's file that stay in memory; larger ones go to a temporary file.
_IN_MEMORY, _PIECE = 8 * 1024**2, 1024**2
#: Files that are read at the same time, and lie in temporary files meanwhile.
FILES_AT_ONCE = 4
#: Seconds between two looks of a thread whose page nobody takes.
_LOOK_S = 0.2


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


class Report:
    """One walk over what is left of a report, as ``list_bucket.Walk`` is over a bucket; a context manager.

    Args:
        objects: reads the report.
        manifest: what is in it.
        ranges: the files that are left, by the plan's number and how many of their rows are recorded.
        bucket: what it is of.
        prefix: of the keys that are wanted.
        files_at_once: threads that read.
    """

    def __init__(  # noqa: PLR0917 (what a walk is)
        self,
        objects: Objects,
        manifest: Manifest,
        ranges: Sequence[tuple[int, int, int]],
        bucket: str,
        prefix: str,
        files_at_once: int = FILES_AT_ONCE,
    ) -> None:
        self._objects, self._manifest, self._bucket, self._prefix = objects, manifest, bucket, prefix
        #: Pages that the caller has room for; 0 ends the walk, with at least one page read.
        self.allowed = UNBOUNDED
        #: Files opened.
        self.requests = 0
        self._left = queue.SimpleQueue[tuple[int, int, int]]()
        for one in ranges:
            self._left.put(one)
        self._pages = queue.Queue[ListedPage | BaseException | None](PAGES_AT_ONCE)
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"report-{n}", daemon=True)
            for n in range(min(files_at_once, len(ranges)))
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Threads end before their next page; nobody waits for them."""
        self._ended.set()

    def pages(self, *, wait_s: float) -> Iterator[list[ListedPage]]:
        """What has been read, some pages at a time, a file's in their order; nothing after ``wait_s`` without any.

        Raises InvalidInput for a file that is not what the manifest says.
        """
        working, has_given = len(self._threads), False
        while working and (self.allowed > 0 or not has_given):
            listed: list[ListedPage] = []
            try:
                got = self._pages.get(timeout=wait_s)
                while True:
                    if isinstance(got, BaseException):
                        raise got
                    if got is None:
                        working -= 1
                    else:
                        listed.append(got)
                    if len(listed) >= min(PAGES_AT_ONCE, max(1, self.allowed)):
                        break
                    got = self._pages.get_nowait()
            except queue.Empty:
                pass
            has_given |= bool(listed)
            yield listed

    def _work(self) -> None:
        last: BaseException | None = None
        try:
            while not self._ended.is_set():
                try:
                    number, file_no, rows = self._left.get_nowait()
                except queue.Empty:
                    break
                for page in self._read(number, file_no, rows):
                    if not self._put(page):
                        return
        except BaseException as error:  # noqa: BLE001 (raised where the pages are taken)
            last = error
        self._put(last)

    def _put(self, page: ListedPage | BaseException | None) -> bool:
        while not self._ended.is_set():
            with contextlib.suppress(queue.Full):
                self._pages.put(page, timeout=_LOOK_S)
                return True
        return False

    def _read(self, number: int, file_no: int, rows: int) -> Iterator[ListedPage]:
        """The file's pages behind so many of its rows; the last one has none and ends it."""
        at = rows
        if file_no < len(self._manifest.files):  # the report of an empty bucket has no file
            self.requests += 1
            with closing(_fetch(self._objects, self._manifest, file_no)) as opened:
                for columns, some in _rows(opened, self._manifest, skip=rows):
                    at += len(some)
                    decode = Rows(columns, bucket=self._bucket, is_encoded=self._manifest.file_format == CSV)
                    refs = [ref for ref in decode.refs(some) if ref.key.startswith(self._prefix)]
                    refs.sort(key=attrgetter("key"))
                    yield _page(number, at, refs, is_done=False)
        yield _page(number, at, [], is_done=True)


def _page(number: int, at: int, refs: Sequence[ObjectRef], *, is_done: bool) -> ListedPage:
    return ListedPage(Found(number=number, keys=len(refs), cursor=str(at), until=None, is_done=is_done), tuple(refs))


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


def _rows(
    opened: IO[bytes], manifest: Manifest, *, skip: int
) -> Iterator[tuple[Sequence[str], Sequence[Sequence[Any]]]]:
    """The names of columns and a page's rows, behind so many rows of the file."""
    if manifest.file_format == CSV:
        try:
            with gzip.open(opened) as unpacked, io.TextIOWrapper(unpacked, encoding="utf-8", newline="") as text:
                reader = csv.reader(text)
                deque(islice(reader, skip), maxlen=0)
                while some := list(islice(reader, _PAGE_ROWS)):
                    yield manifest.columns, some
        except (ValueError, OSError, EOFError, csv.Error):
            raise InvalidInput("inventory: a file of it is no gzipped CSV with the manifest's columns.") from None
        return
    for batch in _columnar(opened, manifest):
        names = [name for name in SNAKE if SNAKE[name] in batch.schema.names]
        for start in range(0, batch.num_rows, _PAGE_ROWS):
            size = min(_PAGE_ROWS, batch.num_rows - start)
            first, skip = min(skip, size), max(0, skip - size)
            if first < size:
                part = batch.slice(start + first, size - first)
                yield names, list(zip(*(part.column(SNAKE[name]).to_pylist() for name in names), strict=True))


def _columnar(opened: IO[bytes], manifest: Manifest) -> Iterator[Any]:
    """Record batches of Parquet or ORC."""
    name = "pyarrow.parquet" if manifest.file_format == PARQUET else "pyarrow.orc"
    arrow: Any = importlib.import_module(name)
    broken = importlib.import_module("pyarrow").ArrowException
    try:
        if manifest.file_format == PARQUET:
            file = arrow.ParquetFile(opened)
            wanted = [each for each in file.schema_arrow.names if each in set(SNAKE.values())]
            yield from file.iter_batches(batch_size=_PAGE_ROWS, columns=wanted)
        else:
            file = arrow.ORCFile(opened)
            wanted = [each for each in file.schema.names if each in set(SNAKE.values())]
            yield from (file.read_stripe(n, columns=wanted) for n in range(file.nstripes))
    except (broken, OSError):
        raise InvalidInput(f"inventory: a file of it is no {manifest.file_format}.") from None

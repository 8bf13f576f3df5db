"""The demo's sample data set: some 340 objects in three buckets, the same from the same seed, with exact ground truth.

The truth says for each object which outcome it must have, and how often each rule must be found in it. It is kept
beside the objects as ``truth.json``. Objects lie on the disk under numbers: keys such as ``x/../y`` are no file names.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from scanner_tasks.core.model import Outcome
from scanner_tasks.local import sample_files as files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

SEED = 20_251_031
CUSTOMERS, LOGS, EXPORTS = BUCKETS = ("demo-customers", "demo-logs", "demo-exports")
#: The one large object: it is written and read in pieces, and is a batch of its own kind.
LARGE_BYTES = 21_000_000

_LINES: Mapping[str, files.Lines] = {
    "csv": files.csv_lines,
    "json": files.json_lines,
    "jsonl": files.jsonl_lines,
    "log": files.log_lines,
    "txt": files.text_lines,
}
#: Keys that a client library may "repair" on the way, so that an object would hide behind them. All are text.
ODD_KEYS = (
    "a//b.csv",
    "/lead.txt",
    "x/../y.json",
    "sp ace+é.csv",
    "./dot.log",
    "//two/lead.jsonl",
    "query?x=1&y#z.log",
    "percent%25%2F.txt",
    "back\\slash.csv",
    "new\nline.txt",
    " space at both ends ",
    "no-extension",
    "trail/",
    "日本語/データ.jsonl",
)


@dataclass(frozen=True, kw_only=True)
class SampleObject:
    """One object of the sample: where its bytes lie, and the truth about it."""

    bucket: str
    key: str
    path: Path
    size_bytes: int
    outcome: Outcome
    #: Rule id → exact number of occurrences.
    findings: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The whole data set as written."""

    objects: tuple[SampleObject, ...]

    def of(self, bucket: str) -> tuple[SampleObject, ...]:
        """A bucket's objects."""
        return tuple(o for o in self.objects if o.bucket == bucket)


def make_sample(folder: Path, *, seed: int = SEED, large_bytes: int = LARGE_BYTES) -> Sample:
    """Write the objects and ``truth.json`` into the folder, which is made; the same seed gives the same bytes."""
    contents = folder / "objects"
    contents.mkdir(parents=True, exist_ok=True)
    objects = tuple(_write(contents / f"{number:04d}", plan, seed, large_bytes) for number, plan in enumerate(_plans()))
    truth = [
        {
            "bucket": o.bucket,
            "key": o.key,
            "file": str(o.path.relative_to(folder)),
            "size_bytes": o.size_bytes,
            "outcome": str(o.outcome),
            "findings": o.findings,
        }
        for o in objects
    ]
    (folder / "truth.json").write_text(json.dumps({"seed": seed, "objects": truth}, indent=1, ensure_ascii=False))
    return Sample(objects=objects)


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What is put under a key: ``kind`` is a name of ``_LINES`` (``.gz`` added: compressed) or of ``_special``."""

    bucket: str
    key: str
    kind: str
    outcome: Outcome = Outcome.SCANNED


#: Bucket, number of objects, key with the number in it, kind, outcome.
_SERIES: tuple[tuple[str, int, str, str, Outcome], ...] = (
    (CUSTOMERS, 60, "crm/2025/customers-{:03d}.csv", "csv", Outcome.SCANNED),
    (CUSTOMERS, 40, "letters/letter-{:03d}.txt", "txt", Outcome.SCANNED),
    (CUSTOMERS, 6, "quiet/harmless-{}.txt", "harmless", Outcome.SCANNED),
    (LOGS, 60, "svc/app-{:03d}.log", "log", Outcome.SCANNED),
    (LOGS, 30, "archive/app-{:03d}.log.gz", "log.gz", Outcome.SCANNED),
    (LOGS, 10, "quiet/nothing-{:03d}.log", "harmless", Outcome.SCANNED),
    (LOGS, 1, "svc/large.log", "large", Outcome.SCANNED),
    (LOGS, 1, "archive/two-members.log.gz", "members", Outcome.SCANNED),
    (LOGS, 1, "archive/cut-off.log.gz", "cut", Outcome.PARTIAL_CORRUPT),
    (LOGS, 4, "svc/empty-{}.log", "empty", Outcome.SKIPPED_EMPTY),
    (EXPORTS, 50, "events/part-{:04d}.jsonl", "jsonl", Outcome.SCANNED),
    (EXPORTS, 30, "config/service-{:03d}.json", "json", Outcome.SCANNED),
    (EXPORTS, 20, "dumps/users-{:03d}.csv.gz", "csv.gz", Outcome.SCANNED),
    (EXPORTS, 1, "windows/notes.txt", "utf-16", Outcome.SCANNED),
    (EXPORTS, 6, "photos/{}.png", "png", Outcome.SCANNED),
    (EXPORTS, 2, "backups/{}.7z", "7z", Outcome.SKIPPED_UNSUPPORTED),
    (EXPORTS, 3, "bundles/bundle-{}.zip", "zip", Outcome.SCANNED),
    (EXPORTS, 3, "reports/report-{}.docx", "docx", Outcome.SCANNED),
    (EXPORTS, 2, "reports/customers-{}.xlsx", "xlsx", Outcome.SCANNED),
)


def _plans() -> Iterator[_Plan]:
    for bucket, count, key, kind, outcome in _SERIES:
        for number in range(count):
            yield _Plan(bucket=bucket, key=key.format(number), kind=kind, outcome=outcome)
    for key in ODD_KEYS:
        kind = key.rpartition(".")[2]
        yield _Plan(bucket=CUSTOMERS, key=key, kind=kind if kind in _LINES else "txt")
    for folder in ("crm/", "letters/", "trail/deeper/"):
        yield _Plan(bucket=CUSTOMERS, key=folder, kind="empty", outcome=Outcome.SKIPPED_FOLDER_MARKER)


def _write(path: Path, plan: _Plan, seed: int, large_bytes: int) -> SampleObject:
    # Each object draws from a generator of its own: adding one changes no other.
    rng = random.Random(f"{seed}/{plan.bucket}/{plan.key}")  # noqa: S311 (to repeat, not to hide)
    counts: Counter[str] = Counter()
    size = 0
    with path.open("wb") as file:
        for piece in _content(plan.kind, rng, counts, large_bytes):
            size += file.write(piece)
    return SampleObject(
        bucket=plan.bucket,
        key=plan.key,
        path=path,
        size_bytes=size,
        outcome=plan.outcome,
        findings=dict(sorted(counts.items())),
    )


def _content(kind: str, rng: random.Random, counts: Counter[str], large_bytes: int) -> Iterator[bytes]:
    rows = rng.randrange(20, 60)
    name, _, compressed = kind.partition(".")
    if name in _LINES:
        pieces = files.encoded(_LINES[name](rng, rows, counts))
        return files.gzipped(pieces) if compressed else pieces
    return _special(kind, rng, counts, large_bytes)


def _special(kind: str, rng: random.Random, counts: Counter[str], large_bytes: int) -> Iterator[bytes]:
    makers: dict[str, Callable[[], Iterator[bytes]]] = {
        "large": lambda: _large(rng, counts, large_bytes),
        "members": lambda: files.gzipped(
            chain(
                files.encoded(files.log_lines(rng, 80, counts)),
                files.encoded(files.text_lines(rng, 80, counts)),
            ),
            member_bytes=1,
        ),
        "cut": lambda: _cut_off(files.gzipped(files.encoded(files.early_lines(rng, 6_000, counts)))),
        "utf-16": lambda: chain([b"\xff\xfe"], files.encoded(files.text_lines(rng, 60, counts), "utf-16-le")),
        "png": lambda: iter([files.png(rng)]),
        "7z": lambda: iter([b"7z\xbc\xaf\x27\x1c\0\4" + rng.randbytes(2000)]),
        "zip": lambda: iter([files.zipped(rng, counts)]),
        "xlsx": lambda: iter([files.xlsx(rng, counts)]),
        "docx": lambda: iter([files.docx(rng, counts)]),
        "harmless": lambda: files.encoded(files.harmless_lines(rng, 40, counts)),
        "empty": lambda: iter([]),
    }
    return makers[kind]()


def _cut_off(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What is left of a file whose last tenth never arrived."""
    whole = b"".join(pieces)
    yield whole[: len(whole) * 9 // 10]


def _large(rng: random.Random, counts: Counter[str], size_bytes: int) -> Iterator[bytes]:
    """A log of at least that size: blocks of look-alikes that repeat, with fresh lines with values between them."""
    blocks = [b"".join(files.encoded(files.harmless_lines(rng, 1000, counts))) for _ in range(4)]
    size = 0
    while size < size_bytes:
        fresh = b"".join(files.encoded(files.log_lines(rng, 80, counts)))
        block = blocks[rng.randrange(len(blocks))]
        yield fresh
        yield block
        size += len(fresh) + len(block)

"""Makes a large data set of made-up values in a bucket: for measuring, after a deployment or against the emulator.

``python -m scanner_tasks.local.dataset --bucket BUCKET --objects 100000`` (``make dataset``) puts objects under
``PREFIX/00/00000000.csv`` …, in a hundred folders, the same from the same seed. Bodies are taken in turn from a
pool of two hundred, so that making them is not slower than sending them.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from scanner_tasks.local import sample_files as files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SEED = 20_261_123
THREADS = 32
#: Distinct bodies; more make no scan slower or faster.
POOL = 200
_KINDS: tuple[tuple[str, files.Lines], ...] = (
    ("csv", files.csv_lines),
    ("json", files.json_lines),
    ("log", files.log_lines),
    ("txt", files.text_lines),
)


def make_pool(seed: int, size_bytes: int, *, count: int = POOL) -> list[tuple[str, bytes]]:
    """So many bodies of about that size, each with its extension.

    Examples:
        >>> pool = make_pool(1, 2000, count=4)
        >>> [kind for kind, _ in pool], all(1000 < len(body) < 8000 for _, body in pool)
        (['csv', 'json', 'log', 'txt'], True)
        >>> pool == make_pool(1, 2000, count=4)
        True
    """
    pool = []
    for number in range(count):
        kind, lines = _KINDS[number % len(_KINDS)]
        rng = random.Random(f"{seed}/{number}")  # noqa: S311 (to repeat, not to hide)
        counts: Counter[str] = Counter()
        one = sum(map(len, files.encoded(lines(rng, 40, counts)))) / 40
        rows = max(1, round(size_bytes / one))
        pool.append((kind, b"".join(files.encoded(lines(rng, rows, counts)))))
    return pool


def objects(prefix: str, count: int, pool: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Key and body of each object, in order.

    Examples:
        >>> [key for key, _ in objects("p/", 2, [("csv", b"x"), ("log", b"y")])]
        ['p/00/00000000.csv', 'p/01/00000001.log']
    """
    for number in range(count):
        kind, body = pool[number % len(pool)]
        yield f"{prefix}{number % 100:02d}/{number:08d}.{kind}", body


def upload(s3: Any, bucket: str, wanted: Iterator[tuple[str, bytes]], *, threads: int = THREADS) -> Iterator[int]:
    """Send them all, some thousands at a time; gives how many are there so far."""
    sent = 0
    with ThreadPoolExecutor(threads) as pool:
        while some := list(islice(wanted, 2_000)):
            list(pool.map(lambda pair: s3.put_object(Bucket=bucket, Key=pair[0], Body=pair[1]), some))
            sent += len(some)
            yield sent


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m scanner_tasks.local.dataset")
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--prefix", default="s3scan-dataset/")
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--bytes", type=int, default=10_000, help="size of an object, about")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args(argv)
    s3 = boto3.client("s3", config=Config(max_pool_connections=THREADS, retries={"mode": "standard"}))
    began = time.monotonic()
    pool = make_pool(asked.seed, asked.bytes)
    try:
        for sent in upload(s3, asked.bucket, objects(asked.prefix, asked.objects, pool)):
            print(f"{sent:,} of {asked.objects:,} objects, {sent / (time.monotonic() - began):,.0f}/s", flush=True)
    except (BotoCoreError, ClientError) as error:
        print(f"dataset: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

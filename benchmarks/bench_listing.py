"""How fast a bucket is listed through 16 connections, beside one: docs/listing.md's tables.

A small S3 in a process of its own computes the keys of five layouts, checks every signature, and answers each page
after 70 ms. For each layout in turn: 16 connections list all once, so that the store has made what it tells; then,
round by round, boto3 and one connection of ours list the first pages, and 16 list all, checked as sets. ``workers`` is
how many requests were on their way, on average over the walk. Then the processor's time that a page costs, by boto3 and
by our client (one connection, no latency). Nothing is recorded in a ledger: benchmarks/simulate_listing.py does that.

Run: python -m benchmarks.bench_listing [--keys 1000000] [--rounds 2] [--connections 16]
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from scanner_tasks.aws.sources import Backend, Sources
from scanner_tasks.core.listing.plan import PAGE_KEYS, KeyRange
from scanner_tasks.flow.list_bucket import Walk
from tests.aws.fake_s3 import LAYOUTS, FakeS3

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner_tasks.aws.objects import ObjectReader

PAGE_S = 0.070
#: Pages that the sequential side lists: its rate does not depend on how many.
SEQUENTIAL_PAGES = 60
#: Pages of a measurement of processor time.
CPU_PAGES = 20
EVERYTHING = (KeyRange(number=0),)


def serve(keys: int, page_s: float) -> None:
    """The store's process: prints its port, ends with its standard input."""
    server = FakeS3()
    server.keeps_requests = False
    for name, layout in LAYOUTS.items():
        server.generated(bucket_name(name), layout(keys))
    server.page_s = page_s
    print(server.port, flush=True)
    sys.stdin.read()
    os._exit(0)


def bucket_name(layout: str) -> str:
    return layout.replace(" ", "-").replace("%", "in-100")


@contextmanager
def store(keys: int, page_s: float) -> Iterator[str]:
    """The endpoint of a running store."""
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bench_listing", "serve", str(keys), str(page_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


@dataclass(frozen=True)
class Listed:
    """One walk."""

    keys_per_s: float
    requests: int
    #: Requests on their way, on average.
    workers: float
    cpu_ms_a_page: float


def walk(objects: ObjectReader, bucket: str, *, connections: int, pages: int | None = None) -> tuple[Listed, list[str]]:
    """List all, or about so many pages; the keys as they came."""
    keys: list[str] = []
    began, cpu, before, busy = time.perf_counter(), time.process_time(), time.perf_counter(), 0.0
    with Walk(objects, bucket, "", EVERYTHING, connections=connections) as listing:
        for found in listing.pages(wait_s=5):
            now = time.perf_counter()
            busy += listing.on_their_way * (now - before)
            before = now
            for page in found:
                keys.extend(ref.key for ref in page.objects)
            if pages is not None and len(keys) >= pages * PAGE_KEYS:
                listing.allowed = 0
    took = time.perf_counter() - began
    cost = (time.process_time() - cpu) * 1000 * PAGE_KEYS / len(keys)
    return Listed(len(keys) / took, listing.plan.requests, busy / took, cost), keys


def cpu_ms(objects: ObjectReader, bucket: str) -> float:
    """Of one page, one after the other."""
    objects.list_page(bucket, prefix="", start_after=None)  # the connection
    after: str | None = None
    began = time.process_time()
    for _ in range(CPU_PAGES):
        after = objects.list_page(bucket, prefix="", start_after=after).objects[-1].key
    return (time.process_time() - began) * 1000 / CPU_PAGES


def reader(endpoint_url: str, connections: int, backend: Backend = "lean") -> ObjectReader:
    return Sources(backend=backend, region="us-east-1", aws_endpoint_url=endpoint_url, pool_size=connections + 2).own()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=16)
    asked = parser.parse_args()
    pages = -(-asked.keys // PAGE_KEYS)
    print(
        f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f}, {asked.keys:,} keys, {PAGE_S * 1000:.0f} ms a page\n"
    )
    print("| Layout | boto3, keys/s | ours, one | 16 | 16 / boto3 | 16 / one | requests a page | workers | wrong |")
    print("|---|---|---|---|---|---|---|---|---|")
    with store(asked.keys, PAGE_S) as endpoint_url:
        for layout, make in LAYOUTS.items():
            expected = {*map(make(asked.keys).key, range(asked.keys))}
            stock, one, many, wrong = [], [], [], 0
            warming = reader(endpoint_url, asked.connections)
            walk(warming, bucket_name(layout), connections=asked.connections)
            warming.close()
            for _ in range(asked.rounds):
                objects = reader(endpoint_url, asked.connections)
                stock.append(_stock_rate(_stock(endpoint_url), bucket_name(layout)))
                one.append(walk(objects, bucket_name(layout), connections=1, pages=SEQUENTIAL_PAGES)[0])
                told, keys = walk(objects, bucket_name(layout), connections=asked.connections)
                many.append(told)
                wrong += len(keys) - len(set(keys)) + len(expected ^ set(keys))
                objects.close()
            ratios = " ".join(f"{m.keys_per_s / o.keys_per_s:.1f}" for o, m in zip(one, many, strict=True))
            to_stock = " ".join(f"{m.keys_per_s / rate:.1f}" for rate, m in zip(stock, many, strict=True))
            print(
                f"| {layout} | {median(stock):,.0f} | {median(o.keys_per_s for o in one):,.0f} "
                f"| {median(m.keys_per_s for m in many):,.0f} | {to_stock} | {ratios} "
                f"| {max(m.requests for m in many) / pages:.2f} | {min(m.workers for m in many):.1f} "
                f"| {wrong} |",
                flush=True,
            )
    print("\n| Processor's time of a page, ms | boto3, as it comes | boto3, as ours | lean | boto3 / lean |")
    print("|---|---|---|---|---|")
    with store(asked.keys, 0.0) as endpoint_url:
        stock, ours, lean = _stock(endpoint_url), reader(endpoint_url, 2, "boto3"), reader(endpoint_url, 2)
        for layout in LAYOUTS:
            rows = [
                (_stock_ms(stock, bucket_name(layout)), *(cpu_ms(o, bucket_name(layout)) for o in (ours, lean)))
                for _ in range(3)
            ]
            a, b, c = (median(row[n] for row in rows) for n in range(3))
            print(f"| {layout} | {a:.1f} | {b:.1f} | {c:.1f} | {' '.join(f'{r[0] / r[2]:.1f}' for r in rows)} |")


def _stock(endpoint_url: str) -> object:
    import boto3  # noqa: PLC0415 (botocore's own session, with nothing of ours)

    return boto3.session.Session(region_name="us-east-1").client("s3", endpoint_url=endpoint_url)


def _stock_rate(client: object, bucket: str) -> float:
    """Keys a second, one page after the other."""
    after = ""
    began = time.perf_counter()
    for _ in range(CPU_PAGES):
        answer = client.list_objects_v2(Bucket=bucket, StartAfter=after)  # type: ignore[attr-defined]
        after = answer["Contents"][-1]["Key"]
    return CPU_PAGES * PAGE_KEYS / (time.perf_counter() - began)


def _stock_ms(client: object, bucket: str) -> float:
    after = ""
    client.list_objects_v2(Bucket=bucket)  # type: ignore[attr-defined]
    began = time.process_time()
    for _ in range(CPU_PAGES):
        answer = client.list_objects_v2(Bucket=bucket, StartAfter=after)  # type: ignore[attr-defined]
        after = answer["Contents"][-1]["Key"]
    return (time.process_time() - began) * 1000 / CPU_PAGES


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]), float(sys.argv[3]))
    else:
        main()

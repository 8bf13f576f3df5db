"""CPU time that one read of an S3 object costs on each backend, and a page of a listing: docs/reading-s3.md's table.

FakeS3 of the tests serves plain HTTP on loopback from a process of its own. Each round measures the backends one after
the other; the ratio is between neighbours of one round. CPU is this process's, user and system, all threads. What the
service and the network cost, TLS and detection are not in it.

Run: python -m benchmarks.bench_object_reads [rounds]
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from scanner_tasks.aws.objects import ObjectReader
from scanner_tasks.aws.sources import Backend, Sources
from scanner_tasks.core.model import ObjectRef
from tests.aws.fake_s3 import FakeS3

WINDOW = 1024**2
THREADS = 8
#: Name, bytes of the object, reads of a measurement.
CASES = (("2 KB", 2_000, 1500), ("64 KB", 64_000, 800), ("8 MB in windows of 1 MiB", 8_000_000, 24))
LISTED, PAGES = 1000, 12
BACKENDS: tuple[Backend, ...] = ("boto3", "lean")


def serve() -> None:
    server = FakeS3()
    bucket = server.bucket("bucket", {f"{size}/a//b": os.urandom(size) for _, size, _ in CASES})
    for n in range(LISTED):
        bucket.put(f"year=2026/month=03/part-{n:09d} of a listing.csv.gz", b"x")
    print(server.port, flush=True)
    sys.stdin.read()
    os._exit(0)


def read(reader: ObjectReader, ref: ObjectRef) -> None:
    with reader.open(ref) as body:
        size = sum(map(len, iter(lambda: body.read(WINDOW), b"")))
    assert size == ref.size_bytes


def cpu_ms(work: object, times: int, threads: int) -> float:
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: work(), range(threads)))  # connections
        began = time.process_time()
        list(pool.map(lambda _: work(), range(times)))
        return (time.process_time() - began) * 1000 / times


def measure(rounds: int, endpoint_url: str) -> dict[str, list[tuple[float, float]]]:
    readers = {
        backend: Sources(backend=backend, region="us-east-1", aws_endpoint_url=endpoint_url).own()
        for backend in BACKENDS
    }
    refs = {ref.key: ref for ref in readers["lean"].list_page("bucket", prefix="", start_after=None).objects}
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for name, size, times in CASES:
            ref = refs[f"{size}/a//b"]
            pair = tuple(cpu_ms(lambda r=readers[b], o=ref: read(r, o), times, THREADS) for b in BACKENDS)
            found.setdefault(name, []).append(pair)
        pair = tuple(
            cpu_ms(lambda r=readers[b]: r.list_page("bucket", prefix="year", start_after=None), PAGES, 1)
            for b in BACKENDS
        )
        found.setdefault(f"LIST, a page of {LISTED:,}", []).append(pair)
    return found


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bench_object_reads", "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        port = int(server.stdout.readline())
        found = measure(rounds, f"http://127.0.0.1:{port}")
    finally:
        server.stdin.close()
        server.wait()
        server.stdout.close()
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, {rounds} rounds")
    print(f"load {os.getloadavg()[0]:.1f}, {THREADS} threads\n")
    print("| Read | boto3, CPU ms | lean, CPU ms | boto3 / lean, each round |")
    print("|---|---|---|---|")
    for name, pairs in found.items():
        ratios = " ".join(f"{boto3 / lean:.1f}" for boto3, lean in pairs)
        print(f"| {name} | {median(b for b, _ in pairs):.2f} | {median(lean for _, lean in pairs):.2f} | {ratios} |")


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else main()

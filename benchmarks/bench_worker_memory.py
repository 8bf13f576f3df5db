"""A whole worker's memory with 20 objects in flight, some of them bombs: the figures of docs/formats.md.

A real worker (Celery, 20 threads) of the local stack scans a bucket with a mixture of formats and bombs, for several
jobs at a time, so that each of its threads has a batch. Its processes are looked at every 50 ms; pages that they share
are counted once (proportional set size, as a container's limit counts them), Linux only.

Run: python -m benchmarks.bench_worker_memory [JOBS]
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.bench_formats import formats
from benchmarks.bombs import BOMBS
from scanner_tasks.local import stack as stacks
from scanner_tasks.local.api_client import Api
from scanner_tasks.local.deploy import client
from tests.formats.making import pdf

BUCKET = "worker-memory"
CHOSEN = (
    "zip of 300 MB of zeros (1028:1)", "zips of ten zips, 6 deep (42.zip)", "tar.gz of 1,000,000 members",
    "json nested 20 million deep", "xlsx, 1,000,000 cells of one text of 32 KB", "pdf form that draws itself",
    "png, 20 texts of 100 MB", "mail, 100,000 parts in one another", "avro block of 1 GB of zeros",
    "parquet, 100,000 rows of one text of 1 MB", "rtf of 20 million open groups",
)  # fmt: skip


def mixture() -> dict[str, bytes]:
    made = {f"{n:02d}-{key}": content for n, (key, content) in enumerate(formats().values())}
    made["large.csv"] = b"id,ssn\n" + b"".join(b"%d,512-44-%04d\n" % (n, n % 10_000) for n in range(1_500_000))
    made["noise.bin"] = random.Random(1).randbytes(20_000_000)
    made["pages.pdf"] = pdf([f"page {n}" for n in range(1000)])
    return made | {f"bomb-{n:02d}-{BOMBS[name][0]}": BOMBS[name][1]() for n, name in enumerate(CHOSEN)}


def descendants(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def pss_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def main() -> None:
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    stacks.WORKERS = 1
    with tempfile.TemporaryDirectory() as folder, stacks.Stack(Path(folder) / "stack", say=print) as stack:
        s3 = client("s3", stack.emulator.endpoint_url)
        s3.create_bucket(Bucket=BUCKET)
        objects = mixture()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda item: s3.put_object(Bucket=BUCKET, Key=item[0], Body=item[1]), objects.items()))
        print(f"{len(objects)} objects of {sum(map(len, objects.values())) / 1e6:.0f} MB", flush=True)
        worker = next(child for child in stack._children if child.name == "worker-1")  # noqa: SLF001
        assert worker.pid
        peak, at_peak, done = 0.0, "", threading.Event()

        def watch() -> None:
            nonlocal peak, at_peak
            while not done.wait(0.05):
                sizes = [pss_mb(pid) for pid in descendants(worker.pid)]
                if sum(sizes) > peak:
                    peak, at_peak = sum(sizes), " + ".join(f"{size:.0f}" for size in sizes if size > 1)

        watcher = threading.Thread(target=watch)
        watcher.start()
        api = Api(stack.api_url)
        started = [api.start_scan(BUCKET) for _ in range(jobs)]
        outcomes: Counter[str] = Counter()
        for job in started:
            while not (state := api.job(job)).is_final:
                stack.check()
                time.sleep(1)
            outcomes += Counter(state.outcomes)
        done.set()
        watcher.join()
    print(f"{jobs} jobs of {len(objects)} objects: {dict(outcomes)}")
    print(f"peak {peak:.0f} MB = {at_peak}")


if __name__ == "__main__":
    main()

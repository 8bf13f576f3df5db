"""A whole worker's memory with 20 objects in flight, some of them bombs: the figures of docs/formats.md.

A real worker (Celery, 20 threads) of the local stack scans folders of formats and bombs; whenever a job of them has
ended another one begins, so that each of its threads has a batch at all times. Its processes, children included, are
looked at ten times a second, Linux only. What counts is what a container's limit counts: pages of the processes
together, each once.

- memory: pages that the processes have written, Pss_Anon. Children are forked from one process; what they share of it
  is divided among them, and nobody else has a part of it, so that the sum is exact;
- files: pages of libraries and programs, for each file those of the process that has most of them. They can be had
  back by the kernel, but they are counted all the same;
- peak: the greatest sum of both; RSS is the sum that counts each page as often as there are processes that have it.

What is put aside in S3SCAN_SPOOL_DIRECTORY counts only where that is in memory (tmpfs), which it should not be.

Settings of the worker (S3SCAN_CHILD_MAX, …) are taken from the environment.

Run: python -m benchmarks.bench_worker_memory [SECONDS]
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import psycopg2

from benchmarks.bench_formats import formats
from benchmarks.bombs import BOMBS
from scanner_tasks.local import stack as stacks
from scanner_tasks.local.api_client import Api
from scanner_tasks.local.deploy import client
from tests.formats.making import pdf

BUCKET = "worker-memory"
FOLDERS, JOBS = 12, 26
CHOSEN = (
    "zip of 300 MB of zeros (1028:1)", "zips of ten zips, 6 deep (42.zip)", "tar.gz of 1,000,000 members",
    "json nested 20 million deep", "xlsx, 1,000,000 cells of one text of 32 KB", "pdf form that draws itself",
    "pdf page of 1 GB, packed three times", "png, 20 texts of 100 MB", "mail, 100,000 parts in one another",
    "avro block of 1 GB of zeros", "parquet, 100,000 rows of one text of 1 MB", "rtf of 20 million open groups",
    "xlsx of 5,000,000 numbers", "zstd, 2 GB from 64 KB",
)  # fmt: skip


class Stack(stacks.Stack):
    """The local stack with settings of the worker from the environment."""

    @property
    def settings(self) -> dict[str, str]:
        """As ever, and those."""
        return {**super().settings, **{name: v for name, v in os.environ.items() if name.startswith("S3SCAN_")}}


def mixture() -> dict[str, bytes]:
    """Objects by their names; the bombs come first, so that a short run meets them."""
    made = {f"{n:02d}-{key}": content for n, (key, content) in enumerate(formats().values()) if n % 3 == 0}
    made["large.csv"] = b"id,ssn\n" + b"".join(b"%d,512-44-%04d\n" % (n, n % 10_000) for n in range(1_500_000))
    made["noise.bin"] = random.Random(1).randbytes(20_000_000)
    made["pages.pdf"] = pdf([f"page {n}" for n in range(1000)])
    return made | {f"!bomb-{n:02d}-{BOMBS[name][0]}": BOMBS[name][1]() for n, name in enumerate(CHOSEN)}


def descendants(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += [int(child) for child in task.read_text().split()]
    return found


def rollup_mb(pid: int) -> dict[str, float]:
    """The process's sums, by their names in /proc/PID/smaps_rollup."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
        return {line.split()[0].rstrip(":"): int(line.split()[1]) / 1024 for line in lines}
    return {}


def files_mb(pid: int) -> Counter[str]:
    """Pages of files that the process has in memory and has not written to, by file."""
    found: Counter[str] = Counter()
    name = ""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8", errors="replace").splitlines():
            first, *rest = line.split(None, 5)
            if not first.endswith(":"):
                name = rest[4] if len(rest) > 4 and rest[4].startswith("/") else ""  # noqa: PLR2004
            elif name and first in {"Rss:", "Anonymous:"}:
                found[name] += int(rest[0]) if first == "Rss:" else -int(rest[0])
    return Counter({name: size / 1024 for name, size in found.items()})


@dataclass
class Watch:
    """Looks at a worker's processes until it is told that the run is done."""

    pid: int
    done: threading.Event = field(default_factory=threading.Event)
    peak: float = 0.0
    at_peak: str = ""
    rss_peak: float = 0.0
    now: str = ""

    def look(self) -> None:
        """Until it is done."""
        files: Counter[str] = Counter()
        for turn in cycle(range(20)):
            pids = descendants(self.pid)
            if turn == 0:
                files = Counter()
                for pid in pids:
                    files |= files_mb(pid)
            sums = [rollup_mb(pid) for pid in pids]
            anonymous = [one.get("Pss_Anon", 0.0) + one.get("Pss_Shmem", 0.0) for one in sums]
            total, rss = sum(anonymous) + files.total(), sum(one.get("Rss", 0.0) for one in sums)
            parts = " + ".join(f"{size:.0f}" for size in anonymous if size > 1)
            self.now = f"{total:.0f} MB = {parts} written + {files.total():.0f} of files; RSS {rss:.0f}"
            self.rss_peak = max(self.rss_peak, rss)
            if total > self.peak:
                self.peak, self.at_peak = total, self.now
            if self.done.wait(0.1):
                return


def put(stack: stacks.Stack) -> int:
    """The mixture in its folders; how many objects."""
    s3 = client("s3", stack.emulator.endpoint_url)
    s3.create_bucket(Bucket=BUCKET)
    objects = mixture()
    places = zip(cycle(range(FOLDERS)), objects.items())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda at: s3.put_object(Bucket=BUCKET, Key=f"{at[0]:02d}/{at[1][0]}", Body=at[1][1]), places))
    print(f"{len(objects)} objects of {sum(map(len, objects.values())) / 1e6:.0f} MB", flush=True)
    return len(objects)


def claimed(stack: stacks.Stack) -> int:
    """Batches in the worker's hands."""
    url = stack.postgres.url("s3scan").replace("+psycopg2", "")
    with contextlib.closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from job_batches where state = 2")
        return int(cursor.fetchone()[0])


def main() -> None:
    """Run for so many seconds, and tell the peak."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 240.0
    stacks.WORKERS = 1
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder) / "stack", say=print) as stack:
        put(stack)
        worker = next(child for child in stack._children if child.name == "worker-1")  # noqa: SLF001
        assert worker.pid
        watch, api = Watch(worker.pid), Api(stack.api_url)
        watcher = threading.Thread(target=watch.look)
        watcher.start()
        outcomes, ended, most_claimed = Counter[str](), 0, 0
        order = random.Random(2)
        began, told_at = time.monotonic(), 0.0
        jobs: list[str] = []
        while (spent := time.monotonic() - began) < seconds:
            while len(jobs) < JOBS:
                jobs.append(api.start_scan(BUCKET, f"{order.randrange(FOLDERS):02d}/"))
            stack.check()
            for job in list(jobs):
                if (state := api.job(job)).is_final:
                    outcomes += Counter(state.outcomes)
                    ended += 1
                    jobs.remove(job)
            most_claimed = max(most_claimed, in_flight := claimed(stack))
            if spent - told_at >= 10:  # noqa: PLR2004
                told_at = spent
                print(
                    f"{spent:4.0f} s: {in_flight} batches in flight, {ended} jobs and {outcomes.total()} objects ended;"
                    f" {watch.now}; peak {watch.peak:.0f}",
                    flush=True,
                )
            time.sleep(1)
        watch.done.set()
        watcher.join()
    print(f"{seconds:.0f} s, at most {most_claimed} batches in flight: {dict(outcomes)}")
    print(f"peak {watch.at_peak}; RSS at most {watch.rss_peak:.0f}")


if __name__ == "__main__":
    main()

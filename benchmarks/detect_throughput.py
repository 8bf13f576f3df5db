"""Detection's throughput on three kinds of text, on one core: MB (10**6 bytes) of text for each second of CPU time.

Run: python -m benchmarks.detect_throughput [MB]
"""

from __future__ import annotations

import hashlib
import platform
import random
import sys
import time
from importlib.metadata import version

from scanner_tasks.core.model import Location, Segment
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.rules import load_builtin

SEED = 7
SEGMENT_BYTES = 256 * 1024
WORDS = [
    "request",
    "accepted",
    "for",
    "user",
    "session",
    "cache",
    "miss",
    "retry",
    "handler",
    "completed",
    "in",
    "queue",
    "worker",
    "started",
    "batch",
]


def log_line(r: random.Random) -> str:
    """A line of an application's log; one in 500 holds a value."""
    text = (
        f"2024-05-{r.randint(1, 28):02}T{r.randint(0, 23):02}:{r.randint(0, 59):02}:{r.randint(0, 59):02}."
        f"{r.randint(0, 999):03}Z {r.choice(('INFO', 'WARN', 'DEBUG'))} [{r.randint(1, 64)}] "
        f"{' '.join(r.choices(WORDS, k=8))} id={r.getrandbits(64):016x} took={r.random() * 100:.3f}ms "
        f"ip=10.{r.randint(0, 255)}.{r.randint(0, 255)}.{r.randint(1, 254)}"
    )
    return f"{text} user=u{r.randint(1, 9999)}@example.com ssn=536-22-8726\n" if r.randrange(500) == 0 else text + "\n"


def csv_line(r: random.Random) -> str:
    """A customer: every line holds four values."""
    n = r.randint(1000, 9999)
    return (
        f"{r.randint(1, 10**6)},Jane Roe,jane{n}@example.com,536-{r.randint(10, 99)}-{n},415-555-{n},"
        f"4111 1111 1111 1111,{r.random() * 1000:.2f}\n"
    )


def number_line(r: random.Random) -> str:
    """A table of random numbers: candidates everywhere, values nowhere."""
    return " ".join(str(r.randint(1000, 9999)) for _ in range(12)) + f" {r.randint(10**15, 10**16 - 1)}\n"


def measure(name: str, line: object, size: int) -> None:
    r = random.Random(SEED)
    some = "".join(line(r) for _ in range(20_000)).encode()  # type: ignore[operator]
    text = (some * (size // len(some) + 1))[:size]
    detector = Detector(load_builtin(), Fingerprinter(b"a key for benchmarks", "bench"))
    best, findings = 0.0, {}
    for _ in range(3):
        detection = detector.begin()
        start = time.thread_time()
        for at in range(0, size, SEGMENT_BYTES):
            where = Location(line=1, column=1, offset=at)
            detection.feed(Segment(data=text[at : at + SEGMENT_BYTES], start=where, continues=at > 0))
        findings = {found.rule_id: found.count for found in detection.finish()}
        best = max(best, size / 10**6 / (time.thread_time() - start))
    digest = hashlib.sha256(text).hexdigest()[:12]
    print(f"{name:<8} {best:7.1f} MB/s   {size} bytes, sha256 {digest}…   {findings}")


def main() -> None:
    size = int(sys.argv[1]) * 10**6 if len(sys.argv) > 1 else 16 * 10**6
    print(f"Python {platform.python_version()}, google-re2 {version('google-re2')}, {platform.machine()}, {cpu()}")
    print(f"ruleset {load_builtin().content_hash[:12]}…, {len(load_builtin().rules)} rules, best of 3, seed {SEED}")
    for name, line in (("log", log_line), ("csv", csv_line), ("numbers", number_line)):
        measure(name, line, size)


def cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:  # noqa: PTH123
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


if __name__ == "__main__":
    main()

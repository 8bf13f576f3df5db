"""Detection's throughput on one core, interleaved with another version of the engine: MB of text a second of CPU time.

Run: python -m benchmarks.bench_detect [--mb 4] [--rounds 3] [--against DIR]   (DIR: a checkout to compare with)

Each version runs in a process of its own, in turns, on the same bytes; ratios mean more than the figures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.detect_throughput import SEGMENT_BYTES, cpu, log_line
from benchmarks.detection.values import card, email, person, phone, ssn

SEED = 7


def narrow_row(r: random.Random) -> str:
    """About 90 bytes with four values."""
    return f"{r.randint(1, 10**6)},{person(r)},{email(r)},{ssn(r)},{phone(r)},{card(r)},{r.random() * 1000:.2f}\n"


def wide_row(r: random.Random) -> str:
    """About 200 bytes with four values, some cells quoted."""
    return (
        f'{r.getrandbits(64):016x},"{person(r)}",{r.randint(1, 99)} Mill Road,Springfield,{r.randint(10000, 99999)},'
        f'"{email(r)}",{ssn(r)},{phone(r)},{card(r)},2024-05-{r.randint(10, 28)}T08:00:{r.randint(10, 59)}Z,active,'
        f"{r.random() * 1000:.2f},note about the delivery of the goods\n"
    )


def number_row(r: random.Random) -> str:
    return " ".join(str(r.randint(10**15, 10**16 - 1)) for _ in range(8)) + "\n"


def source_code(size: int) -> bytes:
    """Python source of the standard library."""
    text = b""
    for path in sorted(Path(json.__file__).parent.parent.glob("*.py")):
        text += path.read_bytes()
        if len(text) >= size:
            break
    return (text * (size // len(text) + 1))[:size]


def texts(size: int) -> dict[str, bytes]:
    made = {}
    for name, row, header in (
        ("log", log_line, ""),
        ("csv, 90 B a row", narrow_row, ""),
        ("csv, header", narrow_row, "id,name,email,ssn,phone,card,amount\n"),
        ("csv, 200 B a row", wide_row, ""),
        ("numbers", number_row, ""),
    ):
        r = random.Random(SEED)
        some = "".join(row(r) for _ in range(10_000)).encode()
        made[name] = header.encode() + (some * (size // len(some) + 1))[: size - len(header)]
    made["source code"] = source_code(size)
    return made


# Runs in either version: it may use only what both have.
_CHILD = """
import json, sys, time
from scanner_tasks.core.model import Location, Segment
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.rules import load_builtin
detector = Detector(load_builtin(), Fingerprinter(b"a key for benchmarks", "bench"))
def run(text):
    detection = detector.begin()
    start = time.thread_time()
    for at in range(0, len(text), SEGMENT):
        where = Location(line=1, column=1, offset=at)
        detection.feed(Segment(data=text[at : at + SEGMENT], start=where, continues=at > 0))
    found = detection.finish()
    return time.thread_time() - start, {f.rule_id: f.count for f in found}
for line in sys.stdin:
    path = json.loads(line)
    text = open(path, "rb").read()
    run(text[:100000])
    print(json.dumps(run(text)), flush=True)
""".replace("SEGMENT)", f"{SEGMENT_BYTES})").replace("+ SEGMENT]", f"+ {SEGMENT_BYTES}]")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", type=Path)
    args = parser.parse_args()
    here = Path(__file__).parent.parent
    versions = {"this": here} | ({"other": args.against} if args.against else {})
    children = {
        name: subprocess.Popen(
            [sys.executable, "-c", _CHILD], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name, root in versions.items()
    }
    print(f"{cpu()}, {args.mb} MB each, median of {args.rounds}, seed {SEED}, {time.strftime('%Y-%m-%d')}")
    directory = here / ".s3scan" / "bench"
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in texts(args.mb * 10**6).items():
        path = directory / "text"
        path.write_bytes(text)
        speeds: dict[str, list[float]] = {version: [] for version in versions}
        counts: dict[str, dict[str, int]] = {}
        for _ in range(args.rounds):
            for version, child in children.items():
                assert child.stdin is not None
                assert child.stdout is not None
                child.stdin.write(json.dumps(str(path)) + "\n")
                child.stdin.flush()
                seconds, counts[version] = json.loads(child.stdout.readline())
                speeds[version].append(len(text) / 10**6 / seconds)
        figures = {version: statistics.median(some) for version, some in speeds.items()}
        ratio = f"  x{figures['this'] / figures['other']:.2f}" if "other" in figures else ""
        shown = "  ".join(f"{version} {figure:7.1f} MB/s" for version, figure in figures.items())
        print(f"{name:<18} {shown}{ratio}   sha256 {hashlib.sha256(text).hexdigest()[:8]}  {counts['this']}")
    for child in children.values():
        assert child.stdin is not None
        child.stdin.close()
        child.wait()


if __name__ == "__main__":
    main()

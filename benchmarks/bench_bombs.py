"""What objects made to do harm cost: the bomb table of docs/formats.md.

Each is scanned, detection included, by a child as a worker uses it (flow/isolation.py), a new one for each bomb, with
the default budgets and limits. Peak is memory of its own beyond what it began with (private pages, Linux only);
seconds are of processor time.

Run: python -m benchmarks.bench_bombs [PART OF A NAME]...
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Self

from benchmarks.bombs import BOMBS
from scanner_tasks import rules
from scanner_tasks.core.model import ObjectRef
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.fakes import FakeObjects
from scanner_tasks.flow.isolation import Children
from scanner_tasks.flow.object_child import serve
from scanner_tasks.settings import Settings


class File:
    """A file that is read as it is asked for: its bytes are not the child's memory."""

    def __init__(self, path: str) -> None:
        self._file = Path(path).open("rb")  # noqa: SIM115
        self.bytes_read = 0

    def read(self, size: int, /) -> bytes:
        """The next bytes."""
        data = self._file.read(size)
        self.bytes_read += len(data)
        return data

    def __enter__(self) -> Self:
        """As it is."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._file.close()


class Files(FakeObjects):
    """Objects whose keys are the paths of files."""

    def open(self, ref: ObjectRef, **_: object) -> File:  # type: ignore[override]
        """The file."""
        return File(ref.key)


def private_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Dirty", "Private_Clean")))


def cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(children: Children, key: str) -> tuple[str, int, int, float, str]:
    """Outcome, bytes stored, peak KB, seconds, detail."""
    with children.one() as child:
        child.scan(0, ObjectRef(bucket="b", key=os.devnull, size_bytes=0, etag=""))
        assert child._forked  # noqa: SLF001
        pid, peak, seconds, done = child._forked[0], 0, 0.0, threading.Event()  # noqa: SLF001
        before, began = private_kb(pid), cpu_s(pid)

        def watch() -> None:
            nonlocal peak, seconds
            while not done.wait(0.01):
                peak = max(peak, private_kb(pid) - before)
                seconds = max(seconds, cpu_s(pid) - began)

        watcher = threading.Thread(target=watch)
        watcher.start()
        result = child.scan(1, ObjectRef(bucket="b", key=key, size_bytes=0, etag=""))
        done.set()
        watcher.join()
        child.end()
    return str(result.outcome), result.bytes_read, peak, seconds, result.detail or ""


def main() -> None:
    wanted = sys.argv[1:] or [""]
    folder = Path(os.environ.get("TMPDIR", "/tmp"))
    children = Children(
        (sys.executable, "-m", "benchmarks.bench_bombs", "--serve"),
        object_max_s=900,
        memory_bytes=Settings().child_memory_bytes,
    )
    print("| Bomb | Stored MB | Outcome | Peak MB | s |\n|---|---|---|---|---|", flush=True)
    for name, (key, make) in BOMBS.items():
        if not any(part in name for part in wanted):
            continue
        path = folder / f"bomb-{os.getpid()}-{key}"
        path.write_bytes(make())
        try:
            outcome, _, peak, seconds, detail = measured(children, str(path))
            stored = path.stat().st_size / 1e6
        finally:
            path.unlink()
        print(f"| {name} | {stored:.2f} | {outcome} | {peak / 1024:.0f} | {seconds:.1f} |", flush=True)
        print(json.dumps(detail), file=sys.stderr)
    children.close()


def nurse() -> None:
    from types import SimpleNamespace  # noqa: PLC0415

    serve(
        SimpleNamespace(  # type: ignore[arg-type]
            settings=Settings(),
            objects=Files({}),
            detector=Detector(
                rules.load_builtin(),
                Fingerprinter(b"a key of the benchmark", "k1"),
                window_bytes=Settings().read_window_bytes,
            ),
            scan_slots=threading.BoundedSemaphore(1),
            clock=time.monotonic,
            ruleset_hash=lambda: "benchmark",
        )
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        nurse()
    else:
        main()

"""An incremental job beside its base: unchanged, 1 % changed, changed rules. What is read, sent, found; how long.

The real flow on a real PostgreSQL with fsync on; S3 and SQS in memory, so seconds are the scanner's own and a GET costs
nothing. Rules change in five ways, each job with the one before as its base: a severity, a rule turned off, an allow
list more, a larger budget, a new rule. The first job and the last do the same work; both make their rules ready.

    python -m benchmarks.bench_incremental [--objects 5000]
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.postgres.machine import machine
from benchmarks.postgres.server import DURABLE, migrate, quiet
from scanner_tasks.core.model import Severity
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.detect.gate import AllowList
from scanner_tasks.detect.ruleset import Ruleset
from scanner_tasks.flow.load_rules import ruleset_parts
from scanner_tasks.flow.read_results import get_job
from scanner_tasks.flow.settle import settle
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.flow.verify import verify_job
from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.rules import load_builtin
from scanner_tasks.store.engine import make_engine
from tests.flow.conftest import System

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from scanner_tasks.detect.ruleset import Rule

RULES = {rule.id: rule for rule in load_builtin().rules}
_SSN = b"name,ssn\nJane Roe,512-44-1234\n"


def _content(number: int, *, version: int = 0) -> bytes:
    """About 2 KB; one in ten holds a number that is found."""
    draw = random.Random(f"{number} {version}")
    words = " ".join(draw.choice(("alpha", "beta", "gamma", "delta", "order", "total")) for _ in range(350))
    return words.encode() + b"\n" + (_SSN if number % 10 == 0 else b"")


def _run(system: System, name: str, base: str | None) -> str:
    before = sum(len(queue) for queue in system.sent)
    began = time.perf_counter()
    started = start_job(system.bucket, base_job=base, using=system.feeder)
    listing = 0.0
    while True:
        at = time.perf_counter()
        system.feed(started.job_id)
        listing += time.perf_counter() - at
        system.deliver(started.job_id)
        settle(using=system.feeder)
        view = get_job(started.job_id, real_time=True, using=system.feeder)
        if view.job.finished_at:
            break
    seconds = time.perf_counter() - began
    counts = view.progress
    if not verify_job(started.job_id, using=system.feeder).agree:
        raise AssertionError("The accounts differ.")
    sent = sum(len(queue) for queue in system.sent) - before
    cells = [name, f"{counts.scanned:,}", f"{counts.unchanged:,}", f"{counts.findings:,}", f"{sent:,}"]
    return f"| {' | '.join(cells)} | {listing:.2f} | {seconds:.2f} |"


class _Counted(System):
    """Keeps what is sent."""

    def __init__(self, engine: Engine) -> None:
        self.sent: list[list[object]] = []
        super().__init__(engine)
        send = self.queues.send

        def counted(queue, messages):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            self.sent.append(list(messages))
            return send(queue, messages)

        self.queues.send = counted  # type: ignore[method-assign]


def _use(system: System, rules: dict[str, Rule], **budgets: int) -> None:
    """From now on jobs begin, and the worker scans, with these."""
    ours = system.settings.model_copy(update=budgets)
    ruleset = Ruleset(tuple(rules.values()))
    parts = ruleset_parts(ruleset, ours)
    told = {"settings": ours, "ruleset_hash": lambda: parts.ruleset_hash, "ruleset_parts": lambda: parts}
    system.feeder = replace(system.feeder, **told)  # type: ignore[arg-type]
    fingerprinter = Fingerprinter(ours.fingerprint_key.get_secret_value().encode(), "k1")
    system.worker = replace(system.worker, **told, detector=Detector(ruleset, fingerprinter))  # type: ignore[arg-type]


def _changes() -> Iterator[tuple[str, dict[str, Rule], dict[str, int]]]:
    """What one job after the other finds changed: rules, and budgets."""
    rules, ssn = RULES, RULES["us.ssn"]
    rules = {**rules, "us.ssn": replace(ssn, severity=Severity.CRITICAL, severity_by_count=())}
    yield "another severity", rules, {}
    rules = {**rules, "contact.email": replace(rules["contact.email"], enabled=False)}
    yield "a rule off", rules, {}
    rules = {**rules, "us.ssn": replace(rules["us.ssn"], allow=(AllowList(name="known", words=("-44-",)),))}
    yield "an allow list", rules, {}
    yield "a larger budget", rules, {"text_max_bytes": 2**50}
    rules = {**rules, "acme.number": replace(ssn, id="acme.number", pattern="acme-[0-9]{6}", validator="", cells="")}
    yield "a new rule", rules, {"text_max_bytes": 2**50}


def main() -> int:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=5_000)
    options = parser.parse_args()
    quiet()
    folder = Path(tempfile.mkdtemp(prefix="s3scan-bench-"))
    folder.chmod(0o755)
    postgres = LocalPostgres(folder / "postgres", settings=DURABLE)
    try:
        postgres.start()
        migrate(postgres.url())
        engine = make_engine(postgres.url(), pool_size=8)
        system = _Counted(engine)
        _use(system, RULES)
        system.put({f"data/{n:07d}.txt": _content(n) for n in range(options.objects)})
        lines = [
            "| job | scanned | unchanged | findings | messages | Feed s | all s |",
            "|---|---|---|---|---|---|---|",
        ]
        line = _run(system, "first", None)
        lines.append(line)
        line = _run(system, "unchanged", "last")
        lines.append(line)
        system.put({f"data/{n:07d}.txt": _content(n, version=1) for n in range(0, options.objects, 100)})
        line = _run(system, "1 % changed", "last")
        lines.append(line)
        for name, rules, budgets in _changes():
            _use(system, rules, **budgets)
            lines.append(_run(system, name, "last"))
        print("\n".join(lines))
        print()
        print(", ".join(f"{name} {value}" for name, value in machine(engine).items()), end=", ")
        print(f"load average {os.getloadavg()[0]:.1f} at the end.")
        system.worker.leases.stop()
        system.worker.children.close()
        engine.dispose()
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

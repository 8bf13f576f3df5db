"""Reading ten million findings: status, pages of results at any depth, fingerprints; what the indexes weigh and cost.

Cases take turns, each at places drawn from all over the first job (eight of ten million findings), in one PostgreSQL
with fsync on and all of it warm: its buffers are a quarter of the memory, as RDS sets them, and hold what is read. The
former way (OFFSET) is timed beside it.

    python -m benchmarks.postgres.bench_queries [--findings 10000000] [--rounds 200]
    python -m benchmarks.postgres.bench_queries --small
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.postgres.filling import fill_part, make_jobs, refresh_statistics
from benchmarks.postgres.machine import machine
from benchmarks.postgres.query_cases import Cases
from benchmarks.postgres.server import migrate
from benchmarks.postgres.write_cost import INDEXES, write_cost
from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.store.engine import execute, make_engine, transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine


SHARED = 10_000
STATUS_P99_MS, PAGE_P50_MS = 50.0, 5.0
#: Findings that one transaction makes; so many of these run at a time.
_AT_ONCE, _FILLERS = 500_000, 2
#: The same fingerprint in SHARED findings of a job of its own.
_SHARED = """
insert into findings (job_no, batch_no, position, rule_id, finding_id, object_key, severity, confidence, count,
  occurrences)
select 41, 900000 + n / 100, n % 100, 'family.shared', md5('shared ' || n)::uuid, 'shared/' || n, 'high', 'high', 1,
  '[{"masked": "*", "context": "*", "line": 1, "column": 1, "offset": 0, "fingerprint": "k1:5ead"}]'::jsonb
from generate_series(0, :last) n
"""


def prepare(engine: Engine, findings: int) -> dict[str, float]:
    """Fill the ledger, then build the indexes; seconds of each build."""
    with transaction(engine) as connection:
        for name in INDEXES:
            execute(connection, f"drop index {name}")
        make_jobs(connection)

    def make(low: int) -> None:
        with transaction(engine) as connection:
            fill_part(connection, findings, range(low, min(findings, low + _AT_ONCE)))

    with ThreadPoolExecutor(_FILLERS) as fillers:
        for _ in fillers.map(make, range(0, findings, _AT_ONCE)):
            pass
    with transaction(engine) as connection:
        execute(connection, _SHARED, last=min(SHARED, findings // 100) - 1)
        execute(
            connection,
            """
            insert into job_deltas (job_no, code, objects, bytes, batches, findings, occurrences)
            select j.job_no, c, 1000, 1000, 10, 100, 300 from jobs j, unnest(array[0, 10, 20, 31, 60]) c,
              generate_series(1, 20)
            """,
        )
    seconds = {}
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for name, definition in INDEXES.items():
            began = time.perf_counter()
            connection.exec_driver_sql(f"create index {name} on only findings {definition}")
            connection.exec_driver_sql(f"create index {name}_p0 on findings_p0 {definition}")  # there is no other
            connection.exec_driver_sql(f"alter index {name} attach partition {name}_p0")
            seconds[name] = time.perf_counter() - began
        refresh_statistics(connection)
        connection.exec_driver_sql("create extension pg_prewarm")
        for index in ("findings_by_rule_p0", "findings_by_severity_p0", "findings_p0_pkey", "findings_p0"):
            connection.exec_driver_sql(f"select pg_prewarm('{index}')")
        connection.exec_driver_sql("refresh materialized view job_progress")
    return seconds


def sizes(connection: Connection) -> list[tuple[str, int, float]]:
    """The table and its indexes: bytes, and bytes for each finding."""
    rows = execute(
        connection,
        """
        select c.relname as name, pg_relation_size(c.oid) as bytes,
          (select reltuples from pg_class where oid = 'findings_p0'::regclass) as findings
        from pg_class c where c.oid = 'findings_p0'::regclass
          or c.oid in (select indexrelid from pg_index where indrelid = 'findings_p0'::regclass) order by 2 desc
        """,
    )
    return [(row.name, row.bytes, row.bytes / row.findings) for row in rows]


def offset_seconds(engine: Engine, depth: int) -> float:
    """The former way to a deep page."""
    with transaction(engine) as connection:
        began = time.perf_counter()
        execute(
            connection,
            "select * from findings where job_no = 1 order by batch_no, position, rule_id offset :depth limit 100",
            depth=depth,
        ).all()
        return time.perf_counter() - began


def _percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


def main() -> int:
    """Run and print; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--findings", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--small", action="store_true", help="200,000 findings, 30 rounds: seconds, for CI")
    options = parser.parse_args()
    findings, rounds = (200_000, 30) if options.small else (options.findings, options.rounds)
    folder = Path(tempfile.mkdtemp(prefix="s3scan-bench-"))
    folder.chmod(0o755)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    settings = (f"shared_buffers={memory // 4 // 1024**2}MB", "maintenance_work_mem=1GB", "max_wal_size=8GB")
    print(", ".join(settings))
    server = LocalPostgres(folder / "postgres", settings=settings)
    began = time.perf_counter()
    try:
        server.start()
        migrate(server.url())
        engine = make_engine(server.url(), pool_size=_FILLERS)
        built = prepare(engine, findings)
        kept = _report(engine, findings, rounds, built, began)
        engine.dispose()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if kept or options.small else 1


def _report(engine: Engine, findings: int, rounds: int, built: dict[str, float], began: float) -> bool:
    for name, value in machine(engine).items():
        print(f"{name}: {value}")
    print(f"{findings:,} findings, filled and indexed in {time.perf_counter() - began:,.0f} s; {rounds} rounds\n")
    cases = Cases(engine, seed=1)
    timed: dict[str, Callable[[], float]] = {
        "status, from the view": cases.status(real_time=False),
        "status, real_time": cases.status(real_time=True),
        **{f"page, {name}": cases.page(filters) for name, filters in cases.filters().items()},
        "key": cases.key,
        "critical, over all jobs": cases.every_job,
        "fingerprint of one object": cases.fingerprint,
        f"fingerprint in {min(SHARED, findings // 100):,} objects, a page": cases.shared_fingerprint,
    }
    times: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(3):
        for case in timed.values():
            case()
    for _ in range(rounds):
        for name, case in timed.items():
            times[name].append(case())
    print(f"load {os.getloadavg()[0]:.1f}\n\n| what | least ms | p50 ms | p99 ms |\n|---|---|---|---|")
    for name, of_case in times.items():
        least, half, most = (_percentile(of_case, share) for share in (0, 0.5, 0.99))
        print(f"| {name} | {least:.2f} | {half:.2f} | {most:.2f} |")
    depth = findings // 2
    print(f"| the former way, OFFSET {depth:,} (once) | {offset_seconds(engine, depth) * 1000:,.0f} | | |\n")
    print("| relation | MB | B a finding | built in s |\n|---|---|---|---|")
    with transaction(engine) as connection:
        for name, size, each in sizes(connection):
            seconds = built.get(name.removesuffix("_p0"))
            print(f"| {name} | {size / 1e6:,.0f} | {each:,.0f} | {f'{seconds:,.0f}' if seconds else ''} |")
    print()
    print("\n".join(write_cost(engine, min(findings // 10, 40_000), 3)))
    worst_status = max(_percentile(of_case, 0.99) for name, of_case in times.items() if name.startswith("status"))
    worst_page = max(_percentile(of_case, 0.5) for name, of_case in times.items() if name.startswith("page"))
    kept = True
    print("\n| target | measured | |\n|---|---|---|")
    for name, value, most in (
        ("status p99", worst_status, STATUS_P99_MS),
        ("page p50, the slowest case", worst_page, PAGE_P50_MS),
    ):
        kept &= value < most
        print(f"| {name} < {most:g} ms | {value:.2f} ms | {'met' if value < most else 'missed'} |")
    print(f"\n{time.perf_counter() - began:,.0f} s in all; load average {os.getloadavg()[0]:.1f}")
    return kept


if __name__ == "__main__":
    sys.exit(main())

"""Reading ten million findings: status, pages of results at any depth, fingerprints; what the indexes weigh and cost.

Cases take turns, each at places drawn from all over the first job (eight of ten million findings), in one PostgreSQL
with fsync on and all of it warm. The former way (OFFSET) is timed beside it.

    python -m benchmarks.postgres.bench_queries [--findings 10000000] [--rounds 200] [--small] [--plans]
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from benchmarks.postgres.filling import EVERYWHERE, SECOND_HALF, fill, refresh_statistics
from benchmarks.postgres.machine import machine
from benchmarks.postgres.server import DURABLE, migrate
from scanner_tasks.core.model import Confidence, Severity
from scanner_tasks.flow.read_results import get_job
from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.store.engine import execute, insert_rows, make_engine, transaction
from scanner_tasks.store.findings import FindingFilter, FindingPlace, read_findings
from scanner_tasks.store.indexes import create_partitioned_index

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sqlalchemy import Connection, Engine

    from scanner_tasks.flow.parts import Api

PAGE = 100
SHARED = 10_000
STATUS_P99_MS, PAGE_P50_MS = 50.0, 5.0
INDEXES = {
    "findings_by_rule": "(job_no, rule_id, severity, confidence, object_key, batch_no, position) where rule_id > ''",
    "findings_by_severity": '(job_no, severity, confidence, object_key, rule_id, batch_no, position) where "count" > 0',
    "findings_by_fingerprint": "using gin (jsonb_path_query_array(occurrences, '$[*].fingerprint') jsonb_path_ops)",
}
#: The same fingerprint in SHARED findings of a job of its own.
_SHARED = """
insert into findings (job_no, batch_no, position, rule_id, finding_id, object_key, severity, confidence, count,
  occurrences)
select 41, 900000 + n / 100, n % 100, 'family.shared', md5('shared ' || n)::uuid, 'shared/' || n, 'high', 'high', 1,
  '[{"masked": "*", "context": "*", "line": 1, "column": 1, "offset": 0, "fingerprint": "k1:5ead"}]'::jsonb
from generate_series(0, :last) n
"""
_FORMER = {
    "findings_of_key": "(job_no, object_key)",
    "findings_of_rule": "(job_no, rule_id, batch_no, position)",
}


def prepare(engine: Engine, findings: int) -> dict[str, float]:
    """Fill the ledger, then build the indexes; seconds of each build."""
    with transaction(engine) as connection:
        for name in INDEXES:
            execute(connection, f"drop index {name}")
    with transaction(engine) as connection:
        fill(connection, findings)
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
            create_partitioned_index(connection, name, "findings", definition)
            seconds[name] = time.perf_counter() - began
        refresh_statistics(connection)
        connection.exec_driver_sql("refresh materialized view job_progress")
    return seconds


class Cases:
    """What is asked, each at a place of the first job that chance gives."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self.engine = engine
        self.chance = random.Random(seed)
        with transaction(engine) as connection:
            self.job_id: UUID = execute(connection, "select job_id from jobs where job_no = 1").scalar_one()
            self.last = execute(connection, "select max(batch_no) from findings where job_no = 1").scalar_one()
            self.shared_job = execute(connection, "select job_id from jobs where job_no = 41").scalar_one()

    def filters(self) -> dict[str, dict[str, Any]]:
        """Each filter of the first job that is timed."""
        return {
            "all": {},
            "rule": {"rule": EVERYWHERE},
            "severity, confidence": {"severities": (Severity.HIGH,), "confidences": (Confidence.MEDIUM,)},
            "prefix": {"prefix": "exports/"},
            "prefix, rule": {"prefix": "exports/", "rule": EVERYWHERE},
            "prefix, rule, severity, confidence": {
                "prefix": "exports/",
                "rule": EVERYWHERE,
                "severities": (Severity.HIGH, Severity.CRITICAL),
                "confidences": (Confidence.MEDIUM, Confidence.HIGH),
            },
            "none: rule that is nowhere": {"rule": "no.such"},
            "none: severity that is nowhere": {"severities": (Severity.LOW,)},
            "none: rule and prefix, both large": {"rule": SECOND_HALF, "prefix": "exports/2/"},
        }

    def place(self, connection: Connection) -> FindingPlace:
        """Anywhere in the first job, from its beginning to its end."""
        batch_no = self.chance.randrange(self.last)
        row = execute(
            connection,
            "select job_no, batch_no, position, rule_id from findings where job_no = 1 and batch_no = :n limit 1",
            n=batch_no,
        ).one()
        return FindingPlace(**row._mapping)  # noqa: SLF001 (SQLAlchemy's mapping view)

    def page(self, filters: dict[str, Any]) -> Callable[[], float]:
        """Times a page behind such a place."""

        def timed() -> float:
            with transaction(self.engine) as connection:
                after = self.place(connection) if not filters or "none" not in filters else None
                wanted = FindingFilter(job_id=self.job_id, **filters)
                began = time.perf_counter()
                read_findings(connection, wanted, after=after, limit=PAGE)
                return time.perf_counter() - began

        return timed

    def key(self) -> float:
        """Times the findings of one object."""
        with transaction(self.engine) as connection:
            place = self.place(connection)
            key = execute(
                connection,
                "select object_key from findings where job_no = 1 and batch_no = :n limit 1",
                n=place.batch_no,
            ).scalar_one()
            began = time.perf_counter()
            page = read_findings(connection, FindingFilter(job_id=self.job_id, key=key), after=None, limit=PAGE)
            assert page.found
            return time.perf_counter() - began

    def fingerprint(self) -> float:
        """Times the search for a value that stands somewhere, in all jobs."""
        with transaction(self.engine) as connection:
            place = self.place(connection)
            value = execute(
                connection,
                "select occurrences -> 0 ->> 'fingerprint' from findings where job_no = 1 and batch_no = :n limit 1",
                n=place.batch_no,
            ).scalar_one()
            began = time.perf_counter()
            page = read_findings(connection, FindingFilter(fingerprint=value), after=None, limit=PAGE)
            assert page.found
            return time.perf_counter() - began

    def shared_fingerprint(self) -> float:
        """Times the first page of a value that stands in SHARED objects."""
        with transaction(self.engine) as connection:
            began = time.perf_counter()
            page = read_findings(connection, FindingFilter(fingerprint="k1:5ead"), after=None, limit=PAGE)
            assert len(page.found) == PAGE
            return time.perf_counter() - began

    def every_job(self) -> float:
        """Times a filter over all jobs."""
        with transaction(self.engine) as connection:
            began = time.perf_counter()
            read_findings(connection, FindingFilter(severities=(Severity.CRITICAL,)), after=None, limit=PAGE)
            return time.perf_counter() - began

    def status(self, *, real_time: bool) -> Callable[[], float]:
        """Times a job's status."""
        using = cast("Api", SimpleNamespace(engine=self.engine))

        def timed() -> float:
            began = time.perf_counter()
            get_job(self.job_id, real_time=real_time, using=using)
            return time.perf_counter() - began

        return timed


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


def write_cost(engine: Engine, findings: int, rounds: int) -> list[str]:
    """What each set of indexes costs the workers' inserts: interleaved, findings a second, WAL and index bytes."""
    sets = {
        "primary key alone": {},
        "former: by key, by rule": _FORMER,
        "by rule, by severity": {name: INDEXES[name] for name in ("findings_by_rule", "findings_by_severity")},
        "these and by fingerprint": INDEXES,
    }
    measured: dict[str, list[tuple[float, float, float]]] = {name: [] for name in sets}
    for _ in range(rounds):
        for name, indexes in sets.items():
            measured[name].append(_insert_all(engine, findings, list(indexes.values())))
    lines = ["| indexes | findings/s | WAL B a finding | index B a finding |", "|---|---|---|---|"]
    for name, runs in measured.items():
        rate, wal, index = (statistics.median(column) for column in zip(*runs, strict=True))
        lines.append(f"| {name} | {rate:,.0f} | {wal:,.0f} | {index:,.0f} |")
    return lines


def _insert_all(engine: Engine, findings: int, indexes: list[str]) -> tuple[float, float, float]:
    with transaction(engine) as connection:
        execute(connection, "drop table if exists written")
        execute(connection, "create table written (like findings including defaults including constraints)")
        execute(connection, "alter table written add primary key (job_no, batch_no, position, rule_id)")
        for definition in indexes:
            execute(connection, f"create index on written {definition}")
        rows = connection.exec_driver_sql(
            "select job_no, batch_no, position, rule_id, cast(finding_id as text), object_key, severity, confidence,"
            f" count, cast(occurrences as text) from findings where job_no = 1 and batch_no < {findings // 200}"
        ).all()
    batches: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        batches.setdefault(row[1], []).append(tuple(row))
    order = sorted(batches, key=lambda n: n + random.Random(n).random() * 20)
    began, before = time.perf_counter(), _wal(engine)
    for n in order:
        with transaction(engine) as connection:
            insert_rows(
                connection,
                "insert into written (job_no, batch_no, position, rule_id, finding_id, object_key, severity,"
                " confidence, count, occurrences) values ",
                "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                batches[n],
            )
    seconds = time.perf_counter() - began
    with transaction(engine) as connection:
        index_bytes = execute(connection, "select pg_indexes_size('written')").scalar_one()
    return len(rows) / seconds, (_wal(engine) - before) / len(rows), index_bytes / len(rows)


def _wal(engine: Engine) -> float:
    with transaction(engine) as connection:
        return float(execute(connection, "select pg_current_wal_insert_lsn() - '0/0'").scalar_one())


def _percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


def main() -> int:
    """Run and print; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--findings", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--small", action="store_true", help="200,000 findings and 30 rounds: seconds, for CI")
    options = parser.parse_args()
    findings, rounds = (200_000, 30) if options.small else (options.findings, options.rounds)
    folder = Path(tempfile.mkdtemp(prefix="s3scan-bench-"))
    folder.chmod(0o755)
    settings = (*DURABLE, "shared_buffers=4GB", "maintenance_work_mem=1GB", "max_wal_size=4GB")
    server = LocalPostgres(folder / "postgres", settings=settings)
    began = time.perf_counter()
    try:
        server.start()
        migrate(server.url())
        engine = make_engine(server.url(), pool_size=2)
        built = prepare(engine, findings)
        kept = _report(engine, findings, rounds, built, began)
        engine.dispose()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if kept else 1


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
    print(f"\nstatus p99 {worst_status:.2f} ms (< {STATUS_P99_MS:g}), page p50 {worst_page:.2f} ms (< {PAGE_P50_MS:g})")
    return worst_status < STATUS_P99_MS and worst_page < PAGE_P50_MS


if __name__ == "__main__":
    sys.exit(main())

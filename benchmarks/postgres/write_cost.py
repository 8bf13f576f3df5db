"""What the indexes of findings cost the workers' inserts."""

from __future__ import annotations

import random
import statistics
import time
from typing import TYPE_CHECKING, Any

from scanner_tasks.store.engine import execute, insert_rows, transaction

if TYPE_CHECKING:
    from sqlalchemy import Engine

INDEXES = {
    "findings_by_rule": "(job_no, rule_id, severity, confidence, object_key, batch_no, position) where rule_id > ''",
    "findings_by_severity": '(job_no, severity, confidence, object_key, rule_id, batch_no, position) where "count" > 0',
    "findings_by_fingerprint": "using gin (jsonb_path_query_array(occurrences, '$[*].fingerprint') jsonb_path_ops)",
    "findings_of_id": "(finding_id)",
}
_FORMER = {
    "findings_of_key": "(job_no, object_key)",
    "findings_of_rule": "(job_no, rule_id, batch_no, position)",
}


def write_cost(engine: Engine, findings: int, rounds: int) -> list[str]:
    """What each set of indexes costs the workers' inserts: interleaved, findings a second, WAL and index bytes."""
    sets = {
        "primary key alone": {},
        "former: by key, by rule": _FORMER,
        "by rule, by severity": {name: INDEXES[name] for name in ("findings_by_rule", "findings_by_severity")},
        "all, by fingerprint and id too": INDEXES,
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

"""Sizes are the server's own, and add up."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from benchmarks.postgres.filling import fill
from scanner_tasks.store import partitions, progress
from scanner_tasks.store.engine import execute, transaction
from scanner_tasks.store.schema import metadata
from scanner_tasks.store.sizes import read_sizes

from .test_migrations import empty, fresh, make_job, migrated, template

__all__ = ["empty", "fresh", "migrated", "template"]


def test_every_table_and_partition_is_told_with_its_indexes(migrated: Engine) -> None:
    with transaction(migrated) as connection:
        partitions.ensure_partitions(connection)
        fill(connection, 5_000)
    job = make_job(migrated, objects=500)
    with transaction(migrated) as connection:
        progress.refresh_view(connection)
    with migrated.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("vacuum analyze")
    with transaction(migrated) as connection:
        sizes = read_sizes(connection)
        whole = execute(
            connection,
            "select sum(pg_total_relation_size(oid)) from pg_class"
            " where relkind in ('r', 'm') and relnamespace = 'public'::regnamespace and relname <> 'alembic_version'",
        ).scalar_one()
    assert job
    assert sizes.bytes == whole
    by_name = {table.name: table for table in sizes.tables}
    assert {t.partition_of or t.name for t in sizes.tables} == {*metadata.tables, "job_progress"}
    findings = by_name["findings_p0"]
    assert (findings.partition_of, findings.rows) == ("findings", 5_000)
    assert {index.name for index in findings.indexes} == {
        "findings_p0_pkey",
        "findings_of_id_p0",
        "findings_by_rule_p0",
        "findings_by_severity_p0",
        "findings_by_fingerprint_p0",
    }
    assert sum(index.bytes for index in findings.indexes) <= findings.index_bytes < findings.bytes
    assert (sizes.objects, sizes.findings) == (500, 0)
    each = sizes.bytes_per_object()
    assert each == pytest.approx((sizes.bytes - sum(t.bytes for t in sizes.tables if "findings_p" in t.name)) / 500)
    assert sizes.bytes_per_million_objects() == pytest.approx(each * 1e6)


def test_growth_of_nothing_is_unknown(migrated: Engine) -> None:
    with transaction(migrated) as connection:
        sizes = read_sizes(connection)
    assert (sizes.bytes_per_object(), sizes.bytes_per_finding(), sizes.bytes_per_million_objects()) == (None,) * 3

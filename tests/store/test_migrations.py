"""Migrations: up, down and up again; they agree with the models; they never wait long for a lock; partitions."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from scanner_tasks.core.model import JobSource, ObjectRef
from scanner_tasks.core.planning import Policy, plan_page
from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.store import feeding, jobs, partitions
from scanner_tasks.store.engine import execute, make_engine, transaction
from scanner_tasks.store.schema import JOBS_IN_A_PARTITION, PARTITIONED
from tests.conftest import migrate

_numbers = itertools.count()
#: Every table, view, index and constraint of ours with its definition.
SCHEMA = """
select 'column ' || attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull
  from pg_attribute a join pg_class c on c.oid = a.attrelid
  where c.relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped
union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
union all select 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint
  where connamespace = 'public'::regnamespace
union all select 'view ' || viewname || definition from pg_views where schemaname = 'public'
union all select 'matview ' || matviewname || definition from pg_matviews where schemaname = 'public'
order by 1
"""


@pytest.fixture(scope="module")
def template(postgres: LocalPostgres) -> Iterator[str]:
    """Name of a migrated database that nobody is connected to."""
    with database(postgres) as name:
        migrate(postgres.url(name), "upgrade", "head")
        yield name


@contextmanager
def database(postgres: LocalPostgres, *, template: str = "template1") -> Iterator[str]:
    name = f"migrations_{os.getpid()}_{next(_numbers)}"
    server = make_engine(postgres.url(), pool_size=1).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        execute(connection, f"create database {name} template {template}")
    yield name
    with server.connect() as connection:
        execute(connection, f"drop database {name} with (force)")
    server.dispose()


@pytest.fixture
def fresh(postgres: LocalPostgres, template: str) -> Iterator[str]:
    """URL of a migrated database of the test's own."""
    with database(postgres, template=template) as name:
        yield postgres.url(name)


@pytest.fixture
def empty(postgres: LocalPostgres) -> Iterator[str]:
    """URL of an empty database of the test's own."""
    with database(postgres) as name:
        yield postgres.url(name)


@pytest.fixture
def migrated(fresh: str) -> Iterator[Engine]:
    with connected(fresh) as engine:
        yield engine


@contextmanager
def connected(url: str, *, size: int = 3) -> Iterator[Engine]:
    engine = make_engine(url, pool_size=size)
    yield engine
    engine.dispose()


def schema(url: str) -> Sequence[str]:
    with connected(url) as engine, transaction(engine) as connection:
        return [str(line) for line in execute(connection, SCHEMA).scalars()]


def test_up_down_and_up_again_ends_where_it_began(fresh: str) -> None:
    first = schema(fresh)
    assert any("job_progress" in line for line in first)
    migrate(fresh, "downgrade", "base")
    assert [line for line in schema(fresh) if "alembic_version" not in line] == []
    migrate(fresh, "upgrade", "head")
    assert schema(fresh) == first


def test_models_equal_the_migrated_database(migrated: Engine, fresh: str) -> None:
    # Partitions that settle makes are no difference.
    with transaction(migrated) as connection:
        partitions.ensure_partitions(connection)
    migrate(fresh, "check")


def test_check_notices_what_the_models_do_not_say(migrated: Engine, fresh: str) -> None:
    changes = {
        "alter table jobs add column forgotten int": "'remove_column', None, 'jobs', Column('forgotten'",
        "alter table jobs drop column status_reason": "'add_column', None, 'jobs', Column('status_reason'",
        "alter table jobs alter column lane drop not null": "'modify_nullable', None, 'jobs', 'lane'",
        "alter table buckets alter column done_batches type int": "'modify_type', None, 'buckets', 'done_batches'",
        "drop index jobs_active": "'add_index', Index('jobs_active'",
        "create table forgotten_p0 (n int)": "'remove_table', Table('forgotten_p0'",
    }
    with transaction(migrated) as connection:
        for change in changes:
            execute(connection, change)
    done = run_migration(fresh, "check")
    assert done.returncode != 0
    assert [noticed for noticed in changes.values() if noticed not in done.stdout] == []


def run_migration(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_migration_that_cannot_get_its_lock_gives_up_and_changes_nothing(fresh: str) -> None:
    before = schema(fresh)
    with connected(fresh) as engine, transaction(engine) as reader:
        tables = execute(reader, "select tablename from pg_tables where schemaname = 'public'").scalars().all()
        for table in tables:  # whatever the newest migration undoes, a reader is there
            execute(reader, f"lock table {table} in access share mode")
        began = time.monotonic()
        done = run_migration(fresh, "downgrade", "-1")
        assert time.monotonic() - began < 15
    assert done.returncode != 0
    assert "lock timeout" in done.stderr
    assert schema(fresh) == before


def test_second_runner_does_not_migrate_beside_the_first(empty: str) -> None:
    # The key is alembic/env.py's.
    with connected(empty) as engine, transaction(engine) as first:
        execute(first, "select pg_advisory_lock(5337221)")
        assert run_migration(empty, "upgrade", "head").returncode != 0
        execute(first, "select pg_advisory_unlock(5337221)")
    assert schema(empty) == []


def partition_names(engine: Engine) -> set[str]:
    with transaction(engine) as connection:
        rows = execute(
            connection,
            "select inhrelid::regclass::text as name from pg_inherits i join pg_class c"
            " on c.oid = i.inhparent where c.relkind = 'p'",
        )
        return {row.name for row in rows}


def make_job(engine: Engine, *, objects: int = 1):
    with transaction(engine) as connection:
        job_id = uuid4()
        jobs.add_job(
            connection, job_id=job_id, bucket="b", prefix="", source=JobSource.LISTING, lane="scan-0", ruleset_hash="r"
        )
        job = jobs.get_job(connection, job_id)
        refs = [ObjectRef(bucket="b", key=str(n), size_bytes=1, etag="") for n in range(objects)]
        assert feeding.add_batches(
            connection, job, plan_page(refs, Policy(object_max_bytes=9)), cursor="x", is_last=True
        )
    return job


def number_next_job(engine: Engine, number: int) -> None:
    with transaction(engine) as connection:
        execute(connection, f"alter table jobs alter column job_no restart with {number}")


def test_jobs_find_their_partitions_long_before_they_need_them(migrated: Engine) -> None:
    assert partition_names(migrated) == {f"{table}_p0" for table in PARTITIONED}
    with transaction(migrated) as connection:
        assert partitions.ensure_partitions(connection) == len(PARTITIONED)
        assert partitions.ensure_partitions(connection) == 0
    assert partition_names(migrated) == {f"{table}_p{n}" for table in PARTITIONED for n in (0, 1)}

    number_next_job(migrated, JOBS_IN_A_PARTITION + 1)
    job = make_job(migrated)
    assert job.job_no == 1001
    with transaction(migrated) as connection:
        rows = execute(connection, "select tableoid::regclass::text as name from job_batches").all()
        assert [row.name for row in rows] == ["job_batches_p1"]
        # Job 1001 is in range 1: the next one is made.
        assert partitions.ensure_partitions(connection) == len(PARTITIONED)
        kept = execute(connection, "select reloptions from pg_class where relname = 'job_batches_p2'").scalar_one()
        assert "fillfactor=60" in kept
        (constraint,) = execute(
            connection, "select count(*) from pg_constraint where conname = 'job_batches_p2_range'"
        ).one()
        assert constraint == 0


def test_partitions_are_made_beside_writers(migrated: Engine) -> None:
    make_job(migrated)
    waiting = make_engine(str(migrated.url.render_as_string(hide_password=False)), pool_size=1)
    with transaction(migrated) as writer:
        execute(writer, "update job_batches set state_at = now()")
        with transaction(waiting) as connection:
            execute(connection, "set local lock_timeout = '2s'")
            assert partitions.ensure_partitions(connection) == len(PARTITIONED)
    waiting.dispose()
    # And a writer does not wait for whoever makes them.
    number_next_job(migrated, JOBS_IN_A_PARTITION + 1)
    make_job(migrated)
    with transaction(migrated) as maker:
        assert partitions.ensure_partitions(maker) == len(PARTITIONED)
        with transaction(migrated) as writer:
            execute(writer, "set local lock_timeout = '2s'")
            execute(writer, "update job_batches set state_at = now()")

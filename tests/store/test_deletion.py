"""Jobs that go: gone for readers at once, their rows in bounded steps, whole partitions without blocking anybody."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import cast
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from scanner_tasks.core.errors import Conflict, JobNotFound
from scanner_tasks.core.model import Job
from scanner_tasks.core.rights import SYSTEM
from scanner_tasks.flow import retention
from scanner_tasks.flow.parts import Api
from scanner_tasks.settings import Settings
from scanner_tasks.store import deletion, jobs, partitions, reopen, sweep, watches
from scanner_tasks.store.engine import execute, transaction
from scanner_tasks.store.findings import FindingFilter, read_findings
from scanner_tasks.store.schema import JOBS_IN_A_PARTITION, PARTITIONED, metadata

from .ledgers import claim, record, results
from .test_migrations import connected, empty, fresh, make_job, migrated, number_next_job, partition_names, template

__all__ = ["empty", "fresh", "migrated", "template"]


def using(engine: Engine, **changes: object) -> Api:
    return cast("Api", SimpleNamespace(engine=engine, settings=Settings(**changes), caller=SYSTEM))


def end(engine: Engine, job: Job) -> None:
    """Everything of the job is done; its first batch has a finding and a failure, and a dead letter."""
    with transaction(engine) as connection:
        job = jobs.get_job(connection, job.job_id)
    for batch_no in range(job.next_batch_no):
        batch = claim(engine, job, batch_no)
        assert record(engine, batch, results(batch))
    with transaction(engine) as connection:
        sweep.advance_done_from(connection, job.job_no)
        assert sweep.finish_job(connection, job.job_no)
        place = {"job_no": job.job_no}
        execute(connection, "insert into job_rulesets values (:job_no, 'r2')", **place)
        execute(connection, "insert into job_costs values (:job_no)", **place)
        execute(connection, "insert into job_classes values (:job_no, 'STANDARD', 1, 1)", **place)
        execute(connection, "insert into job_strata values (:job_no, '', '', 40, 1, 1)", **place)
        execute(connection, "insert into object_failures values (:job_no, 0, 1, 60, 'x')", **place)
        execute(connection, "insert into batch_errors values (:job_no, 0, 1, 'x', 'x')", **place)
        execute(
            connection,
            "insert into dead_letters (message_id, job_no, batch_no, body, receive_count)"
            " values (:message_id, :job_no, 0, '{}', 3)",
            message_id=str(uuid4()),
            **place,
        )


def rows_of(engine: Engine, job: Job) -> dict[str, int]:
    with transaction(engine) as connection:
        return {
            table: execute(
                connection, f"select count(*) from {table} where job_no = :job_no", job_no=job.job_no
            ).scalar_one()
            for table in (*deletion.JOB_TABLES, "jobs")
        }


def test_every_table_with_rows_of_jobs_is_emptied_by_an_index(engine: Engine) -> None:
    with transaction(engine) as connection:
        tables = execute(
            connection,
            """
            select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
            where a.attname = 'job_no' and not a.attisdropped and c.relkind in ('r', 'p') and not c.relispartition
              and c.relnamespace = 'public'::regnamespace
            """,
        ).scalars()
        assert {*deletion.JOB_TABLES, "jobs", "watches"} == set(tables)
    for name in deletion.JOB_TABLES:
        table = metadata.tables[name]
        leading = [next(iter(index.columns)).name for index in (*table.indexes, table.primary_key) if index.columns]
        assert "job_no" in leading, name


def test_ended_job_is_gone_at_once_and_its_rows_in_bounded_steps(
    engine: Engine, new_job: Callable[..., Job], bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, other = new_job(), new_job()
    with pytest.raises(Conflict, match="cancel it first"):
        retention.delete_job(job.job_id, using=using(engine))
    end(engine, job)
    end(engine, other)
    before = rows_of(engine, other)
    assert all(before[table] for table in deletion.JOB_TABLES if "range" not in table)

    retention.delete_job(job.job_id, using=using(engine))
    retention.delete_job(job.job_id, using=using(engine))
    with transaction(engine) as connection:
        assert jobs.get_job(connection, job.job_id) is None
        assert job.job_id not in {each.job_id for each in jobs.list_jobs(connection, before=None, limit=10)}
        assert read_findings(connection, FindingFilter(job_id=job.job_id), after=None, limit=9).found == ()
        found = read_findings(connection, FindingFilter(bucket=bucket), after=None, limit=999).found
        assert {finding.job_id for _, finding in found} == {other.job_id}
        with pytest.raises(Conflict, match="being deleted"):
            reopen.reopen_job(connection, job.job_no)

    monkeypatch.setattr(deletion, "DELETE_AT_ONCE", 2)
    left = sum(rows_of(engine, job).values()) - 1
    steps = []
    while True:
        with transaction(engine) as connection:
            assert not deletion.end_deletion(connection, job.job_no)
            steps.append(deletion.delete_step(connection, job.job_no))
        if sum(steps) == left:
            break
    assert max(steps) <= 2
    with transaction(engine) as connection:
        assert deletion.delete_step(connection, job.job_no) == 0
        assert deletion.end_deletion(connection, job.job_no)
        assert not deletion.end_deletion(connection, job.job_no)
        with pytest.raises(JobNotFound):
            deletion.begin_deletion(connection, job.job_id)
    assert not any(rows_of(engine, job).values())
    assert rows_of(engine, other) == before


def test_step_deletes_nothing_of_a_job_that_is_to_stay(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    before = rows_of(engine, job)
    with transaction(engine) as connection:
        assert deletion.delete_step(connection, job.job_no) == 0
        assert not deletion.end_deletion(connection, job.job_no)
    assert rows_of(engine, job) == before


@pytest.fixture
def ranges(migrated: Engine) -> tuple[Engine, list[Job]]:
    """Jobs 1, 2 (range 0), 1001 and 1002 (range 1), ended but for the last."""
    made = [make_job(migrated), make_job(migrated)]
    with transaction(migrated) as connection:
        partitions.ensure_partitions(connection)
    number_next_job(migrated, JOBS_IN_A_PARTITION + 1)
    made += [make_job(migrated), make_job(migrated)]
    for job in made[:3]:
        end(migrated, job)
    return migrated, made


def test_only_jobs_that_ended_long_enough_ago_are_deleted_by_retention(ranges: tuple[Engine, list[Job]]) -> None:
    engine, (first, second, third, running) = ranges
    with transaction(engine) as connection:
        execute(connection, "update jobs set finished_at = now() - interval '31 days' where job_no in (1, 1001)")
        execute(connection, "update jobs set created_at = now() - interval '99 days'")
    assert retention.retire(using=using(engine)).jobs == 0, "nothing is deleted without the setting"
    gone = retention.retire(using=using(engine, retention_days=30))
    assert (gone.jobs, gone.partitions) == (2, 0)
    assert gone.rows > 10
    assert [rows_of(engine, job)["jobs"] for job in (first, second, third, running)] == [0, 1, 0, 1]
    assert retention.retire(using=using(engine, retention_days=30)) == retention.Gone(jobs=0, rows=0, partitions=0)


def test_partition_all_of_whose_jobs_are_gone_is_dropped_whole(ranges: tuple[Engine, list[Job]]) -> None:
    engine, (first, second, third, _) = ranges
    for job in (first, third):
        retention.delete_job(job.job_id, using=using(engine))
    assert retention.retire(using=using(engine)).partitions == 0
    assert len(partition_names(engine)) == 4
    retention.delete_job(second.job_id, using=using(engine))
    gone = retention.retire(using=using(engine))
    assert (gone.jobs, gone.partitions) == (1, 2)
    assert partition_names(engine) == {f"{table}_p1" for table in PARTITIONED}
    assert not any(rows_of(engine, second).values())
    assert retention.retire(using=using(engine)) == retention.Gone(jobs=0, rows=0, partitions=0)
    with transaction(engine) as connection:
        # Range 0 is not made again, and the running job goes on.
        assert partitions.ensure_partitions(connection) == len(PARTITIONED)
        assert len(jobs.active_jobs(connection)) == 1
    assert partition_names(engine) == {f"{table}_p{n}" for table in PARTITIONED for n in (1, 2)}


@pytest.mark.parametrize("held", ["update job_batches set state_at = now() where job_no = 1", "select 1 from findings"])
def test_partition_in_use_is_left_for_later_and_blocks_nobody(
    ranges: tuple[Engine, list[Job]], fresh: str, held: str
) -> None:
    engine, (first, second, _, running) = ranges
    for job in (first, second):
        retention.delete_job(job.job_id, using=using(engine))
    table = "job_batches" if "batches" in held else "findings"
    with connected(fresh) as other, transaction(other) as writer:
        execute(writer, held)
        for _ in range(2):  # cut short; then while it is detaching
            assert not partitions.drop_partition(engine, table, 0, patience_s=0.2)
            with connected(fresh) as third, transaction(third) as connection:
                execute(connection, "set local lock_timeout = '2s'")
                execute(connection, "update job_batches set attempt = 7 where job_no > 1001 and state = 9")
                execute(connection, "insert into findings select * from findings where false")
                assert partitions.ensure_partitions(connection) in {0, len(PARTITIONED)}
            batch = claim(engine, running, 0)
            if batch:
                assert record(engine, batch, results(batch))
    assert partitions.drop_partition(engine, table, 0)
    assert partitions.drop_partition(engine, table, 0)
    assert f"{table}_p0" not in partition_names(engine)
    with transaction(engine) as connection:
        assert execute(connection, "select count(*) from findings where job_no = 1002").scalar_one() == 1


def test_marks_outlive_the_job(engine: Engine, new_job: Callable[..., Job]) -> None:
    from scanner_tasks.core.model import TriageStatus  # noqa: PLC0415
    from scanner_tasks.store import triage  # noqa: PLC0415

    job = new_job()
    end(engine, job)
    with transaction(engine) as connection:
        ((place, finding), *_) = read_findings(connection, FindingFilter(job_id=job.job_id), after=None, limit=1).found
        triage.add_mark(connection, place, TriageStatus.FIXED, marked_by="me", reason="so")
    retention.delete_job(job.job_id, using=using(engine))
    while retention.retire(using=using(engine)).rows:
        pass
    again = new_job()
    end(engine, again)
    with transaction(engine) as connection:
        found = read_findings(connection, FindingFilter(job_id=again.job_id), after=None, limit=9).found
    assert {f.triage for _, f in found if f.finding_id == finding.finding_id} == {TriageStatus.FIXED}


def test_watch_outlives_the_job_that_took_its_events(engine: Engine, new_job: Callable[..., Job]) -> None:
    job = new_job()
    with transaction(engine) as connection:
        execute(connection, "insert into watches (bucket, job_no) values (:b, :n)", b=job.bucket, n=job.job_no)
    end(engine, job)
    retention.delete_job(job.job_id, using=using(engine))
    while retention.retire(using=using(engine)).rows:
        pass
    with transaction(engine) as connection:
        watch = watches.get_watch(connection, job.bucket)
    assert watch
    assert (watch.job_id, watch.job_status) == (None, None)

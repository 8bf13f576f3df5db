"""A schedule of the running pipeline begins its job by itself, and the job ends with what is there."""

from __future__ import annotations

from scanner_tasks.store.engine import execute, transaction

from .conftest import Pipeline, by_key, text_with


def test_a_due_schedule_begins_its_job(pipeline: Pipeline) -> None:
    bucket = pipeline.new_bucket({"a.txt": text_with(3, lines=20)})
    pipeline.run_python(
        "import sys, scanner_tasks as s; s.add_schedule('yearly', '0 3 1 1 *', [sys.argv[1]], time_zone='Asia/Tokyo')",
        bucket,
    )
    with transaction(pipeline.engine) as connection:
        execute(connection, "update schedules set next_at = now() where name = 'yearly'")
    runs = "select state, job_ids, reason from schedule_runs where name = 'yearly'"
    pipeline.until(lambda: [row.state for row in pipeline.rows(runs)] == ["started"], "the run")
    (job_id,) = pipeline.rows(runs)[0].job_ids
    state = pipeline.ended(str(job_id))
    assert (state.status, by_key(pipeline.found(str(job_id)))) == ("succeeded", {"a.txt": 3})
    with transaction(pipeline.engine) as connection:
        execute(connection, "delete from schedules where name = 'yearly'")

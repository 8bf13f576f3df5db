"""One job from the request to its results, through every real part, with faults on the way."""

from __future__ import annotations

import base64
import json
import os
import signal
from pathlib import Path
from urllib.request import urlopen
from uuid import uuid4

import pytest

from scanner_tasks.local import commands
from scanner_tasks.local.api_client import JobState
from scanner_tasks.local.sample import make_sample
from scanner_tasks.local.verdict import sum_differences, truth_differences
from scanner_tasks.store.engine import execute, transaction
from scanner_tasks.store.packing import pack_etags
from scanner_tasks.tasks import job_id_of

from .conftest import Pipeline, by_key, text_with

CLAIMED = 2


def test_sample_scanned_over_http_equals_its_truth(pipeline: Pipeline, tmp_path: Path) -> None:
    sample = make_sample(tmp_path, large_bytes=1_000_000)
    buckets = sorted({o.bucket for o in sample.objects})
    for bucket in buckets:
        pipeline.s3.create_bucket(Bucket=bucket)
    for o in sample.objects:
        pipeline.s3.put_object(Bucket=o.bucket, Key=o.key, Body=o.path.read_bytes())

    jobs = {bucket: pipeline.api.start_scan(bucket) for bucket in buckets}
    states = {bucket: pipeline.ended(job) for bucket, job in jobs.items()}
    found = {bucket: pipeline.found(job) for bucket, job in jobs.items()}

    everything = [finding for findings in found.values() for finding in findings]
    assert truth_differences(sample.objects, everything, {b: s.outcomes for b, s in states.items()}) == []
    for bucket, job in jobs.items():
        assert sum_differences(states[bucket], found[bucket]) == []
        assert states[bucket].listed == len(sample.of(bucket))
        # The view is refreshed each second, and tells the same in the end.
        assert JobState.from_json(read(pipeline, f"/jobs/{job}")) == states[bucket]
        # No page repeats or misses a finding.
        places = [(finding.key, finding.rule) for finding in found[bucket]]
        expected = {(o.key, rule) for o in sample.of(bucket) for rule in o.findings}
        assert len(places) == len(set(places))
        assert set(places) == expected
    # Feed, workers and settle logged no object's name or value.
    assert "customers-001" not in pipeline.worker_logs()


def read(pipeline: Pipeline, target: str) -> dict[str, object]:
    with urlopen(pipeline.api_url + target, timeout=30) as answer:
        return json.load(answer)


def test_batches_of_a_killed_worker_are_scanned_by_another_exactly_once(pipeline: Pipeline) -> None:
    truth = {f"part-{n:03d}.txt": 1 + n % 3 for n in range(300)}
    bucket = pipeline.new_bucket({key: text_with(ssns, lines=800) for key, ssns in truth.items()})
    job = pipeline.api.start_scan(bucket)

    victim, held = stop_a_worker_mid_batch(pipeline, job)
    pipeline.kill(victim)
    state = pipeline.ended(job)

    assert (state.status, state.objects["scanned"], state.objects["failed"]) == ("succeeded", 300, 0)
    assert by_key(pipeline.found(job)) == truth
    assert state.occurrences == sum(truth.values())
    attempts = {row.batch_no: row.attempt for row in pipeline.batches(job)}
    assert all(attempts[batch_no] >= 2 for batch_no in held)


def stop_a_worker_mid_batch(pipeline: Pipeline, job: str):
    """A worker that is frozen while it holds batches of the job, and the batches."""
    caught = []

    def catch() -> bool:
        for row in pipeline.batches(job):
            worker = pipeline.worker_of(job, row.batch_no) if row.state == CLAIMED else None
            if worker is None:
                continue
            os.kill(worker.pid, signal.SIGSTOP)
            # What it holds now it will hold when it dies.
            held = [
                after.batch_no
                for after in pipeline.batches(job)
                if after.state == CLAIMED and pipeline.worker_of(job, after.batch_no) is worker
            ]
            if held:
                caught.append((worker, held))
                return True
            os.kill(worker.pid, signal.SIGCONT)
        assert not pipeline.api.job(job).is_final, "the job was too fast to be caught at work"
        return False

    pipeline.until(catch, "a worker at work")
    return caught[0]


def test_workers_that_are_alive_are_told_and_one_that_is_stopped_leaves(pipeline: Pipeline) -> None:
    slots = 3  # as no other worker has
    query = "select busy from workers where slots = :slots"
    pipeline._spawn("worker-more", [*commands.worker("worker-more"), f"--concurrency={slots}"])
    pipeline.until(lambda: len(pipeline.rows(query, slots=slots)) == 1, "the first beat of a worker")
    fleet = read(pipeline, "/fleet")
    assert fleet["workers"] >= 1
    assert fleet["slots"] >= slots
    more = next(child for child in pipeline._children if child.name == "worker-more")
    pipeline._children.remove(more)
    os.kill(more.pid, signal.SIGTERM)
    pipeline.until(lambda: more.exit_status is not None, "the worker's end")
    assert pipeline.rows(query, slots=slots) == []


def test_each_message_delivered_three_times_counts_once(pipeline: Pipeline) -> None:
    truth = {f"{n:04d}.txt": n % 4 for n in range(450)}
    bucket = pipeline.new_bucket({key: text_with(ssns, lines=20) for key, ssns in truth.items()})
    job = pipeline.api.start_scan(bucket)
    pipeline.until_listed(job)

    (lane,) = {row.lane for row in pipeline.batches(job)}
    copies = pipeline.messages(job) * 2
    assert len(copies) == 10
    pipeline.send(lane, copies, bucket)
    state = pipeline.ended(job)

    assert (state.status, state.listed, state.objects["scanned"], state.occurrences) == (
        "succeeded",
        450,
        450,
        sum(truth.values()),
    )
    assert by_key(pipeline.found(job)) == {key: ssns for key, ssns in truth.items() if ssns}
    assert [(row.attempt, row.given_back) for row in pipeline.batches(job)] == [(1, 0)] * 5


def test_poisoned_messages_become_dead_letters_and_harm_nothing(pipeline: Pipeline) -> None:
    bucket = pipeline.new_bucket({f"{n}.txt": text_with(1, lines=5) for n in range(20)})
    job = pipeline.api.start_scan(bucket)
    pipeline.until_listed(job)
    lane = pipeline.batches(job)[0].lane

    def message(*args: object, task: str = "scanner_tasks.scan_batch") -> str:
        """A message of ours but for these arguments, or this task."""
        outer = json.loads(base64.b64decode(pipeline.messages(job)[0]))
        inner = [args, {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
        outer["headers"]["task"] = task
        outer["body"] = base64.b64encode(json.dumps(inner).encode()).decode()
        return json.dumps(outer)

    poisons = {
        "garbage": ("hidden-garbage not base64 {", None),
        "JSON of another kind": ('{"hidden-garbage": [1, 2]}', None),
        "unknown task": (message(job, 0, 0, task="scanner_tasks.hidden-garbage"), "scanner_tasks.hidden-garbage"),
        "another application's task": (message(2, 2, task="hidden-garbage.add"), None),
        "arguments of other types": (message(job, "hidden-garbage", 0), "scanner_tasks.scan_batch"),
        "no arguments at all": (message(), "scanner_tasks.scan_batch"),
        "task's name with a NUL": (message(job, 0, 0, task="scanner_tasks.\0"), "scanner_tasks.�"),
    }
    url = pipeline.queue_url(lane)
    ids = {
        name: pipeline.sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=bucket)["MessageId"]
        for name, (body, _) in poisons.items()
    }

    def letters():
        query = "select * from dead_letters where message_id = any(:ids)"
        return {row.message_id: row for row in pipeline.rows(query, ids=list(ids.values()))}

    pipeline.until(lambda: len(letters()) == len(poisons), "the dead letters")
    for name, (body, task) in poisons.items():
        letter = letters()[ids[name]]
        assert (name, letter.body, letter.task) == (name, body, task)
        assert (name, letter.receive_count) == (name, 3)
    for name in ("unknown task", "another application's task"):
        assert pipeline.receives(ids[name]) == [1, 2, 3]
    assert "hidden-garbage" not in pipeline.worker_logs()

    state = pipeline.ended(job)
    assert (state.status, state.objects["scanned"], state.findings) == ("succeeded", 20, 20)
    # The lane goes on working.
    again = pipeline.ended(pipeline.api.start_scan(bucket))
    assert (again.status, again.findings) == ("succeeded", 20)


@pytest.fixture
def short_executions(pipeline: Pipeline):
    """Two turns for each execution, and one batch for each turn."""
    pipeline.set_feed(S3SCAN_FEED_MAX_TURNS="2", S3SCAN_WINDOW_MIN_BATCHES="1", S3SCAN_WINDOW_S="0.001")
    yield
    pipeline.set_feed()


@pytest.mark.usefixtures("short_executions")
def test_job_goes_on_in_a_second_execution(pipeline: Pipeline) -> None:
    # Long keys make small batches: a dozen of these objects fill one.
    truth = {f"{n:02d}-{'k' * 990}": 1 for n in range(40)}
    bucket = pipeline.new_bucket({key: text_with(1, lines=5) for key in truth})
    job = pipeline.api.start_scan(bucket)
    state = pipeline.ended(job)

    assert (state.status, state.objects["scanned"]) == ("succeeded", 40)
    assert by_key(pipeline.found(job)) == truth
    assert len(pipeline.batches(job)) == 4
    (row,) = pipeline.rows("select execution_no, execution_arn from jobs where job_id = :id", id=job)
    assert row.execution_no >= 2
    arns = [row.execution_arn.rpartition(":")[0] + f":{job}-{number}" for number in (1, 2)]
    described = [pipeline.states.describe_execution(executionArn=arn) for arn in arns]
    assert [(d["name"], d["status"]) for d in described] == [(f"{job}-1", "SUCCEEDED"), (f"{job}-2", "SUCCEEDED")]
    assert json.loads(described[0]["output"])["state"] == "continued"
    assert json.loads(described[1]["input"]) == {"job_id": job, "execution_no": 2, "turn": 0}


PRODUCER = """
import sys
from scanner_tasks.tasks import scan_objects, scan_prefix
bucket, repeated = sys.argv[1:]
print(scan_prefix.delay(bucket, "in/").id)
print(scan_objects.delay(bucket, ["in/0.txt", "out/1.txt", "nowhere.txt"]).id)
for _ in range(3):  # one request, delivered three times
    scan_prefix.apply_async((bucket, "out/"), task_id=repeated)
assert "scanner_tasks.bootstrap" not in sys.modules, "who only sends tasks opens no database"
"""


def test_jobs_are_started_by_tasks_from_any_process(pipeline: Pipeline) -> None:
    keys = [*(f"in/{n}.txt" for n in range(5)), *(f"out/{n}.txt" for n in range(3))]
    bucket = pipeline.new_bucket({key: text_with(2, lines=10) for key in keys})
    repeated = str(uuid4())
    by_prefix, by_keys = pipeline.run_python(PRODUCER, bucket, repeated).split()

    jobs = {name: str(job_id_of(name)) for name in (by_prefix, by_keys, repeated)}
    wanted = set(jobs.values())

    def started() -> bool:
        return {
            str(row.job_id) for row in pipeline.rows("select job_id from jobs where bucket = :b", b=bucket)
        } >= wanted

    pipeline.until(started, "the jobs' rows")
    ends = {name: pipeline.ended(job) for name, job in jobs.items()}

    assert (ends[by_prefix].status, ends[by_prefix].outcomes) == ("succeeded", {"scanned": 5})
    assert ends[repeated].outcomes == {"scanned": 3}
    assert ends[by_keys].status == "succeeded_with_failures"
    assert ends[by_keys].outcomes == {"scanned": 2, "failed(deleted_since_listing)": 1}
    assert by_key(pipeline.found(jobs[by_keys])) == {"in/0.txt": 2, "out/1.txt": 2}
    assert by_key(pipeline.found(jobs[repeated])) == {f"out/{n}.txt": 2 for n in range(3)}
    # Three deliveries of one request made one job and one execution.
    rows = pipeline.rows("select job_id, execution_no from jobs where bucket = :b", b=bucket)
    assert {str(row.job_id) for row in rows} == wanted
    assert [row.execution_no for row in rows if str(row.job_id) == jobs[repeated]] == [1]


def test_operators_find_a_dead_letter_and_send_it_back_from_the_command_line(pipeline: Pipeline) -> None:
    """A batch that no worker can claim: three receives, the DLQ, settle, the commands, and the job is whole."""

    def s3scan(*arguments: str) -> str:
        return pipeline.run_python("import sys; from scanner_tasks.cli import main; sys.exit(main())", *arguments)

    def change_ledger(statement: str, **values: object) -> None:
        with transaction(pipeline.engine) as connection:
            execute(connection, statement, **values)

    bucket = pipeline.new_bucket({f"damaged-{n:02d}.txt": text_with(1, lines=5) for n in range(30)})
    change_ledger("""create function damage() returns trigger language plpgsql as
      $$begin if new.keys[1] like 'damaged-%' then new.etags = ''; end if; return new; end$$""")
    change_ledger("create trigger damage before insert on job_batches for each row execute function damage()")
    job = pipeline.api.start_scan(bucket)
    state = pipeline.ended(job)
    assert (state.status, state.outcomes) == ("succeeded_with_failures", {"failed(dead_letter)": 30})
    change_ledger("drop trigger damage on job_batches")

    (listed,) = [json.loads(line) for line in s3scan("dlq", "list", "--job", job, "--json").splitlines()]
    shown = json.loads(s3scan("dlq", "show", listed["message_id"], "--json"))
    assert (shown["task"], shown["arguments"]) == ("scanner_tasks.scan_batch", [repr(job), "0", "0"])
    dry = s3scan("dlq", "retry", "--job", job, "--dry-run")
    assert "1" in dry
    assert pipeline.api.job(job).is_final, "a dry run changes nothing"

    stored = pipeline.s3.list_objects_v2(Bucket=bucket)["Contents"]
    change_ledger(
        "update job_batches b set etags = :etags from jobs j where j.job_no = b.job_no and j.job_id = :job",
        etags=pack_etags(item["ETag"].strip('"') for item in stored),
        job=job,
    )
    s3scan("dlq", "retry", listed["message_id"])
    pipeline.until(lambda: pipeline.api.job(job).status == "succeeded", "the job's second end")
    state = pipeline.ended(job)
    assert (state.outcomes, state.findings) == ({"scanned": 30}, 30)
    assert s3scan("dlq", "list", "--job", job, "--json").strip() == ""

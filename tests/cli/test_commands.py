"""The commands on a real ledger: what they print, their exit status, one line for what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from api_lambda import shapes as api_shapes
from scanner_tasks.cli import program, reference
from scanner_tasks.cli.shapes import job_shape
from scanner_tasks.core import lanes
from scanner_tasks.core.access import Access
from scanner_tasks.core.buckets import Posture
from scanner_tasks.core.errors import Denied, JobNotFound, Unavailable
from scanner_tasks.core.ports import OutgoingMessage
from scanner_tasks.fakes import FakeObjects
from scanner_tasks.flow import control
from scanner_tasks.flow.settle import settle
from scanner_tasks.store.engine import execute, transaction
from tests.flow.conftest import System

SSN = b"name,ssn\nJane Roe,512-44-1234\n"
ROOT = Path(__file__).parents[2]
Run = Callable[..., SimpleNamespace]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_it(*arguments: object) -> SimpleNamespace:
        capsys.readouterr()
        status = program.run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        errors = [line for line in said.err.splitlines() if not line.startswith('{"')]  # without log lines
        return SimpleNamespace(
            status=status,
            out=said.out,
            err="\n".join(errors),
            json=[json.loads(line) for line in said.out.splitlines() if line.startswith("{")],
        )

    return run_it


def test_scan_of_a_selection_is_started_by_options_and_shown(system: System, run: Run) -> None:
    system.put({"a.csv": SSN, "b.csv": SSN, "c.png": SSN})
    done = run(
        *("jobs", "start", system.bucket, "--include-keys", "*.csv", "--include-keys", "*.tsv"),
        *("--max-size-bytes", "1MB", "--limit-objects", 1),
    )
    job_id = UUID(done.out.strip())
    system.run(job_id)
    shown = run("jobs", "show", job_id, "--live")
    assert shown.status == 0
    for line in ("include_keys *.csv, *.tsv", "limit_objects 1", "skipped(over_limit) 1", "limit reached:"):
        assert line in " ".join(shown.out.split())
    wrong = run("jobs", "start", system.bucket, "--sample-percent", 200)
    assert (wrong.status, "sample_percent: give a number above 0" in wrong.err) == (2, True)


def test_account_is_shown_and_a_pattern_begins_jobs(system: System, run: Run) -> None:
    system.objects.buckets = {f"{system.bucket}-a": {"k": SSN}, f"{system.bucket}-b": {}, f"{system.bucket}-c": {}}
    system.objects.denied.add((f"{system.bucket}-b", None))
    system.objects.account().postures[f"{system.bucket}-c"] = Posture(
        public=None, encryption="AES256", unknown=("s3:GetBucketAcl",)
    )
    done = run("jobs", "start-many", f"{system.bucket}-*", "--json")
    assert done.status == 3
    assert [line["job_id"] is None for line in done.json] == [False, False, True]
    assert "s3:ListBucket" in done.json[2]["reason"]
    (never,) = run("buckets", "--never-scanned", "--json").json
    assert (never["bucket"], never["public"], never["last_scan"]) == (f"{system.bucket}-b", False, None)
    shown = " ".join(run("buckets").out.split())
    assert f"{system.bucket}-b us-east-1 no AES256 never - -" in shown
    assert "unknown AES256" in shown
    assert "needs s3:GetBucketAcl" in shown
    assert run("jobs", "start-many", "nothing-*").status == 2
    assert run("jobs", "start-many", "x-*", "--bucket-tags", "x").err.startswith("s3scan: --bucket-tags: give NAME")


def test_cost_is_told_before_and_after(system: System, run: Run) -> None:
    system.put({f"t/{n}.csv": SSN for n in range(20)} | {"empty": b""})
    told = run("estimate", system.bucket)
    assert told.status == 0
    words = " ".join(told.out.split())
    for part in ("all 21 objects listed", "to be scanned 20", "skipped(empty) 1", "Fargate Spot $", "Amazon Macie $"):
        assert part in words
    (as_json,) = run("estimate", system.bucket, "--sample-percent", 50, "--json").json
    assert as_json["objects"]["scanned"] < 20
    job_id = UUID(run("jobs", "start", system.bucket, "--budget-dollars", 3).out.strip())
    system.run(job_id)
    shown = " ".join(run("jobs", "show", job_id).out.split())
    assert "budget dollars 3.0" in shown
    assert "cost estimated $" in shown
    assert "cost actual $" in shown


def test_requests_to_a_bucket_are_limited_shown_and_freed(system: System, run: Run) -> None:
    (told,) = run("ops", "limit-requests", system.bucket, 200, "--json").json
    assert told == {"bucket": system.bucket, "max_per_s": 200.0, "now_per_s": 200.0}
    assert f"{system.bucket} 200.0 200.0" in " ".join(run("ops", "limit-requests").out.split())
    assert run("ops", "limit-requests", system.bucket).out.strip() == f"{system.bucket} has no limit."
    assert run("ops", "limit-requests", system.bucket, 0).status == 2
    assert run("ops", "limit-requests", "s3://x", 5).status == 2


@pytest.fixture
def job_id(system: System) -> UUID:
    system.put({f"{n:03d}": SSN for n in range(150)} | {"esc\x1b[2J\nape": SSN})
    return system.start()


@pytest.fixture
def dead(system: System, job_id: UUID) -> str:
    """A dead letter of the job's first batch; the other batch is done."""
    with transaction(system.engine) as connection:
        execute(connection, "delete from dead_letters")
    system.feed(job_id)
    first = system.queues.bodies(system.job(job_id).job.lane)[0]
    system.queues.send(lanes.DLQ, [OutgoingMessage(body=first, group=system.bucket)])
    settle(using=system.feeder)
    system.deliver(job_id)
    settle(using=system.feeder)
    with transaction(system.engine) as connection:
        return str(execute(connection, "select message_id from dead_letters").scalar_one())


def test_scan_is_started_and_shown(system: System, run: Run) -> None:
    system.put({"a": SSN})
    done = run("jobs", "start", system.bucket)
    job_id = UUID(done.out.strip())
    assert done.status == 0
    assert "listing" in run("jobs", "show", job_id, "--live").out
    system.run(job_id)
    shown = run("jobs", "show", job_id)
    assert "succeeded" in shown.out
    (as_json,) = run("jobs", "show", job_id, "--json").json
    assert (as_json["status"], as_json["total_findings"]) == ("succeeded", 1)
    listed = run("jobs", "list", "--limit", 1)
    assert str(job_id) in listed.out
    assert [job["job_id"] for job in run("jobs", "list", "--limit", 1, "--json").json] == [str(job_id)]
    assert len(run("jobs", "list", "--limit", 250, "--json").json) >= 1


def test_scan_of_a_bucket_that_is_reached_in_another_way(system: System, run: Run) -> None:
    assert "S3SCAN_ALLOWED_ROLES" in run("jobs", "start", "b-1", "--role-arn", "arn:aws:iam::111122223333:role/r").err
    system.objects.reached[Access(requester_pays=True, region="eu-west-1")] = FakeObjects({system.bucket: {"a": SSN}})
    job_id = UUID(run("jobs", "start", system.bucket, "--requester-pays", "--region", "eu-west-1").out.strip())
    system.run(job_id)
    shown = run("jobs", "show", job_id, "--live").out
    assert "eu-west-1" in shown
    assert "requester_pays" in shown
    assert "succeeded" in shown


def test_json_of_a_job_and_its_findings_is_the_apis(system: System, job_id: UUID, run: Run) -> None:
    view = system.run(job_id)
    expected = api_shapes.Job.of(view).model_dump(mode="json")
    assert json.loads(json.dumps(job_shape(view), default=str)).keys() == expected.keys()
    (told,) = run("jobs", "show", job_id, "--live", "--json").json
    assert told == expected
    found = run("results", "--job", job_id, "--limit", 0, "--json").json
    assert len(found) == 151
    for finding in found:
        assert set(finding) == set(api_shapes.Finding.model_fields)
        api_shapes.Finding.model_validate(finding)


def test_watching_ends_with_the_job_and_tells_how(
    system: System, job_id: UUID, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scanner_tasks.cli import watch_jobs  # noqa: PLC0415

    monkeypatch.setattr(watch_jobs.time, "sleep", lambda _: system.run(job_id))
    done = run("jobs", "watch", job_id)
    assert done.status == 0
    assert done.out.splitlines()[0].startswith(f"{job_id} listing: 0 of 0+ objects")
    assert done.out.splitlines()[-2:] == [
        f"{job_id} succeeded: 151 of 151 objects, 0 failed, 151 findings",
        "complete: 151 listed = 151 scanned",
    ]
    assert len(run("jobs", "watch", job_id, "--json").json) == 1


def test_job_is_paused_resumed_and_cancelled(system: System, job_id: UUID, run: Run) -> None:
    assert run("jobs", "pause", job_id).out == f"Job {job_id} is paused.\n"
    again = run("jobs", "pause", job_id)
    assert (again.status, again.out) == (1, "")
    assert again.err == f"s3scan: Job {job_id} is paused: only a job that is listing or scanning can be paused."
    assert run("jobs", "resume", job_id, "--json").json[0]["status"] == "listing"
    done = run("jobs", "cancel", job_id, "--reason", "wrong bucket", "--json")
    assert done.json == [{"job_id": str(job_id), "status": "cancelled", "status_reason": "wrong bucket"}]


def test_failed_objects_are_retried(system: System, job_id: UUID, run: Run) -> None:
    system.objects.denied.add((system.bucket, "007"))
    system.run(job_id)
    watched = run("jobs", "watch", job_id)
    assert watched.status == 3, "an object of it was not read"
    assert watched.out.splitlines()[-1] == "incomplete: 151 listed = 150 scanned + 1 failed"
    shown = run("jobs", "show", job_id)
    assert shown.status == 3
    assert "incomplete" in shown.out
    assert "151 listed = 150 scanned + 1 failed" in shown.out
    (as_json,) = run("jobs", "show", job_id, "--json").json
    assert as_json["incomplete"]
    assert "incomplete" in run("jobs", "list", "--limit", 1).out
    assert run("jobs", "retry-failed", job_id).out == "1 objects in 1 batches are scanned again.\n"
    system.objects.denied.clear()
    system.run(job_id)
    assert run("jobs", "retry-failed", job_id, "--json").json == [{"job_id": str(job_id), "batches": 0, "objects": 0}]
    shown = run("jobs", "show", job_id)
    assert (shown.status, "incomplete" in shown.out, "151 listed = 151 scanned" in shown.out) == (0, False, True)


def test_results_are_limited_filtered_and_safe_for_the_terminal(system: System, job_id: UUID, run: Run) -> None:
    system.run(job_id)
    some = run("results", "--job", job_id, "--limit", 3)
    assert some.out.count("us.ssn") == 3
    assert "There are more: the first 3 are shown" in some.out
    assert "512-44" not in some.out
    every = run("results", "--job", job_id, "--limit", 0)
    assert every.out.count("us.ssn") == 151
    assert "\x1b" not in every.out
    assert run("results", "--bucket", system.bucket, "--key", "esc\x1b[2J\nape", "--json").json[0]["count"] == 1
    assert "No findings match." in run("results", "--job", job_id, "--rule", "payment.card").out


def test_dead_letter_is_listed_shown_and_retried(system: System, job_id: UUID, dead: str, run: Run) -> None:
    assert dead in run("dlq", "list").out
    (letter,) = run("dlq", "list", "--bucket", system.bucket, "--json").json
    assert (letter["job_id"], letter["batch_no"], letter["state"]) == (str(job_id), 0, "open")
    assert "(none kept)" in run("dlq", "list", "--by", "error").out
    assert run("dlq", "list", "--by", "job", "--json").json[0]["job"] == str(job_id)
    assert "There are no such letters." in run("dlq", "list", "--after", dead).out
    shown = run("dlq", "show", dead).out
    assert f"scanner_tasks.scan_batch('{job_id}', 0, 0)" in shown
    assert run("dlq", "show", dead, "--json").json[0]["errors"] == []
    dry = run("dlq", "retry", "--all", "--dry-run")
    assert dry.out == "Would be: 1 sent.\n"
    assert run("dlq", "retry", "--error", "", "--dry-run").out == "Would be: 1 sent.\n"
    assert run("dlq", "retry", dead, "--dry-run").status == 0
    assert run("dlq", "retry", dead).out.endswith("1 sent.\n")
    assert system.run(job_id).progress.scanned == 151
    assert run("dlq", "retry", "--job", job_id, "--json").json == []
    assert run("dlq", "list", "--state", "retried", "--json").json[0]["message_id"] == dead


def test_traceback_of_an_attempt_is_shown(system: System, job_id: UUID, dead: str, run: Run) -> None:
    with transaction(system.engine) as connection:
        execute(
            connection,
            """
            insert into batch_errors (job_no, batch_no, attempt, error, traceback)
            values (:n, 0, 1, 'Unavailable: S3 is away', :frames)
            """,
            n=system.job(job_id).job.job_no,
            frames="errors.Unavailable\n  scan_object.py:7 scan_object",
        )
    shown = run("dlq", "show", dead).out
    assert "attempt 1" in shown
    assert "  scan_object.py:7 scan_object" in shown


def test_dead_letter_is_discarded_with_a_reason_and_exported(
    system: System, dead: str, run: Run, tmp_path: Path
) -> None:
    without = run("dlq", "discard", dead)
    assert (without.status, without.err.startswith("s3scan: reason: say in one line")) == (2, True)
    assert run("dlq", "discard", "--all", "--reason", "x", "--dry-run").out == "1 letters would be discarded.\n"
    assert run("dlq", "discard", dead, "--reason", "a test").out == "1 letters were discarded.\n"
    assert run("dlq", "discard", "--bucket", system.bucket, "--reason", "x", "--json").json == []
    refused = run("dlq", "retry", dead)
    assert (refused.status, "It is discarded" in refused.err) == (1, True)
    target = tmp_path / "letters.jsonl"
    assert run("dlq", "export", "--output", target).status == 0
    (record,) = [json.loads(line) for line in target.read_text().splitlines()]
    assert (record["message_id"], record["state_reason"]) == (dead, "a test")
    assert record["body"]
    assert target.stat().st_mode & 0o777 == 0o600
    assert run("dlq", "export", "--state", "discarded").json[0]["message_id"] == dead
    missing = run("dlq", "export", "--output", tmp_path / "no" / "x")
    assert (missing.status, missing.err.count("\n")) == (1, 0)


@pytest.mark.parametrize(
    "arguments", [["retry"], ["retry", "m", "--all"], ["discard", "--all", "--task", "t", "--reason", "x"]]
)
def test_nothing_is_retried_or_discarded_by_mistake(system: System, run: Run, arguments: list[str]) -> None:
    done = run("dlq", *arguments)
    assert (done.status, done.err.startswith("s3scan: Name one MESSAGE_ID, or a group")) == (2, True)


def test_fleet_is_paused_settled_and_resumed(system: System, job_id: UUID, run: Run) -> None:
    try:
        assert run("ops", "pause-all").out == "The fleet is paused.\n"
        assert run("ops", "pause-all", "--json").json == [{"paused": True}]
        assert "The whole fleet is paused" in run("jobs", "show", job_id).out
        assert system.feed(job_id) == "done"
        assert run("ops", "settle", "--json").json[0]["restarted"] == 0
        assert "backlog batches" in run("ops", "settle").out
    finally:
        assert run("ops", "resume-all").out == "The fleet goes on.\n"
    assert run("ops", "resume-all").out == "The fleet was not paused.\n"
    assert system.run(job_id).progress.scanned == 151


def test_worker_is_alive_while_its_file_is_touched(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("S3SCAN_LIVENESS_FILE", raising=False)
    file = tmp_path / "worker.alive"
    missing = run("worker", "health", "--file", file)
    assert (missing.status, "does not exist" in missing.err) == (1, True)
    file.touch()
    assert run("worker", "health", "--file", file).out == "The worker is alive.\n"
    assert run("worker", "health").status == 2
    monkeypatch.setenv("S3SCAN_LIVENESS_FILE", str(file))
    assert run("worker", "health", "--json").json == [{"alive": True, "reason": None}]
    import os  # noqa: PLC0415

    os.utime(file, (0, 0))
    assert run("worker", "health").status == 1


def test_rules_are_listed_shown_proven_and_tried(run: Run, tmp_path: Path) -> None:
    assert "us.ssn" in run("rules", "list").out
    assert {rule["id"] for rule in run("rules", "list", "--json").json} >= {"us.ssn", "payment.card"}
    assert "validator: us_ssn" in run("rules", "show", "us.ssn").out
    unknown = run("rules", "show", "us.nope")
    assert (unknown.status, unknown.err) == (1, "s3scan: No rule 'us.nope': see `s3scan rules list` or GET /rules.")
    assert run("rules", "check").out == "Every rule is proven.\n"
    bad = tmp_path / "bad.toml"
    bad.write_text("[[rule]]\nid = 7\n")
    assert run("rules", "check", bad).status == 1
    assert run("rules", "list", "--rules", bad).status == 2
    data = tmp_path / "people.csv"
    data.write_bytes(SSN)
    tried = run("rules", "test", data)
    assert "us.ssn" in tried.out
    assert "512-44" not in tried.out
    assert run("rules", "test", data, "--json").json[0]["rule"] == "us.ssn"
    data.write_text("nothing")
    assert run("rules", "test", data).out == "Nothing was found.\n"
    missing = run("rules", "test", "us.nope")
    assert (missing.status, missing.err) == (
        1,
        "s3scan: 'us.nope' is neither a rule nor a file: see `s3scan rules list`.",
    )


def test_accounts_of_a_job_are_compared_while_it_goes_on_and_when_it_has_ended(
    system: System, job_id: UUID, run: Run
) -> None:
    system.put({"gone": SSN})
    going = run("db", "verify", job_id)
    assert (going.status, going.out.splitlines()[-1]) == (0, "The accounts agree: 0 listed = 0.")
    system.feed(job_id)
    system.objects.denied.add((system.bucket, "gone"))
    system.run(job_id)
    ended = run("db", "verify", job_id)
    assert (ended.status, ended.out.splitlines()[-1]) == (
        0,
        "The accounts agree: 152 listed = 151 scanned + 1 failed.",
    )
    (told,) = run("db", "verify", job_id, "--json").json
    assert (told["agree"], told["differing"], told["faults"]) == (True, [], {})
    assert told["view"] == told["deltas"] == told["ledger"]
    assert (told["ledger"]["findings"], told["ledger"]["bytes_done"]) == (151, 152 * len(SSN))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("insert into job_deltas (job_no, code, objects) values (:n, 10, 1)", "differ"),
        ("delete from findings where job_no = :n and batch_no = 0 and position = 3", "differ"),
        ("update job_batches set outcomes = set_byte(outcomes, 5, 0) where job_no = :n and batch_no = 0", "differ"),
        (
            "update job_batches set pending = 2 where job_no = :n and batch_no = 0",
            "whose pending objects are miscounted",
        ),
        ("update findings set position = 100 where job_no = :n and batch_no = 0 and position = 3", "or are not there"),
        (
            "insert into object_failures (job_no, batch_no, position, outcome, detail) values (:n, 0, 3, 60, 'x')",
            "reasons that are not of their object's outcome",
        ),
    ],
)
def test_whatever_is_miscounted_is_found(system: System, job_id: UUID, run: Run, damage: str, said: str) -> None:
    system.run(job_id)
    with transaction(system.engine) as connection:
        n = execute(connection, "select job_no from jobs where job_id = :id", id=job_id).scalar_one()
        execute(connection, damage, n=n)
    done = run("db", "verify", job_id)
    assert done.status == 1
    assert said in done.out
    assert done.err == "s3scan: the accounts do not agree; that is a defect of the scanner."
    assert not run("db", "verify", job_id, "--json").json[0]["agree"]
    shown = run("jobs", "show", job_id, "--live")
    assert shown.status == (1 if "job_deltas" in damage else 0)
    if shown.status:
        assert f"s3scan db verify {job_id}" in shown.err


def test_schema_is_checked_and_upgraded(
    run: Run, postgres: object, engine: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import text  # noqa: PLC0415

    from scanner_tasks import settings  # noqa: PLC0415

    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:  # type: ignore[attr-defined]
        connection.execute(text("create database cli_schema"))
    monkeypatch.setenv("DATABASE_URL", postgres.url("cli_schema"))  # type: ignore[attr-defined]
    settings.load.cache_clear()
    try:
        old = run("db", "check")
        assert (old.status, "run `s3scan db upgrade`" in old.err) == (1, True)
        assert run("db", "upgrade").status == 0
        assert run("db", "check", "--json").json[0]["is_current"]
        assert "already" in run("db", "upgrade").out
        assert run("db", "check").status == 0
        told = run("db", "size", "--json").json[0]
        assert told["bytes"] == sum(table["bytes"] for table in told["tables"]) > 0
        assert "findings_p0" in run("db", "size").out
        for arguments in (("check",), ("downgrade", "base"), ("upgrade", "head")):
            done = subprocess.run(
                [sys.executable, "-m", "alembic", *arguments], cwd=ROOT, capture_output=True, check=False
            )
            assert done.returncode == 0, done.stderr
    finally:
        settings.load.cache_clear()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Unavailable("Postgres is not reachable just now: try again."), (1, "Postgres is not reachable")),
        (Denied("the role needs states:StopExecution"), (1, "states:StopExecution")),
        (JobNotFound("x"), (1, "No job x")),
        (ZeroDivisionError("a secret value"), (1, "builtins.ZeroDivisionError: a fault of the scanner")),
        (KeyboardInterrupt(), (130, "")),
    ],
)
def test_whatever_goes_wrong_is_one_line_and_no_traceback(
    system: System, run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, expected: tuple[int, str]
) -> None:
    status, words = expected

    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(control, "pause_job", broken)
    done = run("jobs", "pause", uuid4())
    assert (done.status, done.out) == (status, "")
    assert words in done.err
    assert done.err.count("\n") == 0
    assert "secret" not in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope"], "No such command 'nope'. See `s3scan --help`."),
        (["jobs", "show"], "Missing argument"),
        (["jobs", "show", "7"], "JOB_ID: give the UUID"),
        (["jobs", "list", "--limit", "0"], "--limit"),
        (["results", "--limit", "x"], "--limit"),
        (["dlq", "list", "--state", "closed"], "--state: one of all, open"),
        (["dlq", "list", "--by", "size"], "by: one of error, job, bucket, task"),
        (["dlq", "retry", "--all", "--rate", "0"], "rate: give letters a second"),
        (["jobs", "start", "Not A Bucket"], "bucket: a name has 3 to 63 characters"),
    ],
)
def test_wrong_command_lines_say_what_to_change(system: System, run: Run, arguments: list[str], words: str) -> None:
    done = run(*arguments)
    assert done.status == 2
    assert words in done.err
    assert done.err.count("\n") == 0


def test_wrong_setting_is_named_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scanner_tasks.cli", "jobs", "list"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={"S3SCAN_LANE_COUNT": "many", "PATH": ""},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("s3scan: Settings are wrong: lane_count")
    assert done.stderr.count("\n") == 1


def test_reader_that_has_seen_enough_is_no_error(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    command = f"{sys.executable} -m scanner_tasks.cli rules list --json | head -c 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stderr == ""


def test_help_loads_nothing_heavy() -> None:
    program_text = (
        "import sys; from scanner_tasks.cli.program import run; run(['jobs', '--help']);"
        "print([n for n in ('boto3', 'sqlalchemy', 'celery', 're2', 'rich', 'alembic') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program_text], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(("name", "leaf"), list(reference.commands()), ids=lambda value: str(value)[:40])
def test_every_command_has_help_json_and_an_example_that_parses(name: str, leaf: object) -> None:
    import shlex  # noqa: PLC0415

    text, example = reference.described(leaf)
    assert text
    assert example.startswith(name)
    assert "\n" not in example
    leaf.make_context(name, shlex.split(example)[len(name.split()) :])  # type: ignore[attr-defined]
    for parameter in leaf.params:  # type: ignore[attr-defined]
        assert parameter.help, parameter.name
    assert any("--json" in parameter.opts for parameter in leaf.params)  # type: ignore[attr-defined]


def test_reference_is_current() -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == reference.reference()

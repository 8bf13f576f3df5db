"""``scanner_tasks`` as a library: light to import, exact to read, patient to wait."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

import scanner_tasks
from scanner_tasks.core import lanes
from scanner_tasks.core.errors import InvalidInput, JobNotFound, JobTimeout
from scanner_tasks.core.model import JobStatus
from scanner_tasks.core.ports import OutgoingMessage
from scanner_tasks.flow.settle import settle
from tests.flow.conftest import System

SSN = b"name,ssn\nJane Roe,512-44-1234\n"
DOCUMENT = Path(__file__).parents[2] / "docs" / "python.md"


def test_importing_the_package_loads_neither_celery_nor_boto3() -> None:
    heavy = ["celery", "kombu", "boto3", "botocore", "sqlalchemy", "psycopg2", "pydantic", "re2"]
    program = f"import sys, scanner_tasks; print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_text_is_searched_whether_or_not_the_package_of_that_name_is_loaded() -> None:
    found = scanner_tasks.detect("ssn: 536-22-8726", explain=True)
    assert [(one.rule_id, one.masked) for one in found] == [("us.ssn", "***-**-8726")]
    assert found[0].evidence
    from scanner_tasks.detect import engine  # noqa: PLC0415, F401

    assert scanner_tasks.detect("ssn: 536-22-8726", explain=True) == found
    with pytest.raises(InvalidInput, match="threshold"):
        scanner_tasks.detect("x", threshold="none")


def test_request_to_scan_is_a_signature_that_any_application_sends(system: System) -> None:
    from celery import Celery  # noqa: PLC0415

    request = scanner_tasks.scan_signature(system.bucket, "a/", selection={"include_keys": ["*.csv"]})
    app = Celery("theirs", broker="memory://")
    sent: list[dict[str, object]] = []
    app.send_task = lambda name, args, kwargs, **options: sent.append({"name": name, "kwargs": kwargs, **options})  # type: ignore[method-assign]
    app.send_task(request.task, request.args, request.kwargs, **request.options)
    assert sent == [
        {
            "name": "scanner_tasks.scan_prefix",
            "kwargs": {"selection": {"include_keys": ["*.csv"]}},
            "queue": "scan-0",
            "MessageGroupId": system.bucket,
        }
    ]
    with pytest.raises(InvalidInput, match="bucket"):
        scanner_tasks.scan_signature("s3://b")


def clockwork(system: System, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """While somebody sleeps, the installation works; the list holds how long each sleep was to be."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        with system.engine.connect() as connection:
            jobs = connection.exec_driver_sql("select job_id, bucket from jobs where finished_at is null").all()
        for job_id, bucket in jobs:
            if bucket in system.objects.buckets:
                system.feed(job_id)
                system.deliver(job_id)
        settle(using=system.feeder)

    monkeypatch.setattr(scanner_tasks.time, "sleep", sleep)
    return slept


def test_scan_is_started_waited_for_and_read(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    system.put({f"in/{n:03d}": SSN for n in range(12)} | {"out": SSN})
    slept = clockwork(system, monkeypatch)
    started = scanner_tasks.start_scan(system.bucket, "in/")
    job = scanner_tasks.job(str(started.job_id))
    assert (job.status, job.has_ended) == (JobStatus.LISTING, False)
    assert job.wait(timeout_s=60, poll_s=0.5) is job
    assert (job.status, job.progress.scanned, job.has_ended) == (JobStatus.SUCCEEDED, 12, True)
    assert not job.is_incomplete
    assert slept
    assert max(slept) <= 0.5
    assert [f.key for f in job.results(rule="us.ssn")] == [f"in/{n:03d}" for n in range(12)]


def test_scan_of_a_selection_leaves_the_rest_and_says_why(system: System) -> None:
    system.put({"a.csv": SSN, "b.png": SSN})
    started = scanner_tasks.start_scan(system.bucket, selection={"include_keys": ["*.csv"]})
    system.run(started.job_id)
    assert scanner_tasks.job(started.job_id).progress.outcomes == {"scanned": 1, "skipped(excluded_key)": 1}
    with pytest.raises(InvalidInput, match="kinds: it takes"):
        scanner_tasks.start_scan(system.bucket, selection={"kinds": ["spreadsheet"]})


def test_job_with_an_object_that_could_not_be_read_is_incomplete(system: System) -> None:
    system.put({"a": SSN, "b": SSN})
    system.objects.denied.add((system.bucket, "b"))
    job = scanner_tasks.job(system.run(system.start()).job.job_id)
    assert (job.status, job.is_incomplete) == (JobStatus.SUCCEEDED_WITH_FAILURES, True)


def test_results_are_read_lazily_page_by_page(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    from scanner_tasks.flow import read_results  # noqa: PLC0415

    system.put({f"{n:03d}": SSN for n in range(25)})
    job_id = system.run(system.start()).job.job_id
    asked: list[str | None] = []
    real = read_results.get_results

    def counted(**given: object) -> object:
        asked.append(given["cursor"])
        return real(**given)

    monkeypatch.setattr(scanner_tasks, "PAGE", 10)
    monkeypatch.setattr(read_results, "get_results", counted)
    found = scanner_tasks.results(job_id=job_id)
    assert asked == []
    next(found)
    assert len(asked) == 1
    assert len(list(found)) == 24
    assert len(asked) == 3
    assert [f.key for f in scanner_tasks.results(bucket=system.bucket, key="007")] == ["007"]


def test_waiting_ends_in_time_and_the_job_goes_on(system: System) -> None:
    job = scanner_tasks.job(system.start())
    with pytest.raises(JobTimeout, match=r"is listing after 0 s; it goes on") as late:
        job.wait(timeout_s=0)
    assert isinstance(late.value, TimeoutError)
    assert system.run(job.job_id).job.status is JobStatus.SUCCEEDED


def test_unknown_and_impossible_ids_say_so(system: System) -> None:
    with pytest.raises(JobNotFound):
        scanner_tasks.job(uuid4())
    with pytest.raises(InvalidInput, match="give a UUID"):
        scanner_tasks.job("7")
    with pytest.raises(JobNotFound):
        next(scanner_tasks.results(job_id=uuid4()))


def test_every_block_of_the_document_runs(
    system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from scanner_tasks.app import app  # noqa: PLC0415

    system.objects.buckets["my-bucket"] = {"exports/a.csv": SSN, "exports//odd name.csv": SSN}
    clockwork(system, monkeypatch)
    app.conf.task_always_eager = True
    names: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert len(blocks) == 11
    try:
        for block in blocks:
            exec(compile(block, str(DOCUMENT), "exec"), names)
    finally:
        app.conf.task_always_eager = False
    said = capsys.readouterr().out
    assert "succeeded 2 of 2 objects" in said
    assert "exports/a.csv 1 ***-**-1234" in said
    assert "is listing after 0 s; it goes on" in said
    assert "succeeded 2 objects" in said
    # Other tests' buckets hold the same number.
    assert "my-bucket exports/a.csv open" in said
    assert said.count("[('accepted', 'ada')]") >= 2


def test_job_is_steered_and_its_dead_letter_is_put_away_or_sent_back(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.put({f"{n}": SSN for n in range(3)})
    clockwork(system, monkeypatch)
    job = scanner_tasks.job(scanner_tasks.start_scan(system.bucket).job_id)
    assert job.pause().status is JobStatus.PAUSED
    assert job.resume().status is JobStatus.LISTING
    system.feed(job.job_id)
    (message,) = system.queues.receive(system.job(job.job_id).job.lane, 10, 600)
    system.queues.send(lanes.DLQ, [OutgoingMessage(body=message.body, group=system.bucket)])
    settle(using=system.feeder)
    assert job.refresh().progress.outcomes == {"failed(dead_letter)": 3}
    (letter,) = scanner_tasks.dead_letters(bucket=system.bucket)
    assert [r.result for r in scanner_tasks.retry_dead_letters(job_id=job.job_id, dry_run=True)]
    assert job.refresh().has_ended
    assert [r.message_id for r in scanner_tasks.retry_dead_letters(job_id=job.job_id)] == [letter.message_id]
    assert job.wait(timeout_s=60).status is JobStatus.SUCCEEDED
    assert list(scanner_tasks.dead_letters(bucket=system.bucket)) == []
    assert list(scanner_tasks.discard_dead_letters("nothing left", bucket=system.bucket)) == []
    other = scanner_tasks.job(scanner_tasks.start_scan(system.bucket).job_id)
    assert other.cancel("by test").status is JobStatus.CANCELLED

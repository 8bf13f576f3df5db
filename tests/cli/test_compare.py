"""A job beside an older one: the same in Python, by the command line and over HTTP."""

from __future__ import annotations

import json

import pytest

import scanner_tasks
from scanner_tasks.cli import program
from tests.api.conftest import answer, request
from tests.flow.conftest import System

SSN = b"name,ssn\nJane Roe,512-44-1234\n"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert program.run(["jobs", *arguments]) == 0
    return capsys.readouterr().out


def test_three_ways_say_the_same(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    system.put({"a": SSN, "b": b"nothing"})
    base = str(system.run(system.start()).job.job_id)
    system.put({"b": SSN})
    printed(capsys, "start", system.bucket, "--base-job", "last")
    (job_id,) = [str(job.job_id) for job in _unfinished(system)]
    assert str(system.run(scanner_tasks.job(job_id).job_id).job.base.job_id) == base  # type: ignore[union-attr]
    for of, options in (("findings", []), ("objects", ["--objects"])):
        told = answer(request("GET", f"/jobs/{job_id}/compare/{base}", f"of={of}")).json
        said = [json.loads(line) for line in printed(capsys, "compare", job_id, base, *options, "--json").splitlines()]
        assert said == told[of]
        assert len(said) == 1
        assert "b" in printed(capsys, "compare", job_id, base, *options)
    (finding,) = scanner_tasks.job(job_id).compare(base)
    (changed,) = scanner_tasks.job(job_id).compare_objects(base)
    assert (finding.change, finding.finding.key, changed.key) == ("new", "b", "b")
    assert base in printed(capsys, "show", job_id)


def _unfinished(system: System) -> list[object]:
    from scanner_tasks.store import jobs  # noqa: PLC0415
    from scanner_tasks.store.engine import transaction  # noqa: PLC0415

    with transaction(system.engine) as connection:
        return [job for job in jobs.active_jobs(connection) if job.bucket == system.bucket]

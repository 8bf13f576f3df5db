"""The queue of its own: a real worker takes from it, and a worker that scans does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scanner_tasks.aws.clients import make_client
from scanner_tasks.aws.queues import Queues
from scanner_tasks.cli import program
from scanner_tasks.core import lanes
from scanner_tasks.local.commands import worker
from scanner_tasks.local.deploy import create_queues, queue_url_prefix
from scanner_tasks.local.emulator import REGION, Emulator

from .conftest import Acting

ROOT = Path(__file__).parents[2]
_CONSUMED = "import celeryconfig; print(' '.join(q.name for q in celeryconfig.task_queues))"


@pytest.mark.parametrize(
    ("settings", "consumed"),
    [
        ({}, "scan-0 scan-1"),
        ({"S3SCAN_ACTIONS": "true"}, "scan-0 scan-1"),
        ({"S3SCAN_ACTIONS": "true", "S3SCAN_WORKER_ROLE": "act"}, "actions"),
        ({"S3SCAN_WORKER_ROLE": "act"}, "set S3SCAN_ACTIONS=true too"),
    ],
)
def test_each_role_takes_from_its_own_queues_alone(settings: dict[str, str], consumed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CONSUMED],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "S3SCAN_LANE_COUNT": "2", **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert consumed in done.stdout + done.stderr


def test_plan_is_made_run_logged_and_undone_with_a_real_worker(
    acting: Acting, emulator: Emulator, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: object) -> list[dict]:
        capsys.readouterr()
        assert program.run([*map(str, arguments), "--json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]

    sqs = make_client("sqs", region=REGION, endpoint_url=emulator.endpoint_url)
    create_queues(sqs, ("scan-0", "scan-1", lanes.ACTIONS))
    prefix = queue_url_prefix(emulator.endpoint_url)
    acting.put("a.csv", b"name,ssn\nJane Roe,512-44-1234\n")
    job = acting.scan()
    object.__setattr__(acting.feeder, "queues", Queues(sqs, prefix))  # the scan's were in memory
    (plan,) = run("act", "plan", job, "--quarantine", f"s3://{acting.other}/held/", "--reason", "a test")
    assert (plan["steps"], plan["options"]["replace_by"]) == ({"planned": 1}, "marker")
    assert acting.keys(acting.bucket) == ["a.csv"]

    settings = {
        "DATABASE_URL": acting.system.engine.url.render_as_string(hide_password=False),
        "AWS_ENDPOINT_URL": emulator.endpoint_url,
        "AWS_REGION": REGION,
        "S3SCAN_QUEUE_URL_PREFIX": prefix,
        "S3SCAN_LANE_COUNT": "2",
        "S3SCAN_ACTIONS": "true",
        "S3SCAN_WORKER_ROLE": "act",
        "S3SCAN_FINGERPRINT_KEY": "a key of the tests only",
    }
    process = subprocess.Popen(
        worker("acting"),
        cwd=ROOT,
        env=os.environ | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for command, state in (("run", "done"), ("undo", "undone")):
            assert run("act", command, plan["plan_id"])[0]["steps"] == 1
            until = time.monotonic() + 120
            while (step := run("act", "log", plan["plan_id"])[0])["state"] != state:
                assert process.poll() is None
                assert time.monotonic() < until, step
                time.sleep(0.2)
    finally:
        process.terminate()
        process.wait(60)
    assert acting.body(acting.bucket, "a.csv").startswith(b"name,ssn")
    (listed,) = run("act", "log", "--job", job)
    assert (listed["steps"], listed["action"]) == ({"undone": 1}, "quarantine")

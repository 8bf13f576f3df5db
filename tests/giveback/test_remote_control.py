"""Flower's buttons on the scanner's own workers: S3SCAN_REMOTE_CONTROL on."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from scanner_tasks.core.envelope import task_id
from scanner_tasks.core.model import JobStatus
from scanner_tasks.local.child import Child
from scanner_tasks.local.ports import free_port
from tests.fairness.plant import Plant

ON = {"S3SCAN_REMOTE_CONTROL": "true"}


class Flower:
    """A Flower for a plant, with remote control."""

    def __init__(self, plant: Plant) -> None:
        self.port = free_port()
        self.child = Child(
            name="Flower",
            argv=[
                *(sys.executable, "-m", "scanner_tasks.sqs.flower", "-A", "scanner_tasks.app"),
                *(f"--port={self.port}", f"--db={plant.folder / 'flower'}"),
            ],
            env=plant.env | ON | {"FLOWER_UNAUTHENTICATED_API": "true"},
            log=plant.folder / "flower.log",
            cwd=plant.folder,
            grace_s=0.1,
        ).start()

    def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""


@pytest.fixture
def controlled(make_plant: Callable[..., Plant]) -> Iterator[tuple[Plant, Child, Flower]]:
    plant = make_plant(max_workers=2, lane_count=2)
    worker = plant.add_worker(**ON)
    flower = Flower(plant)
    try:
        yield plant, worker, flower
    finally:
        flower.child.stop()


def test_flowers_buttons_do_what_they_say(controlled: tuple[Plant, Child, Flower]) -> None:
    plant, worker, flower = controlled
    bucket, refs = plant.new_bucket({f"{n}": b"ssn: 512-44-1234\n" for n in range(3)})
    job_id = plant.add_job(bucket, [[ref] for ref in refs], feed=False)
    lane = plant.lane(job_id)
    name = _node(worker)
    plant.until(lambda: flower.ask(f"/api/workers?refresh=1&workername={name}")[0] == 200, "the worker in Flower")
    answer = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "scanner_tasks.app", "inspect", "ping", "-d", name, "-j"],
        env=plant.env | ON,
        cwd=plant.folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(answer.stdout) == {name: {"ok": "pong"}}
    status, page = flower.ask(f"/worker/{name}")
    assert (status, "Shut Down" in page) == (200, True)

    # The lane is off: two of the job's batches stay where they are, of which one is revoked.
    assert flower.ask(f"/api/worker/queue/cancel-consumer/{name}?queue={lane}", "POST")[0] == 200
    plant.feed_once(job_id)
    assert flower.ask(f"/api/task/revoke/{task_id(job_id, 1, 0)}", "POST")[0] == 200
    plant.until(lambda: "flagged as revoked" in worker.log.read_text(), "the revoke", check=worker.check)
    limit = f"/api/task/rate-limit/scanner_tasks.scan_batch?workername={name}&ratelimit=60/m"
    assert flower.ask(limit, "POST")[0] == 200
    # A poll that was open may have taken one.
    assert plant.depth(lane)[0] >= 2
    assert flower.ask(f"/api/worker/queue/add-consumer/{name}?queue={lane}", "POST")[0] == 200
    plant.until_done(job_id)
    plant.start_settling()
    view = plant.until_finished(job_id)
    assert view.job.status is JobStatus.SUCCEEDED
    assert (view.progress.scanned, view.progress.skipped, view.progress.failed) == (2, 1, 0)

    assert flower.ask(f"/api/worker/shutdown/{name}", "POST")[0] == 200
    assert plant.until_ended(worker) == 0
    assert plant.sqs.list_queues(QueueNamePrefix="scan-ctl-").get("QueueUrls", []) == []


def _node(worker: Child) -> str:
    return f"w{worker.name.removeprefix('worker ')}@test"

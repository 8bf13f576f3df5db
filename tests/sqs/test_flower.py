"""Flower shows an SQS application, and says what it cannot do."""

import json
import sys
import urllib.error
import urllib.request

import pytest

from scanner_tasks.local.child import Child
from scanner_tasks.local.ports import free_port, is_open, wait_until
from scanner_tasks.sqs.flower import flower_options


@pytest.fixture
def flower(make_sample):
    """A sample with a worker and a Flower; ``get`` and ``post`` answer (status, body)."""
    sample = make_sample(lanes=2, events=True)
    sample.start()
    port = free_port()
    child = Child(
        name="flower",
        argv=[sys.executable, "-m", "scanner_tasks.sqs.flower", "-A", "sample_app", f"--port={port}"],
        env={**sample.env(), "FLOWER_UNAUTHENTICATED_API": "true"},
        log=sample.folder / "flower.log",
        cwd=sample.folder,
    ).start()
    wait_until(lambda: is_open(port), what="Flower", timeout_s=20, check=child.check)

    def ask(path, method="GET"):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    sample.ask = ask
    sample.flower = child
    yield sample
    child.stop()


def test_flower_shows_tasks_workers_metrics_and_the_depth_of_every_queue(flower):
    flower.put("sample.work", "t")
    flower.put("sample.fail", "f")

    def states():
        return sorted(task["state"] for task in json.loads(flower.ask("/api/tasks")[1]).values())

    flower.wait_until(lambda: states() == ["FAILURE", "SUCCESS"], what="both tasks in Flower")
    task_id = next(iter(json.loads(flower.ask("/api/tasks")[1])))
    for page in ("/", "/workers", "/tasks", f"/task/{task_id}", "/metrics", "/healthcheck"):
        assert flower.ask(page)[0] == 200, page
    assert "w0@test" in flower.ask("/workers?json=1")[1]
    assert 'flower_events_total{task="sample.work"' in flower.ask("/metrics")[1]
    status, page = flower.ask("/broker")
    assert status == 200
    for queue in flower.urls:
        assert queue in page
    assert "Inspect method" not in flower.flower.log_tail(200)


def test_flower_refuses_what_needs_remote_control_and_says_why(flower):
    for path in ("/api/task/revoke/some-id", "/api/worker/shutdown/w0@test"):
        status, answer = flower.ask(path, method="POST")
        assert status == 403
        assert "has no remote control" in answer
    status, answer = flower.ask("/worker/w0@test")
    assert status == 404
    assert "has no remote control" in answer


def test_flower_listens_beyond_loopback_only_with_authentication():
    with pytest.raises(ValueError, match="without authentication"):
        flower_options(["--address=0.0.0.0"], {})
    with pytest.raises(ValueError, match="without authentication"):
        flower_options([], {"FLOWER_ADDRESS": "10.0.0.1"})
    assert "--address=0.0.0.0" in flower_options(["--address=0.0.0.0"], {"FLOWER_BASIC_AUTH": "me:secret"})
    assert "--address=::1" in flower_options(["--address=::1"], {})

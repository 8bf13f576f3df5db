"""Flower shows an SQS application, and says what it cannot do."""

import io
import json
import os
import signal
import uuid
import zipfile
from types import SimpleNamespace

import boto3
import pytest

from scanner_tasks.local.child import ChildFailed
from scanner_tasks.local.ports import wait_until
from scanner_tasks.sqs.flower import flower_options
from scanner_tasks.sqs.flower_history import History, pack, read, unpack

#: What the page /tasks asks for; the search text comes last.
TABLE = "/tasks/datatable?draw=1&start=0&length=10&order[0][column]=0&columns[0][data]=name&search[value]="
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@pytest.fixture
def flower(make_sample, start_flower):
    """A sample with a worker and a Flower."""
    sample = make_sample(lanes=2, events=True)
    sample.start()
    start_flower(sample)
    return sample


def _tasks(sample):
    return {task_id: task["state"] for task_id, task in json.loads(sample.ask("/api/tasks")[1]).items()}


@pytest.fixture
def bucket(emulator):
    client = boto3.client("s3", endpoint_url=emulator.endpoint_url, region_name="us-east-1", **KEYS)
    name = f"flower-{uuid.uuid4().hex[:8]}"
    client.create_bucket(Bucket=name)
    yield SimpleNamespace(name=name, client=client)
    client.close()


def test_history_outlives_flower_and_its_disk(make_sample, start_flower, bucket):
    sample = make_sample(events=True, wait_time_seconds=1)
    sample.start()
    # Three disks: nothing but the snapshot in S3 goes from one to the next.
    disks = [sample.folder / f"disk{n}" for n in range(3)]
    for disk in disks:
        disk.mkdir()
    history = f"--history=s3://{bucket.name}/dashboards/flower"

    first = start_flower(sample, history, folder=disks[0])
    sample.put("sample.work", "before SIGTERM")
    sample.wait_until(lambda: list(_tasks(sample).values()) == ["SUCCESS"], what="the first task in Flower")
    os.kill(first.pid, signal.SIGTERM)
    wait_until(lambda: first.exit_status is not None, what="Flower's end", timeout_s=20)
    assert first.exit_status == 0
    keys = [entry["Key"] for entry in bucket.client.list_objects_v2(Bucket=bucket.name)["Contents"]]
    assert keys == ["dashboards/flower/flower-history.zip"]

    # Saved every second here, every minute by default.
    second = start_flower(sample, "--state_save_interval=1000", folder=disks[1], FLOWER_HISTORY=history[10:])
    known = _tasks(sample)
    assert list(known.values()) == ["SUCCESS"]
    sample.put("sample.fail", "before SIGKILL")
    sample.wait_until(lambda: sorted(_tasks(sample).values()) == ["FAILURE", "SUCCESS"], what="the second task")
    seen = _tasks(sample)

    def is_uploaded():
        """True once the snapshot holds both tasks, each in the state that it has reached."""
        body = bucket.client.get_object(Bucket=bucket.name, Key=keys[0])["Body"].read()
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return all(word.encode() in archive.read("events") for word in (*seen, *seen.values()))

    sample.wait_until(is_uploaded, what="an upload")
    os.kill(second.pid, signal.SIGKILL)
    wait_until(lambda: second.exit_status is not None, what="Flower's end", timeout_s=20)

    third = start_flower(sample, history, folder=disks[2])
    assert _tasks(sample) == seen
    assert "Failed to load state" not in third.log_tail(99)


def test_flower_does_not_start_over_a_history_that_it_cannot_read(make_sample, start_flower, bucket):
    sample = make_sample(events=True)
    with pytest.raises(ChildFailed, match="cannot be read") as failed:
        start_flower(sample, f"--history=s3://{bucket.name}-missing/flower")
    assert "Traceback" not in str(failed.value)


def test_history_is_uploaded_when_it_changed_only_and_a_failed_upload_is_repeated(tmp_path):
    db = str(tmp_path / "db")
    unpack(pack({b"events": b"1"}), db)
    requests = []

    class S3:
        def put_object(self, **request):
            requests.append(request)
            if len(requests) == 1:
                raise OSError("away")

    history = History("s3://b/p/", client=S3())
    for _ in range(3):
        history.keep(db, wait=True)
    assert [request["Key"] for request in requests] == ["p/flower-history.zip"] * 2
    unpack(pack({b"events": b"2"}), db)
    history.keep(db, wait=True)
    assert len(requests) == 3
    unpack(requests[-1]["Body"], str(tmp_path / "other"))
    assert read(str(tmp_path / "other")) == {b"events": b"2"}


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
    assert "Amazon SQS, us-east-1" in page
    assert "localhost" not in page
    assert "Inspect method" not in flower.flower.log_tail(200)


def test_failed_task_shows_where_it_failed_and_no_text_of_its_exception(make_sample, start_flower):
    sample = make_sample(events=True, hide_exception_text=True)
    sample.start()
    start_flower(sample)
    sample.put("sample.fail", "s3cret-name")
    sample.wait_until(lambda: list(_tasks(sample).values()) == ["FAILURE"], what="the failure in Flower")
    task_id = next(iter(_tasks(sample)))
    for path in (f"/task/{task_id}", f"/api/task/info/{task_id}", "/api/tasks", TABLE + "s3cret", "/metrics"):
        status, answer = sample.ask(path)
        assert status == 200
        assert "s3cret" not in answer.replace("value=s3cret", "")
    page = sample.ask(f"/task/{task_id}")[1]
    assert "in fail" in page
    assert "RuntimeError" in page
    assert "KeyError" in page


def test_tasks_are_filtered_and_searched(flower):
    flower.put("sample.work", "t")
    flower.put("sample.fail", "f")
    flower.wait_until(lambda: sorted(_tasks(flower).values()) == ["FAILURE", "SUCCESS"], what="both tasks")
    for search, names in {
        "state:FAILURE": ["sample.fail"],
        "sample.work": ["sample.work"],
        "": ["sample.fail", "sample.work"],
        "nothing": [],
    }.items():
        found = json.loads(flower.ask(TABLE + search)[1])["data"]
        assert sorted(task["name"] for task in found) == names, search


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

"""The scanner's own Celery application: names, routes, and what is shown of arguments."""

import base64
import json
import sys
import uuid

import pytest

from scanner_tasks import settings
from scanner_tasks.core import lanes
from scanner_tasks.local.child import Child
from scanner_tasks.local.ports import wait_until


@pytest.fixture
def app(emulator, client, monkeypatch):
    """The application with queues of this test's own on the emulator."""
    for name, value in emulator.env.items():
        monkeypatch.setenv(name, value)
    prefix = f"t{uuid.uuid4().hex[:8]}-"
    dlq = client.create_queue(QueueName=prefix + lanes.DLQ)["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "3"})
    for name in lanes.lane_names():
        attributes = {"RedrivePolicy": policy, "VisibilityTimeout": "1"}
        client.create_queue(QueueName=prefix + name, Attributes=attributes)
    client.create_queue(QueueName=prefix + lanes.EVENTS)
    monkeypatch.setenv("S3SCAN_QUEUE_URL_PREFIX", dlq.removesuffix(lanes.DLQ))
    settings.load.cache_clear()
    for module in ("celeryconfig", "scanner_tasks.app", "scanner_tasks.tasks"):
        sys.modules.pop(module, None)
    import scanner_tasks.tasks  # noqa: PLC0415
    from scanner_tasks.app import app  # noqa: PLC0415

    app.tasks_module = scanner_tasks.tasks
    app.prefix = dlq.removesuffix(lanes.DLQ)
    yield app
    app.close()
    settings.load.cache_clear()


def _received(app, client, lane):
    message = client.receive_message(
        QueueUrl=app.prefix + lane, MessageSystemAttributeNames=["MessageGroupId"], WaitTimeSeconds=1
    )["Messages"][0]
    return json.loads(base64.b64decode(message["Body"])), message["Attributes"]["MessageGroupId"]


def test_every_queue_is_predefined_and_only_lanes_are_consumed_from(app):
    known = app.conf.broker_transport_options["predefined_queues"]
    assert set(known) == {*lanes.lane_names(), lanes.DLQ, lanes.EVENTS}
    assert list(app.amqp.queues.consume_from) == list(lanes.lane_names())


def test_scan_objects_goes_to_its_buckets_lane_and_group_and_shows_no_key(app, client):
    from scanner_tasks.app import lane_of  # noqa: PLC0415

    app.tasks_module.scan_objects.delay("bucket-a", ["secret/key-1", "secret/key-2"])
    envelope, group = _received(app, client, lane_of("bucket-a", lanes.lane_names(), {}))
    assert group == "bucket-a"
    assert envelope["headers"]["argsrepr"] == "('bucket-a', <2 keys>)"
    assert "secret" not in json.dumps(envelope["headers"])
    assert json.loads(base64.b64decode(envelope["body"]))[0] == ["bucket-a", ["secret/key-1", "secret/key-2"]]


def test_keys_given_by_name_or_through_send_task_are_not_shown_either(app, client):
    from scanner_tasks.app import lane_of  # noqa: PLC0415

    app.send_task("scanner_tasks.scan_objects", kwargs={"bucket": "bucket-b", "keys": ["secret/key"]})
    envelope, group = _received(app, client, lane_of("bucket-b", lanes.lane_names(), {}))
    assert group == "bucket-b"
    assert "secret" not in json.dumps(envelope["headers"])


def test_scan_prefix_does_not_show_its_prefix(app, client):
    from scanner_tasks.app import lane_of  # noqa: PLC0415

    app.tasks_module.scan_prefix.delay("bucket-c", prefix="secret/folder")
    envelope, _ = _received(app, client, lane_of("bucket-c", lanes.lane_names(), {}))
    assert envelope["headers"]["argsrepr"] == "('bucket-c', <prefix>)"
    assert "secret" not in json.dumps(envelope["headers"])


def test_scan_batch_goes_where_it_is_told(app, client):
    app.tasks_module.scan_batch.apply_async(("j", 1, 1), queue="scan-5", MessageGroupId="bucket-a")
    envelope, group = _received(app, client, "scan-5")
    assert envelope["headers"]["task"] == "scanner_tasks.scan_batch"
    assert envelope["headers"]["message_group"] == group == "bucket-a"


def test_buckets_spread_over_the_lanes_and_a_dedicated_lane_takes_its_own_only(app):
    from scanner_tasks.app import lane_of  # noqa: PLC0415

    names = lanes.lane_names()
    chosen = [lane_of(f"bucket-{n}", names, {"mine": "scan-7"}) for n in range(400)]
    assert set(chosen) == set(names) - {"scan-7"}
    assert max(chosen.count(lane) for lane in names) < 2 * 400 / 7
    # One lane more moves only the buckets that go to it.
    more = lanes.lane_names(9)
    moved = [n for n in range(400) if lane_of(f"b{n}", more, {}) != lane_of(f"b{n}", names, {})]
    assert all(lane_of(f"b{n}", more, {}) == "scan-8" for n in moved)


def test_redelivered_request_stands_for_the_same_job(app):
    assert app.tasks_module.job_id_of("a") == app.tasks_module.job_id_of("a")
    assert app.tasks_module.job_id_of("a") != app.tasks_module.job_id_of("b")


def test_worker_starts_with_threads_and_keeps_arguments_and_errors_texts_out_of_its_log(
    app, emulator, client, tmp_path
):
    env = {**emulator.env, "S3SCAN_QUEUE_URL_PREFIX": app.prefix, "MAX_WORKERS": "3", "PYTHONPATH": ".", "PATH": ""}
    worker = Child(
        name="worker",
        argv=[sys.executable, "-m", "celery", "-A", "scanner_tasks.app", "worker", "--without-gossip", "-l", "INFO"],
        env=env,
        log=tmp_path / "worker.log",
    ).start()
    try:
        wait_until(lambda: " ready." in worker.log_tail(99), what="the worker", timeout_s=20, check=worker.check)
        assert "concurrency: 3 (thread)" in worker.log.read_text()
        app.send_task("scanner_tasks.unknown", ("secret",), queue="scan-1")
        wait_until(lambda: "left to the queue" in worker.log_tail(99), what="a line", timeout_s=10, check=worker.check)
        app.send_task("scanner_tasks.scan_prefix", ("no bucket's name: secret",), queue="scan-1")
        failed = "raised unexpected: InvalidInput"
        wait_until(lambda: failed in worker.log_tail(99), what="the failure", timeout_s=10, check=worker.check)
        text = worker.log.read_text()
        assert "secret" not in text
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        (told,) = [line for line in lines if failed in line.get("message", "")]
        assert (told["event"], told["level"]) == ("library_log", "error")
        assert "InvalidInput" in told["traceback"]
        assert not [line for line in text.splitlines() if line.startswith("[") and "INFO/" in line]
    finally:
        assert worker.stop() == 0

"""Remote control over SNS: Flower's buttons do what they say; what a killed worker leaves behind is cleared away."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from types import SimpleNamespace

import boto3
import pytest

from scanner_tasks.local.ports import wait_until
from scanner_tasks.sqs import reaper
from tests.sqs.samples import REPOSITORY, envelope

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@pytest.fixture
def control(emulator, client, make_sample):
    """A sample with remote control, and what there is of it in the emulator."""
    prefix = f"ctl{uuid.uuid4().hex[:6]}-"
    sns = boto3.client("sns", endpoint_url=emulator.endpoint_url, region_name="us-east-1", **KEYS)
    sample = make_sample(lanes=2, events=True, control_prefix=prefix, wait_time_seconds=2, drain_s=0)

    def queues():
        urls = client.list_queues(QueueNamePrefix=prefix).get("QueueUrls", [])
        return sorted(url.rpartition("/")[2] for url in urls)

    def subscribed():
        arn = sns.create_topic(Name=f"{prefix}celery-pidbox")["TopicArn"]
        found = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
        return sorted(one["Endpoint"].rpartition(":")[2] for one in found)

    yield SimpleNamespace(sample=sample, prefix=prefix, queues=queues, subscribed=subscribed)
    sns.close()


def _celery(sample, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "celery", "-A", "sample_app", *arguments],
        env=sample.env(),
        cwd=sample.folder,
        check=False,
        timeout=60,
        capture_output=True,
        text=True,
    )


def test_flower_asks_and_tells_a_worker(control, start_flower):
    sample = control.sample
    worker = sample.start()
    start_flower(sample)
    sample.wait_until(lambda: "w0@test" in sample.ask("/workers?json=1")[1], what="the worker in Flower")
    assert control.subscribed() == [name for name in control.queues() if name.endswith("w0_test-celery-pidbox")]

    ping = _celery(sample, "inspect", "ping", "-d", "w0@test", "-j")
    assert json.loads(ping.stdout) == {"w0@test": {"ok": "pong"}}, ping.stderr
    assert sample.ask("/api/workers?refresh=1&workername=w0@test")[0] == 200
    status, page = sample.ask("/worker/w0@test")
    assert status == 200
    assert "Shut Down" in page

    # Rate limit: two tasks run three seconds apart.
    status, answer = sample.ask("/api/task/rate-limit/sample.work?workername=w0@test&ratelimit=20/m", "POST")
    assert (status, json.loads(answer)["message"]) == (200, "new rate limit set successfully")
    sample.put("sample.work", "first")
    sample.put("sample.work", "second")
    sample.wait_until(lambda: len(sample.lines("end")) == 2, what="both tasks")
    begun = [float(line.split()[0]) for line in sample.journal.read_text().splitlines() if " start " in line]
    assert begun[1] - begun[0] > 2.5
    assert sample.ask("/api/task/rate-limit/sample.work?workername=w0@test&ratelimit=0", "POST")[0] == 200

    # Consumer off and on: a message stays where it is, then runs.
    lane = sample.lanes[1]
    status, answer = sample.ask(f"/api/worker/queue/cancel-consumer/w0@test?queue={lane}", "POST")
    assert (status, json.loads(answer)["message"]) == (200, f"no longer consuming from {lane}")
    sample.put("sample.work", "third", lane=lane)
    sample.put("sample.work", "fourth")
    sample.wait_until(lambda: "fourth" in sample.lines("end"), what="the other lane's task")
    sample.wait_until(lambda: sample.depth(sample.urls[lane]) == (1, 0), what="the message left alone")
    status, answer = sample.ask(f"/api/worker/queue/add-consumer/w0@test?queue={lane}", "POST")
    assert (status, json.loads(answer)["message"]) == (200, f"add consumer {lane}")
    sample.wait_until(lambda: "third" in sample.lines("end"), what="the lane's task")

    # What cannot be says why.
    for path, why in {
        "/api/task/timeout/sample.work?workername=w0@test&soft=3": "carry a deadline in the task",
        "/api/worker/pool/grow/w0@test?n=1": "start the worker with another --concurrency",
        f"/api/worker/queue/add-consumer/w0@test?queue={sample.events}": "none of this application",
        "/api/task/revoke/some-id?terminate=true": "Revoke without terminate",
    }.items():
        status, answer = sample.ask(path, "POST")
        assert status == 403, path
        assert why in answer

    # Revoked before it begins: it never runs.
    body = envelope("sample.work", ["fifth"], sample.lane)
    task_id = json.loads(body)["headers"]["id"]
    assert sample.ask(f"/api/task/revoke/{task_id}", "POST")[0] == 200
    sample.wait_until(lambda: f"Tasks flagged as revoked: {task_id}" in sample.log(), what="the revoke")
    sample.put_raw(body)
    sample.wait_until(lambda: "Discarding revoked task" in sample.log(), what="the revoked task's message")
    sample.wait_until(sample.is_empty, what="empty lanes")
    assert "fifth" not in sample.lines("start")

    assert sample.ask("/api/worker/shutdown/w0@test", "POST")[0] == 200
    wait_until(lambda: worker.exit_status is not None, what="the worker's end", timeout_s=20)
    assert worker.exit_status == 0
    assert (control.queues(), control.subscribed()) == ([], [])
    assert "SQS polls ended" in sample.log(worker)  # as at SIGTERM
    assert "not cleared away" not in sample.log(worker)


def test_reaper_removes_what_a_killed_worker_left_and_nothing_else(control, client):
    sample = control.sample
    killed = sample.start()
    (dead,) = control.queues()
    os.kill(killed.pid, signal.SIGKILL)
    wait_until(lambda: killed.exit_status is not None, what="its end", timeout_s=20)
    sample.start()
    (living,) = set(control.queues()) - {dead}
    assert control.subscribed() == sorted([dead, living])
    url = client.get_queue_url(QueueName=dead)["QueueUrl"]

    def tags(name):
        return client.list_queue_tags(QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"]).get("Tags", {})

    sample.wait_until(lambda: reaper.LAST_SEEN in tags(living), what="the living worker's sign of life")
    command = [sys.executable, "-m", "scanner_tasks.sqs.reaper", "-A", "sample_app"]

    def reap():
        return subprocess.run(
            command, env=sample.env(), cwd=sample.folder, check=True, timeout=60, capture_output=True, text=True
        ).stdout

    assert reap() == "0 queues, 0 subscriptions removed\n"  # it died just now: who knows
    client.tag_queue(QueueUrl=url, Tags={reaper.LAST_SEEN: str(int(time.time()) - 601)})
    assert reap() == "1 queues, 1 subscriptions removed\n"
    assert (control.queues(), control.subscribed()) == ([living], [living])
    ping = _celery(sample, "inspect", "ping", "-d", "w1@test", "-j")
    assert json.loads(ping.stdout) == {"w1@test": {"ok": "pong"}}, ping.stderr
    assert set(sample.urls) <= {one.rpartition("/")[2] for one in client.list_queues(MaxResults=1000)["QueueUrls"]}
    assert control.queues() == [living]  # the question's reply queue is gone too


def test_queue_that_was_taken_away_is_made_anew(control, client):
    sample = control.sample
    sample.options["control_heartbeat_s"] = 0.5
    sample.start()
    (name,) = control.queues()
    client.delete_queue(QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"])
    sample.wait_until(lambda: "is made anew" in sample.log(), what="the worker's notice")
    sample.wait_until(lambda: control.queues() == [name], what="the queue")

    def answers():
        return "pong" in _celery(sample, "inspect", "ping", "-d", "w0@test", "-j").stdout

    sample.wait_until(answers, what="an answer")


def test_worker_whose_control_queue_is_refused_works_without_remote_control(control):
    sample = control.sample
    sample.options["control_prefix"] = "not/a/name-"
    sample.start()
    assert "no remote control of this worker yet" in sample.log()
    sample.put("sample.work", "t")
    sample.wait_until(lambda: sample.lines("end") == ["t"], what="the task")


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("CreateTopic", "denied"),
        ("Subscribe", "503"),
        ("CreateQueue", "garbled"),
        pytest.param("Subscribe", "denied", marks=pytest.mark.slow),
        pytest.param("CreateTopic", "dead", marks=pytest.mark.slow),
    ],
)
def test_worker_whose_control_queue_cannot_be_made_at_first_tries_again(control, proxy, operation, kind):
    sample = control.sample
    sample.options["control_heartbeat_s"] = 0.3
    proxy.spoil(operation, kind, times=40)
    sample.start(endpoint=proxy.url)
    sample.wait_until(lambda: "no remote control of this worker yet" in sample.log(), what="a line")
    spoilt = proxy.spoilt(operation)
    sample.wait_until(lambda: proxy.spoilt(operation) > spoilt, what="another try")
    sample.put("sample.work", "t")
    sample.wait_until(lambda: sample.lines("end") == ["t"], what="the task")
    proxy.heal()
    sample.wait_until(lambda: "remote control of this worker works now" in sample.log(), what="the next try")
    ping = _celery(sample, "inspect", "ping", "-d", "w0@test", "-j")
    assert json.loads(ping.stdout) == {"w0@test": {"ok": "pong"}}, ping.stderr
    assert sample.log().count("no remote control of this worker yet") == 1


@pytest.mark.parametrize("kind", ["503", "dead", pytest.param("400", marks=pytest.mark.slow)])
def test_faults_on_the_way_of_a_question_cost_the_worker_nothing(control, proxy, kind):
    sample = control.sample
    sample.options |= {"poll_grace_s": 1, "request_timeout_s": 0.5}
    worker = sample.start(endpoint=proxy.url)
    for operation in ("ReceiveMessage", "GetQueueUrl", "SendMessage", "DeleteMessageBatch", "TagQueue"):
        proxy.spoil(operation, kind, times=3)
    lost = _celery(sample, "inspect", "ping", "-d", "w0@test", "-j", "-t", "1")  # it may go unanswered
    sample.wait_until(lambda: "reply to a remote control command not sent" in sample.log(), what="a line")
    assert lost.returncode != 0
    proxy.heal()
    answered = _celery(sample, "inspect", "ping", "-d", "w0@test", "-j")
    assert json.loads(answered.stdout) == {"w0@test": {"ok": "pong"}}, answered.stderr
    sample.put("sample.work", "t")
    sample.wait_until(lambda: sample.lines("end") == ["t"], what="the task")
    assert worker.exit_status is None


def test_without_the_option_nothing_is_made(make_sample, client):
    sample = make_sample(events=True)
    before = set(client.list_queues(MaxResults=1000)["QueueUrls"])
    sample.start()
    sample.put("sample.work", "t")
    sample.wait_until(lambda: sample.lines("end") == ["t"], what="the task")
    assert set(client.list_queues(MaxResults=1000)["QueueUrls"]) == before
    answer = _celery(sample, "inspect", "ping")
    assert answer.returncode != 0


@pytest.mark.parametrize("is_on", [False, True])
def test_setting_turns_it_on(is_on):
    program = """
import celeryconfig as c
print(c.worker_enable_remote_control, c.worker_disable_rate_limits, c.broker_transport_options.get("control_prefix"))
"""
    env = {**os.environ, "S3SCAN_REMOTE_CONTROL": "true"} if is_on else {**os.environ}
    answer = subprocess.run(
        [sys.executable, "-c", program], env=env, cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    assert answer.stdout.split() == (["True", "False", "scan-ctl-"] if is_on else ["False", "True", "None"])


def test_reaper_refuses_an_empty_prefix():
    with pytest.raises(ValueError, match="every queue"):
        reaper.reap(None, None, "", topic_arn="t", idle_s=1, now=0)

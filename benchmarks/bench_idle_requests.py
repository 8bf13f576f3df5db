"""What idling costs: the requests of one idle worker and of Flower, counted by kind for a minute.

    .venv/bin/python benchmarks/bench_idle_requests.py [--seconds 60] [--lanes 8] [--remote-control]

A proxy between them and the emulator counts. The worker's first long polls are let pass before counting starts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import boto3

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from scanner_tasks.local.child import Child  # noqa: E402
from scanner_tasks.local.emulator import Emulator  # noqa: E402
from scanner_tasks.local.ports import free_port, is_open, wait_until  # noqa: E402
from tests.sqs.faults import FaultProxy  # noqa: E402

DOLLARS_PER_MILLION = 0.40
MINUTES_A_DAY = 24 * 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--lanes", type=int, default=8)
    parser.add_argument("--remote-control", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        emulator = Emulator(folder / "emulator").start()
        # A proxy each, so that each one's requests are its own.
        proxies = {"worker": FaultProxy(emulator.port), "Flower": FaultProxy(emulator.port)}
        started: list[Child] = []
        try:
            env = _queues(emulator, folder, options.lanes, remote_control=options.remote_control)
            started.append(_start("worker", _worker(), {**env, "AWS_ENDPOINT_URL": proxies["worker"].url}, folder))
            worker = started[0]
            wait_until(lambda: " ready." in worker.log_tail(99), what="the worker", timeout_s=60, check=worker.check)
            port = free_port()
            started.append(_start("flower", _flower(port), {**env, "AWS_ENDPOINT_URL": proxies["Flower"].url}, folder))
            wait_until(lambda: is_open(port), what="Flower", timeout_s=60, check=started[1].check)
            time.sleep(20)
            before = {who: _count(proxy) for who, proxy in proxies.items()}
            began = time.monotonic()
            time.sleep(options.seconds)
            took = time.monotonic() - began
            counts = {who: _count(proxy) - before[who] for who, proxy in proxies.items()}
        finally:
            for child in reversed(started):
                child.stop()
            for proxy in proxies.values():
                proxy.close()
            emulator.stop()
    _print(counts, took, options)


def _queues(emulator: Emulator, folder: Path, lanes: int, *, remote_control: bool) -> dict[str, str]:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    sqs = boto3.client("sqs", endpoint_url=emulator.endpoint_url, **keys)
    dlq = sqs.create_queue(QueueName="dlq")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "3"})}
    names = [f"scan-{n}" for n in range(lanes)]
    urls = {name: sqs.create_queue(QueueName=name, Attributes=policy)["QueueUrl"] for name in names}
    urls["events"] = sqs.create_queue(QueueName="events")["QueueUrl"]
    sample = {
        "queues": {name: {"url": url} for name, url in urls.items()},
        "lanes": names,
        "journal": str(folder / "journal"),
        "options": {
            "wait_time_seconds": 20,
            "events_queue": "events",
            **({"control_prefix": "ctl-"} if remote_control else {}),
        },
        "events": True,
    }
    return {
        **emulator.env,
        "SAMPLE": json.dumps(sample),
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "tests" / "sqs"), str(REPOSITORY)]),
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
    }


def _worker() -> list[str]:
    return [
        *("-m", "celery", "-A", "sample_app", "worker", "-P", "threads", "-c", "20", "-l", "INFO", "-n", "w@idle"),
        *("--without-gossip", "--without-mingle", "--heartbeat-interval", "15"),
    ]


def _flower(port: int) -> list[str]:
    return ["-m", "scanner_tasks.sqs.flower", "-A", "sample_app", f"--port={port}"]


def _start(name: str, argv: list[str], env: dict[str, str], folder: Path) -> Child:
    log = folder / f"{name}.log"
    return Child(name=name, argv=[sys.executable, *argv], env=env, log=log, cwd=folder).start()


def _count(proxy: FaultProxy) -> Counter[str]:
    counts: Counter[str] = Counter()
    for (operation, _), n in list(proxy.seen.items()):
        counts[operation] += n
    return counts


def _print(counts: dict[str, Counter[str]], took: float, options: argparse.Namespace) -> None:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=REPOSITORY, capture_output=True, check=False)
    print(
        f"commit {commit.stdout.decode().strip()}, Python {platform.python_version()}, {platform.machine()}", end=", "
    )
    print(f"{os.cpu_count()} cores;", *(f"{name} {version(name)}" for name in ("celery", "kombu", "flower")))
    print(f"{options.lanes} lanes, wait_time_seconds 20, heartbeat every 15 s; counted for {took:.1f} s")
    print("| | requests a minute | an hour | a day | dollars in 30 days |\n|---|---|---|---|---|")
    for who, kinds in counts.items():
        minute = sum(kinds.values()) * 60 / took
        dollars = minute * MINUTES_A_DAY * 30 / 1e6 * DOLLARS_PER_MILLION
        named = ", ".join(f"{n * 60 / took:.1f} {kind}" for kind, n in sorted(kinds.items()))
        print(f"| {who} | {named} | {minute * 60:,.0f} | {minute * MINUTES_A_DAY:,.0f} | {dollars:.2f} |")


if __name__ == "__main__":
    main()

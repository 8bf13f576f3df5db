"""A Celery application of the tests' own; everything it needs to know comes in the variable SAMPLE (JSON).

Tasks write what they do into a journal, a line each, appended at once: other processes read it.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
from pathlib import Path

from celery import Celery
from celery.exceptions import Reject
from kombu import Queue

SAMPLE = json.loads(os.environ["SAMPLE"])

if not SAMPLE.get("stock"):
    from scanner_tasks import sqs

    sqs.install()

logging.getLogger("botocore").setLevel(logging.WARNING)
app = Celery("sample")
app.conf.update(
    broker_url="sqs://",
    broker_transport_options={
        "region": "us-east-1",
        "wait_time_seconds": 5,
        "polling_interval": 0,
        "predefined_queues": SAMPLE["queues"],
        **SAMPLE.get("options", {}),
    },
    broker_connection_retry_on_startup=True,
    task_queues=[Queue(name, routing_key=name) for name in SAMPLE["lanes"]],
    task_default_queue=SAMPLE["lanes"][0],
    task_create_missing_queues=False,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_acks_on_failure=False,
    task_acks_on_timeout=False,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_send_task_events=bool(SAMPLE.get("events")),
    task_send_sent_event=False,
    worker_enable_remote_control="control_prefix" in SAMPLE.get("options", {}),
    worker_cancel_long_running_tasks_on_connection_loss=False,
)
if not SAMPLE.get("stock"):
    sqs.install_steps(app)


if SAMPLE.get("dns"):  # a name that resolves as long as a file is there, for botocore and for curl
    import pycurl
    from kombu.asynchronous.http.curl import CurlClient

    HOST, PORT, RESOLVES = SAMPLE["dns"]
    _getaddrinfo, _setup_request = socket.getaddrinfo, CurlClient._setup_request

    def getaddrinfo(host, *args, **kwargs):
        if host != HOST:
            return _getaddrinfo(host, *args, **kwargs)
        if not Path(RESOLVES).exists():
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return _getaddrinfo("127.0.0.1", *args, **kwargs)

    def setup_request(self, curl, *args, **kwargs):
        there = "127.0.0.1" if Path(RESOLVES).exists() else "gone.invalid"
        curl.setopt(pycurl.CONNECT_TO, [f"{HOST}:{PORT}:{there}:{PORT}"])
        return _setup_request(self, curl, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo
    CurlClient._setup_request = setup_request


def note(what: str, name: str) -> None:
    """Append one line to the journal."""
    line = f"{time.monotonic():.3f} {what} {name}\n".encode()
    journal = os.open(SAMPLE["journal"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(journal, line)
    os.close(journal)


@app.task(name="sample.work")
def work(name: str, seconds: float = 0.0) -> None:
    note("start", name)
    time.sleep(seconds)
    note("end", name)


@app.task(name="sample.hold")
def hold(name: str, sign: str, then: str = "") -> None:
    """Run until the file ``sign`` is there; then send a task named ``then``."""
    note("start", name)
    while not Path(sign).exists():
        time.sleep(0.02)
    if then:
        work.delay(then)
    note("end", name)


@app.task(name="sample.shut")
def shut(name: str, sign: str, longest_s: float) -> None:
    """As hold; meanwhile the worker takes nothing new."""
    from scanner_tasks.sqs import intake  # noqa: PLC0415

    with intake.closed(longest_s):
        hold(name, sign)


@app.task(name="sample.fail")
def fail(name: str) -> None:
    note("start", name)
    try:
        {}[name]
    except KeyError as error:
        raise RuntimeError(f"as asked for {name}\nand a second line with {name}") from error


@app.task(name="sample.blab")
def blab(name: str) -> None:
    """Let a value out in every way that libraries have."""
    library = logging.getLogger("a.library")
    try:
        raise ValueError(name)  # noqa: TRY301
    except ValueError as error:
        library.exception("It failed: %s", error)
        library.error(error)
        library.error("It failed: %(why)r", {"why": error})
    thread = threading.Thread(target=lambda: {}[name])
    thread.start()
    thread.join()
    logging.getLogger("urllib3.connection").warning("Failed to parse headers (url=%s)", name)
    note("end", "blab")
    fail(name)


@app.task(name="sample.return", gives_back=True)
def gives_back(name: str) -> None:
    note("start", name)


@app.task(name="sample.requeue")
def requeue(name: str) -> None:
    note("start", name)
    raise Reject(name, requeue=True)


@app.task(name="sample.again", bind=True, max_retries=1)
def again(self, name: str) -> None:
    note("start", f"{name}/{self.request.retries}")
    if self.request.retries == 0:
        raise self.retry(countdown=0, queue=SAMPLE["lanes"][-1])

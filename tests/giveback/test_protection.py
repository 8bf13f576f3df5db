"""Task protection: asked of the ECS agent for long objects only, for a bounded time, and released."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest

from scanner_tasks import bootstrap, settings
from scanner_tasks.aws.protection import TaskProtection
from scanner_tasks.core import lanes
from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.ports import Protection
from scanner_tasks.fakes import FakeProtection
from scanner_tasks.flow.protection import Guard
from scanner_tasks.local.ports import free_port
from tests.fairness.plant import Plant

MB = 1_000_000


class Agent(ThreadingHTTPServer):
    """The ECS agent as far as task protection goes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.status, self.answer = 200, b'{"protection": {"ProtectionEnabled": true}}'
        self.wait = threading.Event()
        self.wait.set()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/0a1b"


class Handler(BaseHTTPRequestHandler):
    server: Agent

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, json.loads(body)))
        self.server.wait.wait(10)
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def agent() -> Iterator[Agent]:
    with Agent() as agent:
        thread = threading.Thread(target=agent.serve_forever)
        thread.start()
        yield agent
        agent.wait.set()
        agent.shutdown()
        thread.join()


def guard(protection: Protection | None, clock: list[float] | None = None) -> Guard:
    now = clock or [0.0]
    return Guard(
        protection,
        stop_timeout_s=120,
        bytes_per_s=MB,
        object_max_s=900,
        longest_s=3600,
        clock=lambda: now[0],
    )


def test_agent_is_asked_as_ecs_documents_it(agent: Agent) -> None:
    protection = TaskProtection(agent.uri)
    protection.protect(20)
    protection.release()
    path = "/api/0a1b/task-protection/v1/state"
    assert agent.asked == [
        (path, {"ProtectionEnabled": True, "ExpiresInMinutes": 20}),
        (path, {"ProtectionEnabled": False}),
    ]


@pytest.mark.parametrize(
    ("status", "answer"),
    [(400, b'{"error": {"Code": "AccessDeniedException"}}'), (500, b""), (200, b'{"failure": {}}'), (200, b'{"prot')],
)
def test_agent_that_refuses_or_fails_is_unavailable(agent: Agent, status: int, answer: bytes) -> None:
    agent.status, agent.answer = status, answer
    with pytest.raises(Unavailable):
        TaskProtection(agent.uri).protect(1)


def test_agent_that_is_slow_or_absent_is_unavailable(agent: Agent) -> None:
    agent.wait.clear()
    with pytest.raises(Unavailable):
        TaskProtection(agent.uri, timeout_s=0.2).protect(1)
    with pytest.raises(Unavailable):
        TaskProtection(f"http://127.0.0.1:{free_port()}").protect(1)


def test_object_that_ends_within_the_stop_timeout_asks_for_nothing() -> None:
    fake = FakeProtection()
    with guard(fake).during(120 * MB):
        assert fake.asked == []
    assert fake.asked == []


def test_long_object_is_protected_for_twice_its_estimate_and_released() -> None:
    fake = FakeProtection()
    with guard(fake).during(600 * MB):
        assert fake.asked == [20]
    assert fake.asked == [20, 0]


def test_long_objects_side_by_side_are_one_protection() -> None:
    fake = FakeProtection()
    protector = guard(fake)
    with protector.during(600 * MB):
        with protector.during(300 * MB):
            assert fake.asked == [20]
        with protector.during(800 * MB):
            assert fake.asked == [20, 27]
    assert fake.asked == [20, 27, 0]


def test_one_long_object_after_another_is_protected_no_longer_than_the_longest_time() -> None:
    fake, clock = FakeProtection(), [0.0]
    protector = guard(fake, clock)
    with protector.during(800 * MB):
        ends = [27 * 60]
        for minute in range(120):
            clock[0] = minute * 60.0
            asked = len(fake.asked)
            with protector.during(800 * MB):
                ends += [clock[0] + minutes * 60 for minutes in fake.asked[asked:]]
    assert max(ends) == 3600
    assert 0 not in fake.asked[:-1]
    assert fake.asked[-1] == 0


def test_scan_goes_on_without_the_agent() -> None:
    fake = FakeProtection(is_reachable=False)
    scanned = []
    for protection in (fake, None):
        with guard(protection).during(600 * MB):
            scanned.append(protection)
    assert len(scanned) == 2


def test_intake_is_closed_for_as_long_as_an_object_is_protected() -> None:
    fake, clock, closed = FakeProtection(), [0.0], list[float]()

    @contextmanager
    def while_protected(longest_s: float) -> Iterator[None]:
        closed.append(longest_s)
        yield
        closed.append(0)

    protector = guard(fake, clock)
    protector.while_protected = while_protected
    with protector.during(100 * MB):
        assert closed == []
    with protector.during(600 * MB):
        clock[0] = 1000.0
        with protector.during(600 * MB):
            assert closed == [1200, 1200]
        clock[0] = 3600.0
        with protector.during(600 * MB):  # no protection is left, so that the worker takes messages as ever
            assert closed == [1200, 1200, 0]
    assert closed == [1200, 1200, 0, 0]
    unprotected = guard(FakeProtection(is_reachable=False), clock)
    unprotected.while_protected = while_protected
    with unprotected.during(600 * MB):
        assert len(closed) == 4


#: An object of a few bytes is a long one here, and a short one that begins with ten thousand of them is not.
LONG = {"stop_timeout_s": 1.0, "object_bytes_per_s": 100.0}


def add_jobs(plant: Plant, *, pause_s: float, short_pause_s: float, short: int) -> tuple[UUID, UUID]:
    """A job with one long object, and another with one batch for each short object; neither is fed yet."""
    bucket, (long,) = plant.new_bucket({"long": f"trap:sleep {pause_s} long\n".encode().ljust(400)})
    other, refs = plant.new_bucket(
        {f"short-{n}": f"trap:sleep {short_pause_s} short-{n}".encode() for n in range(short)}
    )
    return plant.add_job(bucket, [[long]], feed=False), plant.add_job(other, [[ref] for ref in refs], feed=False)


def begun_meanwhile(plant: Plant) -> list[str]:
    """Objects whose scan began while the long one's went on."""
    lines = [line.split()[2:] for line in plant.journal.read_text().splitlines()]
    while_long = lines[lines.index(["begin", "long"]) : lines.index(["end", "long"])]
    return [name for what, name in while_long[1:] if what == "begin"]


def test_protected_worker_takes_nothing_new_and_goes_on_afterwards(
    agent: Agent, make_plant: Callable[..., Plant]
) -> None:
    plant = make_plant(max_workers=4, lane_count=1, **LONG)
    worker = plant.add_worker(ECS_AGENT_URI=agent.uri)
    first, second = add_jobs(plant, pause_s=3, short_pause_s=0, short=20)
    plant.feed_once(first)
    plant.until(lambda: len(agent.asked) == 1, "the protection", check=worker.check)
    plant.feed_once(second)
    plant.until_done(first, second)
    # A poll that was open may have brought as many as there were free slots.
    assert len(begun_meanwhile(plant)) <= 3
    assert [body["ProtectionEnabled"] for _, body in agent.asked] == [True, False]
    assert len(plant.noted("end")) == 21


def test_protected_worker_that_is_told_to_stop_all_the_same_ends_its_long_object_and_gives_back_the_rest(
    agent: Agent, make_plant: Callable[..., Plant]
) -> None:
    plant = make_plant(max_workers=2, lane_count=1, **LONG)
    worker = plant.add_worker(ECS_AGENT_URI=agent.uri)
    first, second = add_jobs(plant, pause_s=3, short_pause_s=1, short=4)
    plant.feed_once(second)
    plant.until(lambda: len(plant.noted("begin")) >= 1, "a short object", check=worker.check)
    plant.feed_once(first)
    plant.until(lambda: len(agent.asked) == 1, "the protection", check=worker.check)
    plant.signal(worker, signal.SIGTERM)
    assert plant.until_ended(worker) == 0
    assert [body["ProtectionEnabled"] for _, body in agent.asked] == [True, False]
    assert plant.count(first, 3) == 1
    assert Counter(plant.noted("begin")) == Counter(plant.noted("end"))
    # Nothing is held, by SQS or by the ledger.
    assert (plant.in_flight, plant.count(second, 2), plant.depth(lanes.DLQ)) == (0, 0, (0, 0))
    plant.start_feeding(second)
    plant.add_worker()
    plant.until_done(second)
    assert Counter(plant.noted("end")) == dict.fromkeys(["long", *(f"short-{n}" for n in range(4))], 1)


def test_worker_on_ecs_asks_the_agent_beside_it(
    agent: Agent, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    monkeypatch.setenv("ECS_AGENT_URI", agent.uri)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("S3SCAN_FINGERPRINT_KEY", "a key of the tests only")
    settings.load.cache_clear()
    bootstrap.worker.cache_clear()
    try:
        worker = bootstrap.worker()
        assert worker.guard is not None
        with worker.guard.during(600 * MB):
            assert [body["ExpiresInMinutes"] for _, body in agent.asked] == [20]
        assert len(agent.asked) == 2
    finally:
        worker.engine.dispose()
        bootstrap.worker.cache_clear()
        settings.load.cache_clear()

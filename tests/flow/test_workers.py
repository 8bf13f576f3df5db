"""Workers that are alive: they tell so, leave when they end, and are forgotten when they were killed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from sqlalchemy import Engine

from scanner_tasks import bootstrap
from scanner_tasks.flow.fleet import fleet_to_json, read_fleet
from scanner_tasks.flow.heart import EVERY_S, Heart
from scanner_tasks.flow.settle import settle
from scanner_tasks.local.ports import wait_until
from scanner_tasks.store import workers
from scanner_tasks.store.engine import execute, make_engine, transaction
from tests.api.conftest import answer, request

from .conftest import System


@pytest.fixture(autouse=True)
def _no_other_workers(engine: Engine) -> Iterator[None]:
    with transaction(engine) as connection:
        execute(connection, "delete from workers")
    yield
    with transaction(engine) as connection:
        execute(connection, "delete from workers")


def rows(engine: Engine) -> dict[UUID, int]:
    with transaction(engine) as connection:
        return {row.worker_id: row.busy for row in execute(connection, "select worker_id, busy from workers")}


def age(engine: Engine, worker_id: UUID, seconds: float) -> None:
    with transaction(engine) as connection:
        execute(
            connection,
            "update workers set seen_at = seen_at - make_interval(secs => :s) where worker_id = :id",
            s=seconds,
            id=worker_id,
        )


def test_worker_tells_that_it_lives_and_leaves_when_it_ends(engine: Engine) -> None:
    busy = threading.Event()
    heart = Heart(engine, version="1.2", slots=4, busy=lambda: 3 if busy.is_set() else 0, every_s=0.02)
    heart.start()
    wait_until(lambda: rows(engine) == {heart.worker_id: 0}, what="the first beat", timeout_s=30)
    busy.set()
    wait_until(lambda: rows(engine) == {heart.worker_id: 3}, what="another beat", timeout_s=30)
    heart.stop()
    assert rows(engine) == {}
    heart.stop()


def test_only_who_told_lately_is_alive_and_settle_forgets_who_was_killed(system: System) -> None:
    hearts = [Heart(system.engine, version=v, slots=10, busy=lambda: 4) for v in ("1", "1", "2", "2", "2")]
    for heart in hearts:
        heart.beat()
        heart.beat()
    told = fleet_to_json(read_fleet(using=system.feeder))
    assert (told["workers"], told["slots"], told["busy"], told["paused"]) == (5, 50, 20, False)
    age(system.engine, hearts[0].worker_id, 2 * EVERY_S)  # two beats failed
    age(system.engine, hearts[1].worker_id, workers.ALIVE_S + 1)
    age(system.engine, hearts[2].worker_id, workers.KEPT_S + 1)
    versions = fleet_to_json(read_fleet(using=system.feeder))["versions"]
    assert [(one["version"], one["workers"], one["slots"]) for one in versions] == [("1", 1, 10), ("2", 2, 20)]
    settle(using=system.feeder)
    assert set(rows(system.engine)) == {heart.worker_id for heart in hearts} - {hearts[2].worker_id}
    hearts[1].beat()
    assert read_fleet(using=system.feeder).workers[0].workers == 2, "it is back"


def test_ledger_that_is_away_harms_neither_the_beat_nor_the_end(tmp_path: Path) -> None:
    gone = make_engine(f"postgresql+psycopg2://nobody@/none?host={tmp_path}", pool_size=1)
    tried = threading.Semaphore(0)
    heart = Heart(gone, version="1", slots=1, busy=lambda: tried.release() or 0, every_s=0.01)
    heart.start()
    heart.stop()
    assert not heart._thread.is_alive()
    broken = Heart(gone, version="1", slots=1, busy=lambda: 1 // 0, every_s=0.01)
    broken.start()
    broken.stop()
    assert not broken._thread.is_alive()


def test_fleet_is_told_over_http(make_system: Callable[..., System], monkeypatch: pytest.MonkeyPatch) -> None:
    system = make_system()
    monkeypatch.setattr(bootstrap, "api", lambda: system.feeder)
    assert json.loads(answer(request("GET", "/fleet")).text) == {
        "paused": False,
        "workers": 0,
        "slots": 0,
        "busy": 0,
        "seen_at": None,
        "versions": [],
    }
    Heart(system.engine, version="1", slots=10, busy=lambda: 99).beat()
    told = answer(request("GET", "/fleet")).json
    assert (told["workers"], told["slots"], told["busy"]) == (1, 10, 10)
    assert told["versions"][0]["seen_at"] == told["seen_at"]
    assert answer(request("GET", "/fleet", "limit=3")).status == 400


def test_worker_process_beats_with_its_own_slots(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    from scanner_tasks import app  # noqa: PLC0415 (Celery, which no other test here needs)

    heart = Heart(system.engine, version="1", slots=8, busy=system.worker.leases.held)
    monkeypatch.setattr(bootstrap, "worker", lambda: system.worker)
    monkeypatch.setattr(bootstrap, "heart", lambda: heart)
    monkeypatch.setattr(bootstrap, "stop_heart", heart.stop)
    app._beat(sender=SimpleNamespace(controller=SimpleNamespace(concurrency=3)))  # as the command line said
    wait_until(lambda: len(rows(system.engine)) == 1, what="the first beat", timeout_s=30)
    assert read_fleet(using=system.feeder).workers[0].slots == 3
    app._end()
    assert rows(system.engine) == {}

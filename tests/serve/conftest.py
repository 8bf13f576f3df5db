"""A job on a real ledger, served; the API's own handler answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api_lambda.handler import handler
from scanner_tasks import rules
from scanner_tasks.report.shapes import about
from scanner_tasks.report.why import why
from scanner_tasks.serve.ask import in_process
from scanner_tasks.serve.live import Live
from scanner_tasks.serve.server import PageServer
from tests.cli.conftest import make_system, system

__all__ = ["make_system", "system"]

Serve = Callable[..., "Served"]


class Served:
    """A server, and requests to it."""

    def __init__(self, server: PageServer, clock: list[float]) -> None:
        self.server, self.clock = server, clock

    def ask(self, method: str, target: str, body: object = None, **headers: str | None) -> tuple[int, dict, Any]:
        """Status, headers, body; ``headers`` replace what a page of ours would send, None leaves it out."""
        given = {
            "Authorization": f"Bearer {self.server.token}",
            **({"Content-Type": "application/json"} if body else {}),
        }
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        raw = None if body is None else json.dumps(body).encode()
        connection.request(method, target, raw, {name: value for name, value in given.items() if value is not None})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        is_json = answer.headers["Content-Type"] == "application/json"
        return answer.status, dict(answer.headers), json.loads(text) if is_json else text.decode()

    def news(self, version: int = 0, *, again: bool = False) -> dict[str, Any]:
        self.clock[0] += 100  # no look is too early
        return self.ask("GET", f"/live?since={version}{'&again=1' if again else ''}")[2]


@contextmanager
def served(job_id: UUID, allow_file: Path | None = None, **more: Any) -> Iterator[Served]:
    """Serve until the end of the block; the server's clock stands still between questions."""
    clock = [0.0]
    live = live_of(job_id, **{"clock": lambda: clock[0], **more})
    with PageServer(live, user="ada", allow_file=allow_file) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Served(server, clock)
        finally:
            server.shutdown()
            thread.join()


def live_of(job_id: UUID, **more: Any) -> Live:
    """What the server asks."""
    known = rules.load_builtin().rules
    given = {"ask": in_process(handler), **more}
    return Live(job_id=job_id, about=about(known), explain=why(known), **given)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves a job with an allow file; ends with the test."""
    opened = []

    def make(job_id: UUID, **more: Any) -> Served:
        context = served(job_id, allow_file=tmp_path / "allowed.toml", **more)
        opened.append(context)
        return context.__enter__()

    yield make
    for context in reversed(opened):
        context.__exit__(None, None, None)

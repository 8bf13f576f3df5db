"""EventBridge's part on one machine: invokes the settle function again and again."""

from __future__ import annotations

import json
import threading
from typing import Any

from scanner_tasks.local.deploy import SETTLE, client

#: In AWS it is a minute; a demo is short.
EVERY_S = 2.0
#: So many failures in a row are more than bad luck.
MAX_FAILURES = 5


class SettleFailed(RuntimeError):
    """The settle function fails at each call; the message shows what it said."""


class Ticker:
    """A thread that invokes settle every few seconds until stopped, never twice at a time."""

    def __init__(self, endpoint_url: str, *, every_s: float = EVERY_S, function: str = SETTLE.name) -> None:
        self.every_s = every_s
        self.function = function
        self.calls = 0
        self._failures: list[str] = []
        self._client = client("lambda", endpoint_url)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)

    def start(self) -> Ticker:
        """Begin; the first call is made at once."""
        self._thread.start()
        return self

    def check(self) -> None:
        """Raise SettleFailed once the last calls have all failed."""
        if len(self._failures) >= MAX_FAILURES:
            msg = f"{self.function} failed {len(self._failures)} times in a row; the last answer:\n{self._failures[-1]}"
            raise SettleFailed(msg)

    def stop(self) -> None:
        """Make no further call; a running one is not waited for longer than two seconds."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _run(self) -> None:
        while not self._stop.is_set():
            failure = self._call()
            self.calls += 1
            self._failures = [*self._failures, failure] if failure else []
            self._stop.wait(self.every_s)

    def _call(self) -> str | None:
        try:
            answer: dict[str, Any] = self._client.invoke(FunctionName=self.function, Payload=json.dumps({}).encode())
            payload = answer["Payload"].read().decode(errors="replace")
        except Exception as error:  # noqa: BLE001 (whatever it was: it counts as a failure, and check() tells)
            return f"{type(error).__name__}: {error}"
        return payload if "FunctionError" in answer else None

"""EventBridge's part on one machine: invokes settle, and what looks at schedules, again and again."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from scanner_tasks.local.deploy import SCHEDULES, SETTLE, client

if TYPE_CHECKING:
    from collections.abc import Sequence

#: In AWS it is a minute; a demo is short.
EVERY_S = 2.0
#: So many failures in a row are more than bad luck.
MAX_FAILURES = 5


class SettleFailed(RuntimeError):
    """The settle function fails at each call; the message shows what it said."""


class Ticker:
    """A thread that invokes these functions every few seconds until stopped, never twice at a time."""

    def __init__(
        self, endpoint_url: str, *, every_s: float = EVERY_S, functions: Sequence[str] = (SETTLE.name, SCHEDULES.name)
    ) -> None:
        self.every_s = every_s
        self.functions = functions
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
            names, times = " and ".join(self.functions), len(self._failures)
            msg = f"{names} failed {times} times in a row; the last answer:\n{self._failures[-1]}"
            raise SettleFailed(msg)

    def stop(self) -> None:
        """Make no further call; a running one is not waited for longer than two seconds."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _run(self) -> None:
        while not self._stop.is_set():
            failures = [failure for function in self.functions if (failure := self._call(function))]
            self.calls += 1
            self._failures = [*self._failures, failures[0]] if failures else []
            self._stop.wait(self.every_s)

    def _call(self, function: str) -> str | None:
        try:
            answer: dict[str, Any] = self._client.invoke(FunctionName=function, Payload=json.dumps({}).encode())
            payload = answer["Payload"].read().decode(errors="replace")
        except Exception as error:  # noqa: BLE001 (whatever it was: it counts as a failure, and check() tells)
            return f"{type(error).__name__}: {error}"
        return payload if "FunctionError" in answer else None

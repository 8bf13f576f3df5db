"""The API asked in this process: requests go to its handler as API Gateway would send them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.errors import ScannerError
from scanner_tasks.serve.gateway import Context, to_event, to_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner_tasks.serve.gateway import Handler

    #: Method, target and body → HTTP status and JSON.
    Ask = Callable[[str, str, object], tuple[int, Any]]

OK_BELOW = 300


class ApiRefused(ScannerError):
    """The API answered with a problem; the message is what it said."""


def in_process(handler: Handler) -> Ask:
    """Asks the handler of this process."""

    def ask(method: str, target: str, body: object = None) -> tuple[int, Any]:
        raw = b"" if body is None else json.dumps(body).encode()
        headers = (("Content-Type", "application/json"), ("Host", "localhost"))
        event = to_event(method, target, headers, raw, now_s=time.time())
        answer = to_response(handler(event, Context()))
        return answer.status, json.loads(answer.body)

    return ask


def told(ask: Ask, target: str) -> dict[str, Any]:
    """What a GET answers; raises ApiRefused."""
    status, answer = ask("GET", target, None)
    if status >= OK_BELOW or not isinstance(answer, dict):
        detail = answer.get("detail") if isinstance(answer, dict) else None
        raise ApiRefused(str(detail or f"the API answered {status}"))
    return answer

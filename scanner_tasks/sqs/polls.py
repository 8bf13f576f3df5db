"""ReceiveMessage on the event loop: every poll ends, and none raises into the loop.

kombu 5.7.0 leaves a poll without answer for ever (``asynchronous/http/curl.py`` never sets a timeout), answers a 5xx
with a list that its caller cannot read (``aws/connection.py``, ``_on_list_ready``: "return []") and raises a 4xx or a
body it cannot parse through the event loop, which ends the worker.
"""

from __future__ import annotations

import json
import math
from typing import Any

import pycurl
from kombu.log import get_logger

from scanner_tasks.sqs import upstream

log = get_logger(__name__)

CONNECT_TIMEOUT_S = 5
#: What a failed poll hands to its callback in place of SQS's answer.
FAILED = "PollFailed"
_OK = 200


class PromptCurl(upstream.CurlClient):  # type: ignore[misc]
    """kombu's curl client, which looks after its transfers when curl asks for it.

    Replaces ``http/curl.py`` ``_set_timeout``: curl names milliseconds, kombu waits as many seconds, so that a new
    connection is looked after by the tick of a second only.
    """

    _wanted: Any = None

    def _set_timeout(self, msecs: int) -> None:
        if self._wanted is not None:
            self._wanted.cancel()
            self._wanted = None
        if msecs >= 0:  # -1: curl needs no timer now
            self._wanted = self.hub.call_later(msecs / 1000, self._timeout_check)


def http_client(hub: Any, max_clients: int) -> Any:
    """The event loop's HTTP client, made at the first call; kombu finds it at the same place."""
    client = getattr(hub, "_current_http_client", None)
    if client is None:
        client = hub._current_http_client = PromptCurl(hub, max_clients=max_clients)  # noqa: SLF001
    return client


class BoundedConnection(upstream.AsyncHTTPSConnection):  # type: ignore[misc]
    """One HTTP request that ends within ``limit_s`` seconds, whatever the network does."""

    def __init__(self, *, limit_s: int, http_client: Any) -> None:
        super().__init__(http_client=http_client)
        self.limit_s = limit_s

    def getrequest(self) -> Any:
        """The request, with curl's timeouts set just before it is sent."""
        request = super().getrequest()
        # Replaces nothing: curl.py stores connect_timeout and request_timeout on the request and never uses them.
        request.on_prepare = self._set_timeouts
        return request

    def _set_timeouts(self, curl: Any) -> None:
        # Whole seconds: pycurl refuses a float here, and the handle is lost to the pool of handles.
        curl.setopt(pycurl.CONNECTTIMEOUT, CONNECT_TIMEOUT_S)
        curl.setopt(pycurl.TIMEOUT, self.limit_s)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.TCP_KEEPALIVE, 1)


class PollingSQS(upstream.AsyncSQSConnection):  # type: ignore[misc]
    """SQS for the event loop; a receive that fails answers ``{FAILED: True}`` and one line in the log.

    Args:
        *args: as kombu's.
        grace_s: seconds over the long poll's own wait after which it is given up.
        **kwargs: as kombu's.
    """

    def __init__(self, *args: Any, grace_s: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.grace_s = grace_s
        self._limit_s = math.ceil(grace_s)

    def receive_message(self, *args: Any, wait_time_seconds: int = 0, **kwargs: Any) -> Any:
        """As kombu's; the time limit follows the wait that is asked for."""
        self._limit_s = math.ceil(wait_time_seconds + self.grace_s)
        return super().receive_message(*args, wait_time_seconds=wait_time_seconds, **kwargs)

    def get_http_connection(self) -> BoundedConnection:
        """A connection with the limit of the request being made."""
        return BoundedConnection(limit_s=self._limit_s, http_client=self._httpclient)

    def _on_list_ready(self, parent: Any, markers: Any, operation: str, response: Any) -> dict[str, Any]:
        # Replaces aws/connection.py _on_list_ready: [] for a 5xx or timeout, an Exception for anything else.
        try:
            if response.status == _OK:
                json.loads(response.read())  # botocore reads a body cut short as an answer without messages
                parsed: dict[str, Any] = super()._on_list_ready(parent, markers, operation, response)
                return parsed
            why = f"HTTP {response.status} {response.reason} {(response.read() or b'')[:200]!r}"
        except Exception as error:  # noqa: BLE001 (a 200 whose body is cut or garbled fails in many ways)
            why = f"an answer that cannot be read: {type(error).__name__}"
        log.warning("SQS %s of %s failed, will try again: %s", operation, parent, why)
        return {FAILED: True}

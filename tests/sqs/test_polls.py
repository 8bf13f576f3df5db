"""The HTTP client under the polls."""

from types import SimpleNamespace

import pytest
from kombu.asynchronous.http.curl import CurlClient

from scanner_tasks.sqs.polls import PromptCurl


class Timers:
    """A hub that only notes its timers."""

    def __init__(self):
        self.delays, self.cancelled = [], 0

    def call_later(self, delay, _callback):
        self.delays.append(delay)
        return SimpleNamespace(cancel=self._cancel)

    def _cancel(self):
        self.cancelled += 1


@pytest.mark.parametrize(
    "curl_client",
    [
        pytest.param(PromptCurl, id="repaired"),
        pytest.param(CurlClient, id="stock", marks=pytest.mark.xfail(strict=True, raises=AssertionError)),
    ],
)
def test_curl_is_looked_after_when_it_asks_for_it(curl_client):
    client = object.__new__(curl_client)
    client.hub = Timers()
    client._set_timeout(1500)
    client._set_timeout(20)
    client._set_timeout(-1)
    assert client.hub.delays == [1.5, 0.02]
    assert client.hub.cancelled == 2

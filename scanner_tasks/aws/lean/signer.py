"""Signatures by botocore's own signer, given nothing but what it signs, and a clock that S3 corrects."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.auth import SIGV4_TIMESTAMP, S3SigV4Auth

#: A correction below this is the way of the message, not a wrong clock.
_SKEW_MIN_S = 60


@dataclass(slots=True)
class _Request:
    """What S3SigV4Auth reads and writes of an AWSRequest."""

    method: str
    url: str
    headers: dict[str, str]
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    context: dict[str, Any] = field(default_factory=dict)


class _Auth(S3SigV4Auth):  # type: ignore[misc]
    """``add_auth`` for a given time, and without the debug lines that hold keys."""

    def add_auth_at(self, request: _Request, timestamp: str) -> None:
        request.context["timestamp"] = timestamp
        self._modify_request_before_signing(request)
        string_to_sign = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(string_to_sign, request))


class Signer:
    """Signs requests to S3; safe to share between threads.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._ahead_s = 0.0

    def sign(
        self, method: str, url: str, headers: dict[str, str], query: Mapping[str, str], *, region: str, frozen: Any
    ) -> None:
        """Add the signature's headers to ``headers``.

        Args:
            method: GET or HEAD.
            url: scheme, host and encoded path; no query.
            headers: all that S3 shall check.
            query: decoded parameters.
            region: of the bucket.
            frozen: access key, secret key and token.
        """
        timestamp = time.strftime(SIGV4_TIMESTAMP, time.gmtime(self._clock() + self._ahead_s))
        _Auth(frozen, "s3", region).add_auth_at(_Request(method, url, headers, query), timestamp)

    def learn_time(self, date: str) -> bool:
        """S3 calls our time wrong: from now on sign with its own, by its Date header; False when that is no help."""
        try:
            ahead_s = parsedate_to_datetime(date).timestamp() - self._clock()
        except ValueError:
            return False
        if abs(ahead_s - self._ahead_s) < _SKEW_MIN_S:
            return False
        self._ahead_s = ahead_s
        return True

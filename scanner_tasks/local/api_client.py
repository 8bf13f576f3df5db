"""A small client of the HTTP API, with the standard library: all that the demo and the integration test know of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FINAL_STATUSES = frozenset({"succeeded", "succeeded_with_failures", "failed", "cancelled"})


class ApiError(RuntimeError):
    """The API refused or failed; the message is what it said."""


@dataclass(frozen=True, kw_only=True)
class JobState:
    """The part of GET /jobs/{id} that the demo shows and checks."""

    job_id: str
    bucket: str
    status: str
    status_reason: str | None
    findings: int
    occurrences: int
    objects: Mapping[str, int]
    outcomes: Mapping[str, int]
    bytes_listed: int
    bytes_done: int
    total_is_final: bool
    eta_s: float | None
    percent: float = 0.0

    @property
    def is_final(self) -> bool:
        """True once nothing more will be scanned."""
        return self.status in FINAL_STATUSES

    @property
    def listed(self) -> int:
        """Objects that the listing has seen."""
        return self.objects.get("listed", 0)

    @property
    def done(self) -> int:
        """Objects that have their outcome."""
        return self.objects.get("done", 0)

    @classmethod
    def from_json(cls, job: Mapping[str, Any]) -> JobState:
        """From the API's answer."""
        progress = job["progress"]
        return cls(
            job_id=job["job_id"],
            bucket=job["bucket"],
            status=job["status"],
            status_reason=job.get("status_reason"),
            findings=job["total_findings"],
            occurrences=job["total_occurrences"],
            objects=progress["objects"],
            outcomes=progress["outcomes"],
            bytes_listed=progress["bytes"]["listed"],
            bytes_done=progress["bytes"]["done"],
            total_is_final=progress["total_is_final"],
            eta_s=progress.get("eta_s"),
            percent=progress["percent"],
        )


@dataclass(frozen=True, kw_only=True)
class FoundRule:
    """One finding: a rule in an object, and how often."""

    bucket: str
    key: str
    rule: str
    count: int
    severity: str = ""
    #: A masked example for the eye.
    example: str = ""
    line: int = field(default=0)


class Api:
    """The API at a base URL such as ``http://127.0.0.1:8000``.

    Args:
        url: scheme and host; what follows them is left out.
        timeout_s: longest silence.
        sign: gives further headers for a request: method, URL, body → headers (``signing.py``).
        connect_to: host and port to connect to, where the URL's host has no address (the emulator).
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = 30.0,
        sign: Callable[[str, str, bytes | None], Mapping[str, str]] | None = None,
        connect_to: str | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._is_tls = parts.scheme == "https"
        self._host = parts.netloc
        self._timeout_s = timeout_s
        self._sign = sign
        self._connect_to = connect_to or parts.netloc

    def start_scan(self, bucket: str, prefix: str = "", *, access: Mapping[str, str] | None = None) -> str:
        """POST /scan; the job's id. ``access`` tells how a bucket of another account is reached."""
        body = {"bucket": bucket, **({"prefix": prefix} if prefix else {}), **({"access": access} if access else {})}
        return str(self._call("POST", "/scan", body)["job_id"])

    def job(self, job_id: str) -> JobState:
        """GET /jobs/{id}, counted live."""
        return JobState.from_json(self._call("GET", f"/jobs/{job_id}?real_time=true"))

    def results(self, job_id: str, *, page: int = 100) -> Iterator[FoundRule]:
        """GET /results of the job, every page."""
        cursor = None
        while True:
            query = {"job_id": job_id, "limit": page, **({"cursor": cursor} if cursor else {})}
            answer = self._call("GET", f"/results?{urlencode(query)}")
            for result in answer["results"]:
                places = result.get("occurrences") or [{}]
                yield FoundRule(
                    bucket=result["bucket"],
                    key=result["key"],
                    rule=result["rule"],
                    count=result["count"],
                    severity=result.get("severity", ""),
                    example=places[0].get("masked", ""),
                    line=places[0].get("line", 0),
                )
            cursor = answer.get("next_cursor")
            if not cursor:
                return

    def _call(self, method: str, target: str, body: object = None) -> Any:
        kind = HTTPSConnection if self._is_tls else HTTPConnection
        connection = kind(self._connect_to, timeout=self._timeout_s)
        try:
            raw = json.dumps(body).encode() if body is not None else None
            headers = {"Content-Type": "application/json"} if raw else {}
            if self._connect_to != self._host:
                headers["Host"] = self._host
            if self._sign:
                scheme = "https" if self._is_tls else "http"
                headers.update(self._sign(method, f"{scheme}://{self._host}{target}", raw))
            connection.request(method, target, raw, headers)
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        except (OSError, HTTPException) as error:
            msg = f"{method} {target.partition('?')[0]}: {type(error).__name__}: {error}"
            raise ApiError(msg) from error
        finally:
            connection.close()
        try:
            answer = json.loads(text)
        except ValueError:
            answer = {}
        if response.status >= 300 or not isinstance(answer, dict):  # noqa: PLR2004 (HTTP's own classes)
            detail = (answer.get("detail") or answer.get("message")) if isinstance(answer, dict) else None
            msg = f"{method} {target.partition('?')[0]} answered {response.status}: {detail or text[:300]}"
            raise ApiError(msg)
        return answer

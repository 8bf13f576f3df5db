"""The API over HTTP: S3SCAN_API's requests, signed or with a token, and its problems as our errors."""

from __future__ import annotations

import json
import os
import re
import uuid
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from scanner_tasks.core.errors import (
    Conflict,
    Denied,
    InvalidInput,
    NotFound,
    ScannerError,
    Unauthenticated,
    Unavailable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ADDRESS, TOKEN = "S3SCAN_API", "S3SCAN_API_TOKEN"
_AT_AWS = re.compile(r"[a-z0-9-]+\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?")
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
_ERRORS: Final[Mapping[int, type[ScannerError]]] = {
    400: InvalidInput,
    401: Unauthenticated,
    403: Denied,
    404: NotFound,
    409: Conflict,
    422: Conflict,
}
_TIMEOUT_S, _TRIES = 35.0, 4
_PAGE = 1000
_REFUSED, _SERVER_FAILED = 400, 500


def address() -> str:
    """S3SCAN_API without a slash at its end; "" when the database is meant."""
    return os.environ.get(ADDRESS, "").strip().rstrip("/")


class Remote:
    """The API at an address. A POST carries an Idempotency-Key, so that it may be tried again."""

    def __init__(self, url: str) -> None:
        """Of ``http(s)://HOST[:PORT][/PATH]``; InvalidInput when it is none, or a token would travel in the clear."""
        import urllib3  # noqa: PLC0415

        parts = urlsplit(url)
        host = parts.hostname or ""
        token = os.environ.get(TOKEN, "").strip()
        if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
            raise InvalidInput(
                f"{ADDRESS}: give the address of the API, such as https://abc.execute-api.….amazonaws.com."
            )
        if token and parts.scheme == "http" and host not in _LOCAL:
            raise InvalidInput(f"{ADDRESS}: give https://…; a token is not sent in the clear.")
        self._url, self._token = url.rstrip("/"), token
        self._sign = None if token or host in _LOCAL else _signer(host)
        retries = urllib3.Retry(
            total=_TRIES,
            allowed_methods=None,  # a repeat of a POST is told by its key
            status_forcelist=(429, 502, 503, 504),
            backoff_factor=0.5,
            respect_retry_after_header=True,
            raise_on_status=False,
        )
        self._pool = urllib3.PoolManager(retries=retries, timeout=_TIMEOUT_S)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """What GET answers; parameters that are None or empty are left out."""
        given = {name: _text(value) for name, value in query.items() if value not in (None, (), [], "")}
        return self._ask("GET", f"{path}?{urlencode(given)}" if given else path, None)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What POST answers; fields that are None are left out."""
        given = {name: value for name, value in (body or {}).items() if value is not None}
        return self._ask("POST", path, json.dumps(given).encode() if body is not None else None)

    def ask(self, method: str, target: str, body: object = None) -> tuple[int, dict[str, Any]]:
        """What a request with this method and target (path and query) answers, with its status; a refusal raises."""
        return 200, self._ask(method, target, None if body is None else json.dumps(body).encode())

    def pages(
        self, path: str, name: str, *, limit: int | None = None, size: int = _PAGE, **query: Any
    ) -> Iterator[dict[str, Any]]:
        """Every entry of a list's ``name``, page by page of at most ``size``, at most ``limit``."""
        left, cursor = limit, None
        while left is None or left > 0:
            page = self.get(path, **query, limit=size if left is None else min(size, left), cursor=cursor)
            yield from page[name]
            left = None if left is None else left - len(page[name])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _ask(self, method: str, target: str, body: bytes | None) -> dict[str, Any]:
        import urllib3  # noqa: PLC0415

        url = self._url + target
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        elif self._sign:
            headers |= self._sign(method, url, body, headers)
        try:
            response = self._pool.request(method, url, body=body, headers=headers, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"The API at {self._url} does not answer ({type(error).__name__}).") from None
        try:
            answer = json.loads(response.data)
        except ValueError:
            answer = None
        if response.status < _REFUSED and isinstance(answer, dict):
            return answer
        raise self._error(response.status, answer)

    def _error(self, status: int, answer: Any) -> ScannerError:
        told = answer if isinstance(answer, dict) else {}
        detail = told.get("detail") or told.get("message")  # API Gateway's own refusals have a message
        if status >= _SERVER_FAILED:
            return Unavailable(str(detail or f"The API at {self._url} answered {status}."))
        kind = _ERRORS.get(status, ScannerError)
        return kind(str(detail or f"The API at {self._url} answered {status}: is this its address?"))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _signer(host: str) -> Callable[[str, str, bytes | None, Mapping[str, str]], dict[str, str]]:
    """Signs with the user's AWS credentials, whatever profile, SSO or role gives them (SigV4)."""
    import boto3  # noqa: PLC0415
    from botocore.auth import SigV4Auth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415

    session = boto3.Session()
    at_aws = _AT_AWS.fullmatch(host)
    region = at_aws.group(1) if at_aws else session.region_name
    credentials = session.get_credentials()
    if credentials is None or not region:
        raise InvalidInput(f"No AWS credentials or Region to sign with: set AWS_PROFILE and AWS_REGION, or {TOKEN}.")

    def sign(method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> dict[str, str]:
        request = AWSRequest(method=method, url=url, data=body or b"", headers=dict(headers))
        SigV4Auth(credentials.get_frozen_credentials(), "execute-api", region).add_auth(request)
        return dict(request.headers)

    return sign

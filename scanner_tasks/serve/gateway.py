"""API Gateway's part on one machine: requests become events of an HTTP API (payload 2.0), answers become responses."""

from __future__ import annotations

import base64
import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Handler = Callable[[dict[str, Any], object], Any]

#: Nobody but this machine.
LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Response:
    """What goes back to the client."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Context:
    """The part of a Lambda context that handlers and their loggers read."""

    function_name = "api"
    function_version = "$LATEST"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:api"

    def __init__(self) -> None:
        self.aws_request_id = str(uuid.uuid4())

    def get_remaining_time_in_millis(self) -> int:
        """API Gateway gives up after 30 seconds."""
        return 30_000


def to_event(
    method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes, *, now_s: float
) -> dict[str, Any]:
    """The event that API Gateway would send; ``target`` is the request line's, kept raw.

    Values of a repeated header or query parameter are joined with commas; a body that is no UTF-8 travels as base64.

    Examples:
        >>> event = to_event("GET", "/a//b%2F?x=1&x=2&y=", [("X-A", "1")], b"", now_s=0.0)
        >>> event["rawPath"], event["queryStringParameters"], event["headers"]
        ('/a//b%2F', {'x': '1,2', 'y': ''}, {'x-a': '1'})
    """
    # A target like //a/b would be read as a host named a: give it one of its own.
    parts = urlsplit("http://api" + target) if target.startswith("/") else urlsplit(target)
    joined: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        joined[lower] = f"{joined[lower]},{value}" if lower in joined else value
    query: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    try:
        text, is_base64 = body.decode(), False
    except UnicodeDecodeError:
        text, is_base64 = base64.b64encode(body).decode(), True
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": parts.path or "/",
        "rawQueryString": parts.query,
        "headers": joined,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": joined.get("host", "localhost"),
            "domainPrefix": "local",
            "http": {
                "method": method,
                "path": parts.path or "/",
                "protocol": "HTTP/1.1",
                "sourceIp": LOOPBACK,
                "userAgent": joined.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now_s)),
            "timeEpoch": int(now_s * 1000),
        },
        "isBase64Encoded": is_base64,
    }
    if query:
        event["queryStringParameters"] = query
    if body:
        event["body"] = text
    return event


def to_response(result: Any) -> Response:
    """What API Gateway makes of a handler's return value; without ``statusCode`` the value itself is the JSON body."""
    if not isinstance(result, dict) or "statusCode" not in result:
        return Response(status=200, headers=(("content-type", "application/json"),), body=json.dumps(result).encode())
    headers = [(str(name), str(value)) for name, value in (result.get("headers") or {}).items()]
    for name, many in (result.get("multiValueHeaders") or {}).items():
        headers += [(str(name), str(value)) for value in many]
    headers += [("set-cookie", str(cookie)) for cookie in result.get("cookies") or ()]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", "application/json"))
    body = result.get("body") or ""
    raw = base64.b64decode(body) if result.get("isBase64Encoded") else str(body).encode()
    return Response(status=int(result["statusCode"]), headers=tuple(headers), body=raw)

"""The live page's server: this machine only, whoever has the token only.

The page itself holds nothing and needs no token; everything that it asks for does, in a header, so that no other site's
page can ask (a browser sends no such header by itself). The token reaches the page in the address's fragment, which a
browser sends to nobody. A ``Host`` that is not this server's is refused: a name that an attacker points at 127.0.0.1
(DNS rebinding) reaches nothing.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from scanner_tasks.core.errors import InvalidInput, ScannerError
from scanner_tasks.report.html.page import page, policy
from scanner_tasks.rules.allow_file import add_allowed
from scanner_tasks.serve.ask import OK_BELOW, told
from scanner_tasks.serve.gateway import LOOPBACK
from scanner_tasks.serve.live import empty

if TYPE_CHECKING:
    from pathlib import Path

    from scanner_tasks.serve.live import Live

_UUID: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
#: What of the API the page may reach.
_PASSED: Final = (
    ("GET", re.compile(rf"/(findings/{_UUID}/(explain|allow-list)|triage/{_UUID})(\?job_id={_UUID})?")),
    ("POST", re.compile(r"/triage")),
)
_MAX_BODY_BYTES: Final = 100_000
#: A connection that says nothing for so long is closed.
_SILENCE_S: Final = 30


class Refused(Exception):
    """The request gets this answer."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class PageServer(ThreadingHTTPServer):
    """Serves ``live`` on a loopback port (0: a free one); ``url`` is what to open."""

    daemon_threads = True

    def __init__(self, live: Live, *, port: int = 0, user: str = "", allow_file: Path | None = None) -> None:
        super().__init__((LOOPBACK, port), _Requests)
        self.live, self.user, self.allow_file = live, user, allow_file
        self.token = secrets.token_urlsafe(32)
        self.port = int(self.server_address[1])
        self.hosts = {f"{name}:{self.port}" for name in (LOOPBACK, "localhost")}
        self.url = f"http://{LOOPBACK}:{self.port}/#{self.token}"
        self.page = page(empty(live.job_id, live.about)).encode()
        own = f"{policy(is_live=True)}; frame-ancestors 'none'"
        self.always = {
            "Content-Security-Policy": own,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cache-Control": "no-store",
        }


class _Requests(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "s3scan", ""
    timeout = _SILENCE_S

    def do_GET(self) -> None:
        """The page, news, or a passage to the API."""
        self._answered("GET")

    def do_POST(self) -> None:
        """A mark, or an entry of an allow list."""
        self._answered("POST")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing: targets name findings."""

    def _answered(self, method: str) -> None:
        try:
            self._check_origin()
            if method == "GET" and self.path == "/":
                self._send(HTTPStatus.OK, self.server.page, "text/html; charset=utf-8")
                return
            self._check_token()
            status, answer = self._answer(method, self._body() if method == "POST" else None)
        except Refused as refusal:
            self.close_connection = True
            status, answer = refusal.status, {"status": refusal.status, "detail": refusal.detail}
        except ScannerError as error:
            status, answer = HTTPStatus.BAD_REQUEST, {"status": HTTPStatus.BAD_REQUEST, "detail": str(error)}
        except OSError as error:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            answer = {"status": status, "detail": f"A file could not be written: {error.strerror}."}
        self._send(status, json.dumps(answer).encode(), "application/json")

    def _check_origin(self) -> None:
        hosts = self.server.hosts
        if self.headers.get("Host") not in hosts:
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST, "Open the address that `s3scan serve` printed.")
        origin = self.headers.get("Origin")
        if origin is not None and origin not in {f"http://{host}" for host in hosts}:
            raise Refused(HTTPStatus.FORBIDDEN, "Another site's page may not ask.")

    def _check_token(self) -> None:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self.server.token.encode()):
            raise Refused(HTTPStatus.UNAUTHORIZED, "The token is missing or old: open what `s3scan serve` printed.")

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _MAX_BODY_BYTES:
            raise Refused(HTTPStatus.BAD_REQUEST, f"Give a body of at most {_MAX_BODY_BYTES:,} bytes.")
        if self.headers.get("Content-Type") != "application/json":
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send application/json.")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise Refused(HTTPStatus.BAD_REQUEST, "The body is no JSON object.")
        return body

    def _answer(self, method: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        target = urlsplit(self.path)
        if method == "GET" and target.path == "/live":
            query = parse_qs(target.query)
            since = query.get("since", ["0"])[0]
            news = self.server.live.since(int(since) if since.isdecimal() else 0, again="again" in query)
            return HTTPStatus.OK, news | {"user": self.server.user, "allow_file": self._allow_file()}
        if method == "POST" and target.path == "/allow" and body is not None:
            return HTTPStatus.OK, self._allow(body)
        passed = self.path.removeprefix("/api")
        if not self.path.startswith("/api/") or not any(
            method == verb and pattern.fullmatch(passed) for verb, pattern in _PASSED
        ):
            raise Refused(HTTPStatus.NOT_FOUND, "No such path.")
        status, answer = self.server.live.ask(method, passed, body)
        if method == "POST" and status < OK_BELOW:
            self.server.live.marked(answer["finding_id"], answer["status"])
        return status, answer

    def _allow_file(self) -> str | None:
        return self.server.allow_file.name if self.server.allow_file else None

    def _allow(self, body: dict[str, Any]) -> dict[str, Any]:
        file, finding_id, name = (
            self.server.allow_file,
            str(body.get("finding_id")),
            str(body.get("reason", "")).strip(),
        )
        if file is None:
            raise InvalidInput("Begin `s3scan serve` with --allow-file FILE to add to an allow list from the page.")
        live = self.server.live
        entry = told(live.ask, f"/findings/{quote(finding_id, safe='')}/allow-list?job_id={live.job_id}")
        added = add_allowed(file, name=name, rules=[entry["rule"]], fingerprints=entry["fingerprints"])
        return {"file": file.name, "added": added, "fingerprints": len(entry["fingerprints"])}

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        for name, value in self.server.always.items():
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

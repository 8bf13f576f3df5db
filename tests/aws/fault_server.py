"""A tiny S3 on loopback that answers one object, and misbehaves as it is told: cuts, stalls, refusals."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Cut:
    """Close the connection after so many bytes of the body."""

    after: int


@dataclass(frozen=True)
class Stall:
    """Say nothing more after so many bytes of the body, until the server stops."""

    after: int


@dataclass(frozen=True)
class Refuse:
    """An error answer."""

    status: int
    code: str
    message: str = "no"


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    range: str | None
    if_match: str | None
    connection: int


class FaultServer:
    """Answers every GET and HEAD with ``content``; the faults in ``script`` come first, one for each request."""

    def __init__(self, content: bytes, etag: str) -> None:
        self.content = content
        self.etag = etag
        self.script: deque[Cut | Stall | Refuse | None] = deque()
        self.requests: list[Request] = []
        self.connections = 0
        self.ignores_range = False
        self._stopping = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 20

            def setup(self):
                super().setup()
                server.connections += 1
                self.number = server.connections

            def do_GET(self):
                server.answer(self)

            do_HEAD = do_GET  # noqa: N815

            def log_message(self, *args):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def stop(self) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        headers = handler.headers
        ranged = "Range" in headers and not self.ignores_range
        if_match = headers.get("If-Match")
        self.requests.append(Request(handler.command, handler.path, headers.get("Range"), if_match, handler.number))
        fault = self.script.popleft() if self.script else None
        if fault is None and if_match not in {None, f'"{self.etag}"'}:
            fault = Refuse(412, "PreconditionFailed")
        if isinstance(fault, Refuse):
            self._refuse(handler, fault)
            return
        first, _, last = headers["Range"].removeprefix("bytes=").partition("-") if ranged else ("0", "", "")
        start = int(first)
        body = self.content[start : int(last) + 1 if last else None]
        handler.send_response(206 if ranged else 200)
        handler.send_header("ETag", f'"{self.etag}"')
        handler.send_header("Content-Length", str(len(body)))
        if ranged:
            handler.send_header("Content-Range", f"bytes {start}-{start + len(body) - 1}/{len(self.content)}")
        handler.end_headers()
        if handler.command == "HEAD":
            return
        if fault is None:
            handler.wfile.write(body)
            return
        handler.wfile.write(body[: fault.after])
        handler.wfile.flush()
        if isinstance(fault, Stall):
            self._stopping.wait(20)
        handler.close_connection = True

    def _refuse(self, handler: BaseHTTPRequestHandler, fault: Refuse) -> None:
        body = f"<Error><Code>{fault.code}</Code><Message>{fault.message}</Message></Error>".encode()
        handler.send_response(fault.status)
        handler.send_header("Content-Type", "application/xml")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

"""API Gateway's part on one machine: HTTP requests become events of an HTTP API (payload 2.0) for a Lambda handler.

``python -m scanner_tasks.local.api_server PORT [MODULE:FUNCTION]`` listens on loopback only.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from scanner_tasks.local.ports import LOOPBACK
from scanner_tasks.serve.gateway import Context, Response, to_event, to_response

if TYPE_CHECKING:
    from scanner_tasks.serve.gateway import Handler

#: API Gateway's own limit.
MAX_BODY_BYTES = 10_000_000


def make_server(port: int, handler: Handler) -> ThreadingHTTPServer:
    """A server on loopback, not yet serving; port 0 picks a free one."""

    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            """Any method: event, handler, response."""
            length = self.headers.get("Content-Length", "0")
            if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
                self.close_connection = True
                self.reply(_message(413 if length.isdecimal() else 400, "Request Too Long or without a length"))
                return
            body = self.rfile.read(int(length))
            try:
                target = self.requestline.split(" ")[1]  # self.path has //lead made into /lead
                event = to_event(self.command, target, self.headers.items(), body, now_s=time.time())
                response = to_response(handler(event, Context()))
            except Exception:  # noqa: BLE001 (as API Gateway answers for a Lambda function that fails)
                traceback.print_exc()
                response = _message(500, "Internal Server Error")
            self.reply(response)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = answer  # noqa: N815
        do_TRACE = do_QUERY = answer  # noqa: N815 (the API says that it does not take them)

        def reply(self, response: Response) -> None:
            """Send status, headers and body."""
            self.send_response(response.status)
            for name, value in response.headers:
                if name.lower() not in {"content-length", "connection"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            """Say nothing: query strings hold object names, and the handler logs its own events."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    return Server((LOOPBACK, port), Requests)


def _message(status: int, message: str) -> Response:
    return Response(
        status=status,
        headers=(("content-type", "application/json"),),
        body=json.dumps({"message": message}).encode(),
    )


def main(argv: list[str]) -> None:
    """Serve until killed."""
    module, _, function = (argv[1] if len(argv) > 1 else "api_lambda.handler:handler").partition(":")
    handler: Handler = getattr(importlib.import_module(module), function)
    make_server(int(argv[0]), handler).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])

"""A TCP relay before Postgres that cuts connections right after a COMMIT took effect: the ambiguous commit.

The client sees a dead connection and cannot know whether its transaction counts. It does: the relay has read the
server's answer and thrown it away.
"""

from __future__ import annotations

import contextlib
import random
import select
import socket
import socketserver
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

#: PostgreSQL's protocol 3: a simple query "COMMIT", and "ready for query, idle".
_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
_READY = b"Z\x00\x00\x00\x05I"
_LOOPBACK = "127.0.0.1"


class CommitCutter:
    """Relays a loopback port of its own to ``server_port``; each COMMIT loses its answer with probability ``share``."""

    def __init__(self, server_port: int, *, share: float, seed: int = 1) -> None:
        self.share = share
        #: Answers thrown away so far.
        self.cuts = 0
        self._server_port = server_port
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        outer = self

        class Relay(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    outer._relay(self.request)

        socketserver.ThreadingTCPServer.daemon_threads = True
        self._server = socketserver.ThreadingTCPServer((_LOOPBACK, 0), Relay)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _relay(self, client: socket.socket) -> None:
        with socket.create_connection((_LOOPBACK, self._server_port)) as server:
            while True:
                readable, _, _ = select.select([client, server], [], [])
                if server in readable:
                    answer = server.recv(65536)
                    if not answer:
                        return
                    client.sendall(answer)
                if client in readable:
                    request = client.recv(65536)
                    if not request:
                        return
                    server.sendall(request)
                    if request.endswith(_COMMIT) and self._is_due():
                        self._await_commit(server)
                        return  # both sides are closed, the answer is lost

    def _is_due(self) -> bool:
        with self._lock:
            return self._random.random() < self.share

    def _await_commit(self, server: socket.socket) -> None:
        answer = b""
        while not answer.endswith(_READY):
            part = server.recv(65536)
            if not part:
                return
            answer += part
        if b"COMMIT\x00" in answer:
            with self._lock:
                self.cuts += 1

"""TLS before a PostgreSQL that was built without it, ended by a proxy as RDS Proxy ends it; libpq sees no other."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from pathlib import Path

#: Length 8 and the code 80877103: what libpq asks first.
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


class TlsProxy:
    """Listens on a loopback port, speaks TLS with the client and plainly with the server on ``server_port``."""

    def __init__(self, certificate: Path, key: Path, server_port: int) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.sessions = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def stop(self) -> None:
        """Take no new connections."""
        self._listener.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            if client.recv(8, socket.MSG_WAITALL) != SSL_REQUEST:  # plain text: refused
                return
            client.sendall(b"S")
            try:
                secure = self._context.wrap_socket(client, server_side=True)
            except OSError:
                return
        self.sessions += 1
        with secure, socket.create_connection(("127.0.0.1", self._server_port)) as server:
            back = threading.Thread(target=self._copy, args=(server, secure), daemon=True)
            back.start()
            self._copy(secure, server)
            back.join()

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

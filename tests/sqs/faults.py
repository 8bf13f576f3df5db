"""A proxy between a worker and the emulator that spoils answers on demand."""

from __future__ import annotations

import contextlib
import json
import random
import re
import socket
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: half: the connection ends within the body; truncated: a shorter body of the right length; stall: half a body, then
#: silence; cut: no answer; dead: no answer, and the connection stays open. (Also "bye": a whole answer, and the end.)
LATE = ("half", "truncated", "stall")  # spoilt once the emulator has answered
KINDS = ("503", "400", "403", "garbled", "half", "cut", "dead", "headers", "truncated", "stall")


class FaultProxy:
    """HTTP/1.1 on a loopback port; ``spoil`` arms faults, ``seen`` counts requests by (operation, what happened)."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream = upstream_port
        self._armed: list[tuple[str, str]] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.seen: Counter[tuple[str, str]] = Counter()
        #: Requests that wait for the emulator's answer.
        self.open: Counter[str] = Counter()
        self.in_order: list[tuple[float, str, str]] = []
        self._rate, self._random = 0.0, random.Random(0)
        self.port = 0
        self.listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def spoil(self, operation: str, kind: str, times: int = 1) -> None:
        """The next ``times`` answers to ``operation`` are spoilt."""
        with self._lock:
            self._armed += [(operation, kind)] * times

    def spoil_at_random(self, rate: float, seed: int) -> None:
        """From now on this part of all answers is spoilt, in every way but a denial."""
        self._rate, self._random = rate, random.Random(seed)

    def heal(self) -> None:
        with self._lock:
            self._armed.clear()

    def spoilt(self, operation: str) -> int:
        """How many answers to ``operation`` have been spoilt."""
        return sum(n for (op, how), n in self.seen.items() if op == operation and how != "ok")

    def listen(self) -> None:
        """Accept connections, on the same port as ever."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._spawn(self._accept, self._listener)

    def refuse(self) -> None:
        """Hang up, and refuse connections until ``listen``."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Cut the connections that are open; new ones are welcome."""
        with self._lock:
            for open_socket in self._sockets:
                with contextlib.suppress(OSError):
                    open_socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._ended.set()
        self.refuse()
        for thread in self._threads:
            thread.join(5)

    def _spawn(self, target, *args) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._ended.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self._spawn(self._serve, client)

    def _next_fault(self, operation: str) -> str | None:
        with self._lock:
            for index, (wanted, kind) in enumerate(self._armed):
                if wanted in (operation, "*"):
                    del self._armed[index]
                    return kind
            return self._random.choice(KINDS) if self._random.random() < self._rate else None

    @contextlib.contextmanager
    def _opened(self, operation: str) -> Iterator[None]:
        with self._lock:
            self.open[operation] += 1
        try:
            yield
        finally:
            with self._lock:
                self.open[operation] -= 1

    def _serve(self, client: socket.socket) -> None:  # noqa: C901, PLR0912, PLR0915 (one branch for each fault)
        with self._lock:
            self._sockets.add(client)
        server = None
        try:
            with client, client.makefile("rb") as reader:
                while True:
                    head, body = _read(reader)
                    operation = _operation(head, body)
                    kind = self._next_fault(operation)
                    if kind not in LATE:  # counted once it is given
                        self.seen[operation, kind or "ok"] += 1
                    self.in_order.append((time.monotonic(), operation, kind or "ok"))
                    if kind == "dead":
                        self._ended.wait()
                        return
                    if kind == "cut":
                        return
                    if kind in ("503", "400", "403", "denied", "garbled", "headers"):
                        client.sendall(_spoilt_answer(kind))
                        if kind == "headers":
                            return
                        continue
                    if server is None:
                        server = socket.create_connection(("127.0.0.1", self._upstream))
                        with self._lock:
                            self._sockets.add(server)
                        answers = server.makefile("rb")
                    with self._opened(operation):
                        server.sendall(head + body)
                        head, body = _read(answers)
                    if kind in LATE:
                        part = body[: max(1, len(body) // 2)]
                        if kind == "truncated":
                            client.sendall(_answer(b"200 OK", part))
                        else:
                            client.sendall(head + part)
                        self.seen[operation, kind] += 1
                        if kind == "stall":
                            self._ended.wait()
                        if kind != "truncated":
                            return
                        continue
                    client.sendall(head + body)
                    if kind == "bye":
                        return
        except (OSError, EOFError):
            pass
        finally:
            with self._lock:
                self._sockets.discard(client)
                if server is not None:
                    self._sockets.discard(server)
            if server is not None:
                answers.close()
                server.close()


def _spoilt_answer(kind: str) -> bytes:
    if kind == "garbled":
        return _answer(b"200 OK", b'{"Messages": [{"Body"')
    if kind == "headers":
        return b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"
    names = {"503": "ServiceUnavailable", "400": "ThrottlingException", "403": "ExpiredToken", "denied": "AccessDenied"}
    body = json.dumps({"__type": names[kind], "message": "injected"}).encode()
    return _answer((kind if kind.isdigit() else "403").encode() + b" Spoilt", body)


def _answer(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n%s" % (
        status,
        len(body),
        body,
    )


def _operation(head: bytes, body: bytes) -> str:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"x-amz-target":
            return value.decode().strip().rpartition(".")[2]
    named = re.search(rb"(?:^|&)Action=(\w+)", body)  # SNS
    return named[1].decode() if named else "?"


def _read(reader) -> tuple[bytes, bytes]:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = reader.readline()
        if not line:
            raise EOFError
        head += line
    length, chunked = 0, False
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            length = int(value)
        chunked = chunked or (name == b"transfer-encoding" and b"chunked" in value)
    if not chunked:
        return head, reader.read(length)
    body = b""
    while True:
        size = reader.readline()
        chunk = reader.read(int(size, 16) + 2)
        body += size + chunk
        if int(size, 16) == 0:
            return head, body

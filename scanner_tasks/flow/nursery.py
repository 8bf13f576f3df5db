"""Child processes in milliseconds: forked from one process that has everything loaded once.

Rules and their filter take seconds to make ready and a hundred megabytes; a forked child has both from its first
moment, and shares the memory until it writes there. The worker itself cannot be forked, it has threads: so a process
that never has any, the nursery, is started when the first child is asked for, and forks when it is told to.

    worker ── control ──▶ nursery          b"fork" and one end of a socket ▸ the new child's process id
       │                     │ fork        a process id ▸ its exit status and memory, once it has ended
       └──── socket ──────▶ child          JSON lines: flow/isolation.py

Everything ends with the worker, whatever ended it: the nursery and each idle child read an end of file.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import socket
import subprocess
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.core.errors import Unavailable
from scanner_tasks.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

log = get_logger()

#: Seconds in which a nursery is ready and a child forked, on a machine that is busy.
_START_S = 180.0
_FORK = b"fork"
#: M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD of glibc's malloc.h: arenas; bytes from which an allocation is given
#: back as soon as it is freed; bytes that may stay free at a heap's end.
_MALLOC = {-8: 2, -3: 256 * 1024, -1: 256 * 1024}


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a child ended."""

    #: As subprocess tells it: the negative number of the signal that ended it.
    status: int
    #: Most memory that it had at any time, or since it last had that forgotten (Linux: /proc/self/clear_refs).
    peak_bytes: int


class Nursery:
    """Forks children for one worker; safe for threads.

    Args:
        command: starts a process that calls ``nurse``.
        environment: its environment; None is this process's own.
        descriptors: files of this process that it and its children have open too.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        descriptors: Sequence[int] = (),
    ) -> None:
        self._command = command
        self._environment = environment
        self._descriptors = tuple(descriptors)
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._end: Callable[[], object] = _nothing

    def fork(self) -> tuple[int, socket.socket]:
        """A new child's process id and the socket to it; Unavailable when none can be had."""
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            for _ in range(2):  # a nursery that was killed is replaced
                control = self._control or self._start()
                try:
                    socket.send_fds(control, [_FORK], [theirs.fileno()])
                    return int(control.recv(32)), ours
                except (OSError, ValueError):
                    log.warning("nursery_lost")
                    self._stop()
        ours.close()
        raise Unavailable("The process that scans risky objects could not be started: its log is above.")

    def reap(self, pid: int) -> Ended | None:
        """How a child ended, by itself or killed; None where it is not known."""
        with self._lock:
            if self._control is None:
                return None
            try:
                self._control.sendall(str(pid).encode())
                status, peak = self._control.recv(64).split()
                return Ended(status=int(status), peak_bytes=int(peak))
            except (OSError, ValueError):
                self._stop()
                return None

    def close(self) -> None:
        """End the nursery; children that are at work go on to the end of their socket."""
        with self._lock:
            self._stop()

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603
                self._command, stdin=theirs.fileno(), env=self._environment, pass_fds=self._descriptors
            )
        ours.settimeout(_START_S)
        self._control, self._end = ours, weakref.finalize(self, _end, process, ours)
        return ours

    def _stop(self) -> None:
        self._end()
        self._control, self._end = None, _nothing


def _nothing() -> None:
    pass


def _end(process: subprocess.Popen[bytes], control: socket.socket) -> None:
    control.close()
    process.kill()
    process.wait()


def nurse(live: Callable[[socket.socket], None]) -> None:
    """In the nursery, everything being loaded: fork a child for each socket that comes; it runs ``live`` and ends.

    Returns when the worker is gone.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # a stop is the worker's to tell
        signal.signal(number, signal.SIG_IGN)
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join()
    give_back_memory()
    gc.freeze()
    with socket.socket(fileno=os.dup(0)) as control:
        while True:
            asked, descriptors, _, _ = socket.recv_fds(control, 32, 1)
            if not asked:
                return
            if not descriptors:
                control.sendall(_end_of(int(asked)))
            elif pid := os.fork():
                os.close(descriptors[0])
                control.sendall(str(pid).encode())
            else:
                _live(control, descriptors[0], live)


def _live(control: socket.socket, descriptor: int, live: Callable[[socket.socket], None]) -> None:
    """The child's whole life."""
    status = 1
    try:
        control.close()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        with socket.socket(fileno=descriptor) as worker:
            live(worker)
        status = 0
    finally:
        os._exit(status)


def _end_of(pid: int) -> bytes:
    """A child's exit status, and the most memory that it had."""
    try:
        _, status, used = os.wait4(pid, 0)
    except ChildProcessError:
        return b"0 0"
    return f"{os.waitstatus_to_exitcode(status)} {used.ru_maxrss * 1024}".encode()


def keep_little_memory() -> None:
    """Let the C library keep little of what many threads have freed, where it can (glibc); to be called before any.

    By itself it keeps an arena for each thread, and, once buffers of a megabyte have come and gone, those too: with 20
    threads a worker held 454 MB of which it used a fraction (benchmarks/bench_worker_memory.py).
    """
    try:
        library = ctypes.CDLL(None)
        for what, value in _MALLOC.items():
            library.mallopt(what, value)
    except (OSError, AttributeError):
        return


def give_back_memory() -> None:
    """Hand memory that was freed back to the system, where the C library can (glibc)."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return

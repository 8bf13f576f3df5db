"""Loopback ports for the local stack, and waiting until something answers on one."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A loopback TCP port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def is_open(port: int) -> bool:
    """True when something accepts connections on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


def wait_until(
    ready: Callable[[], bool], *, what: str, timeout_s: float, check: Callable[[], None] | None = None
) -> None:
    """Return once ``ready()``; after ``timeout_s`` raise TimeoutError naming ``what``; ``check`` may raise sooner."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        if check:
            check()
        if time.monotonic() > deadline:
            msg = f"{what} was not ready within {timeout_s:.0f} s"
            raise TimeoutError(msg)
        time.sleep(0.02)

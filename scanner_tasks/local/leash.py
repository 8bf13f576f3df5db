"""Run one command that must not outlive whoever started it.

``python leash.py GRACE_S SIGNAL COMMAND…`` starts the command in a session of its own, prints its pid on stdout and
watches its own stdin. When stdin closes — its holder stopped, crashed or was killed with SIGKILL — the command's whole
process group gets SIGNAL, after GRACE_S seconds SIGKILL. Exits with the command's exit status.

Runs by path with the standard library alone, so that it starts fast and works from any environment.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys


def main(argv: list[str]) -> int:
    """Start the command, then wait for its end or for stdin to close; the command's exit status."""
    grace_s, stop_signal, command = float(argv[0]), int(argv[1]), argv[2:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the holder decides; a terminal's Ctrl-C reaches it too
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child_ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: os.write(wake, b"x"))
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        start_new_session=True,
        preexec_fn=_default_signals,  # noqa: PLW1509 (no threads here)
    )
    print(child.pid, flush=True)
    while child.poll() is None:
        ready, _, _ = select.select([0, child_ended], [], [])
        if 0 in ready and not os.read(0, 4096):
            _kill_group(child.pid, stop_signal)
            try:
                child.wait(grace_s)
            except subprocess.TimeoutExpired:
                _kill_group(child.pid, signal.SIGKILL)
                child.wait()
            break
        if child_ended in ready:
            os.read(child_ended, 4096)
    _kill_group(child.pid, signal.SIGKILL)  # whatever the command left behind
    status = child.returncode
    return status if status >= 0 else 128 - status


def _default_signals() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _kill_group(pid: int, signum: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signum)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

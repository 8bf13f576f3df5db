"""Child processes of the local stack: each on a leash, so that none outlives its parent, however that ends."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LEASH = Path(__file__).with_name("leash.py")


@dataclass(kw_only=True)
class Child:
    """One running command and its log file.

    ``stop`` asks politely with ``stop_signal`` and kills after ``grace_s`` seconds; so does the end of this process.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    cwd: Path | None = None
    stop_signal: int = signal.SIGTERM
    grace_s: float = 10.0
    #: Process id of the command itself (not of its leash), once started.
    pid: int = 0
    _leash: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> Child:
        """Start the command; returns self. Output goes to ``log``, appended."""
        with self.log.open("ab") as log:
            leash = subprocess.Popen(
                [sys.executable, "-IS", str(_LEASH), str(self.grace_s), str(int(self.stop_signal)), *self.argv],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=dict(self.env),
                cwd=self.cwd,
                start_new_session=True,
            )
        assert leash.stdout is not None
        line = leash.stdout.readline()
        leash.stdout.close()
        self._leash = leash
        if not line.strip():
            leash.wait()
            self._close_stdin()
            raise ChildFailed(self)
        self.pid = int(line)
        return self

    @property
    def exit_status(self) -> int | None:
        """None while it runs; else its exit status, 128 + n after signal n."""
        if self._leash is None:
            return None
        status = self._leash.poll()
        if status is not None:
            self._close_stdin()
        return status

    def check(self) -> None:
        """Raise ChildFailed with the end of its log if it is no longer running."""
        if self.exit_status is not None:
            raise ChildFailed(self)

    def stop(self) -> int | None:
        """End the command and wait; its exit status."""
        if self._leash is None:
            return None
        self._close_stdin()
        return self._leash.wait()

    def _close_stdin(self) -> None:
        """Let go of the leash: its end of input is the sign to stop."""
        if self._leash and self._leash.stdin and not self._leash.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self._leash.stdin.close()

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


class ChildFailed(RuntimeError):
    """A part of the local stack ended by itself."""

    def __init__(self, child: Child) -> None:
        super().__init__(
            f"{child.name} ended with status {child.exit_status}; its log is {child.log}:\n{child.log_tail()}"
        )
        self.child = child
